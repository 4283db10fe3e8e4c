"""First-order methods against closed forms: powers of a matrix, the variance that noise keeps."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from scipy.linalg import solve_discrete_lyapunov

from lecture_code.optimize import (
    DivergenceError,
    Norm,
    adagrad,
    gradient_descent,
    steepest_step,
    stochastic_gradient_descent,
)

D, STEPS = 5, 37
EPS = np.finfo(float).eps


@pytest.fixture(scope="module")
def matrix() -> np.ndarray:
    """A positive definite matrix with eigenvalues in [0.2, 2]."""
    basis = np.linalg.qr(np.random.default_rng(1).normal(size=(D, D)))[0]
    return basis @ np.diag(np.linspace(0.2, 2.0, D)) @ basis.T


def identity(x: np.ndarray) -> np.ndarray:
    """The gradient of |x|^2/2; it returns its argument itself, which must do no harm."""
    return x


# The iterates


@pytest.mark.parametrize(("step", "momentum"), [(0.1, 0.0), (0.99, 0.0), (0.3, 0.5), (0.3, 0.9)])
def test_descent_on_a_quadratic_is_a_power_of_the_companion_matrix(
    matrix: np.ndarray, step: float, momentum: float
) -> None:
    unit = np.eye(D)
    companion = np.block(
        [[(1 + momentum) * unit - step * matrix, -momentum * unit], [unit, 0 * unit]]
    )
    minimum, *offsets = np.random.default_rng(2).normal(size=(8, D))
    states = np.linalg.matrix_power(companion, STEPS) @ np.vstack([np.transpose(offsets)] * 2)
    run = gradient_descent(
        lambda x: matrix @ (x - minimum[:, None]),
        minimum[:, None] + np.transpose(offsets),  # a batch
        step,
        max_steps=STEPS,
        momentum=momentum,
    )
    np.testing.assert_allclose(run.x, minimum[:, None] + states[:D], rtol=0, atol=1e-12)
    assert (run.steps, run.reason) == (STEPS, "budget")


@pytest.mark.parametrize(
    "start", [np.array([4, 12]), np.arange(24.0).reshape(2, 3, 4), np.zeros((3, 0))]
)
def test_point_may_be_integer_a_tensor_or_empty(start: np.ndarray) -> None:
    run = gradient_descent(identity, start, 0.25, max_steps=6)
    np.testing.assert_allclose(run.x, 0.75**6 * start, rtol=1e-14)


def test_one_noisy_step_is_the_formula() -> None:
    start = np.array([1.0, -2.0, 0.5])
    run = gradient_descent(
        identity, start, 0.1, max_steps=1, noise=3.0, rng=np.random.default_rng(5)
    )
    xi = np.random.default_rng(5).standard_normal(3)
    np.testing.assert_allclose(run.x, start - 0.1 * (start + 3.0 * xi), rtol=1e-15)


@pytest.mark.parametrize(("step", "momentum"), [(1.5, 0.0), (0.2, 0.6)])
def test_noise_keeps_the_stationary_variance(step: float, momentum: float) -> None:
    # (x_t, x_{t-1}) is linear in itself and the noise: its covariance solves a Lyapunov equation.
    chains, sigma, steps = 20_000, 0.7, 150
    companion = np.array([[1 + momentum - step, -momentum], [1, 0]])
    kick = np.array([[(step * sigma) ** 2, 0], [0, 0]])
    variance = solve_discrete_lyapunov(companion, kick)[0, 0]
    assert np.max(np.abs(np.linalg.eigvals(companion))) ** steps < 1e-10  # the start is forgotten
    run = gradient_descent(
        identity,
        np.full(chains, 2.0),
        step,
        max_steps=steps,
        momentum=momentum,
        noise=sigma,
        rng=np.random.default_rng(7),
    )
    # Standard errors of mean and variance of that many independent Gaussians, five of each.
    assert abs(run.x.mean()) < 5 * np.sqrt(variance / chains)
    assert run.x.var() == pytest.approx(variance, rel=5 * np.sqrt(2 / chains))


def test_without_noise_the_generator_is_left_alone() -> None:
    rng = np.random.default_rng(8)
    gradient_descent(identity, np.ones(2), 0.5, max_steps=3, rng=rng)
    assert rng.random() == np.random.default_rng(8).random()


def test_one_gradient_a_point() -> None:
    calls: list[float] = []
    gradient_descent(lambda x: calls.append(x[0]) or x, np.array([1.0]), 0.5, max_steps=4)
    assert calls == [1.0, 0.5, 0.25, 0.125, 0.0625]


@pytest.mark.parametrize("max_steps", [0, 5])
@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_start_is_neither_modified_nor_returned(max_steps: int, noise: float) -> None:
    start, rng = np.ones(3), np.random.default_rng(13)
    run = gradient_descent(
        identity, start, 0.3, max_steps=max_steps, momentum=0.5, noise=noise, rng=rng
    )
    np.testing.assert_array_equal(start, np.ones(3))
    assert not np.shares_memory(run.x, start)


# Where it stops


@pytest.mark.parametrize(
    ("start", "max_steps", "tolerance", "steps", "reason"),
    [
        ([8.0, -4.0], 100, 1.0, 3, "tolerance"),
        ([[1.0, 8.0]], 100, 1.0, 3, "tolerance"),  # the batch waits for its slowest member
        ([8.0, -4.0], 3, 1.0, 3, "tolerance"),  # reached with the last step
        ([8.0, -4.0], 2, 1.0, 2, "budget"),
        ([1.0], 0, 0.0, 0, "budget"),
        ([0.0], 10, 0.0, 0, "tolerance"),
        (np.zeros((3, 0)), 10, 0.0, 0, "tolerance"),
    ],
)
def test_stops_at_the_first_gradient_within_the_tolerance_or_at_the_budget(
    start: Any, max_steps: int, tolerance: float, steps: int, reason: str
) -> None:
    run = gradient_descent(identity, start, 0.5, max_steps=max_steps, tolerance=tolerance)
    assert (run.steps, run.reason) == (steps, reason)
    np.testing.assert_array_equal(run.x, 0.5**steps * np.array(start))
    assert run.gradient_norm == np.max(np.abs(run.x), initial=0)


@pytest.mark.parametrize(
    ("start", "limit", "message"),
    [  # x_t = (-2)^t
        ([1.0], 1e8, r"passed 1e\+08 at step 27 with step size 3;"),
        ([0.0, 1.0], 100, "passed 100 at step 7 "),
    ],
)
def test_divergence_names_step_and_step_size(
    start: list[float], limit: float, message: str
) -> None:
    with pytest.raises(DivergenceError, match=message):
        gradient_descent(identity, start, 3.0, max_steps=50, limit=limit)


def test_reaching_the_limit_is_no_divergence() -> None:
    assert gradient_descent(identity, np.ones(1), 3.0, max_steps=3, limit=8).x == -8


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_a_number_is_divergence(bad: float) -> None:
    with pytest.raises(DivergenceError, match="at step 1 "):
        gradient_descent(lambda x: np.array([1.0, bad]), np.zeros(2), 0.1, max_steps=5)


# The trajectory


@pytest.mark.parametrize(
    ("max_steps", "every", "steps"),
    [
        (6, 2, [0, 2, 4, 6]),
        (7, 3, [0, 3, 6, 7]),
        (3, 10, [0, 3]),
        (0, 1, [0]),
        (100, 4, [0, 4, 8, 10]),  # the tolerance is reached at step 10
    ],
)
def test_every_so_many_steps_and_both_ends_are_kept(
    max_steps: int, every: int, steps: list[int]
) -> None:
    start = np.array([[1.0, 2.0], [4.0, 8.0]])
    run = gradient_descent(
        identity, start, 0.5, max_steps=max_steps, record_every=every, tolerance=2**-7
    )
    np.testing.assert_array_equal(run.recorded, steps)
    np.testing.assert_array_equal(run.trajectory, [0.5**t * start for t in steps])


def test_recording_does_not_change_the_run() -> None:
    plain, kept = (
        gradient_descent(
            identity,
            np.ones(3),
            0.3,
            max_steps=9,
            momentum=0.5,
            noise=0.1,
            rng=np.random.default_rng(9),
            record_every=every,
        )
        for every in (None, 2)
    )
    np.testing.assert_array_equal(plain.x, kept.x)
    assert plain.trajectory is None
    assert plain.recorded is None


# SGD


def test_sgd_on_a_quadratic_is_a_product_of_factors() -> None:
    curvatures = np.random.default_rng(10).uniform(0.5, 1.5, 40)
    start = np.array([2.0, -1.0])
    last, average = stochastic_gradient_descent(lambda x, c: c * x, start, curvatures, 0.3)
    path = np.cumprod(np.r_[1.0, 1 - 0.3 * curvatures])
    np.testing.assert_allclose(last, path[-1] * np.array([2.0, -1.0]), rtol=1e-13)
    np.testing.assert_allclose(average, path[:-1].mean() * np.array([2.0, -1.0]), rtol=1e-13)
    np.testing.assert_array_equal(start, [2.0, -1.0])


def test_step_one_over_t_gives_the_mean_of_the_samples() -> None:
    samples = np.random.default_rng(12).normal(size=(30, 2))
    last, _ = stochastic_gradient_descent(
        lambda x, s: x - s, np.full(2, 9), iter(samples), lambda t: 1 / (t + 1)
    )
    np.testing.assert_allclose(last, samples.mean(axis=0), rtol=0, atol=30 * EPS)


def test_a_mirror_is_applied_to_the_running_sum_and_points_are_weighed() -> None:
    slopes, points = np.random.default_rng(3).normal(size=(6, 2)), []
    last, average = stochastic_gradient_descent(
        lambda x, g: g, np.ones(2), slopes, 0.5, mirror=np.tanh, weight=float, watch=points.append
    )
    duals = 1 - 0.5 * np.vstack([np.zeros(2), np.cumsum(slopes, axis=0)])
    np.testing.assert_allclose([*points, last], np.tanh(duals), rtol=1e-13)
    np.testing.assert_allclose(average, np.arange(6) @ np.tanh(duals[:6]) / 15, rtol=1e-13)


def test_ten_million_examples_take_no_more_memory_than_two_batches() -> None:
    """They come from a generator, in batches; what is kept is a point and a sum."""
    batch, batches = 10_000, 1000
    stream = (np.random.default_rng(k).standard_normal((batch, 4)) for k in range(batches))
    tracemalloc.start()
    last, average = stochastic_gradient_descent(
        lambda w, z: w - z.mean(axis=0), np.ones(4), stream, lambda t: 1 / (t + 1)
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * batch * 4 * 8
    assert np.abs(last).max() < 5 / np.sqrt(batch * batches)  # the mean of all of them
    assert average.shape == (4,)


def test_sgd_names_the_step_at_which_it_diverges() -> None:
    with pytest.raises(DivergenceError, match="at step 3;"):
        stochastic_gradient_descent(
            lambda x, s: np.array([s]), np.zeros(1), [1.0, 1.0, np.inf, 1.0], 0.1
        )


# Arguments


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"step": 0.0}, "step: 0.0; expected a positive number"),
        ({"step": np.nan}, "step: nan"),
        ({"max_steps": -1}, "max_steps: -1; expected at least 0"),
        ({"momentum": -0.1}, r"momentum: -0.1; expected a number in \[0, 1\)"),
        ({"momentum": 1.0}, "momentum: 1.0"),
        ({"momentum": 1.5}, "momentum: 1.5"),
        ({"noise": -1.0}, "noise: -1.0; expected at least 0"),
        ({"noise": 1.0}, "rng: None; expected a numpy Generator"),
        ({"record_every": 0}, "record_every: 0; expected at least 1"),
    ],
)
def test_argument_out_of_range_is_refused_before_any_step(
    change: dict[str, Any], message: str
) -> None:
    def never(x: np.ndarray) -> np.ndarray:
        raise AssertionError("the gradient was asked for")

    arguments: dict[str, Any] = {"step": 0.1, "max_steps": 5} | change
    with pytest.raises(ValueError, match=message):
        gradient_descent(never, np.ones(2), **arguments)


def test_sgd_without_samples_is_refused() -> None:
    with pytest.raises(ValueError, match=r"samples: \[\]; expected at least one"):
        stochastic_gradient_descent(lambda x, s: x, np.ones(2), [], 0.1)


# Step rules


def test_adagrad_divides_by_the_root_of_the_sum_of_squares() -> None:
    slopes = np.array([[3.0, 0.0, -2.0], [4.0, 0.0, 2.0]])
    first, squares = adagrad(slopes[0], np.zeros(3))
    np.testing.assert_allclose(first, [1, 0, -1])
    second, squares = adagrad(slopes[1], squares)
    np.testing.assert_allclose(second, [0.8, 0, 1 / np.sqrt(2)])
    np.testing.assert_allclose(squares, [25, 0, 8])


@pytest.mark.parametrize(
    ("geometry", "order", "dual"), [("l1", 1, np.inf), ("l2", 2, 2), ("linf", np.inf, 1)]
)
def test_steepest_step_is_optimal(geometry: Norm, order: float, dual: float) -> None:
    rng = np.random.default_rng(11)
    for _ in range(20):
        g, step = rng.normal(size=5), rng.uniform(0.1, 2)

        def model(move, g=g, step=step):
            return step * g @ move + 0.5 * np.linalg.norm(move, ord=order) ** 2

        move = steepest_step(g, step, geometry)
        assert np.isclose(model(move), -(step**2) / 2 * np.linalg.norm(g, ord=dual) ** 2)
        assert np.isclose(np.linalg.norm(move, ord=order), step * np.linalg.norm(g, ord=dual))
        for other in rng.normal(size=(200, 5)) * 10.0 ** rng.uniform(-3, 1, (200, 1)):
            assert model(other) >= model(move) - 1e-12
            assert model(move + 0.01 * other) >= model(move) - 1e-12


def test_steepest_step_resolves_ties_and_refuses_another_geometry() -> None:
    tie = np.array([1.0, -2.0, 2.0])
    np.testing.assert_array_equal(steepest_step(tie, 0.5, "l1"), [0, 1, 0])
    np.testing.assert_array_equal(steepest_step(np.array([0.0, -2.0]), 0.5, "linf"), [0, 1])
    with pytest.raises(ValueError, match="geometry: 'l3'; expected 'l1', 'l2' or 'linf'"):
        steepest_step(tie, 1.0, "l3")


def test_gradients_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"gradient: \(2, 2\); expected the shape of the point"):
        gradient_descent(lambda x: np.outer(x, x), np.ones(2), 0.1, max_steps=3)
    with pytest.raises(ValueError, match=r"gradient: \(1,\); expected the shape of the point"):
        stochastic_gradient_descent(lambda x, z: np.ones(1), np.ones(2), range(2), 0.1)


def test_steepest_step_of_integers():
    np.testing.assert_allclose(steepest_step([3, -1], 0.1, "l1"), [-0.3, 0])
