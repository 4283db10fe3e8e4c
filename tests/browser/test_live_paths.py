"""The live figures on factors and paths compute in the browser what Python does."""

from __future__ import annotations

import numpy as np
from visits import Open, address

from lecture_code import nets
from lecture_code import path_sgd as ps
from lecture_code.nets import Layered, value_and_gradient
from lecture_code.optimize import gradient_descent, steepest_step
from lecture_code.paths import path_norm

FACTORIZATION = "book/factorization.html"
NORMS = """all => all.map(({ x, ...state }) => {
  const { weights, norms, output } = live.programs.rescaled, w = weights(state);
  return [w, norms(w), output(w, x)];
})"""
RUNS = """all => all.map(({ w, data, ...state }) => {
  const { rescaled, run, loss, kappa } = live.programs.two_starts;
  const ends = run(rescaled(w, state.c), data, state);
  return [ends, ends.map(one => loss(one, data)), kappa(ends[0])];
})"""
MOVES = "all => all.map(state => live.programs.unit_balls.step(state))"
ORDERS = {"ℓ₁": ("l1", 1), "ℓ₂": ("l2", 2), "ℓ∞": ("linf", np.inf)}


def test_the_browser_rescales_and_measures_as_python_does(opened: Open) -> None:
    page, rng = opened(address("book/path_norm.html")).page, np.random.default_rng(0)
    net = Layered((2, 2, 1))
    tried = [
        {
            "first": rng.uniform(-2, 2, 2).tolist(),
            "second": rng.uniform(-2, 2, 2).tolist(),
            "v1": rng.uniform(-2, 2),
            "v2": rng.uniform(-2, 2),
            "c": 10 ** rng.uniform(-2, 2),
            "x": rng.uniform(-2, 2, 2).tolist(),
        }
        for _ in range(24)
    ]
    for one, (weights, norms, output) in zip(tried, page.evaluate(NORMS, tried), strict=True):
        plain = np.array([*one["first"], *one["second"], one["v1"], one["v2"]])
        w = plain * net.edge_factors(np.array([one["c"], 1.0]))
        np.testing.assert_allclose(weights, w, rtol=1e-12)
        found = np.linalg.norm(w), path_norm(net, w, 1), path_norm(net, w)
        np.testing.assert_allclose(norms, found, rtol=1e-12)
        np.testing.assert_allclose(output, net.outputs(w, [one["x"]])[0, 0], atol=1e-9)


def test_the_browser_trains_from_both_starts_as_python_does(opened: Open) -> None:
    page, rng = opened(address("book/path_sgd.html")).page, np.random.default_rng(1)
    net = Layered((1, 4, 1), bias=True)
    tried = [
        {
            "w": rng.normal(size=net.size).tolist(),
            "data": rng.uniform(-2, 2, (3, 2)).tolist(),
            "method": ("SGD", "Path-SGD")[k % 2],
            "eta": 10 ** rng.uniform(-2, -1.3),
            "c": rng.uniform(1, 2),
            "t": 12,
        }
        for k in range(24)
    ]
    for one, (ends, losses, kappa) in zip(tried, page.evaluate(RUNS, tried), strict=True):
        w = one["w"] * net.edge_factors(np.array([one["c"], 1 / one["c"]] * 2))
        x, y = np.array(one["data"])[:, :1], np.array(one["data"])[:, 1:]
        np.testing.assert_allclose(kappa, ps.kappa(net, w), rtol=1e-12)
        for end, drawn in zip(ends, losses, strict=True):
            loss, slope = value_and_gradient(net, w, x, y, nets.squared_error)
            np.testing.assert_allclose(end, w, rtol=1e-6, atol=1e-9)
            np.testing.assert_allclose(drawn, loss, rtol=1e-6, atol=1e-12)
            path = one["method"] == "Path-SGD"
            w = w - one["eta"] * (ps.path_sgd_direction(net, w, slope) if path else slope)


def test_the_browser_takes_the_steepest_step_of_each_ball(opened: Open) -> None:
    page, rng = opened(address("book/path_sgd.html")).page, np.random.default_rng(2)
    balls = [*ORDERS, "paths"]
    tried = [
        {"slope": rng.uniform(-2, 2, 2).tolist(), "ball": balls[k % 4], "c": rng.uniform(0.4, 2.5)}
        for k in range(24)
    ]
    for one, move in zip(tried, page.evaluate(MOVES, tried), strict=True):
        slope, c = np.array(one["slope"]), one["c"]
        if one["ball"] == "paths":
            chain, w = Layered((1, 1, 1)), np.array([c, 1 / c])
            step = -ps.path_sgd_direction(chain, w, slope)
            step /= np.sqrt(ps.kappa(chain, w) @ step**2)
        else:
            kind, order = ORDERS[one["ball"]]
            step = steepest_step(slope, 1.0, kind)
            step /= np.linalg.norm(step, ord=order)
        np.testing.assert_allclose(move, step, rtol=1e-9, atol=1e-12)


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
