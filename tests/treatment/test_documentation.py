"""The table of remedies in docs/cure.md is what the remedies say of themselves."""

from __future__ import annotations

from pathlib import Path

from unstuck.treatment import catalog

PAGE = Path(__file__).parents[2] / "docs" / "cure.md"


def table() -> str:
    """What stands between the marks of the page; run this file to write it anew."""
    lines = ["| remedy | what it does | answers | risk |", "|---|---|---|---|"]
    for name, remedy in catalog.load().items():
        lines.append(f"| `{name}` | {remedy.TEXT} | {' '.join(remedy.ANSWERS)} | {remedy.RISK} |")
    return "\n".join(lines)


def test_the_page_lists_every_remedy():
    text = PAGE.read_text(encoding="utf-8")
    assert text.split("<!-- remedies -->\n")[1].split("\n<!-- end of remedies -->")[0] == table()


if __name__ == "__main__":
    before, rest = PAGE.read_text(encoding="utf-8").split("<!-- remedies -->\n")
    after = rest.split("\n<!-- end of remedies -->")[1]
    PAGE.write_text(f"{before}<!-- remedies -->\n{table()}\n<!-- end of remedies -->{after}", encoding="utf-8")
