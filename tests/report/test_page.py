"""The pages of findings as paragraphs, lists and code."""

from __future__ import annotations

import pytest

from unstuck.findings import catalog
from unstuck.report.page import Page, blocks, markdown, spans

TEXT = """\
A paragraph of
two lines.

- one bullet
  that goes on
- another with ``code``

1. first
2. second

Then code::

    for x in data:

        step(x)

And fenced:
```python
y = 1
```
The end."""


def test_a_text_is_read_into_blocks() -> None:
    found = blocks(TEXT)
    assert [(block.kind, block.numbered) for block in found] == [
        ("paragraph", False),
        ("list", False),
        ("list", True),
        ("paragraph", False),
        ("code", False),
        ("paragraph", False),
        ("code", False),
        ("paragraph", False),
    ]
    assert found[0].texts == ("A paragraph of two lines.",)
    assert found[1].texts == ("one bullet that goes on", "another with ``code``")
    assert found[2].texts == ("first", "second")
    assert found[3].texts == ("Then code:",)
    assert found[4].texts == ("for x in data:\n\n    step(x)",)
    assert found[6].texts == ("y = 1",)


def test_no_word_is_lost() -> None:
    for rule in catalog.rules():
        for text in catalog.page(rule).sections.values():
            shown = " ".join(" ".join(block.texts) for block in blocks(text))
            for word in text.replace("::", ":").split():
                bare = word.strip("-*•")
                if not bare.rstrip(".)").isdigit():
                    assert bare in shown, (rule, word)


@pytest.mark.parametrize("text", ["", "\n\n", "   ", "```", "-", "::", "``", "`x", "    code only"])
def test_odd_texts_are_no_trouble(text: str) -> None:
    for block in blocks(text):
        for piece in block.texts:
            assert "".join(part for _, part in spans(piece)) == piece.replace("``", "") or "`" in piece


def test_markdown_has_every_section_and_escapes_tags() -> None:
    page = Page("L201", "double-softmax", "A claim.", "A lead <b>.", {"What to do": TEXT, "Sources": "A book."})
    text = markdown(page)
    assert text.startswith("# L201 double-softmax\n\nA claim.\n\nA lead &lt;b>.")
    assert "## What to do" in text and "## Sources\n\nA book." in text
    assert "```python\nfor x in data:\n\n    step(x)\n```" in text
    assert "1. first\n2. second" in text and "- another with `code`" in text


def test_a_lead_that_only_repeats_the_claim_is_left_out() -> None:
    assert markdown(Page("A1", "n", "A claim", "A claim.", {})) == "# A1 n\n\nA claim"
