"""``unstuck explain``: what a finding means, why it hurts, how it is judged, when it is wrong, what to do."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from unstuck.core.errors import BadInput


def explain(
    finding: Annotated[
        str | None, typer.Argument(metavar="[CODE|NAME]", help="A finding's code (L201) or name (double-softmax).")
    ] = None,
    all_findings: Annotated[
        bool, typer.Option("--all", help="The pages of all findings, one after the other.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="As Markdown.")] = False,
) -> None:
    """What a finding means, why it hurts, how it is judged, when it is wrong, what to do.

    Without a code: the list of all findings.

    Examples:

        unstuck explain L201

        unstuck explain double-softmax

        unstuck explain --all --json
    """
    from rich.console import Console

    from unstuck.findings import catalog
    from unstuck.report.page import Page, markdown
    from unstuck.report.terminal import print_list, print_page

    if finding is not None and all_findings:
        raise BadInput("explain", got=f"{finding} and --all", want="one of the two")
    if as_json and as_markdown:
        raise BadInput("explain", got="--json and --markdown", want="one of the two")
    known = catalog.rules()
    codes = list(known) if finding is None else [code_of(finding, {code: rule.NAME for code, rule in known.items()})]
    described = [describe(code) for code in codes]
    if as_json:
        typer.echo(json.dumps(described if finding is None else described[0], indent=1, ensure_ascii=True))
        return
    pages = [
        Page(d["code"], d["name"], d["claim"], d["lead"], {**d["sections"], "Thresholds": _thresholds(d["thresholds"])})
        for d in described
    ]
    if as_markdown:
        typer.echo("\n\n".join(markdown(page) for page in pages))
        return
    console = Console()
    if finding is None and not all_findings:
        print_list([(page.code, page.name, page.claim) for page in pages], console)
        for code, reason in catalog.load().broken.items():
            typer.echo(f"unstuck: {code} could not be loaded: {reason}", err=True)
        return
    for page in pages:
        print_page(page, console)


def code_of(wanted: str, names: Mapping[str, str]) -> str:
    """The code that is meant by a code or a name, however it is written.

    Errors: ``BadInput`` with the nearest codes and names.

    >>> code_of("Double Softmax", {"L201": "double-softmax"})
    'L201'
    """
    code, name = wanted.strip().upper(), wanted.strip().lower().replace("_", "-").replace(" ", "-")
    if code in names:
        return code
    for known, its_name in names.items():
        if its_name == name:
            return known
    # Names that hold the word come first, then those that are written alike.
    near = [known for known, its_name in names.items() if len(name) > 2 and name in its_name]
    alike = difflib.get_close_matches(name, names.values(), n=3, cutoff=0.5)
    near += [known for known, its_name in names.items() if its_name in alike]
    near += difflib.get_close_matches(code, names, n=3, cutoff=0.7)
    shown = ", ".join(f"{known} {names[known]}" for known in list(dict.fromkeys(near))[:4])
    hint = f"did you mean {shown}?" if shown else "`unstuck explain` lists them all"
    raise BadInput("finding", got=wanted, want="the code or the name of a finding", hint=hint)


def describe(code: str) -> dict[str, Any]:
    """Everything that is known of one rule, as plain values."""
    from unstuck.findings import catalog

    rule, page = catalog.rules()[code], catalog.page(code)
    return {
        "code": page.code,
        "name": page.name,
        "claim": page.claim,
        "enabled": rule.ENABLED,
        "lead": page.lead,
        "sections": dict(page.sections),
        "thresholds": {name: {"value": value, "source": source} for name, (value, source) in rule.THRESHOLDS.items()},
        "sick": list(rule.SICK),
        "healthy": list(rule.HEALTHY),
    }


def _thresholds(thresholds: Mapping[str, Mapping[str, Any]]) -> str:
    return "\n".join(f"- ``{name}`` = {t['value']:g}: {t['source']}" for name, t in thresholds.items())
