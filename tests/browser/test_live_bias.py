"""The live figures on implicit bias compute in the browser what Python does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect
from visits import Open, address

from lecture_code import implicit_bias as ib
from lecture_code import implicit_bias_matrices as ibm
from lecture_code import measurements as ms
from lecture_code.entropy import entropy_minimiser, minimal_l1
from lecture_code.optimize import adagrad, gradient_descent, steepest_step

PLACE, MATRICES = "book/implicit_bias.html", "book/implicit_bias_matrices.html"
METHODS = ("gradient descent", "momentum", "AdaGrad", "coordinate descent", "sign descent")
NORMS = {"ℓ₁": "l1", "ℓ₂": "l2", "ℓ∞": "linf"}
TARGET, THIRD_WEIGHT, STEPS = 2.0, 1.0, 120
LANES = ("one", "two", "three", "four", "five")
RACES = """all => all.map(state => {
  const { best, end, path } = live.programs.race, run = path(state), { s, x } = end(state);
  return [run[20], run.at(-1), s, x, best(state).least];
})"""


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


def test_the_browser_computes_the_paths_that_python_does(opened: Open) -> None:
    tried = settings(40)
    script = "all => all.map(one => live.programs.least_squares.path(one, {target: 2}))"
    for one, drawn in zip(tried, opened(address(PLACE)).page.evaluate(script, tried), strict=True):
        expected = run(*system(one), one["method"])
        np.testing.assert_allclose(drawn, expected, rtol=1e-9, atol=1e-9, err_msg=str(one))


def test_the_balls_touch_at_the_solution_nearest_in_their_norm(opened: Open) -> None:
    """As the linear program finds it."""
    tried = settings(15)
    script = "all => all.map(one => live.programs.least_squares.touching(one, {target: 2}))"
    for one, touch in zip(tried, opened(address(PLACE)).page.evaluate(script, tried), strict=True):
        row, start = system(one)
        A = row[None]
        assert A @ touch == pytest.approx(TARGET)
        kind = NORMS[one["ball"]]
        least = ib.minimal_norm(A, TARGET - A @ start, kind)
        assert ib.norm(np.array(touch) - start, kind) == pytest.approx(least)


def test_the_browser_finds_the_margins_and_runs_that_python_does(opened: Open) -> None:
    rng = np.random.default_rng(1)
    tried = [rng.uniform([-1, 0], [2, 3], (3, 2)).tolist() for _ in range(30)]
    script = """tried => tried.map(([first, second, third]) => {
      const found = live.programs.margins.all({ first, second, third });
      return Object.values(found).map(({ best, seen }) => [best, seen[39]]);
    })"""
    separable = 0
    for Z, found in zip(
        map(np.array, tried), opened(address(PLACE)).page.evaluate(script, tried), strict=True
    ):
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


def test_the_browser_finds_the_end_of_the_flow_on_squares_that_python_does(opened: Open) -> None:
    rng = np.random.default_rng(2)
    tried = [(rng.uniform(0.4, 2, 2).tolist(), 10 ** rng.uniform(-4, 1)) for _ in range(25)]
    script = """tried => tried.map(([a, alpha]) => {
      const { ends, law } = live.programs.squares, found = law(a, 2);
      const { least, slack, bound, fallback, excess } = found;
      return [ends(a, alpha, 2), least, slack, bound(alpha), fallback(alpha), excess(alpha)];
    })"""
    for (a, alpha), found in zip(
        tried, opened(address(PLACE)).page.evaluate(script, tried), strict=True
    ):
        A, y = np.array([a]), np.array([2.0])
        x, s = entropy_minimiser(A, y, np.full(2, alpha**2))
        best = minimal_l1(A, y)
        on = np.argmax(best.x)
        constant = best.slack * np.exp(A[0, 1 - on] / A[0, on] * np.log(best.x[on]))
        entropy = best.x[on] * np.log(best.x[on]) - best.x[on]
        expected = [s[0], best.value, best.slack, constant * alpha ** (2 * best.slack)]
        expected += [(2 + entropy) / (2 * np.log(1 / alpha)), (1 - A.T @ best.dual) @ x]
        np.testing.assert_allclose(found, expected, rtol=1e-6, err_msg=str((a, alpha)))


def test_the_flow_in_the_cone_is_that_of_python(opened: Open) -> None:
    page = opened(address(MATRICES)).page
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


def random_races(count: int, rng: np.random.Generator) -> list[dict[str, object]]:
    """Settings whose data are a sum of the five points with positive weights."""
    found = []
    for _ in range(count):
        lanes = rng.uniform(-1.5, 1.5, (5, 2))
        y = rng.exponential(0.4, 5) @ lanes
        setting = dict(zip(LANES, lanes.tolist(), strict=True))
        found.append(setting | {"y": y.tolist(), "alpha": 10 ** rng.uniform(-12, 0)})
    return found


def test_the_browser_races_exponentials_as_python_does(opened: Open) -> None:
    page, tried = opened(address(MATRICES)).page, random_races(20, np.random.default_rng(0))
    for one, (early, last, s, x, least) in zip(tried, page.evaluate(RACES, tried), strict=True):
        A, y, alpha = np.transpose([one[name] for name in LANES]), np.array(one["y"]), one["alpha"]
        problem = ms.Sensing(np.array([np.diag(row) for row in A]), y)
        times = np.array([early[0], last[0]])
        run = np.einsum("tii->ti", ibm.path(problem, np.sqrt(alpha) * np.eye(5), times, 1e-11))
        np.testing.assert_allclose([early[1:], last[1:]], run, rtol=1e-3, atol=1e-6)
        expected, at = entropy_minimiser(A, y, np.full(5, alpha))
        np.testing.assert_allclose(x, expected, rtol=1e-6, atol=1e-12)
        np.testing.assert_allclose(s, at, rtol=1e-6, atol=1e-9)
        assert least == pytest.approx(minimal_l1(A, y).value, rel=1e-6)


def test_the_race_says_when_nothing_fits(opened: Open) -> None:
    page = opened(address(MATRICES)).page
    figure = page.locator("figure.live#exponentials-racing")
    figure.scroll_into_view_if_needed()
    for number in (2, 3, 1):  # by keyboard, to the left of zero
        figure.locator(f"[aria-label='eigenvalues {number}, horizontal']").press("Home")
    expect(figure.locator("svg")).to_contain_text("no X ⪰ 0 fits")


def test_the_points_of_the_race_are_kept_off_the_line_of_y(opened: Open) -> None:
    """There every pair of them would be singular, and what fits would be said not to."""
    page = opened(address(MATRICES)).page
    state = {name: [k - 1.5, 1.5 - k] for k, name in enumerate(LANES)} | {"y": [1, -1]}
    script = """state => { live.programs.race.hold(state);
      return live.programs.race.best(state).least; }"""
    assert np.isfinite(page.evaluate(script, state))
