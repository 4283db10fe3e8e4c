"""The live figures of the chapter on networks compute in the browser what Python does."""

from __future__ import annotations

import numpy as np
import pytest
from visits import Open, address

from lecture_code import kernels, networks

PLACE = "book/networks.html"
ROWS = """all => all.map(({ gates, first, gain }) =>
  live.programs.automaton.rows(gates, first, gain, 8))"""
EXACT = "all => all.map(({ rule, first }) => live.programs.automaton.exact(rule, first, 12))"
FITS = """all => all.map(({ data, ...state }) => {
  const task = live.programs.corners.problem(state, data);
  const { g, norm } = live.programs.corners.best(task, state.norm);
  return [task.y, g, norm, live.programs.corners.weight(state, data)];
})"""


def test_the_browser_computes_the_rows_that_python_does(opened: Open) -> None:
    page, rng = opened(address(PLACE)).page, np.random.default_rng(0)
    rules = np.resize([110, 30, 90, 184], 24).tolist()
    tried = [
        {
            "rule": rule,
            "gates": networks.cell_gates(rule),
            "first": rng.integers(0, 2, 16).tolist(),
            "gain": rng.uniform(3, 12),
        }
        for rule in rules
    ]
    for one, drawn in zip(tried, page.evaluate(ROWS, tried), strict=True):
        rows = networks.sigmoid_rows(one["rule"], np.array(one["first"]), 8, one["gain"])
        np.testing.assert_allclose(drawn, rows, rtol=1e-9, err_msg=str(one["rule"]))
    for one, drawn in zip(tried, page.evaluate(EXACT, tried), strict=True):
        circuit = networks.elementary(one["rule"], 16, 12)
        last = networks.compile_circuit(circuit)([one["first"]])
        assert drawn[-1] == last[0].tolist()


def test_the_browser_fits_corners_as_python_does(opened: Open) -> None:
    page, rng = opened(address(PLACE)).page, np.random.default_rng(1)
    grid, ends = np.linspace(-1, 1, 41), [[-1.0, 0.0], [1.0, 0.0]]
    data = {"grid": grid.tolist(), "width": 0.2, "ends": ends}
    tried = []
    for _ in range(20):
        places = np.column_stack([rng.uniform(-0.9, 0.9, 3), rng.uniform(-1, 1, 3)])
        names = dict(zip(("first", "second", "third"), places.tolist(), strict=True))
        tried.append({"data": data, "norm": 10 ** rng.uniform(-0.5, 2), **names})
    K = np.exp(-((grid[:, None] - grid) ** 2) / (2 * 0.2**2))
    for one, drawn in zip(tried, page.evaluate(FITS, tried), strict=True):
        line = np.array(sorted([*ends, *(one[name] for name in ("first", "second", "third"))]))
        y, g, norm, weight = drawn
        np.testing.assert_allclose(y, np.interp(grid, *line.T), atol=1e-12)
        alpha = kernels.best_of_norm(K, np.array(y), one["norm"])
        np.testing.assert_allclose(g, K @ alpha, atol=1e-6)
        assert norm == pytest.approx(np.sqrt(alpha @ K @ alpha), rel=1e-4)
        slopes = np.diff(line[:, 1]) / np.diff(line[:, 0])
        assert weight == pytest.approx(abs(slopes[0]) + np.abs(np.diff(slopes)).sum())


@pytest.mark.parametrize("name", ["a-network-computes", "corners"])
def test_the_drawing_says_at_the_start_what_the_picture_does(opened: Open, name: str) -> None:
    figure = opened(address(PLACE)).page.locator(f"figure.live#{name}")
    figure.scroll_into_view_if_needed()
    drawn = figure.locator("svg[aria-label]")
    said = figure.locator("img").get_attribute("alt")
    assert drawn.get_attribute("aria-label", timeout=60_000) == said
