"""Implicit bias in matrices: each function against an independent way to the same numbers."""

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from lecture_code import flows
from lecture_code import implicit_bias_matrices as ibm
from lecture_code import measurements as ms

seeds = st.integers(0, 2**32 - 1)


def sensing(seed, n=5, m=6, rank=1):
    return ms.gaussian_sensing(n, m, rank, np.random.default_rng(seed))


def symmetric(seed, n=4):
    G = np.random.default_rng(seed).standard_normal((n, n))
    return (G + G.T) / 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ibm.exponential_descent(sensing(0)[0], np.eye(5), 0.1, 1, order=3), "order: 3"),
        (lambda: ibm.single_observation(np.eye(2), -1.0, np.eye(2)), "expected both positive"),
        (lambda: ibm.single_observation(-np.eye(2), 1.0, np.eye(2)), "expected both positive"),
        (
            lambda: ibm.certificate(ms.Sensing(np.eye(2)[None], np.ones(1)), -np.ones(1)),
            "expected a positive one",
        ),
        (
            lambda: ibm.minimal_trace(ms.Sensing(np.eye(2)[None], -np.ones(1))),
            "expected a problem with a positive semidefinite solution",
        ),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# The flow and its products of exponentials


def test_velocity_and_jacobian_of_the_flow():
    problem, _ = sensing(14)
    velocity, jacobian = ibm._field(problem, (5, 3))
    z, h = np.random.default_rng(15).standard_normal(15 + 6), 1e-5
    U = z[:15].reshape(5, 3)
    r = ms.measure(problem, U @ U.T) - problem.y
    expected = np.r_[-ms.factor_gradient(problem, U).ravel() / 4, -r]
    np.testing.assert_allclose(velocity(z), expected, rtol=1e-12)
    slopes = [(velocity(z + h * e) - velocity(z - h * e)) / (2 * h) for e in np.eye(z.size)]
    np.testing.assert_allclose(jacobian(z), np.array(slopes).T, atol=1e-6)


def test_flow_is_that_of_the_product_and_of_the_residuals():
    problem, _ = sensing(4)
    U0 = 0.3 * np.random.default_rng(5).standard_normal((5, 7))

    def velocity(_, z):
        X = z[:25].reshape(5, 5)
        r = np.tensordot(problem.A, X, 2) - problem.y
        M = np.tensordot(r, problem.A, 1)
        return np.r_[-(M @ X + X @ M).ravel(), -r]

    start = np.r_[(U0 @ U0.T).ravel(), np.zeros(6)]
    run = solve_ivp(velocity, (0, 1), start, method="DOP853", rtol=1e-10, atol=1e-12)
    X, s = ibm.flow(problem, U0, 1.0, rtol=1e-10)
    np.testing.assert_allclose(X.ravel(), run.y[:25, -1], atol=1e-7)
    np.testing.assert_allclose(s, run.y[25:, -1], atol=1e-7)


def test_path_passes_where_flows_of_that_time_end():
    problem, _ = sensing(4)
    U0 = 0.3 * np.random.default_rng(5).standard_normal((5, 2))
    run = ibm.path(problem, U0, np.array([0.0, 0.3, 0.8]), 1e-10)
    ends = [U0 @ U0.T, *(ibm.flow(problem, U0, time, 1e-10)[0] for time in (0.3, 0.8))]
    np.testing.assert_allclose(run, ends, atol=1e-8)


@pytest.mark.parametrize(("R", "power"), [(0.5, 0), (2.0, 3), (3.0, 8)])
def test_flow_of_the_example_is_the_flow(R, power):
    problem = ms.completion(4, {(0, 2): 1, (0, 3): R, (1, 2): R})
    X, s = ibm.example_flow(R, power)
    full, integral = ibm.flow(problem, 10 ** (-power / 2) * np.eye(4), 60 + 3 * power, 1e-11)
    np.testing.assert_allclose(X, full, rtol=1e-7)
    np.testing.assert_allclose(s, integral, rtol=1e-7)


def test_path_of_the_example_is_the_path_in_three_scalars():
    problem, times = ms.completion(4, {(0, 2): 1, (0, 3): 2.0, (1, 2): 2.0}), np.array([0.5, 2, 6])
    X = ibm.path(problem, 10**-1.5 * np.eye(4), times, 1e-11)
    Y = X[:, :2, :2] + X[:, :2, 2:]
    scalars = np.log(Y[:, 0, 0]), Y[:, 0, 1] / Y[:, 0, 0], np.log(np.linalg.det(Y))
    np.testing.assert_allclose(ibm.example_path(2.0, 3, times), np.transpose(scalars), atol=1e-6)


@pytest.mark.parametrize("order", [1, 2])
def test_exponential_descent_freezes_the_residual_over_each_step(order):
    problem, _ = sensing(6)
    U, s, step = 0.3 * np.eye(5), np.zeros(6), 0.2
    for _ in range(2):
        r = ms.measure(problem, U @ U.T) - problem.y
        if order == 2:
            half = expm(-0.1 * ms.adjoint(problem, r)) @ U
            r = ms.measure(problem, half @ half.T) - problem.y
        U, s = expm(-0.2 * ms.adjoint(problem, r)) @ U, s - 0.2 * r
    X, t = ibm.exponential_descent(problem, 0.3 * np.eye(5), step, 2, order)
    np.testing.assert_allclose(X, U @ U.T, rtol=1e-8)
    np.testing.assert_allclose(t, s, rtol=1e-8)


@pytest.mark.parametrize("at", [0.0, 0.5, 1.0])
def test_ordered_product_takes_the_residuals_of_the_flow(at):
    problem, _ = sensing(6)
    U0 = U = 0.3 * np.eye(5)
    for k in (0, 1):
        X = ibm.flow(problem, U0, 0.2 * (k + at), 1e-10)[0] if k + at else U0 @ U0.T
        U = expm(-0.2 * ms.residual_matrix(problem, X)) @ U
    product = ibm.ordered_product(problem, U0, 0.4, 2, at)
    np.testing.assert_allclose(product, U @ U.T, rtol=1e-6, atol=1e-8)


@given(seeds, st.floats(1e-8, 1), st.floats(0.1, 5))
@settings(max_examples=25)
def test_single_observation_is_feasible_and_of_the_form_of_the_flow(seed, alpha, y):
    A = symmetric(seed)
    A += (0.1 - min(0.1, np.linalg.eigvalsh(A)[-1])) * np.eye(4)  # a positive eigenvalue
    root = np.random.default_rng(seed).standard_normal((4, 4))
    X0 = alpha * (root @ root.T + 0.1 * np.eye(4))
    X, s = ibm.single_observation(A, y, X0)
    grow = expm(s * A)
    np.testing.assert_allclose(X, grow @ X0 @ grow, rtol=1e-6, atol=1e-12)
    assert np.sum(A * X) == pytest.approx(y, rel=1e-7)


# The least trace


def test_certificate_by_hand():
    problem = ms.completion(2, {(0, 0): 3.0, (0, 1): 1.0})
    nu, lower = ibm.certificate(problem, np.array([0.0, 4.0]))  # A*(s) has eigenvalues 2 and -2
    np.testing.assert_allclose(nu, [0, 2])
    assert lower == pytest.approx(2)


@given(seeds)
@settings(max_examples=10)
def test_minimal_trace_brackets_what_it_says(seed):
    problem, _ = sensing(seed, rank=5)  # full rank: strictly feasible
    best = ibm.minimal_trace(problem)
    np.testing.assert_allclose(ms.measure(problem, best.X), problem.y, atol=1e-8)
    assert np.linalg.eigvalsh(best.X)[0] >= -1e-15 * np.trace(best.X)  # UU^T, rounded
    assert np.linalg.eigvalsh(ms.adjoint(problem, best.nu))[-1] <= 1 + 1e-12
    assert best.nu @ problem.y == pytest.approx(best.lower)
    assert np.trace(best.X) == pytest.approx(best.upper)
    assert 0 <= best.upper - best.lower <= 1e-6 * best.upper


@pytest.mark.parametrize("seed", [0, 1])
def test_minimal_trace_agrees_with_a_conic_solver(seed):
    problem, _ = sensing(seed, 6, 8)
    X = cp.Variable((6, 6), PSD=True)
    equations = [cp.trace(A @ X) == y for A, y in zip(problem.A, problem.y, strict=True)]
    value = cp.Problem(cp.Minimize(cp.trace(X)), equations).solve(solver=cp.CLARABEL)
    best = ibm.minimal_trace(problem)
    assert best.lower <= value * (1 + 1e-6)
    assert best.upper >= value * (1 - 1e-6)


# Controls


def test_steering_multiplies_exponentials_from_the_left():
    A = np.stack([symmetric(8, 3), symmetric(9, 3)])
    X = ibm.steer(A, np.eye(3), np.array([[0.3, -0.2], [0.1, 0.5]]))
    G = expm(0.1 * A[0] + 0.5 * A[1]) @ expm(0.3 * A[0] - 0.2 * A[1])
    np.testing.assert_allclose(X, G @ G.T, rtol=1e-10)


SQUEEZE, TILT = np.diag([1.0, -1.0]), np.array([[0.0, 1.0], [1.0, 0.0]])


def test_commutator_by_hand():
    np.testing.assert_array_equal(ibm.commutator(SQUEEZE, TILT), [[0, 2], [-2, 0]])


@pytest.mark.parametrize(
    ("A", "dimension"),
    [
        ([np.zeros((2, 2))], 0),
        ([np.diag([1.0, 2.0, 3.0]), np.eye(3)], 2),
        ([SQUEEZE, TILT], 3),
        ([symmetric(12), symmetric(13)], 16),
    ],
)
def test_lie_dimensions(A, dimension):
    assert ibm.lie_dimension(np.stack(A)) == dimension


@pytest.mark.parametrize("start", [0.0, 1e-310, 1e-150, 1e-25])
def test_flow_from_zero_and_next_to_it(start):
    """One entry, to be 1: U grows as exp(s), and s = t while U is small."""
    X, s = ibm.flow(ms.completion(1, {(0, 0): 1.0}), np.full((1, 1), start), 2.0)
    np.testing.assert_allclose(s, [2.0], rtol=1e-6)
    np.testing.assert_allclose(X, [[(start * np.exp(2.0)) ** 2]], rtol=1e-5)


def test_flows_that_do_not_end_are_refused(monkeypatch):
    problem = ms.completion(1, {(0, 0): 1.0})
    with pytest.raises(ValueError, match="time: inf; expected a finite number"):
        ibm.flow(problem, np.ones((1, 1)), np.inf)
    with pytest.raises(ValueError, match=r"U0: .* expected finite numbers"):
        ibm.ordered_product(problem, np.full((1, 1), np.nan), 1.0, 2)
    with pytest.raises(ValueError, match=r"time: 2; expected a flow that gets there"):
        flows.integrate(lambda z: z**2, [1.0], [2.0], rtol=1e-8, atol=1e-8)  # infinite at t = 1
    monkeypatch.setattr(flows, "EVALUATIONS", 10)
    with pytest.raises(ValueError, match="after 10 evaluations"):
        ibm.flow(problem, np.full((1, 1), 1e-3), 5.0)


def test_a_start_that_a_measurement_does_not_see_is_refused():
    with pytest.raises(ValueError, match="X0: zero where A is positive"):
        ibm.single_observation(np.diag([1.0, 0]), 1.0, np.diag([0.0, 1]))
    with pytest.raises(ValueError, match=r"A: .* expected a symmetric matrix"):
        ibm.single_observation([[1, 2], [0, 1]], 1.0, np.eye(2))
