"""Renders pages to PNG, light and dark, wide and narrow: to be looked at after a change to the report.

``python .ci/look.py [page.html ...]``: the given pages, or else reports on made-up runs. Into ``build/look/``.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
OUT = ROOT / "build" / "look"


def made_up() -> list[Path]:
    """A page for each of the reports that the tests use."""
    sys.path.append(str(ROOT / "tests" / "report"))
    import synthetic_reports

    from unstuck.report.html import write_html

    return [write_html(make(), OUT / f"{name}.html") for name, make in synthetic_reports.ALL.items()]


def main() -> None:
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.exit("no Chromium on this machine (Debian: apt-get install chromium)")
    OUT.mkdir(parents=True, exist_ok=True)
    pages = [Path(name).absolute() for name in sys.argv[1:]] or made_up()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for page in pages:
            for scheme in ("light", "dark"):
                for width in (1200, 390):
                    tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
                    tab.goto(page.as_uri())
                    picture = OUT / f"{page.stem}-{scheme}-{width}.png"
                    tab.screenshot(path=picture, full_page=True)
                    tab.close()
                    print(picture.relative_to(ROOT))
        browser.close()


if __name__ == "__main__":
    main()
