"""Draws every page and terminal report to PNG, to be looked at: ``python tests/report/look.py [FOLDER]``.

The reports are synthetic; ``--run PATH`` draws a real report.json instead.
"""

from __future__ import annotations

import argparse
import io
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.terminal_theme import MONOKAI

sys.path.insert(0, str(Path(__file__).parent))
import synthetic_reports

from unstuck.report.document import read_document
from unstuck.report.html import write_html
from unstuck.report.terminal import print_report

TERMINAL = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; padding: 1rem; background: #16181c; color: {foreground}; display: inline-block }}
pre {{ font: 14px/1.4 "DejaVu Sans Mono", monospace; margin: 0 }}
</style><pre>{code}</pre>"""


def terminal_page(report: Mapping[str, Any], width: int) -> str:
    """A terminal of so many columns as a page."""
    stream = io.StringIO()
    print_report(
        report,
        Console(file=stream, force_terminal=True, width=width, color_system="standard"),
        paths={"html": "report.html"},
    )
    from rich.text import Text

    recorder = Console(record=True, file=io.StringIO(), width=width + 40)
    recorder.print(Text.from_ansi(stream.getvalue()))
    return recorder.export_html(theme=MONOKAI, inline_styles=True, code_format=TERMINAL)


def main() -> None:
    """Draw all of it."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("look"))
    parser.add_argument("--run", type=Path, action="append", default=[], help="a report.json to draw")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    reports = {path.parent.name or path.stem: read_document(path) for path in options.run}
    if not reports:
        reports = {name: make() for name, make in synthetic_reports.ALL.items()}
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for name, report in reports.items():
            page_file = write_html(report, options.folder / f"{name}.html")
            for scheme in ("light", "dark"):
                for width in (1200, 390):
                    tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
                    tab.goto(page_file.absolute().as_uri())
                    tab.screenshot(path=options.folder / f"{name}-{scheme}-{width}.png", full_page=True)
                    tab.close()
            for columns in (100, 60):
                tab = browser.new_page(viewport={"width": 400, "height": 200})
                tab.set_content(terminal_page(report, columns))
                tab.locator("body").screenshot(path=options.folder / f"{name}-terminal-{columns}.png")
                tab.close()
            print(options.folder / f"{name}-*.png")
        browser.close()


if __name__ == "__main__":
    main()
