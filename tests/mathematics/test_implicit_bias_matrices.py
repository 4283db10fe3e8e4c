"""The matrix half of the chapter on implicit bias, against independent ways to the same numbers."""

import numpy as np
import pytest
from autograd import grad
from autograd import numpy as anp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from lecture_code import implicit_bias as ib
from lecture_code import implicit_bias_matrices as ibm
from lecture_code.optimize import gradient_descent

seeds = st.integers(0, 2**32 - 1)


def sensing(seed, n=5, m=6, rank=1):
    return ibm.gaussian_sensing(n, m, rank, np.random.default_rng(seed))


def symmetric(seed, n=4):
    G = np.random.default_rng(seed).standard_normal((n, n))
    return (G + G.T) / 2


@pytest.mark.parametrize(
    ("A", "y", "message"),
    [
        (np.ones((2, 3)), np.ones(2), "A: shape"),
        (np.ones((2, 3, 3)), np.ones(3), "y: shape"),
        (np.arange(9.0).reshape(1, 3, 3), np.ones(1), "not symmetric"),
    ],
)
def test_a_problem_is_checked(A, y, message):
    with pytest.raises(ValueError, match=message):
        ibm.Sensing(A, y)


@given(seeds)
@settings(max_examples=20, deadline=None)
def test_measure_and_adjoint(seed):
    problem, truth = sensing(seed)
    rng = np.random.default_rng(seed)
    X, s = symmetric(seed, 5), rng.standard_normal(6)
    assert s @ ibm.measure(problem, X) == pytest.approx(np.sum(ibm.adjoint(problem, s) * X))
    np.testing.assert_allclose(ibm.measure(problem, truth), problem.y, atol=1e-12)
    assert np.trace(truth) == pytest.approx(1)
    assert (problem.n, problem.m) == (5, 6)


def test_completion_reads_entries():
    problem = ibm.completion(3, {(0, 1): 2.0, (2, 2): 5.0})
    X = symmetric(0, 3)
    np.testing.assert_allclose(ibm.measure(problem, X), [X[0, 1], X[2, 2]])
    np.testing.assert_array_equal(problem.y, [2, 5])


def test_factor_gradient_by_autograd():
    problem, _ = sensing(1)
    U = np.random.default_rng(2).standard_normal((5, 3))

    def loss(U):
        X = anp.dot(U, U.T)
        return sum((anp.sum(A * X) - y) ** 2 for A, y in zip(problem.A, problem.y, strict=True))

    np.testing.assert_allclose(ibm.factor_gradient(problem, U), grad(loss)(U), rtol=1e-10)


def test_minimal_frobenius_is_the_pseudoinverse():
    problem, _ = sensing(3)
    rows = problem.A.reshape(6, -1)
    expected = (np.linalg.pinv(rows) @ problem.y).reshape(5, 5)
    np.testing.assert_allclose(ibm.minimal_frobenius(problem), expected, atol=1e-10)


def test_flow_agrees_with_small_steps_and_keeps_s():
    problem, _ = sensing(4)
    U0 = 0.3 * np.random.default_rng(5).standard_normal((5, 7))
    X, s = ibm.flow(problem, U0, 1.0, rtol=1e-10)
    Y, t = ibm.exponential_descent(problem, U0, 1e-3, 1000, order=2)
    np.testing.assert_allclose(X, Y, atol=1e-5)
    np.testing.assert_allclose(s, t, atol=1e-5)
    run = gradient_descent(lambda U: ibm.factor_gradient(problem, U), U0, 2.5e-5, max_steps=10_000)
    np.testing.assert_allclose(run.x @ run.x.T, X, atol=2e-3)


def test_velocity_and_jacobian_of_the_flow():
    problem, _ = sensing(14)
    velocity, jacobian = ibm._field(problem, (5, 3))
    rng = np.random.default_rng(15)
    z, h = rng.standard_normal(15 + 6), 1e-5
    U = z[:15].reshape(5, 3)
    r = ibm.measure(problem, U @ U.T) - problem.y
    expected = np.r_[-ibm.factor_gradient(problem, U).ravel() / 4, -r]
    np.testing.assert_allclose(velocity(z), expected, rtol=1e-12)
    slopes = [(velocity(z + h * e) - velocity(z - h * e)) / (2 * h) for e in np.eye(z.size)]
    np.testing.assert_allclose(jacobian(z), np.array(slopes).T, atol=1e-6)


@pytest.mark.parametrize(("at", "order"), [(0.0, 1), (1.0, 1), (0.5, 2)])
def test_ordered_product_converges_to_the_flow(at, order):
    problem, _ = sensing(6)
    U0 = 0.3 * np.eye(5)
    exact, _ = ibm.flow(problem, U0, 1.0, rtol=1e-11)
    a, b = (np.linalg.norm(ibm.ordered_product(problem, U0, 1.0, k, at) - exact)
            for k in (200, 400))  # fmt: skip
    assert np.log2(a / b) == pytest.approx(order, abs=0.1)


def test_ordered_product_of_one_step():
    problem, _ = sensing(6)
    U0 = 0.3 * np.eye(5)
    G = expm(-0.2 * ibm.residual_matrix(problem, U0 @ U0.T))
    X = ibm.ordered_product(problem, U0, 0.2, 1, at=0.0)
    np.testing.assert_allclose(X, G @ U0 @ U0.T @ G.T, rtol=1e-8)


@pytest.mark.parametrize("seed", range(4))
def test_square_factors_end_at_the_convex_minimum(seed):
    rng = np.random.default_rng(seed)
    G = rng.standard_normal((6, 4, 4))
    A = (G + G.transpose(0, 2, 1)) / 2
    A[0] = np.eye(4)
    problem = ibm.Sensing(A, np.r_[-1.0, rng.standard_normal(5)])  # trace -1: infeasible
    X, _ = ibm.flow(problem, 0.1 * rng.standard_normal((4, 4)), 3000)
    M = ibm.residual_matrix(problem, X)
    assert np.linalg.eigvalsh(M)[0] >= -1e-6
    assert np.linalg.norm(M @ X) <= 1e-6


@pytest.mark.parametrize("R", [0.5, 2.0])
def test_a_rotated_problem_has_the_rotated_flow(R):
    problem = ibm.completion(4, {(0, 2): 1, (0, 3): R, (1, 2): R})
    Q = np.linalg.qr(np.random.default_rng(16).standard_normal((4, 4)))[0]
    A = Q @ problem.A @ Q.T
    rotated = ibm.Sensing((A + A.transpose(0, 2, 1)) / 2, problem.y)
    X, _ = ibm.flow(problem, 0.1 * np.eye(4), 20, rtol=1e-10)
    Y, _ = ibm.flow(rotated, 0.1 * np.eye(4), 20, rtol=1e-10)
    np.testing.assert_allclose(Q.T @ Y @ Q, X, atol=1e-6)


@given(seeds)
@settings(max_examples=10, deadline=None)
def test_finite_steps_depend_on_the_product_only(seed):
    problem, _ = sensing(seed)
    rng = np.random.default_rng(seed)
    U0 = 0.2 * rng.standard_normal((5, 5))
    V0 = np.hstack([U0, np.zeros((5, 2))]) @ np.linalg.qr(rng.standard_normal((7, 7)))[0]
    ends = [gradient_descent(lambda U: ibm.factor_gradient(problem, U), W, 1e-3, max_steps=100,
                             momentum=0.5).x for W in (U0, V0)]  # fmt: skip
    np.testing.assert_allclose(ends[0] @ ends[0].T, ends[1] @ ends[1].T, atol=1e-9)


@given(seeds)
@settings(max_examples=20, deadline=None)
def test_exponential(seed):
    M = symmetric(seed)
    np.testing.assert_allclose(ibm.exponential(M), expm(M), rtol=1e-8, atol=1e-10)


def test_exponential_descent_orders_and_error():
    problem, _ = sensing(6)
    U0 = 0.3 * np.eye(5)
    exact, _ = ibm.flow(problem, U0, 1.0, rtol=1e-11)
    for order in (1, 2):
        a, b = (np.linalg.norm(ibm.exponential_descent(problem, U0, 1 / k, k, order)[0] - exact)
                for k in (200, 400))  # fmt: skip
        assert np.log2(a / b) == pytest.approx(order, abs=0.15)
    with pytest.raises(ValueError, match="order: 3"):
        ibm.exponential_descent(problem, U0, 0.1, 1, order=3)


@given(seeds, st.floats(1e-8, 1), st.floats(0.1, 5))
@settings(max_examples=25, deadline=None)
def test_single_observation_is_feasible_and_above_the_minimum(seed, alpha, y):
    A, root = symmetric(seed), np.random.default_rng(seed).standard_normal((4, 4))
    top = np.linalg.eigvalsh(A)[-1]
    if top < 0.05:
        return
    X0 = alpha * (root @ root.T + 0.1 * np.eye(4))
    X, s = ibm.single_observation(A, y, X0)
    grow = expm(s * A)
    np.testing.assert_allclose(X, grow @ X0 @ grow, rtol=1e-6, atol=1e-12)
    assert np.sum(A * X) == pytest.approx(y, rel=1e-7)
    assert np.trace(X) >= y / top * (1 - 1e-9)


def test_single_observation_errors():
    for A, y in ((np.eye(2), -1.0), (-np.eye(2), 1.0)):
        with pytest.raises(ValueError, match="expected both positive"):
            ibm.single_observation(A, y, np.eye(2))


def test_single_observation_has_the_predicted_rate():
    A = np.diag([2.0, 1.0, -1.0])
    excess = []
    for alpha in (1e-10, 1e-12):
        X, _ = ibm.single_observation(A, 3.0, alpha * np.eye(3))
        excess.append(np.sum((np.eye(3) - A / 2) * X))
    assert np.log10(excess[0] / excess[1]) / 2 == pytest.approx(0.5, abs=1e-3)
    assert excess[1] == pytest.approx(0.5 * 1.5**0.5 * 1e-6, rel=1e-3)
    X, _ = ibm.single_observation(A, 3.0, 1e-12 * np.diag([4.0, 5.0, 1.0]))
    assert np.sum((np.eye(3) - A / 2) * X) == pytest.approx(
        0.5 * 5 * (1.5 / 4) ** 0.5 * 1e-6, rel=1e-3
    )


def test_commuting_flow_ends_at_the_entropy_minimiser_with_its_certificate():
    rng = np.random.default_rng(7)
    Q, D = np.linalg.qr(rng.standard_normal((6, 6)))[0], rng.standard_normal((2, 6))
    A = np.stack([Q @ np.diag(d) @ Q.T for d in D])
    problem = ibm.Sensing((A + A.transpose(0, 2, 1)) / 2, D @ rng.uniform(0.1, 1, 6))
    X, s = ibm.flow(problem, 0.05 * np.eye(6), 500, rtol=1e-10)
    x, _ = ib.entropy_minimiser(D, problem.y, np.full(6, 0.05**2))
    np.testing.assert_allclose(Q.T @ X @ Q, np.diag(x), atol=1e-6)
    nu, lower = ibm.certificate(problem, s)
    top = np.linalg.eigvalsh(ibm.adjoint(problem, s))[-1]
    assert np.linalg.eigvalsh(ibm.adjoint(problem, nu))[-1] == pytest.approx(1)
    assert lower <= ib.minimal_l1(D, problem.y).value + 1e-9
    assert np.trace(X) - lower <= 6 / (2 * np.e * top) * np.trace(X)


def test_commuting_flow_without_a_positive_definite_solution():
    rng = np.random.default_rng(8)
    Q, Z = np.linalg.qr(rng.standard_normal((4, 4)))[0], rng.standard_normal((4, 4))
    D, tilde = np.array([[1.0, 1, 2, 0], [0, 0, 0, 1]]), Z @ Z.T / 4
    A = np.stack([Q @ np.diag(d) @ Q.T for d in D])
    problem = ibm.Sensing((A + A.transpose(0, 2, 1)) / 2, np.array([1.0, 0]))
    diagonal, best = np.diag(tilde), ib.minimal_l1(D, problem.y)
    x = best.x[best.x > 1e-9]
    entropy = np.sum(x * np.log(x / diagonal[best.x > 1e-9]) - x)
    for alpha in (0.1, 1e-4):
        root = Q @ np.linalg.cholesky(alpha * tilde)
        X = Q.T @ ibm.flow(problem, root, 1e5, rtol=1e-10)[0] @ Q
        share = np.sqrt(np.diag(X) / diagonal)
        np.testing.assert_allclose(X, tilde * np.outer(share, share), atol=1e-7)
        excess = np.trace(X) - best.value
        assert -1e-4 <= excess <= (entropy + diagonal.sum()) / np.log(1 / alpha)


def test_certificate_needs_a_positive_direction():
    problem = ibm.Sensing(np.eye(2)[None], np.ones(1))
    with pytest.raises(ValueError, match="expected a positive one"):
        ibm.certificate(problem, -np.ones(1))


@pytest.mark.parametrize("R", [1.5, 2.0, 3.0])
def test_minimal_trace_of_the_completion_example(R):
    best = ibm.minimal_trace(ibm.completion(4, {(0, 2): 1, (0, 3): R, (1, 2): R}))
    assert best.lower <= 4 * R <= best.upper
    assert best.upper - best.lower <= 1e-6 * best.upper


@given(seeds)
@settings(max_examples=10, deadline=None)
def test_minimal_trace_brackets_what_it_says(seed):
    rng = np.random.default_rng(seed)
    problem, _ = ibm.gaussian_sensing(5, 6, 5, rng)  # full rank: strictly feasible
    best = ibm.minimal_trace(problem)
    np.testing.assert_allclose(ibm.measure(problem, best.X), problem.y, atol=1e-8)
    assert np.linalg.eigvalsh(best.X)[0] >= 0
    assert np.linalg.eigvalsh(ibm.adjoint(problem, best.nu))[-1] <= 1 + 1e-12
    assert best.nu @ problem.y == pytest.approx(best.lower)
    assert np.trace(best.X) == pytest.approx(best.upper)
    assert 0 <= best.upper - best.lower <= 1e-6 * best.upper


def test_minimal_trace_agrees_with_a_conic_solver():
    import cvxpy as cp

    for seed in range(4):
        problem, _ = ibm.gaussian_sensing(6, 8, 1, np.random.default_rng(seed))
        X = cp.Variable((6, 6), PSD=True)
        equations = [cp.trace(A @ X) == y for A, y in zip(problem.A, problem.y, strict=True)]
        value = cp.Problem(cp.Minimize(cp.trace(X)), equations).solve(solver=cp.CLARABEL)
        best = ibm.minimal_trace(problem)
        assert best.lower <= value * (1 + 1e-6)
        assert best.upper >= value * (1 - 1e-6)


def test_minimal_trace_without_a_positive_definite_solution():
    problem, _ = ibm.gaussian_sensing(10, 35, 2, np.random.default_rng(0))  # the truth only
    with pytest.raises(ValueError, match="positive definite solution"):
        ibm.minimal_trace(problem)


def test_the_counterexample_keeps_its_symmetry_and_its_invariant():
    problem, alpha = ibm.completion(4, {(0, 2): 1, (0, 3): 2, (1, 2): 2}), 0.01
    X, _ = ibm.flow(problem, np.sqrt(alpha) * np.eye(4), 3.0, rtol=1e-10)
    E, C = X[:2, :2], X[:2, 2:]
    np.testing.assert_allclose(X[2:, 2:], E, atol=1e-7)
    np.testing.assert_allclose((E + C) @ (E - C), alpha**2 * np.eye(2), atol=1e-6)


@pytest.mark.parametrize("R", [0.8, 1.0, 2.0])
def test_certificate_of_the_run_stays_loose_in_the_example(R):
    problem = ibm.completion(4, {(0, 2): 1, (0, 3): R, (1, 2): R})
    lower = [
        ibm.certificate(problem, ibm.flow(problem, 10.0 ** (-p / 2) * np.eye(4), 100 + 25 * p)[1])[
            1
        ]
        for p in (10, 14)
    ]
    limit = 4 * (1 + 2 * R**2) / (1 + np.sqrt(1 + 4 * R**2))
    assert (14 * lower[1] - 10 * lower[0]) / 4 == pytest.approx(limit, rel=0.01)
    assert limit < ibm.minimal_trace(problem).lower * (1 - 0.03)


def test_the_runaway_flow_is_as_written_out():
    problem = ibm.completion(2, {(0, 1): 1, (1, 1): 0})
    a, b, c = 1.7, 0.4, 0.3
    X = np.array([[a, b], [b, c]])
    M = ibm.residual_matrix(problem, X)
    corner = (1 - b) * (a + c) / 2 - b * c
    expected = [[(1 - b) * b, corner], [corner, (1 - b) * b - 2 * c**2]]
    np.testing.assert_allclose(-(M @ X + X @ M), expected, rtol=1e-12)


def test_the_counterexample_goes_to_rank_one():
    problem = ibm.completion(4, {(0, 2): 1, (0, 3): 2, (1, 2): 2})
    X, s = ibm.flow(problem, 1e-7 * np.eye(4), 500)
    v = np.array([1.0, 2.0, 1.0, 2.0])
    assert np.linalg.norm(X - np.outer(v, v)) < 0.01
    assert np.trace(X) > 9.99 > 8 > ibm.certificate(problem, s)[1]


def test_steering_one_control_is_an_exponential():
    A = np.stack([symmetric(8, 3), symmetric(9, 3)])
    X = ibm.steer(A, np.eye(3), np.array([[0.3, -0.2], [0.1, 0.5]]))
    G = expm(0.1 * A[0] + 0.5 * A[1]) @ expm(0.3 * A[0] - 0.2 * A[1])
    np.testing.assert_allclose(X, G @ G.T, rtol=1e-10)


def test_commutator_loop_to_second_order():
    A, B = symmetric(10, 3), symmetric(11, 3)
    eps, C = 1e-4, ibm.commutator(B, A)
    X = ibm.steer(np.stack([A, B]), np.eye(3), eps * np.array([[1, 0], [0, 1], [-1, 0], [0, -1]]))
    np.testing.assert_allclose((X - np.eye(3)) / eps**2, C + C.T, atol=1e-2)


def test_lie_dimensions():
    assert ibm.lie_dimension(np.stack([np.diag([1.0, 2.0, 3.0]), np.eye(3)])) == 2
    assert (
        ibm.lie_dimension(np.stack([np.diag([1.0, -1.0]), np.array([[0.0, 1.0], [1.0, 0.0]])])) == 3
    )
    assert ibm.lie_dimension(np.stack([symmetric(12, 4), symmetric(13, 4)])) == 16
    assert ibm.lie_dimension(np.zeros((1, 2, 2))) == 0
