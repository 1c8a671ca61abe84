"""The rules there are: every module in ``findings/rules/``, checked and read as pages."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType, ModuleType
from typing import cast

from unstuck.core.errors import BadInput
from unstuck.findings import rules as rules_package
from unstuck.findings.contract import Rule

HEADINGS = ("What it means", "Why it hurts", "How it is judged", "When it is wrong", "What to do", "Sources")
_FILE_NAME = re.compile(r"([a-z]\d{3})_(.+)")
_NAMES = ("CODE", "NAME", "CLAIM", "ENABLED", "SICK", "HEALTHY", "THRESHOLDS", "judge")


@dataclass(frozen=True)
class Page:
    """What ``unstuck explain CODE`` shows: the lead sentence and the text under each heading, in their fixed order."""

    code: str
    name: str
    claim: str
    lead: str
    sections: Mapping[str, str]


@dataclass(frozen=True)
class Catalog:
    """The rules by code, and what is wrong with those that could not be loaded."""

    rules: Mapping[str, Rule]
    broken: Mapping[str, str]  # code (or file name): reason


def sections(text: str) -> tuple[str, dict[str, str]]:
    """The lead of a page and its parts: a heading is a line with a line of dashes under it.

    >>> sections("Lead." + chr(10) * 2 + "Sources" + chr(10) + "-------" + chr(10) + "A book.")
    ('Lead.', {'Sources': 'A book.'})
    """
    lead: list[str] = []
    found: dict[str, list[str]] = {}
    current = lead
    lines = text.expandtabs().splitlines()
    skip = False
    for i, line in enumerate(lines):
        if skip:
            skip = False
            continue
        below = lines[i + 1].strip() if i + 1 < len(lines) else ""
        if line.strip() and len(below) >= 3 and set(below) == {"-"}:
            current = found.setdefault(line.strip(), [])
            skip = True
        else:
            current.append(line.rstrip())
    return "\n".join(lead).strip(), {heading: "\n".join(body).strip("\n") for heading, body in found.items()}


def faults(module: ModuleType, file_name: str) -> list[str]:
    """What a rule's module lacks, as sentences; an empty list when it is sound.

    >>> import types
    >>> faults(types.ModuleType("x"), "x999_nothing")[0]
    'CODE is missing'
    """
    missing = [f"{name} is missing" for name in _NAMES if not hasattr(module, name)]
    if missing:
        return missing
    found: list[str] = []
    rule = cast(Rule, module)
    match = _FILE_NAME.fullmatch(file_name)
    if match is None:
        return [f"the file name {file_name!r} is not like g301_vanishing_gradient"]
    if match[1].upper() != rule.CODE:
        found.append(f"CODE is {rule.CODE!r} in a file named {file_name}.py")
    if match[2].replace("_", "-") != rule.NAME:
        found.append(f"NAME is {rule.NAME!r} in a file named {file_name}.py")
    _, parts = sections(module.__doc__ or "")
    if tuple(parts) != HEADINGS:
        found.append(f"the page has the headings {list(parts)}, want {list(HEADINGS)}")
    found += [f"nothing stands under {heading!r}" for heading, text in parts.items() if not text.strip()]
    found += [f"threshold {name} has no source" for name, (_, source) in rule.THRESHOLDS.items() if not source.strip()]
    if not rule.CLAIM.strip():
        found.append("CLAIM is empty")
    if not callable(rule.judge):
        found.append("judge cannot be called")
    return found


@functools.cache
def load() -> Catalog:
    """Read the folder once. A rule that cannot be used is named under ``broken``; it does not stop the others."""
    good: dict[str, Rule] = {}
    broken: dict[str, str] = {}
    for entry in sorted(pkgutil.iter_modules(rules_package.__path__), key=lambda e: e.name):
        match = _FILE_NAME.fullmatch(entry.name)
        code = match[1].upper() if match else entry.name
        try:
            module = importlib.import_module(f"{rules_package.__name__}.{entry.name}")
        except Exception as error:  # one broken file must not take the other rules with it
            broken[code] = f"{type(error).__name__}: {error}"
            continue
        wrong = faults(module, entry.name)
        if wrong:
            broken[code] = "; ".join(wrong)
        elif code in good:
            broken[code] = f"two files have the code {code}"
        else:
            good[code] = cast(Rule, module)
    return Catalog(MappingProxyType(good), MappingProxyType(broken))


def rules() -> Mapping[str, Rule]:
    """Every rule by its code, in order of codes.

    >>> "G303" in rules()
    True
    """
    return load().rules


def rule(code: str) -> Rule:
    """One rule by its code or its name, however it is written.

    >>> rule("g303").NAME
    'dead-units'
    >>> rule("dead-units").CODE
    'G303'
    """
    wanted = code.strip()
    known = rules()
    if wanted.upper() in known:
        return known[wanted.upper()]
    for one in known.values():
        if wanted.lower().replace("_", "-") == one.NAME:
            return one
    raise BadInput("code", got=code, want="the code or name of a finding", hint=f"there are {', '.join(known)}")


def page(code: str) -> Page:
    """The page of one rule.

    >>> list(page("G303").sections)[0]
    'What it means'
    """
    one = rule(code)
    lead, parts = sections(one.__doc__ or "")
    return Page(one.CODE, one.NAME, one.CLAIM, lead, MappingProxyType(parts))
