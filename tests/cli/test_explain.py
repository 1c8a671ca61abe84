"""``unstuck explain``."""

from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from unstuck.cli.explain import code_of, explain
from unstuck.core.errors import BadInput
from unstuck.findings import catalog

app = typer.Typer()
app.command()(explain)
NAMES = {"L201": "double-softmax", "L202": "missing-softmax", "G303": "dead-units"}


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("wanted", ["G303", "g303", " dead-units", "Dead_Units", "dead units"])
def test_a_page_by_code_or_name(wanted: str) -> None:
    text = run(wanted)
    assert text.startswith("G303 dead-units\n")
    places = [text.index(f"\n{heading}\n") for heading in catalog.HEADINGS]
    assert places == sorted(places)
    assert "Thresholds" in text and "\x1b" not in text


def test_the_list_names_every_rule() -> None:
    lines = run().splitlines()
    assert [line.split()[0] for line in lines[: len(catalog.rules())]] == list(catalog.rules())


def test_all_pages() -> None:
    text = run("--all")
    for code, rule in catalog.rules().items():
        assert f"{code} {rule.NAME}\n" in text


def test_json() -> None:
    one = json.loads(run("G303", "--json"))
    assert one["code"] == "G303" and list(one["sections"]) == list(catalog.HEADINGS)
    assert one["thresholds"]["wall"]["value"] == 0.999
    everything = json.loads(run("--all", "--json"))
    assert [page["code"] for page in everything] == list(catalog.rules())


def test_markdown() -> None:
    text = run("G303", "--markdown")
    assert text.startswith("# G303 dead-units\n\n") and "\n## What to do\n" in text


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        ("L2O1", "did you mean L201 double-softmax"),
        ("softmax", "did you mean L201 double-softmax, L202 missing-softmax?"),
        ("dead-unit", "did you mean G303 dead-units?"),
        ("qwertyuiop", "lists them all"),
        ("", "lists them all"),
    ],
)
def test_an_unknown_finding_names_the_nearest(wanted: str, hint: str) -> None:
    with pytest.raises(BadInput) as caught:
        code_of(wanted, NAMES)
    assert hint in str(caught.value)


def test_options_that_do_not_go_together() -> None:
    for arguments in (["G303", "--all"], ["--all", "--json", "--markdown"]):
        result = CliRunner().invoke(app, arguments)
        assert isinstance(result.exception, BadInput)
