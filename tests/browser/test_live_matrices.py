"""The race of exponentials computes in the browser what Python does."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import expect
from visits import Open, address

from lecture_code import implicit_bias_matrices as ibm
from lecture_code import measurements as ms
from lecture_code.entropy import entropy_minimiser, minimal_l1

PAGE = "book/implicit_bias_matrices.html"
NAMES = ("one", "two", "three", "four", "five")
RACES = """all => all.map(state => {
  const { best, end, path } = live.programs.race, run = path(state), { s, x } = end(state);
  return [run[20], run.at(-1), s, x, best(state).least];
})"""


def random_races(count: int, rng: np.random.Generator) -> list[dict[str, object]]:
    """Settings whose data are a sum of the five points with positive weights."""
    found = []
    for _ in range(count):
        lanes = rng.uniform(-1.5, 1.5, (5, 2))
        y = rng.exponential(0.4, 5) @ lanes
        setting = dict(zip(NAMES, lanes.tolist(), strict=True))
        found.append(setting | {"y": y.tolist(), "alpha": 10 ** rng.uniform(-12, 0)})
    return found


def test_the_browser_races_exponentials_as_python_does(opened: Open) -> None:
    page, tried = opened(address(PAGE)).page, random_races(20, np.random.default_rng(0))
    for one, (early, last, s, x, least) in zip(tried, page.evaluate(RACES, tried), strict=True):
        A, y, alpha = np.transpose([one[name] for name in NAMES]), np.array(one["y"]), one["alpha"]
        problem = ms.Sensing(np.array([np.diag(row) for row in A]), y)
        times = np.array([early[0], last[0]])
        run = np.einsum("tii->ti", ibm.path(problem, np.sqrt(alpha) * np.eye(5), times, 1e-11))
        np.testing.assert_allclose([early[1:], last[1:]], run, rtol=1e-3, atol=1e-6)
        expected, at = entropy_minimiser(A, y, np.full(5, alpha))
        np.testing.assert_allclose(x, expected, rtol=1e-6, atol=1e-12)
        np.testing.assert_allclose(s, at, rtol=1e-6, atol=1e-9)
        assert least == pytest.approx(minimal_l1(A, y).value, rel=1e-6)


def test_the_race_says_what_its_picture_does_and_when_nothing_fits(opened: Open) -> None:
    page = opened(address(PAGE)).page
    figure = page.locator("figure.live#exponentials-racing")
    figure.scroll_into_view_if_needed()
    said = figure.locator("svg")
    expect(said).to_have_attribute("aria-label", figure.locator("img").get_attribute("alt"))
    for name in ("two", "three", "one"):  # by keyboard, to the left of zero
        figure.locator(f"[aria-label='eigenvalues {NAMES.index(name) + 1}, horizontal']").press(
            "Home"
        )
    expect(said).to_contain_text("no X ⪰ 0 fits")
