"""Live figures: what the browser computes is what Python does; mouse, keys, links, paper, phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, Locator, Page, expect
from visits import HTML, PHONE, Open, Visit, address, visit

from lecture_code import capacity as cap
from lecture_code import cubes
from lecture_code import implicit_bias as ib
from lecture_code.optimize import adagrad, gradient_descent, steepest_step

PLACE, NAME = "book/implicit_bias.html", "which-solution"
METHODS = ["gradient descent", "momentum", "AdaGrad", "coordinate descent", "sign descent"]
NORMS = {"ℓ₁": "l1", "ℓ₂": "l2", "ℓ∞": "linf"}
TARGET, STEPS, MANY = 2.0, 120, 10

REDRAWN = """rounds => {
  const all = [...live.figures.values()], times = [];
  for (let k = 0; k < rounds; k++) {
    const began = performance.now();
    for (const figure of all) {
      figure.state.start = [Math.sin(k), Math.cos(k)];
      figure.draw();
      figure.state.radius = 3;
    }
    document.body.getBoundingClientRect();
    times.push(performance.now() - began);
  }
  return [all.length, Math.min(...times), document.querySelectorAll("*").length];
}"""
SIZES = """figure => ({
  texts: [...figure.querySelectorAll("svg text")]
    .map(e => parseFloat(getComputedStyle(e).fontSize)),
  grips: [...figure.querySelectorAll(".grip")].map(e => e.getBoundingClientRect().width),
  held: [...figure.querySelectorAll("*")].filter(e => getComputedStyle(e).touchAction === "none")
    .map(e => e.getAttribute("class")),
  scale: figure.querySelector("svg").getScreenCTM().a,
})"""


class Figure:
    """A live figure on an open page."""

    def __init__(self, page: Page, name: str = NAME) -> None:
        self.page, self.root = page, page.locator(f"figure.live#{name}")
        self.svg = self.root.locator("svg")
        expect(self.svg).to_have_attribute("aria-label", re.compile("The solutions"))

    def alt(self) -> str:
        """What is said of the drawing."""
        return self.svg.get_attribute("aria-label")

    def slider(self, name: str) -> Locator:
        """One of the two sliders of a point."""
        return self.root.get_by_role("slider", name=name, exact=True)

    def at(self, point: str) -> tuple[float, float]:
        """Where a point is said to be."""
        sides = (self.slider(f"{point}, {axis}") for axis in ("horizontal", "vertical"))
        return tuple(float(side.get_attribute("aria-valuenow")) for side in sides)

    def link(self) -> str:
        """The address of the setting."""
        return self.root.locator("a.setting").evaluate("a => decodeURIComponent(a.hash)")


@pytest.fixture
def hero(opened: Open) -> Figure:
    """The figure at the top of the chapter."""
    return Figure(opened(address(PLACE)).page)


@pytest.fixture(scope="module")
def many(browser: Browser, book: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    """A page of its own with ten figures, a window apart."""
    soup = BeautifulSoup((book / PLACE).read_text(encoding="utf-8"), "html.parser")
    figure = str(soup.select_one("figure.live"))
    static = f"{book.as_uri()}/_static"
    figure = figure.replace('src="../', f'src="{book.as_uri()}/')
    figures = "".join(
        f'<div style="min-height: 200vh">{figure.replace(NAME, f"figure-{k}")}</div>'
        for k in range(MANY)
    )
    sheets = "".join(
        f'<link rel="stylesheet" href="{static}/{name}.css">' for name in ("figures", "companion")
    )
    page = tmp_path_factory.mktemp("live") / "page.html"
    page.write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Ten</title>{sheets}'
        f'<script defer src="{static}/live.js"></script><body>{figures}</body></html>',
        encoding="utf-8",
    )
    opened = visit(browser, page.as_uri())
    yield opened
    opened.close()
    assert not opened.troubles
    assert not [url for url in opened.requests if not url.startswith(("file:", "data:"))]


def settings(count: int) -> list[dict[str, Any]]:
    """Random settings, each algorithm and each ball in turn."""
    rng = np.random.default_rng(0)
    return [
        {
            "example": (rng.choice([-1, 1], 2) * rng.uniform(0.6, 2, 2)).tolist(),
            "start": rng.uniform(-2, 2, 2).tolist(),
            "method": METHODS[k % len(METHODS)],
            "ball": list(NORMS)[k % len(NORMS)],
        }
        for k in range(count)
    ]


def run(example: list[float], start: list[float], method: str, **_: Any) -> np.ndarray:
    """The points of that run, by the functions of the book."""
    a, w = np.array(example), np.array(start)
    if method in METHODS[:2]:
        beta = 0.8 if method == "momentum" else 0.0
        options = {"max_steps": STEPS, "momentum": beta, "record_every": 1}
        return gradient_descent(
            lambda v: (a @ v - TARGET) * a, w, 0.1 / (a @ a), **options
        ).trajectory
    points, squares = [w], np.zeros(2)
    pace = 0.3 * abs(a @ w - TARGET) / np.abs(a).sum()
    kind = "l1" if method == "coordinate descent" else "linf"
    step = 0.1 / (np.max(a**2) if kind == "l1" else np.abs(a).sum() ** 2)
    for _ in range(STEPS):
        slope = (a @ w - TARGET) * a
        if method == "AdaGrad":
            direction, squares = adagrad(slope, squares)
            w = w - pace * direction
        else:
            w = w + steepest_step(slope, step, kind)
        points.append(w)
    return np.array(points)


def test_the_browser_computes_the_paths_that_python_does(hero: Figure) -> None:
    tried = settings(40)
    script = "all => all.map(one => live.programs.least_squares.path(one, {target: 2}))"
    for one, drawn in zip(tried, hero.page.evaluate(script, tried), strict=True):
        np.testing.assert_allclose(drawn, run(**one), rtol=1e-9, atol=1e-9, err_msg=str(one))


def test_the_balls_touch_at_the_solution_nearest_in_their_norm(hero: Figure) -> None:
    """As the linear program finds it."""
    tried = settings(15)
    script = "all => all.map(one => live.programs.least_squares.touching(one, {target: 2}))"
    for one, touch in zip(tried, hero.page.evaluate(script, tried), strict=True):
        A, start = np.array([one["example"]]), np.array(one["start"])
        assert A @ touch == pytest.approx(TARGET)
        kind = NORMS[one["ball"]]
        least = ib.minimal_norm(A, TARGET - A @ start, kind)
        assert ib.norm(np.array(touch) - start, kind) == pytest.approx(least)


def test_the_drawing_says_at_the_start_what_the_picture_does(hero: Figure) -> None:
    assert hero.alt() == hero.root.locator("img").get_attribute("alt")
    assert not hero.root.locator("img").is_visible()


def test_a_point_follows_the_mouse_and_stays_in_the_plane(hero: Figure) -> None:
    grip, before = hero.root.locator(".grip").first, hero.at("start")
    grip.scroll_into_view_if_needed()
    box, other = grip.bounding_box(), hero.at("example")
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    hero.page.mouse.move(x, y)
    hero.page.mouse.down()
    hero.page.mouse.move(x + 60, y - 30, steps=4)
    after = hero.at("start")
    assert after[0] > before[0] + 0.3
    assert after[1] - before[1] == pytest.approx((after[0] - before[0]) / 2, abs=0.02)
    assert f"From the start ({after[0]:.2f}, {after[1]:.2f})" in hero.alt()
    assert f"start={after[0]:g},{after[1]:g}" in hero.link()
    hero.page.mouse.move(0, 2000, steps=2)
    hero.page.mouse.up()
    assert hero.at("start") == (-2.6, -1.2)
    assert hero.at("example") == other


def test_keys_move_a_point_along_one_axis(hero: Figure) -> None:
    for axis, name in enumerate(("horizontal", "vertical")):
        slider, at = hero.slider(f"start, {name}"), list(hero.at("start"))
        ends = [float(slider.get_attribute(f"aria-value{end}")) for end in ("min", "max")]
        moves = [("ArrowRight", 0.1), ("ArrowUp", 0.2), ("ArrowLeft", 0.1), ("ArrowDown", 0.0)]
        moves.append(("PageUp", 1.0))
        for key, by in moves:
            slider.press(key)
            expected = list(at)
            expected[axis] += by
            assert hero.at("start") == pytest.approx(expected)
        for key, end in zip(("End", "Home"), ends[::-1], strict=True):
            slider.press(key)
            assert hero.at("start")[axis] == end


def test_switches_and_dials_change_what_is_drawn_and_said(hero: Figure) -> None:
    ends = set()
    for method in METHODS:
        hero.root.get_by_role("radio", name=method, exact=True).check()
        assert f", {method} ends at " in hero.alt()
        ends.add(re.search(r"ends at (\(.*?\))", hero.alt())[1])
    assert ends == {"(-0.60, 1.30)", "(0.00, 1.00)", "(-1.50, 1.75)"}
    dial = hero.root.get_by_role("slider", name="its radius")
    dial.press("End")
    for ball, touch in zip(NORMS, ("(-1.50, 1.75)", "(-0.60, 1.30)", "(0.00, 1.00)"), strict=True):
        hero.root.get_by_role("radio", name=ball, exact=True).check()
        assert f"The {ball} ball around the start touches the line at {touch}" in hero.alt()
    assert hero.root.locator("output").text_content() == "3.00"
    dial.press("Home")
    assert "does not reach" in hero.alt()
    assert dial.get_attribute("aria-valuetext") == hero.root.locator("output").text_content()


def test_the_data_meet_the_axes_and_never_vanish(hero: Figure) -> None:
    hero.slider("example, vertical").press("Home")
    for _ in range(12):
        hero.slider("example, vertical").press("ArrowUp")
    p, q = hero.at("example")
    assert (abs(p), q) == (1.0, 0.0)
    for _ in range(12):
        hero.slider("example, horizontal").press("ArrowLeft")
    assert np.hypot(*hero.at("example")) == pytest.approx(0.7, abs=0.01)


def test_play_lets_the_ball_grow_and_stops_when_asked(hero: Figure) -> None:
    button, output = hero.root.get_by_role("button"), hero.root.locator("output")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(output).not_to_have_text("1.00")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    stopped = output.text_content()
    hero.page.wait_for_timeout(200)
    assert output.text_content() == stopped
    hero.page.emulate_media(reduced_motion="reduce")
    button.click()
    assert output.text_content() == "3.00"
    expect(button).to_have_attribute("aria-pressed", "false")


def test_a_link_restores_its_setting(opened: Open, hero: Figure) -> None:
    """In a new window and in the open one; what it does not know it leaves, ends it keeps."""
    hero.root.get_by_role("radio", name="sign descent").check()
    hero.slider("start, vertical").press("PageUp")
    said, link = hero.alt(), hero.link()
    address_of_it = hero.root.locator("a.setting").evaluate("a => a.href")
    again = Figure(opened(address_of_it).page)
    assert (again.alt(), again.link()) == (said, link)
    wrong = f"{NAME}?start=9,-9&radius=&method=magic&example=1&ball=ℓ₁&more=1"
    again.page.evaluate("hash => { location.hash = hash; }", wrong)
    expect(again.root.get_by_role("radio", name="ℓ₁")).to_be_checked()
    assert again.at("start") == (2.6, -1.2)
    assert "sign descent" in again.alt()
    assert again.root.locator("output").text_content() == "1.00"


def test_paper_shows_the_stored_picture(hero: Figure) -> None:
    hero.slider("start, vertical").press("End")
    hero.page.emulate_media(media="print")
    expect(hero.root.locator("img")).to_be_visible()
    assert not hero.root.locator("svg:visible, input:visible, button:visible, a:visible").count()


def test_without_scripts_the_picture_is_seen_and_no_dead_control(browser: Browser) -> None:
    plain = visit(browser, address(PLACE), java_script_enabled=False)
    expect(plain.page.locator("figure.live img")).to_be_visible()
    assert not plain.page.locator("figure.live :is(input, button, a.setting):visible").count()
    plain.close()


def test_on_a_phone_all_can_be_read_and_held(opened: Open) -> None:
    """The page scrolls under a finger everywhere but on the handles."""
    hero = Figure(opened(address(PLACE), width=PHONE).page)
    sizes = hero.root.evaluate(SIZES)
    assert sizes["scale"] == pytest.approx(1, abs=0.01)
    assert min(sizes["texts"]) >= 11
    assert min(sizes["grips"]) >= 24
    assert sizes["held"] == ["handle", "handle"]


def test_it_is_drawn_anew_at_its_own_width(hero: Figure) -> None:
    wide = hero.svg.evaluate("svg => svg.viewBox.baseVal.width")
    hero.page.set_viewport_size({"width": PHONE, "height": 800})
    expect(hero.svg).not_to_have_attribute("viewBox", re.compile(f"^0 0 {wide:.0f}"))
    assert hero.root.evaluate(SIZES)["scale"] == pytest.approx(1, abs=0.01)


def test_a_figure_starts_when_it_comes_near(many: Visit) -> None:
    last = many.page.locator(f"#figure-{MANY - 1}")
    expect(many.page.locator("#figure-0 svg")).to_be_visible()
    assert not last.locator("svg").count()
    last.scroll_into_view_if_needed()
    expect(last.locator("svg")).to_be_visible()


def test_ten_figures_are_redrawn_within_a_frame_and_leave_nothing_behind(many: Visit) -> None:
    many.page.evaluate("document.querySelectorAll('figure.live').forEach(live.start)")
    count, _, before = many.page.evaluate(REDRAWN, 5)
    _, best, after = many.page.evaluate(REDRAWN, 20)
    assert count == MANY
    assert best < 50  # milliseconds, the best of twenty
    assert after == before


def test_only_pages_with_a_live_figure_load_the_script() -> None:
    for page in HTML.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert ("live.js" in text) == ('<figure class="live"' in text), page.name


def test_the_browser_has_the_networks_of_all_colourings(opened: Open) -> None:
    """With all lines and with one taken away, where some colouring wins."""
    page = opened(address("book/capacity.html")).page
    expect(page.locator("figure.live#fano svg")).to_be_visible()
    script = "([all, data]) => all.map(one => live.programs.fano.right(one, data))"
    for gone, lines in (("none", cap.FANO), ("one", cap.FANO[:2] + cap.FANO[3:])):
        x, wanted = cap.colouring_sample(7, lines)
        colourings = cubes.bits(7)
        tried = [{"colour": "".join(map(str, c)), "without": gone} for c in colourings.tolist()]
        data = {"lines": cap.FANO, "away": {"none": -1, "one": 2}}
        found = page.evaluate(script, [tried, data])
        units = map(cap.colouring_network, colourings)
        assert found == [(cap.fires(a, x) == wanted).tolist() for a in units]
        assert any(map(all, found)) == (gone == "one")


def test_the_browser_rounds_the_weight_of_a_sine_as_numpy_does(opened: Open) -> None:
    page = opened(address("book/capacity.html")).page
    expect(page.locator("figure.live#fano svg")).to_be_visible()  # then the programs are there
    rng, tried = np.random.default_rng(1), []
    for n in range(1, 13):
        for held in ("exactly", "in half precision"):
            draws = ["".join(map(str, row)) for row in rng.integers(0, 2, (3, 12))]
            tried += [{"labels": labels, "n": n, "held": held} for labels in draws]
    script = "all => all.map(one => [live.programs.sine.held(one), live.programs.sine.signs(one)])"
    for one, (held, signs) in zip(tried, page.evaluate(script, tried), strict=True):
        weight = cap.sine_weight([int(bit) for bit in one["labels"][: one["n"]]])
        expected = weight if one["held"] == "exactly" else int(np.float16(weight))
        assert (held, signs) == (expected, cap.sine_signs(expected, one["n"]).tolist())
