"""The report on the terminal: what stands in it, in which order, and that no terminal can break it."""

from __future__ import annotations

import copy
import io
import re
from typing import Any

import pytest
import synthetic_reports
from rich.cells import cell_len
from rich.console import Console

from unstuck.report.page import Page
from unstuck.report.terminal import print_list, print_page, print_report, print_runs

ANSI = re.compile(r"\x1b\[[0-9;]*m")
SMALL = {name: make for name, make in synthetic_reports.ALL.items() if name != "large"}


@pytest.fixture(scope="module")
def reports() -> dict[str, dict[str, Any]]:
    return {name: make() for name, make in SMALL.items()}


class Stream(io.TextIOWrapper):
    """A text stream of some encoding that keeps its bytes."""

    def __init__(self, encoding: str) -> None:
        super().__init__(io.BytesIO(), encoding=encoding, errors="strict", newline="\n")

    def text(self) -> str:
        self.flush()
        return self.buffer.getvalue().decode(self.encoding)  # type: ignore[attr-defined]


def printed(
    report: dict[str, Any], *, terminal: bool = True, width: int = 100, encoding: str = "utf-8", **paths: str
) -> str:
    stream = Stream(encoding)
    console = Console(file=stream, force_terminal=terminal, width=width, color_system="standard" if terminal else None)
    print_report(report, console, paths=paths)
    return stream.text()


def words(text: str) -> str:
    return ANSI.sub("", text)


def test_the_verdict_is_the_first_line_and_the_next_command_the_last(reports: dict[str, dict[str, Any]]) -> None:
    lines = [line for line in words(printed(reports["stuck"], html="report.html")).splitlines() if line.strip()]
    assert lines[0].startswith("▲ BOUNCING  The loss has stood at 1.48 since step 610")
    assert lines[-1] == "Next: unstuck explain L201"
    assert "Report: report.html" in lines


def test_a_finding_says_what_where_how_much_and_what_to_do(reports: dict[str, dict[str, Any]]) -> None:
    text = words(printed(reports["stuck"], width=200))
    order = [
        "L201 double-softmax",
        "Probabilities enter cross_entropy",
        "train.py:43 │ loss = F.cross_entropy(F.softmax(net(x), dim=1), y)",
        "rows that sum to one share 100 % · loss 1.484",
        "→ Remove the softmax",
        "loss = F.cross_entropy(net(x), y)\n",
        "This also explains G301 vanishing-gradient.",
        "U401 step-too-long",
        "B602 batch-too-large",
        "Not checked, 3 of 19: D108, T702 (no evaluation was seen); T701 (the run was too short to tell).",
        "Unstuck's own check U410 failed: ZeroDivisionError",
        "Watched 1 860 steps in 12.3 s; Unstuck took 2.1 % (0.25 s).",
        "Next: unstuck explain L201",
    ]
    places = [text.find(part) for part in order]
    assert -1 not in places and places == sorted(places)
    assert "nll_loss" not in text  # the second remedy is for the page


def test_a_healthy_run_takes_two_lines(reports: dict[str, dict[str, Any]]) -> None:
    lines = printed(reports["healthy"], terminal=False, html="r.html").splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("✔ LEARNING  The loss is still falling")
    assert "Nothing found: 14 checks passed, 3 could not be made." in lines[1] and lines[1].endswith("r.html")


def test_the_end_of_the_script_is_told(reports: dict[str, dict[str, Any]]) -> None:
    assert "The script ended with FileNotFoundError: [Errno 2]" in words(printed(reports["nothing"]))
    assert "train.py:12" in words(printed(reports["nothing"]))
    assert "The run was cut off" in words(printed(reports["diverged"]))
    failed = copy.deepcopy(reports["healthy"])
    failed["run"]["exit"]["status"] = 3
    assert "The script ended with exit status 3." in words(printed(failed))


def test_more_than_three_problems_are_one_line_each(reports: dict[str, dict[str, Any]]) -> None:
    report = copy.deepcopy(reports["stuck"])
    report["findings"] = [dict(report["findings"][1], code=f"U{i}") for i in range(6)]
    text = words(printed(report, terminal=False))
    assert text.count("→ Lower the learning rate") == 3
    assert all(f"U{i} step-too-long" in text for i in range(6))


def test_away_from_a_terminal_it_is_plain_text_of_whole_lines(reports: dict[str, dict[str, Any]]) -> None:
    text = printed(reports["stuck"], terminal=False, width=40)
    assert "\x1b" not in text
    assert "\n\n" not in text
    assert "L201 double-softmax  error\n" in text
    assert reports["stuck"]["findings"][0]["sentence"] in text


def test_no_color_is_honored(reports: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Stream("utf-8")
    print_report(reports["stuck"], Console(file=stream, force_terminal=True, width=100))
    codes = {code for found in re.findall(r"\x1b\[([0-9;]*)m", stream.text()) for code in found.split(";")}
    assert codes <= {"", "0", "1", "2"}  # bold and dim are no colors


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("width", [10, 30, 59, 80, 300])
def test_no_line_is_wider_than_the_terminal(reports: dict[str, dict[str, Any]], name: str, width: int) -> None:
    # Code to be copied is the exception: it is left whole.
    whole = {line for f in reports[name]["findings"] for r in f["remedies"] for line in r["code"].split("\n")}
    for line in words(printed(reports[name], width=width)).splitlines():
        if not any(code and code[:20] in line for code in whole):
            assert cell_len(line) <= max(width, 10), line


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "cp437", "koi8-r", "utf-16"])
@pytest.mark.parametrize("name", SMALL)
def test_no_encoding_breaks_it(reports: dict[str, dict[str, Any]], name: str, encoding: str) -> None:
    report = copy.deepcopy(reports[name])
    report["verdict"]["sentence"] += " Потеря 损失 😀 \udce9"
    for terminal in (True, False):
        text = words(printed(report, terminal=terminal, encoding=encoding))
        assert report["verdict"]["sentence"][:20].split("\u2028")[0] in text.replace("\n", " ")
    if encoding == "ascii":
        assert text.isascii() and ("x " in text or "! " in text or "ok " in text or "i " in text)


def test_names_cannot_drive_the_terminal(reports: dict[str, dict[str, Any]]) -> None:
    text = printed(reports["hostile"])
    assert "\x1b[31m&amp" not in text and "\\x1b[31m&amp;" in words(text).replace("\n", "")
    assert "\u2028" not in text


def test_markup_in_names_is_text(reports: dict[str, dict[str, Any]]) -> None:
    report = copy.deepcopy(reports["stuck"])
    report["verdict"]["sentence"] = "[bold]model[0][/bold] :smile: [/]"
    assert "[bold]model[0][/bold] :smile: [/]" in words(printed(report))


def test_evidence_without_a_value_is_left_out(reports: dict[str, dict[str, Any]]) -> None:
    report = copy.deepcopy(reports["stuck"])
    report["findings"][0]["evidence"] = {"operator": "", "loss": 2.5, "module": None, "count": 0}
    assert "  loss 2.5 · count 0\n" in printed(report, terminal=False)


def test_code_in_a_sentence_is_shown_as_such(reports: dict[str, dict[str, Any]]) -> None:
    report = copy.deepcopy(reports["stuck"])
    report["findings"][0]["sentence"] = "Remove `softmax` there."
    assert "Remove softmax there." in words(printed(report))
    assert "Remove \x1b[36msoftmax\x1b[0m there." in printed(report)
    assert "Remove `softmax` there." in printed(report, terminal=False)


def test_a_reader_that_went_away_ends_nothing(reports: dict[str, dict[str, Any]]) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    print_report(reports["stuck"], Console(file=Gone()))
    closed = io.StringIO()
    closed.close()
    print_report(reports["stuck"], Console(file=closed))


def test_the_page_of_a_finding() -> None:
    stream = Stream("utf-8")
    page = Page("L201", "double-softmax", "A claim.", "", {"What to do": "- use ``nll``\n- or\n\n    x = 1"})
    print_page(page, Console(file=stream))
    assert stream.text() == "L201 double-softmax\nA claim.\n\nWhat to do\n  • use nll\n  • or\n\n      x = 1\n"


def test_a_long_bullet_hangs_under_its_mark() -> None:
    stream = Stream("utf-8")
    console = Console(file=stream, force_terminal=True, width=30, color_system=None)
    print_page(Page("A1", "name", "Claim", "", {"What to do": "- " + "word " * 20}), console)
    lines = [line for line in words(stream.text()).splitlines() if "word" in line]
    assert lines[0].startswith("  • word") and all(line.startswith("    word") for line in lines[1:])


def test_lists() -> None:
    stream = Stream("utf-8")
    print_list([("A1", "one", "first claim"), ("B2", "longer", "second")], Console(file=stream))
    assert stream.text().splitlines()[:2] == ["A1  one     first claim", "B2  longer  second"]
    stream = Stream("utf-8")
    row = {"id": "r1", "steps": 1860, "seconds": None, "state": "learning", "finding": "", "severity": "", "more": 0}
    print_runs([row], Console(file=stream))
    assert stream.text().startswith("r1  Learning") and "1 860 steps" in stream.text()
    stream = Stream("utf-8")
    print_runs([], Console(file=stream))
    assert stream.text() == "No run yet: unstuck run train.py\n"
