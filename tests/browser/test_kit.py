"""The kit of the live figures, on a page of its own with a dozen of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from playwright.sync_api import Browser, Locator, expect
from visits import PHONE, ROOT, Visit, redrawn, visit

from lecture_code.display import live as module
from lecture_code.display import markup

MANY = 12
CAPTION = "Left: a line. Right: a dot."
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
PROGRAM = r"""
live.programs.sample = {
  where: ({ place }) => place.map(v => v / 2),
  drop: (state, name, at) => { state.place = at.map(v => v * 2); },
  draw: (pen, { bits, size, count, kind, place }) => {
    const second = pen.panels[1];
    pen.curve([[-1, -1], [1, 1]], "bound", { dash: "4 2" });
    pen.rect([-1, -1], [0, 0], "data", { fill: 0.2 });
    pen.pixels([[0, 0.5], [1, 0]], [0, 0], [1, 1]);
    [...bits].forEach((bit, i) =>
      pen.cell(i, "bits", [i / 2 - 1, 0.5], [i / 2 - 0.6, 0.9], { fill: +bit, round: i > 1 }));
    second.curve([[1e-4, 1], [1, 10]], "estimate");
    second.dot([size, count + 1], "estimate", 5);
    return `${kind}: ${bits}, ${size.toPrecision(2)}, ${count}, at ${place}`;
  },
};
"""
DIALS = {"size": (1e-4, 1.0), "count": (0.0, 9.0), "kind": ["plain", "striped"]}
TEXTS = """svg => [...svg.querySelectorAll(".tick text")].map(e => e.textContent)"""


def figure_of(name: str) -> str:
    """The markup of a figure with one of everything, as a page holds it."""
    shown = module.live(
        name,
        "sample",
        {},
        Figure(figsize=(6.4, 3.2)),
        alt="What is seen.",
        caption=CAPTION,
        plane=((-1, 1), (-1, 1)),
        axes=("", ""),
        start={"size": 1e-2, "count": 3.0, "kind": "plain", "place": (0.0, 0.0), "bits": "0100"},
        dials=DIALS,
        logs=("size",),
        steps={"count": 1},
        points={"place": "truth"},
        cells={"bits": 2},
        panels=[(((1e-4, 1), (1, 10)), ("size", "count"))],
        scales=("linear", "xy"),
    ).data
    return (
        f'{markup.opening(shown)}<img alt="What is seen." width="640" height="320"></div>'
        f'<div class="controls">{markup.controls(shown)}</div>'
        f'<figcaption>{CAPTION} <a class="setting" href="#{name}">Link</a></figcaption>'
        f"{markup.closing(shown)}"
    )


@pytest.fixture(scope="module")
def page_of_many(book: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the page."""
    static = f"{book.as_uri()}/_static"
    place = tmp_path_factory.mktemp("kit")
    listed = place / "programs.js"
    listed.write_text('export * as sample from "./sample.js";', encoding="utf-8")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "PROGRAMS", listed)
        figures = "".join(figure_of(f"figure-{k}") for k in range(MANY))
    sheets = "".join(
        f'<link rel="stylesheet" href="{static}/{name}.css">' for name in ("figures", "companion")
    )
    (place / "program.js").write_text(PROGRAM, encoding="utf-8")
    (place / "page.html").write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>A dozen</title>{sheets}'
        '<meta name="viewport" content="width=device-width">'
        f'<script defer src="{static}/live.js"></script><script defer src="program.js"></script>'
        f"<body><main><h1>A dozen</h1>{figures}</main></body></html>",
        encoding="utf-8",
    )
    return (place / "page.html").as_uri()


@pytest.fixture
def dozen(browser: Browser, page_of_many: str) -> Iterator[Visit]:
    opened = visit(browser, page_of_many)
    yield opened
    opened.close()
    assert not opened.troubles
    assert not [url for url in opened.requests if not url.startswith(("file:", "data:"))]


@pytest.fixture
def first(dozen: Visit) -> Locator:
    root = dozen.page.locator("#figure-0")
    expect(root.locator("svg")).to_have_attribute("aria-label", re.compile("plain: 0100"))
    return root


def says(root: Locator, text: str) -> None:
    expect(root.locator("svg")).to_have_attribute("aria-label", re.compile(re.escape(text)))


def test_a_dial_of_powers_and_one_of_steps(first: Locator) -> None:
    size, count = (first.locator(f"#figure-0-{name}") for name in ("size", "count"))
    assert size.get_attribute("aria-valuetext") == "0.01"
    size.press("Home")
    says(first, "0.00010,")
    assert first.locator("output").first.text_content() == "1.0·10⁻⁴"
    onward = first.get_by_role("button", name="One step of count")
    onward.click()
    says(first, ", 4,")
    count.press("End")
    says(first, ", 9,")
    onward.click()
    says(first, ", 0,")
    count.press("ArrowRight")
    says(first, ", 1,")


def test_cells_turn_by_click_and_key_and_keep_the_focus(first: Locator) -> None:
    cells = first.locator(".cell")
    assert cells.evaluate_all("all => all.map(one => one.tabIndex)") == [0, -1, -1, -1]
    assert cells.nth(1).get_attribute("aria-checked") == "true"
    cells.nth(3).click()
    says(first, "0101")
    for key in ("ArrowLeft", " ", "ArrowLeft", "Enter"):
        first.page.keyboard.press(key)
    says(first, "0011")
    assert first.page.evaluate("document.activeElement.dataset.cell") == "bits-1"


def test_a_point_can_be_shown_elsewhere_than_its_state_says(first: Locator) -> None:
    grip = first.locator(".grip")
    grip.scroll_into_view_if_needed()
    box = grip.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    first.page.mouse.move(x, y)
    first.page.mouse.down()
    first.page.mouse.move(x + 40, y, steps=3)
    first.page.mouse.up()
    moved = first.locator(".grip").bounding_box()["x"] - box["x"]
    assert moved == pytest.approx(40, abs=2)
    first.get_by_role("slider", name="place, horizontal").press("Home")
    says(first, "at -1,0")
    assert first.locator(".grip").bounding_box()["x"] < x - 40


def test_panels_stand_beside_and_on_a_phone_under_each_other(
    browser: Browser, page_of_many: str, first: Locator
) -> None:
    assert first.locator("svg").evaluate(TEXTS)[:3] == ["10⁻⁴", "10⁻³", "10⁻²"]
    phone = visit(browser, page_of_many, width=PHONE)
    narrow = phone.page.locator("#figure-0")
    expect(narrow.locator("svg")).to_be_visible()
    for root, beside in ((first, True), (narrow, False)):
        left, right = (
            root.locator("clipPath rect[width]")
            .nth(k)
            .evaluate("e => [e.x, e.y].map(v => v.baseVal.value)")
            for k in (0, 1)
        )
        assert (left[0] + 100 < right[0]) == beside
        assert (left[1] + 100 < right[1]) != beside
        said = CAPTION if beside else "Above: a line. Below: a dot."
        expect(root.locator("figcaption")).to_contain_text(said)
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= PHONE
    phone.close()


def test_it_is_drawn_without_a_caption_as_in_jupyterlab(dozen: Visit) -> None:
    started, said = dozen.page.evaluate("""() => {
      const figure = document.querySelector("#figure-11"), started = live.figures.has(figure);
      figure.querySelector("figcaption").remove();
      live.start(figure);
      return [started, figure.querySelector("svg").ariaLabel];
    }""")
    assert not started
    assert said.startswith("plain: 0100")


def test_a_link_carries_cells_powers_and_steps(first: Locator) -> None:
    first.locator(".cell").first.click()
    link = first.locator("a.setting").evaluate("a => decodeURIComponent(a.hash)")
    assert link == "#figure-0?size=0.01&count=3&kind=plain&place=0,0&bits=1100"
    wanted = "figure-0?size=0.0005&count=6.7&bits=1111&kind=striped"
    first.page.evaluate("hash => { location.hash = hash; }", wanted)
    says(first, "striped: 1111, 0.00050, 7,")
    wrong = "figure-0?size=-1&count=x&bits=1121&kind=odd"
    first.page.evaluate("hash => { location.hash = hash; }", wrong)
    says(first, "striped: 1111, 0.00010, 7,")


def test_a_figure_starts_when_it_comes_near(first: Locator, dozen: Visit) -> None:
    last = dozen.page.locator(f"#figure-{MANY - 1}")
    expect(first.locator("svg")).to_be_visible()
    assert not last.locator("svg").count()
    last.scroll_into_view_if_needed()
    expect(last.locator("svg")).to_be_visible()


def test_a_dozen_is_redrawn_within_a_frame_and_leaves_nothing_behind(dozen: Visit) -> None:
    dozen.page.evaluate("document.querySelectorAll('figure.live').forEach(live.start)")
    assert dozen.page.evaluate("live.figures.size") == MANY
    best, grown = redrawn(dozen.page, "(state, k) => { state.count = k % 10; }")
    assert best < 50  # milliseconds
    assert grown == 0


@pytest.mark.usefixtures("first")
def test_no_fault_of_access(dozen: Visit) -> None:
    dozen.page.add_script_tag(path=AXE)
    assert not dozen.page.evaluate(
        "() => axe.run({ preload: false }).then(found => found.violations)"
    )
