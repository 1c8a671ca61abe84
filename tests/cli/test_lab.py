"""``unstuck lab``: the list, one experiment with its files, refusals."""

import json

import pytest
from typer.testing import CliRunner

from unstuck.cli.main import app
from unstuck.core.errors import BadInput
from unstuck.lab import catalog

RUN = CliRunner()


@pytest.mark.parametrize(("language", "said"), [("en", "worst-network"), ("zh", "？")])
def test_the_list_has_every_experiment_by_its_question(language, said):
    shown = RUN.invoke(app, ["lab", "--lang", language])
    assert shown.exit_code == 0 and said in shown.output
    assert all(name in shown.output for name in catalog.names())


def test_one_experiment_tells_its_numbers_and_writes_its_files(tmp_path):
    page, numbers = tmp_path / "page.html", tmp_path / "numbers.json"
    shown = RUN.invoke(app, ["lab", "worst_network", "--html", str(page), "--json", str(numbers), "--lang", "zh"])
    assert shown.exit_code == 0, shown.output
    assert "✓" in shown.output and "世界上最差的网络" in shown.output
    assert "世界上最差的网络" in page.read_text(encoding="utf-8")
    assert json.loads(numbers.read_text())["passed"] is True
    assert len(list(tmp_path.glob("*.png"))) == 4


def test_a_demand_that_fails_ends_with_status_one(tmp_path):
    with catalog.load("worst-network").planted[1].into():
        shown = RUN.invoke(app, ["lab", "worst-network", "--html", str(tmp_path / "page.html")])
    assert shown.exit_code == 1 and "✗" in shown.output


@pytest.mark.parametrize(("given", "folder"), [([], "unstuck-lab"), (["book"], "book")])
def test_the_book_needs_no_folder(tmp_path, monkeypatch, given, folder):
    monkeypatch.chdir(tmp_path)
    chosen = [catalog.load("worst-network")]
    monkeypatch.setattr(catalog, "experiments", lambda: chosen)
    shown = RUN.invoke(app, ["lab", "--all", *given, "--jobs", "1"])
    assert shown.exit_code == 0, shown.output
    assert {"index.html", "worst-network.html", "results.json", "zh"} == {p.name for p in (tmp_path / folder).iterdir()}


@pytest.mark.parametrize(
    "wrong",
    [
        ["nothing"],
        ["--lang", "fr"],
        ["worst-network", "--all", "x"],
        ["worst-network", "--all"],
        ["classify", "valley"],
        ["--html", "x.html"],
        ["--all", "--html", "x.html"],
    ],
)
def test_refused(wrong):
    shown = RUN.invoke(app, ["lab", *wrong])
    assert isinstance(shown.exception, BadInput)
