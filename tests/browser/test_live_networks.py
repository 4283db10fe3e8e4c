"""The live figures of the chapters on networks compute in the browser what Python does."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import expect
from visits import Open, address

from lecture_code import capacity as cap
from lecture_code import cubes, kernels, networks

PLACE = "book/networks.html"
ROWS = """all => all.map(({ gates, first, gain }) =>
  live.programs.automaton.rows(gates, first, gain, 8))"""
EXACT = "all => all.map(({ rule, first }) => live.programs.automaton.exact(rule, first, 12))"
FITS = """all => all.map(({ data, ...state }) => {
  const task = live.programs.corners.problem(state, data);
  const { g, norm, error } = live.programs.corners.best(task, state.norm);
  return [task.y, g, norm, error, live.programs.corners.weight(state, data)];
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
        y, g, norm, error, weight = drawn
        np.testing.assert_allclose(y, np.interp(grid, *line.T), atol=1e-12)
        alpha = kernels.best_of_norm(K, np.array(y), one["norm"])
        np.testing.assert_allclose(g, K @ alpha, atol=1e-6)
        assert norm == pytest.approx(np.sqrt(alpha @ K @ alpha), rel=1e-4)
        assert error == pytest.approx(np.sqrt(np.mean((K @ alpha - y) ** 2)), abs=1e-6)
        slopes = np.diff(line[:, 1]) / np.diff(line[:, 0])
        assert weight == pytest.approx(abs(slopes[0]) + np.abs(np.diff(slopes)).sum())


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
