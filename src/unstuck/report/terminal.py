"""The report on a terminal: short, the action first, for somebody who is stuck and tired.

Where the output is no terminal it is plain text, one sentence a line, for logs and for grep.
"""

from __future__ import annotations

import codecs
import contextlib
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.text import Text

from unstuck.report import wording
from unstuck.report.page import Page, blocks, spans

FULL_FINDINGS = 3  # more than three problems at once are not read; the rest is one line each
MOST_EVIDENCE = 5
WIDEST = 110  # longer lines of prose are hard to read
MOST_SKIPPED = 3

_STYLES = {"bad": "red", "warn": "yellow", "good": "green", "calm": "cyan"}
_MARKS = {"bad": "✖", "warn": "▲", "good": "✔", "calm": "●"}
# For terminals whose encoding lacks the sign.
_ASCII = {
    "✖": "x", "▲": "!", "✔": "ok", "●": "i", "→": "->", "·": ";", "│": "|", "…": "...", "µ": "u", "−": "-", "–": "-",
    "—": "-", "×": "x", "≤": "<=", "≥": ">=", "²": "^2", "‖": "|", "“": '"', "”": '"', "’": "'", "•": "-", "σ": "sd",
}  # fmt: skip

_FILES = {"html": "Report", "json": "Data"}

Piece = tuple[str, str]  # text, style
Edge = Literal["fold", "cut", "keep"]  # at the terminal's edge: break between words, cut, leave it to the terminal


def print_report(report: Mapping[str, Any], console: Console, *, paths: Mapping[str, Path | str] | None = None) -> None:
    """Print the report to a console: the verdict, what was found and what to do, the cost, the files written.

    ``paths`` are the files to name, by kind (``"html"``, ``"json"``). Never raises on an encoding or on a stream that
    somebody closed: the report is also a file.
    """
    files = {_FILES.get(kind, kind): _near(path) for kind, path in (paths or {}).items()}
    _write(console, _Paper(console).report(report, files))


def print_page(page: Page, console: Console) -> None:
    """Print the page of a finding to a console."""
    _write(console, _Paper(console).page(page))


def print_list(entries: Sequence[tuple[str, str, str]], console: Console) -> None:
    """Print a list of findings: code, name and claim of each."""
    _write(console, _Paper(console).listing(entries))


def print_runs(rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Print a list of runs, newest first: ``id``, ``steps``, ``seconds``, ``state``, ``finding`` and so on."""
    _write(console, _Paper(console).runs(rows))


def _write(console: Console, text: str) -> None:
    # Not through console.print: rich ends the whole process when the reader of a pipe has gone, and a report must
    # not change the exit status of the script.
    with contextlib.suppress(OSError, ValueError):
        console.file.write(text)
        console.file.flush()


class _Paper:
    """Lines for one console, as its width, colors and encoding allow."""

    def __init__(self, console: Console) -> None:
        self.written = io.StringIO()
        self.console = Console(
            file=self.written,
            width=console.width,
            force_terminal=console.is_terminal,
            color_system=console.color_system,  # type: ignore[arg-type]  # the name that it was made with
            no_color=console.no_color,
            legacy_windows=False,
            highlight=False,
        )
        self.plain = not console.is_terminal
        self.encoding = _encoding(console)
        self.ascii = not _can(self.encoding, "✖▲✔●→·│…")
        self.narrow = console.width < 60

    def report(self, report: Mapping[str, Any], files: Mapping[str, str]) -> str:
        self._report(report, files)
        return self.written.getvalue()

    def page(self, page: Page) -> str:
        self._page(page)
        return self.written.getvalue()

    def listing(self, entries: Sequence[tuple[str, str, str]]) -> str:
        wide = max((len(name) for _, name, _ in entries), default=0)
        for code, name, claim in entries:
            pieces = [(code, "bold cyan"), (f"  {name:{0 if self.narrow else wide}}  ", "bold"), (claim, "dim")]
            self._line(pieces, edge="fold" if self.narrow else "cut")
        self._line([("unstuck explain CODE shows the page of one.", "dim")])
        return self.written.getvalue()

    def runs(self, rows: Sequence[Mapping[str, Any]]) -> str:
        wide = max((len(row["id"]) for row in rows), default=0)
        for row in rows:
            tone = wording.VERDICTS.get(row["state"], ("", "calm"))[1]
            pieces = [
                (f"{row['id']:{wide}}  ", "bold"),
                (f"{wording.title(row['state']) or 'not judged':17}  ", _STYLES[tone]),
            ]
            if row["steps"] is not None:
                pieces.append((f"{wording.plural(row['steps'], 'step')}  ", "dim"))
            if row["seconds"] is not None:
                pieces.append((f"{wording.duration(row['seconds'])}  ", "dim"))
            pieces.append((row["finding"], _STYLES[wording.SEVERITY_TONES.get(row["severity"], "calm")]))
            pieces.append((f" and {row['more']} more" if row["more"] else "", "dim"))
            self._line(pieces)
        if rows:
            self._line([("unstuck report last shows the newest.", "dim")])
        else:
            self._line([("No run yet: unstuck run train.py", "")])
        return self.written.getvalue()

    # ---- the report

    def _report(self, report: Mapping[str, Any], files: Mapping[str, str]) -> None:
        run, verdict, findings = report["run"], report["verdict"], report["findings"]
        healthy = not findings and wording.tone(report) == "good" and _ended_well(run)
        self._gap()
        self._verdict(report)
        if not healthy:
            self._ending(run)
        full = 0
        folded: list[Mapping[str, Any]] = []
        for finding in findings:
            if finding["severity"] != "info" and full < FULL_FINDINGS:
                full += 1
                self._gap()
                self._finding(finding, run.get("cwd"))
            else:
                folded.append(finding)
        if folded:
            self._gap()
            for finding in folded:
                self._folded(finding)
        if healthy:
            self._healthy(report, files)
        else:
            self._gap()
            self._checks(report["checks"])
            self._line([(wording.cost(run) + ".", "dim")])
            for label, path in files.items():
                self._line([(f"{label}: ", "dim"), (str(path), "")])
            # With a sickness named, reading about it comes first; a verdict's own advice is for runs without one.
            grave = any(finding.get("severity") in ("warning", "error") for finding in findings)
            following = _explain(findings) if grave else verdict.get("next_command") or _explain(findings)
            if following:
                self._line([("Next: ", "bold"), (following, "bold cyan")])
        self._gap()

    def _verdict(self, report: Mapping[str, Any]) -> None:
        tone = wording.tone(report)
        style = _STYLES[tone]
        name = f"{_MARKS[tone]} {wording.heading(report['verdict']).upper()}"
        self._line([(name, f"bold {style}"), ("  ", ""), *self._prose(report["verdict"]["sentence"], "bold")])

    def _ending(self, run: Mapping[str, Any]) -> None:
        exception = run["exit"]["exception"]
        if exception is not None:
            where = wording.place(exception.get("line"), base=run.get("cwd"))
            text = f"The script ended with {exception['type']}"
            message = (exception.get("message") or "").strip().split("\n")[0]
            if len(message) > 160:
                message = message[:159] + "…"
            text += f": {message}" if message else ""
            self._line([(text, ""), (f"  {where}" if where else "", "cyan")], indent=2)
        elif not run["complete"]:
            self._line([("The run was cut off; this judges what was recorded until then.", "")], indent=2)
        elif run["exit"]["status"]:
            self._line([(f"The script ended with exit status {run['exit']['status']}.", "")], indent=2)

    def _finding(self, finding: Mapping[str, Any], base: str | None) -> None:
        tone = wording.SEVERITY_TONES[finding["severity"]]
        style = _STYLES[tone]
        self._line(
            [
                (f"{_MARKS[tone]} ", style),
                (finding["code"], f"bold {style}"),
                (f" {finding['name']}", "bold"),
                (f"  {finding['severity']}" if self.plain else "", ""),
                ("  a guess" if finding["confidence"] < 0.5 else "", "dim"),
            ]
        )
        self._line(self._prose(finding["sentence"]), indent=2)
        line = finding.get("line")
        if line:
            self._code(line, base)
        elif finding["where"]:
            self._line([(f"in {finding['where']}", "dim")], indent=2)
        known = [(key, value) for key, value in finding["evidence"].items() if value is not None and value != ""]
        self._items(known[:MOST_EVIDENCE], indent=2)
        for remedy in finding["remedies"][:1]:
            self._line([("→ ", "bold green"), *self._prose(remedy["text"] or remedy["name"], "bold")], indent=2)
            for code in remedy["code"].rstrip("\n").split("\n") if remedy["code"] else ():
                self._line([(code, "green")], indent=6, edge="keep")
        if finding.get("symptoms"):
            names = ", ".join(f"{symptom['code']} {symptom['name']}" for symptom in _flat(finding["symptoms"]))
            self._line([(f"This also explains {names}.", "dim")], indent=2)

    def _items(self, evidence: Sequence[tuple[str, Any]], *, indent: int) -> None:
        """Names and numbers in a row, broken between them and not within."""
        room = min(self.console.width, WIDEST) - indent
        row: list[Piece] = []
        used = 0
        for key, value in evidence:
            item = [(f"{wording.label(key)} ", "dim"), (wording.measured(key, value), "")]
            size = sum(len(text) for text, _ in item)
            if row and not self.plain and used + 3 + size > room:
                self._line(row, indent=indent)
                row, used = [], 0
            if row:
                row.append((" · ", "dim"))
                used += 3
            row += item
            used += size
        if row:
            self._line(row, indent=indent)

    def _folded(self, finding: Mapping[str, Any]) -> None:
        tone = wording.SEVERITY_TONES[finding["severity"]]
        self._line(
            [
                (f"{_MARKS[tone]} ", _STYLES[tone]),
                (f"{finding['code']} {finding['name']}", "bold"),
                ("  ", ""),
                *self._prose(finding["sentence"]),
            ]
        )

    def _code(self, line: Mapping[str, Any], base: str | None) -> None:
        text = (line.get("text") or "").strip().split("\n")[0]
        self._line([(wording.place(line, base=base), "cyan"), (f" │ {text}" if text else "", "")], indent=2, edge="cut")

    def _checks(self, checks: Sequence[Mapping[str, Any]]) -> None:
        skipped = [check for check in checks if check["status"] == "skipped"]
        if skipped:
            reasons: dict[str, list[str]] = {}
            for check in skipped:
                reasons.setdefault(check["reason"].strip().rstrip("."), []).append(check["code"])
            # The reason that held back most checks first.
            groups = sorted(reasons.items(), key=lambda item: -len(item[1]))
            texts = [f"{_codes(codes)} ({reason})" if reason else _codes(codes) for reason, codes in groups]
            text = f"Not checked, {len(skipped)} of {len(checks)}: " + "; ".join(texts[:MOST_SKIPPED])
            left = sum(len(codes) for _, codes in groups[MOST_SKIPPED:])
            self._line([(text + (f"; and {left} more" if left else "") + ".", "dim")])
        for check in checks:
            if check["status"] == "crashed":
                text = f"Unstuck's own check {check['code']} failed: {check['reason']}"
                self._line([(text, "yellow")])

    def _healthy(self, report: Mapping[str, Any], files: Mapping[str, str]) -> None:
        checks = report["checks"]
        passed = sum(check["status"] == "passed" for check in checks)
        skipped = sum(check["status"] == "skipped" for check in checks)
        text = f"Nothing found: {wording.plural(passed, 'check')} passed"
        text += f", {skipped} could not be made" if skipped else ""
        text += f". {wording.cost(report['run'])}."
        report_file = next(iter(files.values()), None)
        self._line([(text, "dim"), (f" {report_file}" if report_file else "", "")], indent=2)
        for check in checks:
            if check["status"] == "crashed":
                self._line([(f"Unstuck's own check {check['code']} failed: {check['reason']}", "yellow")], indent=2)

    # ---- the page of a finding

    def _page(self, page: Page) -> None:
        self._gap()
        self._line([(page.code, "bold cyan"), (f" {page.name}", "bold")])
        self._line([(page.claim, "")])
        if page.lead and page.lead.strip(" .") != page.claim.strip(" ."):
            self._gap(always=True)
            self._blocks(page.lead, 0)
        for heading, text in page.sections.items():
            self._gap(always=True)
            self._line([(heading, "bold")])
            self._blocks(text, 2)
        self._gap()

    def _blocks(self, text: str, indent: int) -> None:
        for i, block in enumerate(blocks(text)):
            if i:
                self._gap(always=True)
            if block.kind == "code":
                for line in block.texts[0].split("\n"):
                    self._line([(line, "green")], indent=indent + 4, edge="keep")
            elif block.kind == "list":
                for number, item in enumerate(block.texts, 1):
                    mark = f"{number}. " if block.numbered else "• "
                    self._line(_spans(item), indent=indent, hang=mark)
            else:
                self._line(_spans(block.texts[0]), indent=indent)

    # ---- lines

    def _gap(self, *, always: bool = False) -> None:
        if always or not self.plain:
            self.console.print()

    def _line(self, pieces: Iterable[Piece], *, indent: int = 0, edge: Edge = "fold", hang: str = "") -> None:
        """One line; ``hang`` is a mark before it that its later lines do not go under."""
        text = Text()
        for piece, style in pieces:
            text.append(self._fit(piece), style)
        mark = Text(self._fit(hang))
        indent = min(indent, 2) if self.narrow else indent
        width = min(self.console.width, WIDEST) if edge == "fold" else self.console.width
        room = max(width - indent - mark.cell_len, 8)
        if self.plain or edge == "keep":
            lines = [text]
        elif edge == "cut":
            if text.cell_len > room:
                dots = self._fit("…")
                text.truncate(room - len(dots))
                text.append(dots)
            lines = [text]
        else:
            lines = list(text.wrap(self.console, room, overflow="fold"))
        for i, line in enumerate(lines):
            line.rstrip()
            start = mark if i == 0 else Text(" " * mark.cell_len)
            self.console.print(Text(" " * indent) + start + line, soft_wrap=True, highlight=False)

    def _prose(self, text: str, style: str = "") -> list[Piece]:
        """A sentence; what is code in it is colored, or keeps its backquotes where there are no colors."""
        if self.plain:
            return [(text, style)]
        return [(piece, f"{style} cyan".strip() if code else style) for code, piece in spans(text)]

    def _fit(self, text: str) -> str:
        """The text without control characters (a name must not drive the terminal) and in signs the encoding has."""
        text = wording.visible(text.replace("\n", " ").replace("\t", "    "), kept="")
        if self.ascii:
            text = "".join(_ASCII.get(sign, sign) for sign in text)
        return text.encode(self.encoding, "backslashreplace").decode(self.encoding)


def _near(path: Path | str) -> str:
    """A path as short as it can be typed here."""
    try:
        return str(Path(path).absolute().relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def _encoding(console: Console) -> str:
    try:
        return codecs.lookup(console.encoding or "ascii").name
    except LookupError:
        return "ascii"


def _can(encoding: str, signs: str) -> bool:
    try:
        signs.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _spans(text: str) -> list[Piece]:
    return [(piece, "cyan" if code else "") for code, piece in spans(text)]


def _flat(symptoms: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Symptoms and the symptoms under them."""
    return [finding for symptom in symptoms for finding in (symptom, *_flat(symptom.get("symptoms", ())))]


def _codes(codes: Sequence[str]) -> str:
    shown = ", ".join(codes[:4])
    return shown + (f" and {len(codes) - 4} more" if len(codes) > 4 else "")


def _ended_well(run: Mapping[str, Any]) -> bool:
    return bool(run["complete"]) and run["exit"]["exception"] is None and not run["exit"]["status"]


def _explain(findings: Sequence[Mapping[str, Any]]) -> str:
    return f"unstuck explain {findings[0]['code']}" if findings else ""
