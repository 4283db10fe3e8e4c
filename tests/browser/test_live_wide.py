"""The live figures on wide networks compute in the browser what Python does."""

from __future__ import annotations

import numpy as np
from visits import Open, address

from lecture_code import kernels, wide
from lecture_code.optimize import gradient_descent

NAMES = ("first", "second", "third", "fourth", "fifth")
RING = np.arange(0, 361, 3)
CIRCLE = "all => all.map(({ data, ...state }) => live.programs.circle.run(state, data))"
INPUTS = """all => all.map(({ data, ...state }) => {
  const { angle, least, limiting, sides } = live.programs.two_inputs;
  const delta = angle(state);
  return [delta, least(state, data), limiting(delta), sides(state, data)];
})"""
RICH = """all => all.map(({ data, ...state }) => {
  const { run, moved } = live.programs.rich, { path, network, linear } = run(state, data);
  return [path.length, path.at(-1), network, linear, moved(data.net, path.at(-1))];
})"""


def on_circle(degrees: np.ndarray) -> np.ndarray:
    """Points of the unit circle as rows."""
    return np.c_[np.cos(np.radians(degrees)), np.sin(np.radians(degrees))]


def pairs(half: np.ndarray) -> np.ndarray:
    """A symmetric start."""
    return np.concatenate([half, half * [1, 1, -1]])


def test_the_browser_trains_networks_and_linear_models_as_python_does(opened: Open) -> None:
    page, rng = opened(address("book/ntk.html")).page, np.random.default_rng(0)
    half = wide.initialize(256, 2, rng).round(3)
    tried = [
        {
            "data": {"half": half.tolist()},
            "width": ("8", "32", "128", "512")[k % 4],
            **{
                name: [72 * i + rng.uniform(0, 50), rng.uniform(-2, 2)]
                for i, name in enumerate(NAMES)
            },
        }
        for k in range(20)
    ]
    for one, drawn in zip(tried, page.evaluate(CIRCLE, tried), strict=True):
        angles, y = np.transpose([one[name] for name in NAMES])
        x, everywhere = on_circle(angles), on_circle(RING)
        net = pairs(half[: int(one["width"]) // 2])
        K = wide.empirical_ntk(net, x)
        step = 0.9 / np.abs(K).sum(axis=1).max()
        end = wide.train(net, x, y, step, 300, momentum=0.9).x
        run = gradient_descent(
            lambda c, K=K, y=y: K @ c - y, 0 * y, step, max_steps=300, momentum=0.9
        )
        limit = np.linalg.solve(kernels.analytic_ntk(x), y)
        turned = on_circle(angles[0] + RING - 180)
        expected = {
            "network": wide.predict(end, everywhere),
            "linear": wide.empirical_ntk(net, everywhere, x) @ run.x,
            "regression": kernels.analytic_ntk(everywhere, x) @ limit,
            "before": wide.empirical_ntk(net, x[:1], turned)[0],
            "after": wide.empirical_ntk(end, x[:1], turned)[0],
            "limit": kernels.analytic_ntk(x[:1], turned)[0],
        }
        for name, values in expected.items():
            np.testing.assert_allclose(drawn[name], values, rtol=1e-5, atol=1e-5, err_msg=name)


def test_the_browser_tells_two_inputs_apart_as_python_does(opened: Open) -> None:
    page, rng = opened(address("book/ntk.html")).page, np.random.default_rng(1)
    neurons = wide.initialize(400, 2, rng)
    angles = rng.uniform(1, 179, 24)
    tried = [
        {"data": {"neurons": neurons.tolist()}, "m": 16 * (k + 1), "second": place.tolist()}
        for k, place in enumerate(on_circle(angles))
    ]
    for one, angle, drawn in zip(tried, angles, page.evaluate(INPUTS, tried), strict=True):
        both, some = on_circle(np.array([0, angle])), neurons[: one["m"]]
        delta, least, limiting, sides = drawn
        np.testing.assert_allclose(delta, np.radians(angle))
        expected = np.linalg.eigvalsh(wide.empirical_ntk(some, both))[0]
        np.testing.assert_allclose(least, expected, atol=1e-9)
        limit = np.linalg.eigvalsh(kernels.analytic_ntk(both))[0]
        np.testing.assert_allclose(limiting, limit, atol=1e-9)
        assert sides == np.sum(some[:, :2] @ both.T > 0, axis=1).tolist()


def test_the_browser_moves_neurons_at_a_scale_as_python_does(opened: Open) -> None:
    page, rng = opened(address("book/lazy_training.html")).page, np.random.default_rng(2)
    degrees, y = np.array([10, 70, 115, 200, 260, 310]), np.array([1.0, -1, 0.5, 1, -0.5, -1])
    x, everywhere = on_circle(degrees), on_circle(RING)
    net = pairs(wide.initialize(20, 2, rng))
    K = wide.empirical_ntk(net, x)
    step = 0.4 / np.linalg.eigvalsh(K)[-1]
    data = {"net": net.tolist(), "degrees": degrees.tolist(), "y": y.tolist(), "step": step}
    tried = [
        {"data": data, "alpha": 10 ** rng.uniform(-1, 2), "steps": 30 * int(rng.integers(0, 51))}
        for _ in range(20)
    ]
    for one, drawn in zip(tried, page.evaluate(RICH, tried), strict=True):
        alpha = one["alpha"]
        how = {"scale": alpha, "momentum": 0.5}
        end = wide.train(net, x, y, min(1, alpha) * step, one["steps"], **how).x
        count, last, network, linear, moved = drawn
        assert count == one["steps"] // 30 + 1
        np.testing.assert_allclose(last, end, rtol=1e-5, atol=1e-5, err_msg=str(alpha))
        np.testing.assert_allclose(network, alpha * wide.predict(end, everywhere), atol=1e-4)
        line = wide.empirical_ntk(net, everywhere, x) @ np.linalg.solve(K, y)
        np.testing.assert_allclose(linear, line, atol=1e-4)
        expected = np.linalg.norm(end - net) / np.linalg.norm(net)
        np.testing.assert_allclose(moved, expected, atol=1e-6)
