"""The page of a finding: its sections read into paragraphs, lists and code, for the terminal, Markdown and HTML.

The text knows paragraphs, bullets (``-`` or ``*``), numbered items, indented or fenced code, and ``code`` within a
sentence.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

_BULLET = re.compile(r"^(?:[-*•]|\d{1,2}[.)])\s+")
_CODE = re.compile(r"``(.+?)``|`([^`]+)`", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A piece of a section: a paragraph (one text), a list (its items) or code (one text of several lines)."""

    kind: Literal["paragraph", "list", "code"]
    texts: tuple[str, ...]
    numbered: bool = False


@dataclass(frozen=True)
class Page:
    """What is known of one finding, by heading.

    >>> page = Page("D105", "classes-imbalanced", "One class dominates.", "", {"What to do": "Weight the loss."})
    >>> list(page.sections)
    ['What to do']
    """

    code: str
    name: str
    claim: str
    lead: str
    sections: Mapping[str, str] = field(default_factory=dict)


def blocks(text: str) -> list[Block]:
    """A section's text as paragraphs, lists and code.

    >>> [block.kind for block in blocks("A sentence.\\n\\n- one\\n- two\\n\\n    x = 1")]
    ['paragraph', 'list', 'code']
    """
    result: list[Block] = []
    for kind, lines in _chunks(textwrap.dedent(text).splitlines()):
        if kind == "code":
            code = textwrap.dedent("\n".join(lines)).strip("\n").rstrip()
            result.append(Block("code", (code,)))
        elif _BULLET.match(lines[0].strip()):
            items: list[str] = []
            for line in lines:
                stripped = line.strip()
                if _BULLET.match(stripped):
                    items.append(_BULLET.sub("", stripped))
                else:
                    items[-1] += " " + stripped
            numbered = lines[0].strip()[0].isdigit()
            if result and result[-1].kind == "list" and result[-1].numbered == numbered:
                items = [*result.pop().texts, *items]  # items set apart by blank lines
            result.append(Block("list", tuple(items), numbered))
        else:
            result.append(Block("paragraph", (" ".join(line.strip() for line in lines),)))
    return result


def _chunks(lines: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Runs of lines that belong together: a paragraph, a list's item or items, or code."""
    chunk: list[str] = []
    kind = "prose"
    for line in lines:
        stripped = line.strip()
        indented = line.startswith(("    ", "\t"))
        if kind == "fenced" or stripped.startswith("```"):
            if not stripped.startswith("```"):
                chunk.append(line)
                continue
            if chunk:
                yield ("code" if kind == "fenced" else kind), chunk
            chunk, kind = [], "prose" if kind == "fenced" else "fenced"
        elif kind == "code":
            if indented or not stripped:  # a blank line does not end indented code
                chunk.append(line)
                continue
            yield kind, chunk
            chunk, kind = [line], "prose"
        elif not stripped:
            if chunk:
                yield kind, chunk
            chunk = []
        elif not chunk and indented and not _BULLET.match(stripped):
            # Only after a blank line: an indented line within a bullet goes on with the bullet.
            chunk, kind = [line], "code"
        else:
            if chunk and _BULLET.match(stripped) and not indented and not _BULLET.match(chunk[0].strip()):
                yield kind, chunk
                chunk = []
            chunk.append(line.removesuffix(":") if line.endswith("::") else line)
    if chunk:
        yield ("code" if kind == "fenced" else kind), chunk


def spans(text: str) -> list[tuple[bool, str]]:
    """A sentence in pieces: (is it code, text).

    >>> spans("call ``zero_grad()`` first")
    [(False, 'call '), (True, 'zero_grad()'), (False, ' first')]
    """
    pieces: list[tuple[bool, str]] = []
    end = 0
    for match in _CODE.finditer(text):
        if match.start() > end:
            pieces.append((False, text[end : match.start()]))
        pieces.append((True, match.group(1) or match.group(2)))
        end = match.end()
    if end < len(text):
        pieces.append((False, text[end:]))
    return pieces


def markdown(page: Page) -> str:
    """The page as Markdown, as the documentation shows it.

    >>> page = Page("D105", "classes-imbalanced", "One class dominates.", "", {"What to do": "Weight the loss."})
    >>> print(markdown(page))
    # D105 classes-imbalanced
    <BLANKLINE>
    One class dominates.
    <BLANKLINE>
    ## What to do
    <BLANKLINE>
    Weight the loss.
    """
    parts = [f"# {page.code} {page.name}", page.claim]
    if page.lead and page.lead.strip(" .") != page.claim.strip(" ."):
        parts += [_markdown(block) for block in blocks(page.lead)]
    for heading, text in page.sections.items():
        parts.append(f"## {heading}")
        parts += [_markdown(block) for block in blocks(text)]
    return "\n\n".join(part for part in parts if part)


def _markdown(block: Block) -> str:
    if block.kind == "code":
        return "```python\n" + block.texts[0] + "\n```"
    if block.kind == "list":
        return "\n".join(
            f"{f'{i}.' if block.numbered else '-'} {_markdown_text(text)}" for i, text in enumerate(block.texts, 1)
        )
    return _markdown_text(block.texts[0])


def _markdown_text(text: str) -> str:
    return "".join(f"`{piece}`" if code else piece.replace("<", "&lt;") for code, piece in spans(text))
