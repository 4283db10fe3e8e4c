"""Implicit bias in vectors: each function against an independent way to the same numbers."""

import cvxpy as cp
import numpy as np
import pytest
from autograd import elementwise_grad, grad
from autograd import numpy as anp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import simpson

from lecture_code import implicit_bias as ib
from lecture_code.optimize import gradient_descent, steepest_step

KINDS = ("l1", "l2", "linf")
ORDERS = {"l1": 1, "l2": 2, "linf": "inf"}
seeds = st.integers(0, 2**32 - 1)


def system(seed, m=4, n=9):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((m, n)), rng.standard_normal(m)


def positive_system(seed, m=3, n=7):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((m, n))
    return A, A @ rng.uniform(0.2, 1.5, n)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ib.norm(np.ones(2), "l3"), "kind: 'l3'"),
        (lambda: ib.least_norm(np.eye(3), np.ones(3)), "fewer rows than columns"),
        (
            lambda: ib.adaptive_descent(*system(0), np.zeros(9), 0.1, 1, rule="sgd"),
            "rule: 'sgd'",
        ),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# Least squares


@given(seeds)
@settings(max_examples=20)
def test_least_norm_is_the_pseudoinverse_and_meets_the_optimality_condition(seed):
    A, y = system(seed)
    np.testing.assert_allclose(ib.least_norm(A, y), np.linalg.pinv(A) @ y, rtol=1e-7, atol=1e-9)
    rng = np.random.default_rng(seed)
    start, root = rng.standard_normal(9), rng.standard_normal((9, 9))
    H = root @ root.T + np.eye(9)
    w = ib.least_norm(A, y, start, H)
    np.testing.assert_allclose(A @ w, y, atol=1e-8)
    kernel = np.eye(9) - np.linalg.pinv(A) @ A
    np.testing.assert_allclose(kernel @ np.linalg.solve(H, w - start), 0, atol=1e-8)
    np.testing.assert_allclose(ib.kernel_projection(A), kernel, atol=1e-10)


def test_adaptive_methods_on_a_gradient_that_is_constant():
    # The slope is 1e-12 w - 8, so that AdaGrad's t-th step is 1/sqrt(t) and Adam's 1 - t/steps.
    A, y = np.array([[1e-6]]), np.array([8e6])
    for steps in (1, 4):
        times = np.arange(1, steps + 1)
        for rule, moves in (("adagrad", 1 / np.sqrt(times)), ("adam", 1 - times / steps)):
            w = ib.adaptive_descent(A, y, np.array([5.0]), 0.05, steps, rule=rule)
            np.testing.assert_allclose(w, 5 + 0.05 * moves.sum(), rtol=1e-9)


# Other geometries


def test_norms():
    assert [ib.norm(np.array([3.0, -4.0, 0.0]), kind) for kind in KINDS] == [7, 5, 4]


@pytest.mark.parametrize("kind", KINDS)
def test_steepest_descent_takes_steps_that_never_raise_the_loss(kind):
    A, y = system(8)
    losses = [
        np.sum((A @ ib.steepest_descent(A, y, kind, k, scale=1.99) - y) ** 2) for k in range(20)
    ]
    assert np.all(np.diff(losses) <= 1e-12)
    # With the identity the first step is best for l1; for linf the bound on L is attained.
    first = ib.steepest_descent(np.eye(3), np.array([1.0, -4.0, 1.0]), kind, 1, scale=0.5)
    expected = {"l1": [0, -2, 0], "l2": [0.5, -2, 0.5], "linf": [1, -1, 1]}[kind]
    np.testing.assert_allclose(first, expected)


def test_with_one_equation_each_geometry_finds_its_least_norm():
    A, y = np.array([[1.0, -3.0, 2.0]]), np.array([2.0])
    for kind, least in zip(KINDS, (2 / 3, 2 / np.sqrt(14), 2 / 6), strict=True):
        assert ib.norm(ib.steepest_descent(A, y, kind, 500), kind) == pytest.approx(least)


@pytest.mark.parametrize("kind", KINDS)
def test_least_norms_and_largest_margins_agree_with_a_conic_solver(kind):
    A, y = system(9)
    w, t = cp.Variable(9), cp.Variable()
    least = cp.Problem(cp.Minimize(cp.norm(w, ORDERS[kind])), [A @ w == y])
    assert ib.minimal_norm(A, y, kind) == pytest.approx(least.solve(solver=cp.CLARABEL), rel=1e-6)
    Z = np.random.default_rng(9).standard_normal((8, 9)) + np.eye(9)[0]
    largest = cp.Problem(cp.Maximize(t), [Z @ w >= t, cp.norm(w, ORDERS[kind]) <= 1])
    margin = largest.solve(solver=cp.CLARABEL)
    assert margin > 0.1
    assert ib.maximal_margin(Z, kind) == pytest.approx(margin, rel=1e-6)
    assert ib.maximal_margin(np.vstack([Z, -Z]), kind) == pytest.approx(0, abs=1e-8)


@pytest.mark.parametrize("kind", KINDS)
def test_logistic_descent_follows_the_gradient_of_the_loss(kind):
    Z = np.random.default_rng(10).standard_normal((8, 3)) + np.array([2.5, 0, 0])

    def loss(w):
        return anp.sum(anp.log1p(anp.exp(-anp.dot(Z, w))))

    w, reach = np.zeros(3), max(ib.norm(z, ib.DUAL[kind]) for z in Z)
    for t in (1, 2, 3):
        slope = grad(loss)(w)
        length = 1 / (reach * np.sqrt(t))
        w = w + steepest_step(slope, length / ib.norm(slope, ib.DUAL[kind]), kind)
    run = ib.logistic_descent(Z, kind, 3)
    np.testing.assert_allclose(run.w, w, rtol=1e-12, atol=1e-14)
    assert run.loss == pytest.approx(loss(w))


def test_bound_on_the_margin_after_one_step_by_hand():
    run = ib.logistic_descent(np.array([[1.0, 2.0]]), "l2", 1)
    np.testing.assert_allclose(run.w, [0.2, 0.4])
    bracket = 0.5 / np.log(2) - 0.5 - np.log(np.log(2)) - np.log1p(np.exp(-1))
    assert run.bound == pytest.approx(np.sqrt(5) * bracket)


# x = u∘u


def test_square_gradient_by_autograd_and_in_batches():
    A, y = system(11)
    u = np.random.default_rng(12).standard_normal((9, 3))

    def loss(u):
        return 0.25 * anp.sum((anp.dot(A, u * u) - y[:, None]) ** 2)

    expected = elementwise_grad(loss)(u)
    np.testing.assert_allclose(ib.square_gradient(A, y, u), expected, atol=1e-10)
    np.testing.assert_allclose(ib.square_gradient(A, y, u[:, 1]), expected[:, 1], atol=1e-10)


def test_off_manifold_is_what_the_kernel_sees():
    A, _ = system(16)
    x0 = np.full(9, 0.2)
    v = ib.kernel_projection(A) @ np.arange(9.0)
    points = np.column_stack([x0 * np.exp(c * v + 2 * A.T @ np.ones(4)) for c in (0, 1)])
    expected = np.outer(v, [0, 1])
    np.testing.assert_allclose(ib.off_manifold(A, points, x0), expected, atol=1e-12)
    np.testing.assert_allclose(ib.off_manifold(A, points[:, 1], x0), v, atol=1e-12)


# Flows, and the way off the manifold


def test_flow_is_the_limit_of_gradient_steps():
    A, y = positive_system(15)
    u0 = np.full(7, 0.5)
    coarse, fine = (
        gradient_descent(lambda u: ib.square_gradient(A, y, u), u0, 1 / k, max_steps=2 * k).x
        for k in (1000, 2000)
    )
    np.testing.assert_allclose(2 * fine - coarse, ib.square_flow(A, y, u0, 2.0), rtol=1e-5)


def test_drift_is_an_integral_along_the_flow():
    A, y = positive_system(17, 2, 5)
    u0, times = np.full(5, 0.4), np.linspace(0, 1, 41)
    points = np.array([u0, *(ib.square_flow(A, y, u0, t) for t in times[1:])])
    squares = ((points**2 @ A.T - y) @ A) ** 2
    expected = -ib.kernel_projection(A) @ simpson(squares, x=times, axis=0)
    np.testing.assert_allclose(ib.drift(A, y, u0**2, 1.0), expected, rtol=1e-5)


def test_drift_bound_by_hand():
    # D = 2, the largest column has norm 4, |A| = 5 and R = (sqrt(2e) + sqrt 2)^2
    A, x0 = np.array([[3.0, 4.0]]), np.ones(2)
    step, bound = ib.drift_bound(A, np.e * x0, x0)
    assert step == pytest.approx(1 / (64 * (np.sqrt(2 * np.e) + np.sqrt(2)) ** 2))
    assert bound == pytest.approx(80)


def test_inertial_flow_obeys_its_equation_and_starts_at_rest():
    A, y = positive_system(17, 2, 5)
    u0, damping, h = np.full(5, 0.4), 3.0, 0.01
    before, now, after = (ib.inertial_flow(A, y, u0, damping, t) for t in (0.5 - h, 0.5, 0.5 + h))
    speed, acceleration = (after - before) / (2 * h), (after - 2 * now + before) / h**2
    slope = ib.square_gradient(A, y, now)
    np.testing.assert_allclose(acceleration / damping**2 + speed, -slope, atol=1e-3)
    start = ib.inertial_flow(A, y, u0, damping, 1e-3) - u0
    expected = -(damping**2) * 1e-6 / 2 * ib.square_gradient(A, y, u0)
    np.testing.assert_allclose(start, expected, rtol=0.01, atol=1e-9)
