"""A report in the static-analysis interchange format (SARIF 2.1.0), for code hosts and editors."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {"error": "error", "warning": "warning", "info": "note"}
KINDS = {"passed": "pass", "not-applicable": "notApplicable", "skipped": "open", "crashed": "open"}


@dataclass(frozen=True)
class RuleText:
    """What SARIF says of a rule: its code, name, claim, its page as text, and whether it is on by default."""

    code: str
    name: str
    claim: str
    page: str
    enabled: bool


def sarif(
    document: Mapping[str, Any], rules: Sequence[RuleText], *, version: str, root: Path | None = None
) -> dict[str, Any]:
    """The log of one run: every rule, every finding with its symptoms, and what became of every other check.

    Files inside ``root`` are named relative to it. Fingerprints depend on the rule, the file, the text of the line and
    what the finding points to, so they stay when lines move or numbers change.
    """
    places = {rule.code: index for index, rule in enumerate(rules)}
    run = document.get("run") or {}
    results = [_result(f, places, root) for f in _flat(document.get("findings") or ())]
    told = {result["ruleId"] for result in results}
    for check in document.get("checks") or ():
        code, status = str(check.get("code")), str(check.get("status"))
        if code in told or status not in KINDS or code not in places:
            continue
        kind = KINDS[status]
        text = str(check.get("reason") or "") or f"{check.get('name')}: {status}"
        results.append(
            {
                "ruleId": code,
                "ruleIndex": places[code],
                "kind": kind,
                "level": "none",
                "message": {"text": text},
                "properties": {"status": status},
            }
        )
    verdict = document.get("verdict") or {}
    seen: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "Unstuck",
                "semanticVersion": version,
                "version": version,
                "informationUri": "https://pypi.org/project/unstuck/",
                "rules": [_rule(rule) for rule in rules],
            }
        },
        "results": results,
        "columnKind": "unicodeCodePoints",
        "properties": {"verdict": verdict.get("state"), "sentence": verdict.get("sentence"), "run": run.get("name")},
    }
    ended = (run.get("exit") or {}).get("status")
    invocation: dict[str, Any] = {"executionSuccessful": ended == 0}
    if isinstance(ended, int) and not isinstance(ended, bool):
        invocation["exitCode"] = ended
    crashed = [c for c in document.get("checks") or () if c.get("status") == "crashed"]
    if crashed:
        invocation["toolExecutionNotifications"] = [
            {
                "level": "error",
                "message": {"text": str(c.get("reason") or "the check crashed")},
                "associatedRule": {"id": str(c.get("code"))},
            }
            for c in crashed
        ]
    seen["invocations"] = [invocation]
    if root is not None:
        seen["originalUriBaseIds"] = {"SRCROOT": {"uri": root.absolute().as_uri() + "/"}}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [seen]}


def write_sarif(
    document: Mapping[str, Any], path: Path, rules: Sequence[RuleText], *, version: str, root: Path | None = None
) -> None:
    """Write the log; the file is complete or not there at all."""
    text = json.dumps(sarif(document, rules, version=version, root=root), indent=1, ensure_ascii=False, allow_nan=False)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_text(text + "\n", encoding="utf-8")
    part.replace(path)


def _rule(rule: RuleText) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.claim},
        "fullDescription": {"text": rule.page},
        "help": {"text": rule.page, "markdown": f"# {rule.code} {rule.name}\n\n{rule.page}"},
        "defaultConfiguration": {"enabled": rule.enabled, "level": "warning"},
    }


def _flat(
    findings: Iterable[Mapping[str, Any]], cause: str | None = None
) -> Iterable[tuple[Mapping[str, Any], str | None]]:
    for finding in findings:
        yield finding, cause
        yield from _flat(finding.get("symptoms") or (), str(finding.get("code")))


def _result(
    entry: tuple[Mapping[str, Any], str | None], places: Mapping[str, int], root: Path | None
) -> dict[str, Any]:
    finding, cause = entry
    code = str(finding.get("code"))
    line = finding.get("line")
    text = str(finding.get("sentence") or finding.get("name") or code)
    advice = [str(r.get("text")) for r in finding.get("remedies") or () if r.get("text")]
    result: dict[str, Any] = {
        "ruleId": code,
        "level": LEVELS.get(str(finding.get("severity")), "warning"),
        "message": {"text": text if not advice else f"{text} What to do: {advice[0]}"},
        "rank": round(100 * float(finding.get("confidence") or 0.0), 1),
        "partialFingerprints": {"unstuck/v1": _fingerprint(finding, root)},
        "properties": {
            "basis": finding.get("basis"),
            "confidence": finding.get("confidence"),
            "where": finding.get("where"),
            "step": finding.get("step"),
            "symptomOf": cause,
        },
    }
    if code in places:
        result["ruleIndex"] = places[code]
    location: dict[str, Any] = {}
    if isinstance(line, Mapping) and line.get("file"):
        location["physicalLocation"] = _physical(line, root)
    if finding.get("where"):
        location["logicalLocations"] = [{"fullyQualifiedName": str(finding["where"]), "kind": "member"}]
    if location:
        result["locations"] = [location]
    return result


def _physical(line: Mapping[str, Any], root: Path | None) -> dict[str, Any]:
    number = line.get("line")
    found: dict[str, Any] = {"artifactLocation": _artifact(str(line["file"]), root)}
    if isinstance(number, int) and number > 0:
        found["region"] = {"startLine": number}
        if line.get("text"):
            found["region"]["snippet"] = {"text": str(line["text"])}
    return found


def _artifact(file: str, root: Path | None) -> dict[str, Any]:
    path = Path(file)
    if root is not None and path.is_absolute():
        try:
            inside = path.relative_to(root.absolute())
        except ValueError:
            return {"uri": path.as_uri()}
        return {"uri": _quoted(PurePosixPath(*inside.parts)), "uriBaseId": "SRCROOT"}
    return {"uri": path.as_uri() if path.is_absolute() else _quoted(PurePosixPath(*path.parts))}


def _quoted(path: PurePosixPath) -> str:
    from urllib.parse import quote

    return quote(str(path))


def _fingerprint(finding: Mapping[str, Any], root: Path | None) -> str:
    line = finding.get("line")
    place = ""
    if isinstance(line, Mapping) and line.get("file"):
        place = f"{_artifact(str(line['file']), root)['uri']}\0{' '.join(str(line.get('text') or '').split())}"
    named = f"{finding.get('code')}\0{place}\0{finding.get('where') or ''}"
    return hashlib.sha256(named.encode()).hexdigest()[:32]
