"""The page in a real browser: it asks for nothing, it says nothing to the console, and everything on it works."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import synthetic_reports

from unstuck.report.html import write_html

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
if CHROMIUM is None:
    pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)", allow_module_level=True)

SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Tab:
    """One opened report, and everything that it asked for or complained about."""

    def __init__(self, context: Any, path: Path) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page = context.new_page()
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("websocket", lambda socket: self.requests.append(socket.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.complaints.append(dialog.message), dialog.dismiss()))
        self.url = path.as_uri()
        self.page.goto(self.url)
        self.page.wait_for_function("document.readyState === 'complete'")

    def do(self, script: str) -> Any:
        return self.page.evaluate(script)

    def range(self) -> list[float]:
        found: list[float] = self.do("page.range()")
        return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(SWITCHES))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    return {name: write_html(make(), folder / f"{name}.html") for name, make in synthetic_reports.ALL.items()}


@pytest.fixture
def open_tab(browser: Any, files: dict[str, Path]) -> Iterator[Any]:
    contexts: list[Any] = []

    def opened(name: str, *, scheme: str = "light", width: int = 1200, **options: Any) -> Tab:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce", **options
        )
        contexts.append(context)
        return Tab(context, files[name])

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", synthetic_reports.ALL)
def test_every_report_opens_without_request_or_complaint(open_tab: Any, name: str, scheme: str, tmp_path: Path) -> None:
    tab = open_tab(name, scheme=scheme)
    for width in (1200, 390):  # the second time it is made narrow while it is open
        tab.page.set_viewport_size({"width": width, "height": 900})
        tab.page.screenshot(path=tmp_path / "page.png", full_page=True)
        assert tab.do("document.documentElement.scrollWidth") <= width  # nothing hangs over the edge
        assert (tmp_path / "page.png").stat().st_size > 20_000
    assert tab.requests == [tab.url]
    assert tab.complaints == []


def test_names_stay_text(open_tab: Any) -> None:
    tab = open_tab("hostile")
    assert tab.page.title().startswith("Unknown · script><img src=x onerror=alert(1)>")
    assert tab.do("document.querySelectorAll('img').length") == 0
    assert tab.do("document.querySelectorAll('script').length") == 3
    assert "<script>document.title='owned'</script>" in tab.page.inner_text("h3")
    assert tab.complaints == []


def test_the_policy_stops_what_is_not_ours(open_tab: Any) -> None:
    tab = open_tab("stuck")
    tab.do(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.owned = true";
            document.body.append(script);
            const image = new Image();
            image.src = "http://127.0.0.1:9/x.png";
            document.body.append(image);
        }"""
    )
    fetched = tab.do("fetch('http://127.0.0.1:9/').then(() => 'fetched', () => 'refused')")
    assert tab.do("window.owned") is None and fetched == "refused"
    assert any("Content Security Policy" in text for text in tab.complaints)


def drag(tab: Tab, start: float, stop: float, *, chart: int = 0, shift: bool = False) -> None:
    area = tab.page.locator(".u-over").nth(chart)
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    y = box["y"] + box["height"] / 2
    if shift:
        tab.page.keyboard.down("Shift")
    tab.page.mouse.move(box["x"] + start * box["width"], y)
    tab.page.mouse.down()
    tab.page.mouse.move(box["x"] + (start + stop) / 2 * box["width"], y + 2)
    tab.page.mouse.move(box["x"] + stop * box["width"], y + 2)
    tab.page.mouse.up()
    if shift:
        tab.page.keyboard.up("Shift")


def test_dragging_zooms_all_charts_and_a_double_click_shows_all(open_tab: Any) -> None:
    tab = open_tab("stuck")
    assert tab.range() == [0, 1859]
    before = tab.page.locator(".plot").nth(1).screenshot()
    drag(tab, 0.25, 0.5)
    low, high = tab.range()
    assert low == pytest.approx(0.25 * 1859, abs=30) and high == pytest.approx(0.5 * 1859, abs=30)
    assert tab.page.inner_text("#range").replace("\u202f", "").startswith("steps 4")
    assert tab.page.locator(".plot").nth(1).screenshot() != before  # the others follow
    drag(tab, 0.5, 0.25, shift=True)
    moved = tab.range()
    assert moved[0] == pytest.approx(low + (high - low) / 4, abs=30)
    assert moved[1] - moved[0] == pytest.approx(high - low)
    tab.page.locator(".u-over").first.dblclick()
    assert tab.range() == [0, 1859] and tab.page.inner_text("#range") == ""
    assert tab.complaints == []


def test_buttons_and_keys_zoom_and_move(open_tab: Any) -> None:
    tab = open_tab("large")
    whole = tab.range()
    tab.page.click("[data-zoom=in]")
    half = tab.range()
    assert half[1] - half[0] == pytest.approx((whole[1] - whole[0]) / 2)
    tab.page.click("[data-zoom=left]")
    assert tab.range()[0] < half[0]
    tab.page.click("[data-zoom=all]")
    assert tab.range() == whole
    plot = tab.page.locator(".plot").first
    plot.focus()
    tab.page.keyboard.press("+")
    tab.page.keyboard.press("Shift+ArrowRight")
    assert tab.range()[0] > half[0]
    tab.page.keyboard.press("ArrowRight")
    tab.page.keyboard.press("ArrowRight")
    assert "step " in tab.page.inner_text(".readout >> nth=0")
    for _ in range(40):
        tab.page.keyboard.press("+")
    low, high = tab.range()
    assert 0 <= low < high <= whole[1] and high - low >= 3.9  # there is an end to zooming
    tab.page.keyboard.press("Escape")
    assert tab.range() == whole


def test_pointing_reads_the_values_there(open_tab: Any) -> None:
    tab = open_tab("stuck")
    area = tab.page.locator(".u-over").first
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    tab.page.mouse.move(box["x"] + box["width"] * 700 / 1859, box["y"] + 50)
    text = tab.page.inner_text(".readout >> nth=0").replace("\u202f", "")
    step = int(text.split("step ")[1].split(" ")[0])
    assert abs(step - 700) <= 2
    value = tab.do(f"page.figure(page.value(page.data.curves[0].series[0].values[{step}]))")
    assert f"loss {value}" in text
    # The cursors of the other charts stand at the same step.
    assert f"step {step}" in tab.page.inner_text(".readout >> nth=2").replace("\u202f", "")


def test_what_is_not_finite_is_said_and_marked(open_tab: Any) -> None:
    tab = open_tab("diverged")
    tab.page.locator(".plot").first.focus()
    area = tab.page.locator(".u-over").first
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    tab.page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 50)
    assert "loss nan" in tab.page.inner_text(".readout >> nth=0")
    assert "not finite" in tab.page.inner_text(".legend >> nth=0")
    # The band is drawn: the plot's right part is another color than its left part.
    colors = tab.do(
        """() => {
            const canvas = document.querySelector(".uplot canvas");
            const context = canvas.getContext("2d");
            const at = (x) => Array.from(context.getImageData(canvas.width * x, canvas.height * 0.3, 1, 1).data);
            return [at(0.305), at(0.9)];
        }"""
    )
    assert colors[0] != colors[1] and colors[1][0] > colors[1][2]


def test_the_scale_can_be_logarithmic(open_tab: Any) -> None:
    tab = open_tab("stuck")
    button = tab.page.locator("[data-log]").first
    before = tab.page.locator(".plot").first.screenshot()
    assert button.get_attribute("aria-pressed") == "false"
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    assert tab.page.locator(".plot").first.screenshot() != before
    assert tab.page.locator(".uplot").count() == tab.page.locator("[data-chart]").count()
    assert tab.complaints == []


def test_a_series_can_be_hidden(open_tab: Any) -> None:
    tab = open_tab("two_optimizers")
    before = tab.page.locator(".plot").first.screenshot()
    tab.page.click(".legend >> nth=0 >> text=RMSprop 1")
    assert tab.page.locator(".plot").first.screenshot() != before
    assert tab.page.get_attribute(".legend >> nth=0 >> text=RMSprop 1", "aria-pressed") == "false"


def test_the_layers_can_be_read(open_tab: Any) -> None:
    tab = open_tab("stuck")
    canvas = tab.page.locator(".heat canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    tab.page.mouse.move(box["x"] + 2, box["y"] + box["height"] - 5)
    readout = tab.page.inner_text(".layers-readout")
    value = tab.do("page.figure(page.data.layers[0].statistics[0].matrix[3][0])")
    assert readout == f"fc2 · step 0 · gradient norm {value}"
    tab.page.click("text=Dead units")
    assert [tab.page.inner_text(f".names div >> nth={i}") for i in range(3)] == [
        "relu after conv1",
        "relu after conv2",
        "relu after fc1",
    ]
    canvas.focus()
    tab.page.keyboard.press("ArrowDown")
    tab.page.keyboard.press("ArrowLeft")
    assert "relu after conv2 · step " in tab.page.inner_text(".layers-readout")
    tab.page.click(".numbers summary")
    table = tab.page.inner_text(".numbers table")
    assert "relu after fc1" in table and "Saturated" in table and "%" in table
    assert tab.complaints == []


def test_long_names_are_told_apart(open_tab: Any) -> None:
    tab = open_tab("large", width=390)
    shown = tab.do("Array.from(document.querySelectorAll('.names div'), (box) => box.textContent)")
    assert len(set(shown)) == 100 and shown[:2] == ["stage_0.block_0", "stage_0.block_1"]
    full = tab.page.get_attribute(".names div >> nth=0", "title")
    assert full == "backbone.encoder.stage_0.block_0.feed_forward.projection (Linear)"
    tab.page.click("text=Dead units")
    assert tab.page.inner_text(".names div >> nth=98") == "stage_9.block_8"


def test_the_checks_can_be_filtered(open_tab: Any) -> None:
    tab = open_tab("stuck")
    rows = tab.page.locator(".checks tbody tr:visible")
    assert rows.count() == 19
    tab.page.click("[data-filter=skipped]")
    assert rows.count() == 3
    tab.page.fill("#search", "evaluation")
    assert rows.count() == 2
    tab.page.fill("#search", "no such thing")
    assert rows.count() == 0 and tab.page.is_visible("#no-checks")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_follows_the_system_and_the_button(open_tab: Any, scheme: str) -> None:
    tab = open_tab("stuck", scheme=scheme)

    def brightness() -> float:
        color = tab.do("getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g).map(Number)")
        return float(sum(color[:3])) / 3

    bright = brightness()
    assert (bright > 200) if scheme == "light" else (bright < 60)
    plot = tab.page.locator(".plot").first.screenshot()
    tab.page.click("#theme")
    assert (brightness() < 60) if scheme == "light" else (brightness() > 200)
    assert tab.page.locator(".plot").first.screenshot() != plot
    tab.page.click("#theme")
    assert brightness() == bright
    tab.page.click("#theme")
    tab.page.reload()
    assert brightness() != bright  # the choice is kept


CONTRAST = """() => {
    const parse = (text) => text.match(/[\\d.]+/g).map(Number);
    const channel = (x) => ((x /= 255) <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
    const ground = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const color = parse(getComputedStyle(at).backgroundColor);
            if (color.length === 3 || color[3] === 1) return color;
        }
    };
    const poor = [];
    for (const element of document.querySelectorAll("body *")) {
        const own = Array.from(element.childNodes).some((node) => node.nodeType === 3 && node.textContent.trim());
        if (!own || !element.checkVisibility() || ["SCRIPT", "STYLE", "NOSCRIPT"].includes(element.tagName)) continue;
        const [a, b] = [light(parse(getComputedStyle(element).color)), light(ground(element))].sort((x, y) => y - x);
        const ratio = (a + 0.05) / (b + 0.05);
        if (ratio < 4.5) poor.push(`${element.className || element.tagName}: ${ratio.toFixed(2)}`);
    }
    return poor;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["stuck", "diverged", "healthy", "nothing"])
def test_all_text_can_be_read(open_tab: Any, name: str, scheme: str) -> None:
    assert open_tab(name, scheme=scheme).do(CONTRAST) == []  # WCAG 2.2, 1.4.3: at least 4.5 to 1


def test_everything_can_be_reached_by_keyboard(open_tab: Any) -> None:
    tab = open_tab("stuck")
    reached = set()
    for _ in range(60):
        tab.page.keyboard.press("Tab")
        reached.add(
            tab.do("document.activeElement.id || document.activeElement.className || document.activeElement.tagName")
        )
    assert {"skip", "theme", "copy", "plot", "search", "SUMMARY", "CANVAS"} <= reached


def test_without_javascript_the_page_still_tells(open_tab: Any) -> None:
    tab = open_tab("stuck", java_script_enabled=False)
    text = tab.page.locator("main").inner_text()
    assert "Remove the softmax" in text and "lowest 1.407" in text and "switched off" in text
    assert tab.requests == [tab.url]


def test_on_paper_everything_is_unfolded_and_light(open_tab: Any, tmp_path: Path) -> None:
    tab = open_tab("stuck", scheme="dark")
    tab.do("dispatchEvent(new Event('beforeprint'))")
    assert tab.do("document.querySelectorAll('details:not([open])').length") == 0
    tab.page.emulate_media(media="print", color_scheme="dark")
    assert tab.do("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not tab.page.is_visible(".bar")
    tab.do("dispatchEvent(new Event('afterprint'))")
    assert tab.do("document.querySelectorAll('details[open]').length") == 0
