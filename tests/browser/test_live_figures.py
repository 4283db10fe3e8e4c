"""Live figures: what the browser computes is what Python does; mouse, keys, links, paper, phone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from math import comb
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, Locator, Page, expect
from scipy import sparse
from visits import HTML, PHONE, Open, Visit, address, visit

from lecture_code import capacity as cap
from lecture_code import completion as cm
from lecture_code import cubes
from lecture_code import description_length as dl
from lecture_code import implicit_bias as ib
from lecture_code import implicit_bias_matrices as ibm
from lecture_code import local_search as ls
from lecture_code import measurements as ms
from lecture_code import no_free_lunch as nfl
from lecture_code import sensing as sn
from lecture_code import stochastic_optimization as so
from lecture_code import universal_learning as ul
from lecture_code.entropy import entropy_minimiser, minimal_l1
from lecture_code.optimize import (
    adagrad,
    gradient_descent,
    steepest_step,
    stochastic_gradient_descent,
)

PLACE, NAME = "book/implicit_bias.html", "which-solution"


METHODS = ["gradient descent", "momentum", "AdaGrad", "coordinate descent", "sign descent"]


NORMS = {"ℓ₁": "l1", "ℓ₂": "l2", "ℓ∞": "linf"}


TARGET, THIRD_WEIGHT, STEPS, MANY = 2.0, 1.0, 120, 10


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
        expect(self.svg).to_have_attribute("aria-label", re.compile("."))

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

    def radius(self, part: str = "output") -> Locator:
        """The dial of the radius: what it shows, or another part of it."""
        return self.root.locator(f".control[data-name=radius] {part}")

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
    figure = str(soup.select_one(f"figure.live#{NAME}"))
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
            "unknowns": ("two", "three")[k % 2],
            "third": rng.uniform(-2, 2),
            "method": METHODS[k % len(METHODS)],
            "ball": list(NORMS)[k % len(NORMS)],
        }
        for k in range(count)
    ]


def system(one: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """The row of the equation and the start; without the third unknown both end in 0."""
    third = (THIRD_WEIGHT, one["third"]) if one["unknowns"] == "three" else (0.0, 0.0)
    return np.array([*one["example"], third[0]]), np.array([*one["start"], third[1]])


def run(a: np.ndarray, w: np.ndarray, method: str) -> np.ndarray:
    """The points of that run, by the functions of the book."""
    if method in METHODS[:2]:
        beta = 0.8 if method == "momentum" else 0.0
        options = {"max_steps": STEPS, "momentum": beta, "record_every": 1}
        return gradient_descent(
            lambda v: (a @ v - TARGET) * a, w, 0.1 / (a @ a), **options
        ).trajectory
    points, squares = [w], np.zeros(3)
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
        expected = run(*system(one), one["method"])
        np.testing.assert_allclose(drawn, expected, rtol=1e-9, atol=1e-9, err_msg=str(one))


def test_the_balls_touch_at_the_solution_nearest_in_their_norm(hero: Figure) -> None:
    """As the linear program finds it."""
    tried = settings(15)
    script = "all => all.map(one => live.programs.least_squares.touching(one, {target: 2}))"
    for one, touch in zip(tried, hero.page.evaluate(script, tried), strict=True):
        row, start = system(one)
        A = row[None]
        assert A @ touch == pytest.approx(TARGET)
        kind = NORMS[one["ball"]]
        least = ib.minimal_norm(A, TARGET - A @ start, kind)
        assert ib.norm(np.array(touch) - start, kind) == pytest.approx(least)


class Told:
    """Draws the normal numbers that a browser has told, a row a step."""

    def __init__(self, rows: np.ndarray) -> None:
        self.rows = iter(rows)

    def standard_normal(self, shape: tuple[int, ...]) -> np.ndarray:
        """The next row, as far as there are units."""
        return next(self.rows)[: shape[0]]


def test_the_browser_descends_a_chain_of_saddles_as_python_does(opened: Open) -> None:
    page = opened(address("book/local_search.html")).page
    told = np.array(page.evaluate("() => live.programs.saddle_chain.normals(2500 * 6)"))
    assert abs(told.mean()) < 0.03
    assert abs(told.std() - 1) < 0.03
    rng = np.random.default_rng(0)
    tried = [
        {
            "start": rng.uniform(-0.1, 2.3, 2).tolist(),
            "units": int(rng.integers(2, 7)),
            "noise": ["off", "on"][k % 2],
            "level": float(10 ** rng.uniform(-12, -0.6)),
        }
        for k in range(20)
    ]
    script = """all => all.map(one => {
      const { points, left } = live.programs.saddle_chain.run(one);
      return { left, first: points[100], height: live.programs.saddle_chain.height(points[100]) };
    })"""
    for one, drawn in zip(tried, page.evaluate(script, tried), strict=True):
        run = gradient_descent(
            ls.chain_gradient,
            [one["start"][min(i, 1)] for i in range(one["units"])],
            0.1,
            max_steps=2500,
            noise=one["level"] if one["noise"] == "on" else 0,
            rng=Told(told.reshape(2500, 6)),
            record_every=1,
        ).trajectory
        np.testing.assert_allclose(drawn["first"], run[100], rtol=1e-9, atol=1e-300)
        np.testing.assert_allclose(drawn["height"], ls.chain(run[100]), rtol=1e-9)
        assert drawn["left"] == ls.leaving_times(run).tolist(), one


def test_the_browser_climbs_the_quartic_as_python_does(opened: Open) -> None:
    page = opened(address("book/local_search.html")).page
    rng = np.random.default_rng(1)
    turns, weights = rng.uniform(0.4, 2.7, (2, 20)), rng.uniform(0.3, 1.6, 20)
    heads = np.stack([np.cos(turns), np.sin(turns)], -1)
    tried = [
        {"second": (w * a).tolist(), "start": x.tolist()}
        for a, x, w in zip(*heads, weights, strict=True)
    ]
    script = """all => all.map(one => {
      const { ascend, maxima, value } = live.programs.quartic, end = ascend(one).at(-1);
      return { end, height: value(one, end), tops: maxima(one) };
    })"""
    grid = np.radians(np.linspace(0, 180, 20_000, endpoint=False))
    for a, x, w, drawn in zip(*heads, weights, page.evaluate(script, tried), strict=True):
        pair, both = np.stack([[1, 0], a], axis=1), np.array([1, w])
        np.testing.assert_allclose(
            drawn["end"], ls.ascend_quartic(pair, both, x, 0.02, 400), atol=1e-9
        )
        np.testing.assert_allclose(drawn["height"], ls.quartic(pair, both, drawn["end"]))
        form = ls.quartic(pair, both, np.stack([np.cos(grid), np.sin(grid)], -1))
        tops = (form > np.roll(form, 1)) & (form >= np.roll(form, -1))
        found = sorted(top["height"] for top in drawn["tops"])
        assert found == pytest.approx(sorted(form[tops]), abs=1e-6)


@pytest.mark.parametrize("name", [NAME, "turning", "size-of-the-start"])
def test_the_drawing_says_at_the_start_what_the_picture_does(opened: Open, name: str) -> None:
    page = opened(address(PLACE)).page
    page.locator(f"figure.live#{name}").scroll_into_view_if_needed()
    figure = Figure(page, name)
    assert figure.alt() == figure.root.locator("img").get_attribute("alt")
    assert not figure.root.locator("img").is_visible()


def test_in_space_a_point_is_dropped_where_it_is_seen(hero: Figure) -> None:
    """And the third unknown stays, however the space is turned."""
    seen = hero.page.evaluate("""() => [-60, -20, 0, 45].flatMap(turn => ["start", "example"]
      .map(name => {
        const state = { start: [1, 2], example: [2, 1], unknowns: "three", turn, third: 0.5 };
        const { where, drop } = live.programs.least_squares, at = where(state, name);
        drop(state, name, [at[0] + 0.4, at[1] - 0.3]);
        return [at, where(state, name), state.third];
      }))""")
    for before, after, third in seen:
        assert after == pytest.approx([before[0] + 0.4, before[1] - 0.3])
        assert third == 0.5


def test_the_browser_finds_the_margins_and_runs_that_python_does(hero: Figure) -> None:
    rng = np.random.default_rng(1)
    tried = [rng.uniform([-1, 0], [2, 3], (3, 2)).tolist() for _ in range(30)]
    script = """tried => tried.map(([first, second, third]) => {
      const found = live.programs.margins.all({ first, second, third });
      return Object.values(found).map(({ best, seen }) => [best, seen[39]]);
    })"""
    separable = 0
    for Z, found in zip(map(np.array, tried), hero.page.evaluate(script, tried), strict=True):
        for kind, (best, last) in zip(NORMS.values(), found, strict=True):
            gamma = ib.maximal_margin(Z, kind)
            if gamma < 0.05:
                assert np.min(Z @ best) < 0.05 + 1e-6
                continue
            separable += 1
            run = ib.logistic_descent(Z, kind, 40)
            assert ib.norm(np.array(best), kind) == pytest.approx(1)
            assert np.min(Z @ best) == pytest.approx(gamma, rel=1e-6)
            np.testing.assert_allclose(last["w"], run.w, rtol=1e-9, atol=1e-12)
            assert last["bound"] == pytest.approx(run.bound, rel=1e-6)
            share = np.min(Z @ run.w) / ib.norm(run.w, kind) / gamma
            assert last["share"] == pytest.approx(share, rel=1e-6)
    assert separable > 40


def test_the_browser_finds_the_end_of_the_flow_on_squares_that_python_does(hero: Figure) -> None:
    rng = np.random.default_rng(2)
    tried = [(rng.uniform(0.4, 2, 2).tolist(), 10 ** rng.uniform(-4, 1)) for _ in range(25)]
    script = """tried => tried.map(([a, alpha]) => {
      const { ends, law } = live.programs.squares, found = law(a, 2);
      const { least, slack, bound, fallback, excess } = found;
      return [ends(a, alpha, 2), least, slack, bound(alpha), fallback(alpha), excess(alpha)];
    })"""
    for (a, alpha), found in zip(tried, hero.page.evaluate(script, tried), strict=True):
        A, y = np.array([a]), np.array([2.0])
        x, s = entropy_minimiser(A, y, np.full(2, alpha**2))
        best = minimal_l1(A, y)
        on = np.argmax(best.x)
        constant = best.slack * np.exp(A[0, 1 - on] / A[0, on] * np.log(best.x[on]))
        entropy = best.x[on] * np.log(best.x[on]) - best.x[on]
        expected = [s[0], best.value, best.slack, constant * alpha ** (2 * best.slack)]
        expected += [(2 + entropy) / (2 * np.log(1 / alpha)), (1 - A.T @ best.dual) @ x]
        np.testing.assert_allclose(found, expected, rtol=1e-6, err_msg=str((a, alpha)))


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
    assert hero.at("start") == (-2.6, -1.6)
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
    assert hero.radius().text_content() == "3.00"
    dial.press("Home")
    assert "does not reach" in hero.alt()
    assert dial.get_attribute("aria-valuetext") == hero.radius().text_content()


def test_the_data_meet_the_axes_and_never_vanish(hero: Figure) -> None:
    hero.slider("example, vertical").press("Home")
    for _ in range(16):
        hero.slider("example, vertical").press("ArrowUp")
    p, q = hero.at("example")
    assert (abs(p), q) == (1.0, 0.0)
    for _ in range(12):
        hero.slider("example, horizontal").press("ArrowLeft")
    assert np.hypot(*hero.at("example")) == pytest.approx(0.7, abs=0.01)


def test_play_lets_the_ball_grow_and_stops_when_asked(hero: Figure) -> None:
    button, output = hero.radius(".play"), hero.radius()
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
    assert again.at("start") == (2.6, -1.6)
    assert "sign descent" in again.alt()
    assert again.radius().text_content() == "1.00"


def test_paper_shows_the_stored_picture(hero: Figure) -> None:
    hero.slider("start, vertical").press("End")
    hero.page.emulate_media(media="print")
    expect(hero.root.locator("img")).to_be_visible()
    assert not hero.root.locator("svg:visible, input:visible, button:visible, a:visible").count()


def test_without_scripts_the_picture_is_seen_and_no_dead_control(browser: Browser) -> None:
    plain = visit(browser, address(PLACE), java_script_enabled=False)
    expect(plain.page.locator(f"figure.live#{NAME} img")).to_be_visible()
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


def test_pixels_and_passes_are_those_of_python(opened: Open) -> None:
    page = opened(address("book/stochastic_optimization.html")).page
    script = """([m, d, seed, pull]) => {
      const { masks, excess, pass, atMost } = live.programs.last_pixel, drawn = masks(m, d, seed);
      const left = Array.from({ length: d }, (_, i) => drawn.every(mask => !mask[i]));
      const k = left.filter(Boolean).length, w = pass(drawn, pull);
      return [k, excess(k, d, pull), atMost(w, pull), ...w];
    }"""
    rng = np.random.default_rng(1)
    for _ in range(20):
        m, d, seed = int(rng.integers(1, 10)), int(rng.integers(2, 200)), int(rng.integers(1, 99))
        k, excess, most, *w = page.evaluate(script, [m, d, seed, 0.1])
        masks = so.masks(m, d, seed)
        expected = so.masked_pass(masks, 0.1)
        assert k == np.sum(masks.sum(axis=0) == 0)
        np.testing.assert_allclose(w, expected, rtol=1e-9, atol=1e-12)
        assert excess == pytest.approx(so.masked_excess(k, d, 0.1), abs=1e-10)
        half = np.linalg.norm(expected) / np.sqrt(2)
        assert most == pytest.approx(half + 0.1 / d * np.sum((expected - 1) ** 2) - 0.1)


def bounced(cloud: np.ndarray, start: np.ndarray, steps: int, step: float, run: int) -> tuple:
    """Where that run towards the points of a cloud ends, and its average."""
    return stochastic_gradient_descent(
        lambda w, z: (w - z) / (np.linalg.norm(w - z) or 1),
        start,
        cloud[so.hashed(steps, 1, run)[:, 0] % 12],
        step,
    )


def test_the_ball_bounces_as_in_python(opened: Open) -> None:
    page = opened(address("book/stochastic_optimization.html")).page
    script = """([start, step, run, data]) => {
      const { points, average } = live.programs.bouncing_ball.path(start, step, run, data);
      const { bound, ...means } = live.programs.bouncing_ball.sides(start, 1, data);
      return [points.at(-1), average, means.average, bound];
    }"""
    rng = np.random.default_rng(2)
    for _ in range(20):
        cloud, start, best = rng.normal(size=(12, 2)), rng.normal(size=2), rng.normal(size=2)
        steps, run, step = int(rng.integers(1, 60)), int(rng.integers(1, 40)), rng.uniform(0.01, 2)
        data = {"cloud": cloud.tolist(), "best": best.tolist(), "steps": steps}
        last, average, mean, bound = page.evaluate(script, [start.tolist(), step, run, data])
        expected = bounced(cloud, start, steps, step, run)
        np.testing.assert_allclose([last, average], expected, rtol=1e-7, atol=1e-9)
        unit = np.linalg.norm(start - best) / np.sqrt(steps)
        averages = [bounced(cloud, start, steps, unit, k)[1] for k in range(1, 33)]
        risks = [np.linalg.norm(cloud - w, axis=1).mean() for w in [best, *averages]]
        assert mean == pytest.approx(np.mean(risks[1:]) - risks[0], abs=1e-7)
        assert bound == pytest.approx(unit)


FACTORIZATION = "book/factorization.html"


def rolled(w: float, columns: str, start: list[float]) -> np.ndarray:
    """Gradient descent on both factors of diag(1, 1/2), equal and penalised by 0.1."""
    weights, target = np.array([[1, w], [w, 1]]), np.diag([1, 0.5])

    def slope(z: np.ndarray) -> np.ndarray:
        U = z[:, None] if columns == "1" else np.diag(z)
        return 2 * ((weights * (U @ U.T - target)) @ U + 0.1 * U).sum(axis=1)

    return gradient_descent(slope, start, 0.02, max_steps=400, record_every=1).trajectory


def test_the_ball_rolls_as_both_factors_do(opened: Open) -> None:
    page, rng = opened(address(FACTORIZATION)).page, np.random.default_rng(1)
    tried = [
        {"w": rng.uniform(1, 10), "columns": "12"[k % 2], "start": rng.uniform(-1, 1, 2).tolist()}
        for k in range(20)
    ]
    script = "all => all.map(one => live.programs.second_column.path(one, {s: 0.5, lam: 0.1}))"
    for one, drawn in zip(tried, page.evaluate(script, tried), strict=True):
        np.testing.assert_allclose(drawn, rolled(**one), rtol=1e-9, atol=1e-9, err_msg=str(one))


def test_the_digit_shown_is_that_of_the_nearest_fit(opened: Open) -> None:
    page, rng = opened(address(FACTORIZATION)).page, np.random.default_rng(2)
    data = page.evaluate(
        """() => JSON.parse(document.querySelector("#more-rank script").textContent).data"""
    )
    tried = [
        {"lam": 10 ** rng.uniform(-1.5, 0.5), "columns": rng.uniform(1, 37)} for _ in range(40)
    ]
    script = "([all, data]) => all.map(one => live.programs.more_rank.chosen(one, data))"
    for one, place in zip(tried, page.evaluate(script, [tried, data]), strict=True):
        near = np.abs(np.log(np.array(data["lams"]) / one["lam"])).argmin()
        assert place == [near, np.abs(np.array(data["columns"]) - one["columns"]).argmin()]


@pytest.mark.parametrize("name", ["more-rank", "second-column"])
def test_a_drawing_of_factors_says_what_its_picture_does(opened: Open, name: str) -> None:
    root = opened(address(FACTORIZATION)).page.locator(f"figure.live#{name}")
    root.scroll_into_view_if_needed()
    alt = root.locator("img").get_attribute("alt")
    expect(root.locator("svg")).to_have_attribute("aria-label", alt)


def test_the_pass_is_that_of_the_example(opened: Open) -> None:
    """Value, slope, curvature and the end of a run; its contours have the values they say."""
    page = opened(address("book/sensing.html")).page
    rng = np.random.default_rng(0)
    points, deltas = rng.uniform(-1.5, 1.5, (30, 2)), rng.uniform(0, 0.49, 30)
    script = """([points, deltas]) => points.map((p, i) => {
      const { value, slope, curvature, worst, path } = live.programs.pass, d = deltas[i];
      return [value(p, d), ...slope(p, d), curvature(d), worst(d), ...path(p, d).at(-1)];
    })"""
    for point, delta, drawn in zip(
        points, deltas, page.evaluate(script, [points.tolist(), deltas.tolist()]), strict=True
    ):
        V, lake = np.diag([1.0, -1.0]), np.array([[0.0], [np.sqrt(delta)]])
        problem = sn.weak_direction(V, float(delta), np.array([[1.0], [0.0]]))
        bend = sn.hessian(problem, lake)[0, 0]
        value, slope = sn.sharp(point, delta), sn.sharp_gradient(point, delta)
        expected = [value, *slope, bend, -sn.least_escape(float(delta))]
        np.testing.assert_allclose(drawn[:5], expected, rtol=1e-9, atol=1e-9)
        end = gradient_descent(
            lambda q, d=delta: clipped(sn.sharp_gradient(q, d)), point, 0.05, max_steps=799
        )
        np.testing.assert_allclose(drawn[5:], end.x, atol=1e-6)
    script = """([levels, deltas]) => levels.map((c, i) => live.programs.pass
      .rings(c, deltas[i]).flat().map(p => live.programs.pass.value(p, deltas[i])))"""
    levels, deltas = rng.uniform(0.02, 3, 20), rng.uniform(0, 0.95, 20)
    for level, values in zip(
        levels, page.evaluate(script, [levels.tolist(), deltas.tolist()]), strict=True
    ):
        np.testing.assert_allclose(values, level, atol=1e-9)


def clipped(slope: np.ndarray) -> np.ndarray:
    """The slope, cut to length 2."""
    return slope / max(1.0, float(np.linalg.norm(slope)) / 2)


def test_the_two_conditions_touch_where_the_theorem_says(opened: Open) -> None:
    page = opened(address("book/sensing.html")).page
    rng = np.random.default_rng(1)
    settings = [
        {"delta": float(delta), "columns": int(k)}
        for delta, k in zip(rng.uniform(0.01, 0.9, 20), rng.integers(1, 7, 20), strict=True)
    ]
    script = """all => all.map(s => {
      const { touching, escape, limit } = live.programs.touch;
      return [...touching(s), escape(s), limit(s)];
    })"""
    for one, (p, g, escape, limit) in zip(settings, page.evaluate(script, settings), strict=True):
        delta, k = one["delta"], one["columns"]
        assert (g - 1) ** 2 + (1 - delta**2) * k * p**2 == pytest.approx(delta**2)
        assert escape == pytest.approx(4 * (g - (1 + delta) * p))
        assert limit == pytest.approx(sn.threshold(1, k))
        assert (escape > 0) == (delta < limit)
        if k == 1:
            assert escape == pytest.approx(sn.least_escape(delta))


@pytest.mark.parametrize("name", ["the-pass-closes", "two-conditions"])
def test_the_figures_of_recovery_say_at_the_start_what_their_pictures_do(
    opened: Open, name: str
) -> None:
    figure = opened(address("book/sensing.html")).page.locator(f"figure.live#{name}")
    figure.scroll_into_view_if_needed()
    expect(figure.locator("svg")).to_have_attribute(
        "aria-label", figure.locator("img").get_attribute("alt")
    )


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


def test_a_label_may_be_a_number(opened: Open) -> None:
    """The seven weights 7 of a unit stand in seven columns, and the name of point 7 beside it."""
    labels = opened(address("book/capacity.html")).page.locator("figure.live#fano svg text.label")
    expect(labels.first).to_be_visible()
    script = "all => all.filter(e => e.textContent === '7').map(e => e.getAttribute('x'))"
    assert len(set(labels.evaluate_all(script))) == 8


def test_the_browser_fills_the_holes_as_python_does(opened: Open) -> None:
    """And the height of the slice, and where a run lies above it, are those of the error."""
    page = opened(address("book/matrix_completion.html")).page
    data = page.evaluate(
        "() => JSON.parse(document.querySelector('figure.live#holes script').textContent).data"
    )
    signs, halves, levels = (np.array(data[name]) for name in ("signs", "halves", "levels"))
    rng = np.random.default_rng(3)
    tried = [(rng.uniform(-1.5, 1.5, 2).tolist(), rng.uniform(0.12, 1)) for _ in range(20)]
    script = """([tried, data]) => tried.map(([start, p]) => {
      const { holes, slice } = live.programs, run = holes.descend(start, p, data);
      const [u, v] = [run[50], run.at(-1)];
      return [u, v, holes.errors(u, p, data), slice.height(start, p, data),
        slice.seenFrom(u, data)];
    })"""
    drawn = page.evaluate(script, [tried, data])
    for (start, p), (early, last, errors, height, seen) in zip(tried, drawn, strict=True):
        mask = levels <= p
        problem = cm.Completion(signs / np.sqrt(24), sparse.csr_array(mask * 1.0), p)
        first = (start[0] + start[1] * halves) * signs / np.sqrt(24)
        assert height == pytest.approx(float(cm.objective(problem, first)) / p)
        run = gradient_descent(
            lambda x, problem=problem: cm.gradient(problem, x) / problem.p,
            first,
            0.02,
            max_steps=600,
            record_every=1,
        ).trajectory * np.sqrt(24)
        np.testing.assert_allclose(early, run[50], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(last, run[-1], rtol=1e-6, atol=1e-9)
        squares = (np.outer(run[50], run[50]) - np.outer(signs, signs)) ** 2
        expected = [np.sqrt(squares[cells].mean()) for cells in (mask, ~mask)]
        np.testing.assert_allclose(errors, expected, rtol=1e-9)
        turned = run[50] * signs
        plane = np.array([turned.mean(), (turned * halves).mean()])
        rest = np.sqrt(np.mean((turned - plane[0] - plane[1] * halves) ** 2))
        away = cm.distance(problem, run[50] / np.sqrt(24))
        np.testing.assert_allclose(seen["at"], plane, rtol=1e-9)
        assert [seen["rest"], seen["away"]] == pytest.approx([rest, away], abs=1e-7)


def test_the_browser_counts_the_minima_of_a_ripple(opened: Open) -> None:
    """As the roots of its derivative at which it rises, found between points of another grid."""
    page = opened(address("book/matrix_completion.html")).page
    rng = np.random.default_rng(4)
    tried = [
        {"amplitude": 10 ** rng.uniform(-4, -1), "frequency": rng.uniform(1, 100)}
        for _ in range(20)
    ]
    found = page.evaluate("all => all.map(one => live.programs.ripples.minima(one))", tried)
    x = np.linspace(-1.8, 1.8, 40_001)
    for one, at in zip(tried, found, strict=True):
        speed = one["amplitude"] * one["frequency"]
        slope = x**3 - x - speed * np.sin(one["frequency"] * x)
        turns = np.flatnonzero((slope[:-1] < 0) & (slope[1:] >= 0))
        assert len(at) == turns.size
        np.testing.assert_allclose(at, x[turns], atol=4e-4)


def test_the_browser_descends_on_three_items_as_python_does(opened: Open) -> None:
    page = opened(address("book/matrix_completion_limits.html")).page
    rng = np.random.default_rng(5)
    tried = [
        {
            "start": rng.uniform([-5, -1.2], [2, 1.4]).tolist(),
            "loop": (0.0, rng.uniform(0, 1))[k % 2],
            "edge": rng.uniform(0.3, 2),
        }
        for k in range(20)
    ]
    script = """all => all.map(one => {
      const { descend, fate, height } = live.programs.three_items, run = descend(one);
      return [run[20], run.at(-1), height(run[20], one), fate(run)];
    })"""
    fates = set()
    for one, drawn in zip(tried, page.evaluate(script, tried), strict=True):
        early, last, height, fate = drawn
        weights = np.array([[1, one["edge"], 0], [one["edge"], 0, one["edge"]], [0] * 3])
        weights[2] = [0, one["edge"], one["loop"]]
        problem = cm.Completion(np.ones(3), sparse.csr_array(weights), 1.0)
        run = gradient_descent(
            lambda x, problem=problem: cm.gradient(problem, x),
            np.array([1.0, one["start"][1], one["start"][0]]),
            0.004,
            max_steps=8000,
            record_every=40,
        ).trajectory
        np.testing.assert_allclose(early, run[20], rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(last, run[-1], rtol=1e-5, atol=1e-6)
        assert height == pytest.approx(float(cm.objective(problem, run[20])), rel=1e-7)
        assert (fate == "at the truth") == (cm.distance(problem, run[-1]) < 0.17)
        fates.add(fate)
    assert len(fates) == 3


@pytest.mark.parametrize(
    ("chapter", "name"),
    [
        ("matrix_completion", "holes"),
        ("matrix_completion", "slice"),
        ("matrix_completion", "ripples"),
        ("matrix_completion_limits", "three-items"),
    ],
)
def test_what_is_said_of_a_matrix_with_holes_is_what_the_picture_says(
    opened: Open, chapter: str, name: str
) -> None:
    page = opened(address(f"book/{chapter}.html")).page
    page.locator(f"figure.live#{name}").scroll_into_view_if_needed()
    figure = Figure(page, name)
    assert figure.alt() == figure.root.locator("img").get_attribute("alt")


def test_the_flow_in_the_cone_is_that_of_python(opened: Open) -> None:
    page = opened(address("book/implicit_bias_matrices.html")).page
    rng, rows = np.random.default_rng(1), np.array([np.diag([1.0, 2.0]), [[0, 0.5], [0.5, 0]]])
    tried = [
        {
            "start": [float(size * np.cos(turn)), float(size * np.sin(turn))],
            "alpha": float(10 ** rng.uniform(-8, 0)),
            "entry": float(rng.uniform(-0.9, 0.9)),
            "known": known,
            "turn": 0,
        }
        for known in ("one number", "two numbers")
        for size, turn in zip(rng.uniform(0, 0.95, 10), rng.uniform(0, 6.3, 10), strict=True)
    ]
    script = """all => all.map(one => {
      const { path, best } = live.programs.cone, run = path(one);
      return [run[100], run.at(-1), best(one)];
    })"""
    for one, (early, last, best) in zip(tried, page.evaluate(script, tried), strict=True):
        two, (p, q) = one["known"] == "two numbers", one["start"]
        problem = ms.Sensing(rows[: 1 + two], np.array([3.0, one["entry"]])[: 1 + two])
        root = np.linalg.cholesky(one["alpha"] * np.array([[1 + p, q], [q, 1 - p]]))
        run = ibm.path(problem, root, np.array([early[0], last[0]]), 1e-11)
        for X, (_, a, b, d, second) in zip(run, (early, last), strict=True):
            np.testing.assert_allclose([a, b, d], X[[0, 0, 1], [0, 1, 1]], atol=1e-4)
            assert second == pytest.approx(np.linalg.eigvalsh(X)[0], rel=1e-2, abs=1e-12)
        assert 2 * best[2] == pytest.approx(ibm.minimal_trace(problem).upper, rel=1e-5)


def test_the_cone_says_at_the_start_what_its_picture_does(opened: Open) -> None:
    page = opened(address("book/implicit_bias_matrices.html")).page
    figure = page.locator("figure.live#small-cone")
    figure.scroll_into_view_if_needed()
    expect(figure.locator("svg")).to_have_attribute(
        "aria-label", figure.locator("img").get_attribute("alt")
    )


def given(figure: Locator) -> dict[str, Any]:
    """What a live figure was made from."""
    return json.loads(figure.locator("script").first.text_content())["data"]


@pytest.mark.parametrize(
    ("page", "name"),
    [
        ("no_free_lunch", "own-rule"),
        ("universal_learning", "shortest-program"),
        ("universal_learning", "wall-and-door"),
    ],
)
def test_the_figures_of_learning_say_at_the_start_what_their_pictures_do(
    opened: Open, page: str, name: str
) -> None:
    figure = opened(address(f"book/{page}.html")).page.locator(f"figure.live#{name}")
    figure.scroll_into_view_if_needed()
    expect(figure.locator("svg")).to_have_attribute(
        "aria-label", figure.locator("img").get_attribute("alt")
    )


def test_the_browser_averages_over_all_worlds_as_the_book_does(opened: Open) -> None:
    figure = opened(address("book/no_free_lunch.html")).page.locator("figure.live#own-rule")
    expect(figure.locator("svg")).to_be_visible()
    rng, data, points = np.random.default_rng(3), given(figure), cubes.points(3)
    rules = {
        "your own": None,
        "nearest neighbour": nfl.nearest_neighbour,
        "opposite neighbour": nfl.opposite_neighbour,
        "majority": nfl.majority,
        "coin": nfl.coin,
    }
    tried = [
        {
            "corner": "".join(map(str, rng.integers(0, 2, 8))),
            "rule": list(rules)[k % 5],
            "prior": float(rng.uniform(-2, 2)) if k < 20 else 0.0,
        }
        for k in range(30)
    ]
    script = """([all, data]) => all.map(one => {
      const { error, best } = live.programs.own_rule.worlds(one, data);
      return [error, best];
    })"""
    found = figure.page.evaluate(script, [tried, data])
    for one, (error, best) in zip(tried, found, strict=True):
        labels = [int(digit) for digit in one["corner"]]
        sample = tuple((points[i], labels[i]) for i in data["seen"])
        rule = rules[one["rule"]]
        says = [labels[i] if rule is None else float(rule(sample)(x)) for i, x in enumerate(points)]
        f = cubes.bits(8)
        agree = (f[:, data["seen"]] == [y for _, y in sample]).all(axis=1)
        weights = 2.0 ** (one["prior"] * nfl.disagreements(3)[agree])
        ones = np.average(f[agree][:, data["unseen"]], axis=0, weights=weights)
        guess = np.array(says)[data["unseen"]]
        assert error == pytest.approx(np.mean(guess * (1 - ones) + (1 - guess) * ones))
        assert best == pytest.approx(np.mean(np.minimum(ones, 1 - ones)))
        if one["prior"] == 0:
            assert error == pytest.approx(0.5)


def test_the_browser_shows_the_first_program_that_fits(opened: Open) -> None:
    page = opened(address("book/universal_learning.html")).page
    figure = page.locator("figure.live#shortest-program")
    expect(figure.locator("svg")).to_be_visible()
    data, programs = given(figure), dl.enumerate_programs(24)
    tables = programs.tables[:, programs.first]
    tried = [{"secret": key, "m": m} for key in data["secrets"] for m in range(25)]
    script = """([all, data]) => all.map(one => {
      const { stage, errors } = live.programs.shortest_program;
      return [...stage(one, data), errors(one, data)];
    })"""
    for one, row in zip(tried, page.evaluate(script, [tried, data]), strict=True):
        _, text, bits, count, said, wrong = row
        truth = np.array([int(bit) for bit in data["secrets"][one["secret"]]["truth"]])
        points = np.array(data["order"][: one["m"]], dtype=int)
        best = ul.first_consistent(tables, points, truth[points])
        if best is None:
            assert (bits, count) == (None, programs.length.size)
            continue
        index = int(programs.first[best])
        table = dl.unpack(tables[:, best]).astype(int)
        assert (text, bits, count) == (
            dl.show(programs.program(index)),
            programs.length[index],
            index + 1,
        )
        assert said == "".join(map(str, table))
        assert wrong == np.sum(table != truth)


def test_the_browser_has_the_height_of_the_parity_wall(opened: Open) -> None:
    page = opened(address("book/universal_learning.html")).page
    expect(page.locator("figure.live#shortest-program svg")).to_be_visible()
    rng = np.random.default_rng(4)
    tried = [
        {"d": d, "k": int(rng.integers(1, d + 1)), "q": float(rng.uniform(0, 0.2))}
        for d in range(4, 31)
    ]
    script = """all => all.map(one =>
      [live.programs.parity_wall.signal(one), live.programs.parity_wall.solved(one)])"""
    for one, (signal, solved) in zip(tried, page.evaluate(script, tried), strict=True):
        assert signal == pytest.approx((1 - 2 * one["q"]) ** 2 / comb(one["d"], one["k"]))
        assert solved == pytest.approx((1 - one["q"]) ** one["d"])
