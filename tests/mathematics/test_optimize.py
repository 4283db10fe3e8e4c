"""First-order methods against closed forms: powers of a matrix, the variance that noise keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.linalg import solve_discrete_lyapunov

from lecture_code.optimize import (
    Descent,
    DivergenceError,
    gradient_descent,
    stochastic_gradient_descent,
)

D, STEPS = 5, 37
EPS = np.finfo(float).eps


@pytest.fixture(scope="module")
def quadratic() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A positive definite matrix with eigenvalues in [0.2, 2], a minimum, and a start."""
    rng = np.random.default_rng(1)
    basis = np.linalg.qr(rng.normal(size=(D, D)))[0]
    matrix = basis @ np.diag(np.linspace(0.2, 2.0, D)) @ basis.T
    return matrix, rng.normal(size=D), rng.normal(size=D)


def slope_of(matrix: np.ndarray, minimum: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """The gradient of (x - m)^T A (x - m) / 2, for one point or for columns."""
    return lambda x: matrix @ (x - minimum.reshape(D, *[1] * (x.ndim - 1)))


def never(x: np.ndarray) -> np.ndarray:
    raise AssertionError("the gradient was asked for")


def flat(x: np.ndarray) -> np.ndarray:
    return np.zeros_like(x)


def ones(x: np.ndarray) -> np.ndarray:
    return np.ones_like(x)


def identity(x: np.ndarray) -> np.ndarray:
    return x


# Gradient descent on a quadratic


@pytest.mark.parametrize("step", [0.1, 0.5, 0.99])
def test_descent_is_a_power_of_one_minus_step_times_hessian(
    quadratic: tuple[np.ndarray, ...], step: float
) -> None:
    matrix, minimum, start = quadratic
    run = gradient_descent(slope_of(matrix, minimum), start, step, max_steps=STEPS)
    power = np.linalg.matrix_power(np.eye(D) - step * matrix, STEPS)
    np.testing.assert_allclose(run.x, minimum + power @ (start - minimum), rtol=0, atol=1e-13)
    assert (run.steps, run.reason) == (STEPS, "budget")


def test_batch_moves_as_its_members_do(quadratic: tuple[np.ndarray, ...]) -> None:
    matrix, minimum, _ = quadratic
    starts = np.random.default_rng(2).normal(size=(D, 7))
    run = gradient_descent(slope_of(matrix, minimum), starts, 0.4, max_steps=STEPS, momentum=0.3)
    for start, end in zip(starts.T, run.x.T, strict=True):
        alone = gradient_descent(
            slope_of(matrix, minimum), start, 0.4, max_steps=STEPS, momentum=0.3
        )
        np.testing.assert_allclose(alone.x, end, rtol=0, atol=1e-13)


def test_point_may_be_a_tensor() -> None:
    start = np.random.default_rng(3).normal(size=(2, 3, 4))
    run = gradient_descent(identity, start, 0.25, max_steps=6)
    np.testing.assert_allclose(run.x, 0.75**6 * start, rtol=1e-14)


# Momentum


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
def test_momentum_is_a_power_of_the_companion_matrix(
    quadratic: tuple[np.ndarray, ...], momentum: float
) -> None:
    matrix, minimum, start = quadratic
    step, unit = 0.3, np.eye(D)
    companion = np.block(
        [[(1 + momentum) * unit - step * matrix, -momentum * unit], [unit, 0 * unit]]
    )
    offset = start - minimum
    state = np.linalg.matrix_power(companion, STEPS) @ np.r_[offset, offset]
    run = gradient_descent(
        slope_of(matrix, minimum), start, step, max_steps=STEPS, momentum=momentum
    )
    np.testing.assert_allclose(run.x, minimum + state[:D], rtol=0, atol=1e-12)


@pytest.mark.parametrize("momentum", [0.25, 0.81])
def test_momentum_in_one_dimension_has_the_roots_of_its_polynomial(momentum: float) -> None:
    step, curvature = 0.1, 2.0
    first, second = np.roots([1, step * curvature - 1 - momentum, momentum]).astype(complex)
    # x_t = u first^t + v second^t with x_{-1} = x_0 = 1
    u, v = np.linalg.solve([[1, 1], [1 / first, 1 / second]], [1, 1])
    expected = [(u * first**t + v * second**t).real for t in range(STEPS + 1)]
    run = gradient_descent(
        lambda x: curvature * x,
        np.array([1.0]),
        step,
        max_steps=STEPS,
        momentum=momentum,
        record_every=1,
    )
    assert run.trajectory is not None
    np.testing.assert_allclose(run.trajectory[:, 0], expected, rtol=0, atol=1e-12)


# Noise


def test_one_noisy_step_is_the_formula() -> None:
    start = np.array([1.0, -2.0, 0.5])
    run = gradient_descent(
        identity, start, 0.1, max_steps=1, noise=3.0, rng=np.random.default_rng(5)
    )
    xi = np.random.default_rng(5).standard_normal(3)
    np.testing.assert_allclose(run.x, start - 0.1 * (start + 3.0 * xi), rtol=1e-15)


def test_same_generator_state_gives_the_same_run() -> None:
    runs = [
        gradient_descent(
            identity, np.ones(4), 0.1, max_steps=20, noise=1.0, rng=np.random.default_rng(6)
        )
        for _ in range(2)
    ]
    np.testing.assert_array_equal(runs[0].x, runs[1].x)


@pytest.mark.parametrize(("step", "momentum"), [(0.2, 0.0), (1.5, 0.0), (0.2, 0.6)])
def test_noise_keeps_the_stationary_variance(step: float, momentum: float) -> None:
    # (x_t, x_{t-1}) is linear in itself and the noise: its covariance solves a Lyapunov equation.
    chains, sigma = 20_000, 0.7
    companion = np.array([[1 + momentum - step, -momentum], [1, 0]])
    kick = np.array([[(step * sigma) ** 2, 0], [0, 0]])
    variance = solve_discrete_lyapunov(companion, kick)[0, 0]
    if momentum == 0:
        assert variance == pytest.approx(step * sigma**2 / (2 - step), rel=1e-12)
    steps = 150
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


def test_no_noise_needs_no_generator_and_uses_none() -> None:
    rng = np.random.default_rng(8)
    run = gradient_descent(identity, np.ones(2), 0.5, max_steps=3, rng=rng)
    np.testing.assert_array_equal(run.x, [0.125, 0.125])
    assert rng.random() == np.random.default_rng(8).random()


# When it stops


def test_stops_at_the_first_gradient_within_the_tolerance() -> None:
    run = gradient_descent(identity, np.array([8.0, -4.0]), 0.5, max_steps=100, tolerance=1.0)
    assert (run.steps, run.reason) == (3, "tolerance")
    np.testing.assert_array_equal(run.x, [1.0, -0.5])
    assert run.gradient_norm == 1.0


def test_budget_is_kept() -> None:
    run = gradient_descent(identity, np.array([8.0, -4.0]), 0.5, max_steps=2, tolerance=1.0)
    assert (run.steps, run.reason, run.gradient_norm) == (2, "budget", 2.0)


def test_tolerance_reached_with_the_last_step_counts() -> None:
    run = gradient_descent(identity, np.array([8.0]), 0.5, max_steps=3, tolerance=1.0)
    assert (run.steps, run.reason) == (3, "tolerance")


def test_start_within_the_tolerance_takes_no_step() -> None:
    run = gradient_descent(flat, np.ones(3), 0.5, max_steps=10)
    assert (run.steps, run.reason, run.gradient_norm) == (0, "tolerance", 0.0)
    np.testing.assert_array_equal(run.x, np.ones(3))


def test_no_budget_takes_no_step() -> None:
    run = gradient_descent(ones, np.ones(3), 0.5, max_steps=0)
    assert (run.steps, run.reason, run.gradient_norm) == (0, "budget", 1.0)


def test_batch_waits_for_its_slowest_member() -> None:
    run = gradient_descent(identity, np.array([[1.0, 16.0]]), 0.5, max_steps=100, tolerance=1.0)
    assert run.steps == 4
    np.testing.assert_array_equal(run.x, [[0.0625, 1.0]])


def test_gradient_norm_is_that_of_the_last_point(quadratic: tuple[np.ndarray, ...]) -> None:
    matrix, minimum, start = quadratic
    slope = slope_of(matrix, minimum)
    run = gradient_descent(slope, start, 0.3, max_steps=11, momentum=0.5)
    assert run.gradient_norm == np.max(np.abs(slope(run.x)))


def test_one_gradient_a_point() -> None:
    calls: list[float] = []

    def count(x: np.ndarray) -> np.ndarray:
        calls.append(float(x[0]))
        return x

    run = gradient_descent(count, np.array([1.0]), 0.5, max_steps=4)
    assert calls == [1.0, 0.5, 0.25, 0.125, 0.0625]
    assert run.steps == 4


def test_empty_batch_is_at_its_end() -> None:
    run = gradient_descent(identity, np.zeros((3, 0)), 0.1, max_steps=5)
    assert (run.x.shape, run.reason) == ((3, 0), "tolerance")


# Divergence


def test_divergence_names_step_and_step_size() -> None:
    # x_t = (-2)^t passes 1e8 first at t = 27
    with pytest.raises(DivergenceError, match=r"passed 1e\+08 at step 27 with step size 3;"):
        gradient_descent(identity, np.array([1.0]), 3.0, max_steps=100)


def test_limit_can_be_chosen() -> None:
    with pytest.raises(DivergenceError, match="passed 100 at step 7 "):
        gradient_descent(identity, np.array([1.0]), 3.0, max_steps=100, limit=100)


def test_reaching_the_limit_is_no_divergence() -> None:
    run = gradient_descent(identity, np.array([1.0]), 3.0, max_steps=3, limit=8)
    assert run.x[0] == -8


def test_one_diverging_member_is_enough() -> None:
    with pytest.raises(DivergenceError, match="at step 7 "):
        gradient_descent(identity, np.array([0.0, 1.0, 0.0]), 3.0, max_steps=9, limit=100)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_a_number_is_divergence(bad: float) -> None:
    with pytest.raises(DivergenceError, match="at step 1 "):
        gradient_descent(lambda x: np.array([1.0, bad]), np.zeros(2), 0.1, max_steps=5)


def test_divergence_is_an_arithmetic_error() -> None:
    assert issubclass(DivergenceError, ArithmeticError)


# The trajectory


def recorded(max_steps: int, record_every: int, **options: Any) -> Descent:
    start = np.array([[1.0, 2.0], [4.0, 8.0]])
    return gradient_descent(
        identity, start, 0.5, max_steps=max_steps, record_every=record_every, **options
    )


@pytest.mark.parametrize(
    ("max_steps", "every", "steps"),
    [
        (6, 2, [0, 2, 4, 6]),
        (7, 3, [0, 3, 6, 7]),
        (4, 1, [0, 1, 2, 3, 4]),
        (3, 10, [0, 3]),
        (0, 1, [0]),
    ],
)
def test_every_so_many_steps_and_both_ends_are_kept(
    max_steps: int, every: int, steps: list[int]
) -> None:
    run = recorded(max_steps, every)
    assert run.trajectory is not None
    assert run.recorded is not None
    np.testing.assert_array_equal(run.recorded, steps)
    expected = [0.5**t * np.array([[1.0, 2.0], [4.0, 8.0]]) for t in steps]
    np.testing.assert_array_equal(run.trajectory, expected)
    np.testing.assert_array_equal(run.trajectory[-1], run.x)


def test_trajectory_ends_where_the_tolerance_is_reached() -> None:
    run = recorded(100, 2, tolerance=1.0)
    assert run.recorded is not None
    assert (run.steps, run.reason) == (3, "tolerance")
    np.testing.assert_array_equal(run.recorded, [0, 2, 3])


def test_recording_does_not_change_the_run() -> None:
    options: dict[str, Any] = {"max_steps": 9, "momentum": 0.5, "noise": 0.1}
    start = np.ones(3)
    plain = gradient_descent(identity, start, 0.3, rng=np.random.default_rng(9), **options)
    kept = gradient_descent(
        identity, start, 0.3, rng=np.random.default_rng(9), record_every=2, **options
    )
    np.testing.assert_array_equal(plain.x, kept.x)
    assert plain.trajectory is None
    assert plain.recorded is None


def test_trajectory_does_not_share_memory_with_the_end() -> None:
    run = recorded(4, 2)
    assert run.trajectory is not None
    assert not np.shares_memory(run.trajectory, run.x)


# SGD


def test_sgd_on_a_quadratic_is_a_product_of_factors() -> None:
    curvatures = np.random.default_rng(10).uniform(0.5, 1.5, 40)
    last, average = stochastic_gradient_descent(
        lambda x, c: c * x, np.array([2.0, -1.0]), curvatures, 0.3
    )
    path = np.cumprod(np.r_[1.0, 1 - 0.3 * curvatures])
    np.testing.assert_allclose(last, path[-1] * np.array([2.0, -1.0]), rtol=1e-13)
    np.testing.assert_allclose(average, path[:-1].mean() * np.array([2.0, -1.0]), rtol=1e-13)


def test_average_is_of_the_points_at_which_gradients_were_taken() -> None:
    seen: list[np.ndarray] = []

    def gradient(x: np.ndarray, sample: np.ndarray) -> np.ndarray:
        seen.append(x.copy())
        return x - sample

    samples = np.random.default_rng(11).normal(size=(25, 3))
    _, average = stochastic_gradient_descent(gradient, np.zeros(3), samples, 0.2)
    np.testing.assert_allclose(average, np.mean(seen, axis=0), rtol=0, atol=25 * EPS)
    np.testing.assert_array_equal(seen[0], np.zeros(3))


def test_step_one_over_t_gives_the_mean_of_the_samples() -> None:
    samples = np.random.default_rng(12).normal(size=(30, 2))
    last, _ = stochastic_gradient_descent(
        lambda x, s: x - s, np.full(2, 9.0), samples, lambda t: 1 / (t + 1)
    )
    np.testing.assert_allclose(last, samples.mean(axis=0), rtol=0, atol=30 * EPS)


def test_schedule_is_asked_once_a_step_from_zero() -> None:
    asked: list[int] = []

    def schedule(t: int) -> float:
        asked.append(t)
        return 0.1

    last, _ = stochastic_gradient_descent(lambda x, s: s, np.zeros(1), range(4), schedule)
    assert asked == [0, 1, 2, 3]
    assert last[0] == pytest.approx(-0.6, rel=1e-15)


def test_samples_may_come_from_a_generator() -> None:
    last, average = stochastic_gradient_descent(
        lambda x, s: np.full(2, s), np.ones(2), (k for k in (1.0, 2.0)), 0.5
    )
    np.testing.assert_array_equal(last, [-0.5, -0.5])
    np.testing.assert_array_equal(average, [0.75, 0.75])


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
        ({"step": -1.0}, "step: -1.0"),
        ({"step": np.nan}, "step: nan"),
        ({"max_steps": -1}, "max_steps: -1; expected at least 0"),
        ({"momentum": -0.1}, r"momentum: -0.1; expected a number in \[0, 1\)"),
        ({"momentum": 1.0}, "momentum: 1.0"),
        ({"noise": -1.0}, "noise: -1.0; expected at least 0"),
        ({"noise": 1.0}, "rng: None; expected a numpy Generator"),
        ({"record_every": 0}, "record_every: 0; expected at least 1"),
        ({"record_every": -2}, "record_every: -2"),
    ],
)
def test_argument_out_of_range_is_refused_before_any_step(
    change: dict[str, Any], message: str
) -> None:
    arguments: dict[str, Any] = {"step": 0.1, "max_steps": 5} | change
    with pytest.raises(ValueError, match=message):
        gradient_descent(never, np.ones(2), **arguments)


def test_sgd_without_samples_is_refused() -> None:
    with pytest.raises(ValueError, match=r"samples: \[\]; expected at least one"):
        stochastic_gradient_descent(lambda x, s: x, np.ones(2), [], 0.1)


@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_start_is_not_modified(noise: float) -> None:
    start = np.ones(3)
    run = gradient_descent(
        identity,
        start,
        0.3,
        max_steps=5,
        momentum=0.5,
        noise=noise,
        rng=np.random.default_rng(13),
        record_every=1,
    )
    np.testing.assert_array_equal(start, np.ones(3))
    assert not np.shares_memory(run.x, start)


def test_run_without_steps_does_not_share_memory_with_the_start() -> None:
    start = np.ones(3)
    assert not np.shares_memory(gradient_descent(flat, start, 0.3, max_steps=5).x, start)


def test_sgd_modifies_neither_start_nor_samples() -> None:
    start, samples = np.ones(3), np.arange(6.0).reshape(2, 3)
    last, _ = stochastic_gradient_descent(lambda x, s: x - s, start, samples, 0.5)
    np.testing.assert_array_equal(start, np.ones(3))
    np.testing.assert_array_equal(samples, np.arange(6.0).reshape(2, 3))
    assert not np.shares_memory(last, start)


def test_gradient_that_returns_its_argument_is_safe() -> None:
    run = gradient_descent(identity, np.array([4.0]), 0.5, max_steps=2, record_every=1)
    assert run.trajectory is not None
    np.testing.assert_array_equal(run.trajectory[:, 0], [4.0, 2.0, 1.0])


def test_integer_start_moves_as_floats_do() -> None:
    run = gradient_descent(identity, np.array([1, 3]), 0.5, max_steps=1)
    np.testing.assert_array_equal(run.x, [0.5, 1.5])
