"""The table of claims in the documentation is the one that the experiments give."""

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
