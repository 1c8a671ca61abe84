"""The table of claims in the documentation is the one that the experiments give."""

import pkgutil
from pathlib import Path

import pytest

from unstuck.lab import catalog, coverage
from unstuck.lab.claims import CITED, CLAIMS

DOCUMENT = Path(__file__).parents[2] / "docs" / "lab.md"


def test_the_documents_table_is_generated_from_the_experiments():
    text = DOCUMENT.read_text(encoding="utf-8")
    assert coverage.with_tables(text) == text, "run: python -m unstuck.lab.coverage docs/lab.md"


@pytest.mark.skipif(len(catalog.names()) < 34, reason="some of the 34 experiments are still being written")
def test_every_claim_has_an_experiment_or_a_citation():
    assert not coverage.open_claims()
    assert set(CITED) <= set(CLAIMS)
    assert not [claim for claim in CITED if coverage.carriers()[claim]]


@pytest.mark.parametrize("name", catalog.names())
def test_the_subject_is_a_name_that_can_be_imported(name):
    before = ""
    for part in catalog.load(name).subject.split(", "):
        before = part if "." in part else f"{before.rpartition('.')[0]}.{part}"
        pkgutil.resolve_name(before)
