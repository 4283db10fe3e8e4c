"""Low-rank recovery: derivatives, isometry, solvers and the sharp constants by independent ways."""

from fractions import Fraction
from itertools import combinations

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import null_space
from scipy.optimize import minimize

from lecture_code import measurements as ms
from lecture_code import sensing as sn
from lecture_code.traces import minimal_trace

seeds = st.integers(0, 2**32 - 1)
SHAPES = [(1, 1), (1, 2), (2, 2), (1, 3), (2, 3)]


def gaussian(seed, n=5, m=12, rank=2):
    return ms.gaussian_sensing(n, m, rank, np.random.default_rng(seed))


def basis(n):
    """An orthonormal basis of the symmetric matrices."""
    single = [np.outer(e, e) for e in np.eye(n)]
    pairs = [(np.outer(a, b) + np.outer(b, a)) / np.sqrt(2) for a, b in combinations(np.eye(n), 2)]
    return np.stack(single + pairs)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sn.align(np.ones((3, 1)), np.ones((3, 2))), "Z: 2 columns"),
        (lambda: sn.weak_direction(np.eye(2), 1.5, np.ones((2, 1))), "delta: 1.5"),
        (lambda: sn.weak_direction(np.zeros((2, 2)), 0.5, np.ones((2, 1))), "V: norm 0"),
        (lambda: sn.weak_direction(np.ones((2, 2)) + np.eye(2, k=1), 0.5, np.ones((2, 1))), "V: n"),
        (lambda: sn.threshold(3, 2), "rank, columns: 3, 2"),
        (lambda: sn.least_escape(1.0), "delta: 1.0"),
        (lambda: sn.isometry_bound(1.0, 0), "expected w >= 0"),
        (
            lambda: sn.descend([gaussian(0)[0]], np.ones((2, 5, 1)), 0.1, 1),
            "expected one a problem",
        ),
        (lambda: minimal_trace(gaussian(0)[0], penalty=-1.0), "penalty: -1.0"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@given(seeds)
@settings(max_examples=20)
def test_derivatives_by_differences(seed):
    problem, _ = gaussian(seed)
    U, D = np.random.default_rng(seed).standard_normal((2, 5, 3))
    t = 1e-4
    up, here, down = (sn.objective(problem, U + s * D) for s in (t, 0, -t))
    assert np.sum(sn.gradient(problem, U) * D) == pytest.approx((up - down) / (2 * t), rel=1e-5)
    form = D.ravel() @ sn.hessian(problem, U) @ D.ravel()
    assert form == pytest.approx((up - 2 * here + down) / t**2, rel=1e-3, abs=1e-3)


@given(seeds)
@settings(max_examples=20)
def test_align_finds_the_nearest_factor(seed):
    rng = np.random.default_rng(seed)
    U, Z = rng.standard_normal((5, 3)), rng.standard_normal((5, 2))
    near = sn.align(U, Z)
    np.testing.assert_allclose(near @ near.T, Z @ Z.T, atol=1e-12)
    inner = U.T @ near
    np.testing.assert_allclose(inner, inner.T, atol=1e-12)
    assert np.linalg.eigvalsh(inner)[0] > -1e-12
    for _ in range(20):
        turn = np.linalg.qr(rng.standard_normal((3, 3)))[0][:2]
        assert np.linalg.norm(U - Z @ turn) >= np.linalg.norm(U - near) - 1e-12


def test_newton_ends_where_the_gradient_vanishes():
    problem, truth = gaussian(1, 6, 80)
    ends = [
        sn.critical_point(problem, start)
        for start in np.random.default_rng(2).standard_normal((12, 6, 2))
    ]
    slopes = [np.linalg.norm(sn.gradient(problem, U)) for U in ends]
    errors = [np.linalg.norm(U @ U.T - truth) for U in ends]
    assert sum(slope < 1e-8 for slope in slopes) >= 6
    assert any(error > 0.1 and slope < 1e-8 for error, slope in zip(errors, slopes, strict=True))


def test_descent_of_a_batch_is_that_of_its_members():
    pairs = [gaussian(seed, 5, 40, 1) for seed in range(3)]
    problems = [problem for problem, _ in pairs]
    starts = 0.1 * np.random.default_rng(0).standard_normal((3, 5, 1))
    together = sn.descend(problems, starts, 0.1, 800)
    for k, (problem, truth) in enumerate(pairs):
        alone = sn.descend([problem], starts[k : k + 1], 0.1, 800)[0]
        np.testing.assert_allclose(together[k], alone, atol=1e-9)
        np.testing.assert_allclose(alone @ alone.T, truth, atol=1e-6)


def test_spectral_start_is_the_best_positive_part():
    problem, _ = gaussian(3, 5, 9)
    U = sn.spectral_start(problem, 2)
    image = sum(y * A for y, A in zip(problem.y, problem.A, strict=True)) / problem.m
    X = cp.Variable((5, 5), PSD=True)
    values = np.linalg.eigvalsh(image)
    assert np.linalg.norm(image - U @ U.T) ** 2 == pytest.approx(
        np.sum(values[:3] ** 2) + np.sum(np.minimum(values[3:], 0) ** 2)
    )
    free = cp.Problem(cp.Minimize(cp.sum_squares(image - X))).solve(solver=cp.CLARABEL)
    assert np.linalg.norm(image - U @ U.T) ** 2 >= free - 1e-6


@pytest.mark.parametrize("m", [8, 40])
def test_the_search_attains_the_exact_constant_of_size_three(m):
    """A singular matrix in size three is one whose kernel is a unit vector: a grid of those."""
    problem, _ = gaussian(m, 3, m, 1)
    tall, turn = np.meshgrid(np.linspace(0, 1, 90), np.linspace(0, 2 * np.pi, 180, endpoint=False))
    flat = np.sqrt(1 - tall**2)
    normals = np.stack([flat * np.cos(turn), flat * np.sin(turn), tall], -1).reshape(-1, 3)
    _, _, rows = np.linalg.svd(normals[:, None])
    p, q = rows[:, 1], rows[:, 2]
    outer = np.einsum("ki,kj->kij", p, q)
    three = np.stack(
        [
            np.einsum("ki,kj->kij", p, p),
            np.einsum("ki,kj->kij", q, q),
            (outer + outer.transpose(0, 2, 1)) / np.sqrt(2),
        ],
        axis=1,
    )
    images = np.einsum("kaij,mij->kam", three, problem.A)
    values = np.linalg.eigvalsh(images @ images.transpose(0, 2, 1) / m)
    low, high = sn.isometry_search(problem, 2, np.random.default_rng(0), steps=200)
    assert low == pytest.approx(values[:, 0].min(), rel=5e-3, abs=2e-4)
    assert high == pytest.approx(values[:, -1].max(), rel=5e-3)
    assert low <= values[:, 0].min() + 1e-12
    assert high >= values[:, -1].max() - 1e-12


def test_width_and_bound():
    """In size one the width is the mean of |N(0, 1)|; the bound is far but on the right side."""
    width = sn.gaussian_width(1, 1, np.random.default_rng(0), 40_000)
    assert width == pytest.approx(np.sqrt(2 / np.pi), abs=0.01)
    assert sn.gaussian_width(6, 6, np.random.default_rng(0)) == pytest.approx(np.sqrt(21), rel=0.03)
    width = sn.gaussian_width(5, 2, np.random.default_rng(0))
    for seed in range(5):
        low, high = sn.isometry_search(gaussian(seed, 5, 200)[0], 2, np.random.default_rng(0))
        assert max(1 - low, high - 1) <= sn.isometry_bound(width, 200)


@given(seeds, st.floats(0, 0.9))
@settings(max_examples=15)
def test_weak_direction_has_the_isometry_that_it_says(seed, delta):
    rng = np.random.default_rng(seed)
    G, Z = rng.standard_normal((4, 4)), rng.standard_normal((4, 2))
    problem = sn.weak_direction(G + G.T, delta, Z)
    rows = problem.A.reshape(problem.m, -1) @ basis(4).reshape(10, -1).T
    spectrum = np.linalg.eigvalsh(rows.T @ rows / problem.m)
    np.testing.assert_allclose(spectrum, [1 - delta] + [1 + delta] * 9, atol=1e-12)
    np.testing.assert_allclose(ms.measure(problem, Z @ Z.T), problem.y, atol=1e-12)


@given(seeds, st.floats(0, 1))
@settings(max_examples=20)
def test_the_polynomial_is_the_loss_of_its_measurements(seed, delta):
    point = np.random.default_rng(seed).standard_normal(2)
    problem = sn.weak_direction(np.diag([1.0, -1.0]), delta, np.array([[1.0], [0.0]]))
    U = point[:, None]
    np.testing.assert_allclose(sn.sharp(point, delta), sn.objective(problem, U), atol=1e-10)
    slope = sn.gradient(problem, U)[:, 0]
    np.testing.assert_allclose(sn.sharp_gradient(point, delta), slope, atol=1e-10)


@pytest.mark.parametrize("delta", [Fraction(1, 4), Fraction(1, 2), Fraction(4, 5)])
def test_the_lake_in_exact_fractions(delta):
    """With q = y^2 for y: f = (x2 - 1)^2 + 2 d (x2 - 1) q + q^2 + 2 (1 + d) x2 q, at x2 = 0."""
    q = delta
    assert 1 - 2 * delta * q + q**2 == 1 - delta**2
    assert 2 * (q - delta) == 0  # df/dq
    assert 4 * (-1 + (1 + 2 * delta) * q) == 4 * (2 * delta - 1) * (1 + delta)  # d2f/dx2
    spectrum = np.linalg.eigvalsh(
        sn.hessian(
            sn.weak_direction(np.diag([1.0, -1.0]), float(delta), np.array([[1.0], [0.0]])),
            np.array([[0.0], [float(delta) ** 0.5]]),
        )
    )
    expected = sorted([4 * (2 * delta - 1) * (1 + delta), 8 * delta])
    np.testing.assert_allclose(spectrum, [float(value) for value in expected], atol=1e-12)


# The sharp constants, by a semidefinite program over all measurements


def oracle(U, Z, delta=None):
    """The least delta at which some H makes U critical with a semidefinite Hessian.

    With ``delta`` given, the largest least eigenvalue of the Hessian instead. Rotations of U, along
    which f is constant, are left out.
    """
    n, k = U.shape
    B = basis(n)
    H = cp.Variable((len(B), len(B)), symmetric=True)
    bound, least = cp.Variable() if delta is None else delta, cp.Variable()
    skew = [np.outer(a, b) - np.outer(b, a) for a, b in combinations(np.eye(k), 2)]
    spins = np.array([(U @ K).ravel() for K in skew]).reshape(-1, n * k)
    steps = null_space(spins) if skew else np.eye(n * k)
    moves = steps.T.reshape(-1, n, k)
    S = np.einsum("aij,dij->da", B, U @ moves.transpose(0, 2, 1) + moves @ U.T)
    image = H @ np.einsum("aij,ij->a", B, U @ U.T - Z @ Z.T)
    HE = sum(image[a] * B[a] for a in range(len(B)))
    form = 2 * S @ H @ S.T + 4 * steps.T @ cp.kron(HE, np.eye(k)) @ steps
    form = (form + form.T) / 2
    one, few = np.eye(len(B)), np.eye(len(moves))
    isometry = [H - (1 - bound) * one >> 0, (1 + bound) * one - H >> 0, S @ image == 0]
    if delta is None:
        task = cp.Problem(cp.Minimize(bound), [*isometry, form >> 0])
    else:
        task = cp.Problem(cp.Maximize(least), [*isometry, form >> least * few])
    return task.solve(solver=cp.CLARABEL)


@pytest.mark.parametrize(("rank", "columns"), SHAPES)
def test_at_the_traps_of_the_proof_the_least_delta_is_the_threshold(rank, columns):
    n = rank + columns
    p = sn.threshold(rank, columns) * np.sqrt(rank / columns)
    U, Z = np.sqrt(p) * np.eye(n)[:, rank:], np.eye(n)[:, :rank]
    assert oracle(U, Z) == pytest.approx(sn.threshold(rank, columns), abs=2e-4)


@pytest.mark.parametrize(("rank", "columns"), [(1, 1), (1, 2), (2, 2)])
def test_around_the_traps_no_delta_below_the_threshold_makes_another(rank, columns):
    rng = np.random.default_rng(rank + 10 * columns)
    n, least = rank + columns, sn.threshold(rank, columns)
    trap = np.sqrt(least * np.sqrt(rank / columns)) * np.eye(n)[:, rank:]
    for size in (0.03, 0.1, 0.1, 0.2):
        U = trap + size * rng.standard_normal((n, columns))
        Z = np.eye(n)[:, :rank] + size * rng.standard_normal((n, rank))
        assert least - 1e-4 < oracle(U, Z) < 1


def test_a_search_for_the_best_trap_ends_at_one_half():
    def value(point):
        return oracle(point[:, None], np.array([[1.0], [0.0]]))

    found = minimize(value, [0.3, 0.6], method="Nelder-Mead", options={"xatol": 1e-3, "maxfev": 60})
    assert found.fun == pytest.approx(0.5, abs=1e-3)
    np.testing.assert_allclose(np.abs(found.x), [0, np.sqrt(0.5)], atol=0.05)


@pytest.mark.parametrize("delta", [0.05, 0.2, 0.4])
def test_the_worst_curvature_of_rank_one_is_what_the_theorem_says(delta):
    """Over all measurements, at its saddle and at others."""
    Z = np.array([[1.0], [0.0]])
    p = delta / np.sqrt(2 * (1 - delta))
    saddle = np.array([[0.0], [np.sqrt(p)]])
    assert oracle(saddle, Z, delta) == pytest.approx(-sn.least_escape(delta), abs=1e-4)
    pair = np.sqrt(p) * np.eye(4)[:, 2:]  # the same in rank two
    value = oracle(pair, np.eye(4)[:, :2], delta)
    assert value == pytest.approx(-sn.least_escape(delta), abs=1e-4)
    for height in (0.7 * p, 1.2 * p):
        value = oracle(np.array([[0.0], [np.sqrt(height)]]), Z, delta)
        assert value is None or value <= -sn.least_escape(delta) + 1e-5


# The solver of the convex way


@pytest.mark.parametrize(("n", "m", "rank"), [(6, 12, 1), (6, 18, 2), (10, 45, 2)])
def test_the_least_trace_where_only_the_truth_fits(n, m, rank):
    problem, truth = gaussian(0, n, m, rank)
    best = minimal_trace(problem, 1e-7)
    np.testing.assert_allclose(best.X, truth, atol=1e-10)
    np.testing.assert_allclose(ms.measure(problem, best.X), problem.y, atol=1e-10)
    assert np.linalg.eigvalsh(ms.adjoint(problem, best.nu))[-1] <= 1 + 1e-12
    assert best.nu @ problem.y == pytest.approx(best.lower)
    assert best.lower <= np.trace(truth) <= best.upper + 1e-9


@pytest.mark.parametrize("penalty", [1.0, 0.01])
def test_the_penalised_trace_agrees_with_a_conic_solver(penalty):
    problem, _ = gaussian(4, 5, 10)
    best = minimal_trace(problem, 1e-7, penalty)
    X = cp.Variable((5, 5), PSD=True)
    images = cp.hstack([cp.trace(A @ X) for A in problem.A])
    loss = cp.trace(X) + cp.sum_squares(images - problem.y) / penalty
    value = cp.Problem(cp.Minimize(loss)).solve(solver=cp.CLARABEL)
    assert best.lower <= value * (1 + 1e-5)
    assert best.upper >= value * (1 - 1e-5)


def test_at_perfect_isometry_a_penalty_shrinks_the_eigenvalues():
    truth = np.diag([2.0, 0.5, 0.0])
    problem = ms.Sensing(basis(3), np.einsum("aij,ij->a", basis(3), truth))
    for penalty, expected in ((0.4, [1.8, 0.3, 0]), (2.0, [1, 0, 0])):
        best = minimal_trace(problem, 1e-9, penalty)
        np.testing.assert_allclose(np.diag(best.X), expected, atol=1e-4)


def test_isometry_bound_by_hand():
    assert sn.isometry_bound(2.0, 64, 2 * np.exp(-2)) == pytest.approx(1.5**2 - 1)
