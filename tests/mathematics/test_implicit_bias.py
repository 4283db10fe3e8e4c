"""The vector half of the chapter on implicit bias, against independent ways to the same numbers."""

import numpy as np
import pytest
from autograd import elementwise_grad
from autograd import numpy as anp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from lecture_code import implicit_bias as ib
from lecture_code.optimize import DivergenceError, gradient_descent

KINDS = ("l1", "l2", "linf")
seeds = st.integers(0, 2**32 - 1)


def system(seed, m=4, n=9):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((m, n)), rng.standard_normal(m)


def positive_system(seed, m=3, n=7):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((m, n))
    return A, A @ rng.uniform(0.2, 1.5, n)


def test_norms_and_their_duals():
    w = np.array([3.0, -4.0, 0.0])
    assert [ib.norm(w, kind) for kind in KINDS] == [7, 5, 4]
    rng = np.random.default_rng(0)
    for kind in KINDS:
        for v in rng.standard_normal((200, 3)):
            assert w @ v <= ib.norm(w, ib.DUAL[kind]) * ib.norm(v, kind) * (1 + 1e-12)


def test_unknown_norm():
    with pytest.raises(ValueError, match="kind: 'l3'"):
        ib.norm(np.ones(2), "l3")


@given(seeds)
@settings(max_examples=20, deadline=None)
def test_least_norm_is_the_pseudoinverse_and_the_closest_solution(seed):
    A, y = system(seed)
    np.testing.assert_allclose(ib.least_norm(A, y), np.linalg.pinv(A) @ y, rtol=1e-7, atol=1e-9)
    start = np.random.default_rng(seed).standard_normal(9)
    w = ib.least_norm(A, y, start)
    np.testing.assert_allclose(A @ w, y, atol=1e-8)
    np.testing.assert_allclose(ib.kernel_projection(A) @ (w - start), 0, atol=1e-8)


def test_least_norm_in_a_metric_satisfies_the_optimality_condition():
    A, y = system(3)
    root = np.random.default_rng(4).standard_normal((9, 9))
    H = root @ root.T + np.eye(9)
    w = ib.least_norm(A, y, metric=H)
    np.testing.assert_allclose(A @ w, y, atol=1e-10)
    np.testing.assert_allclose(ib.kernel_projection(A) @ np.linalg.solve(H, w), 0, atol=1e-10)


def test_least_norm_needs_more_columns_than_rows():
    with pytest.raises(ValueError, match="fewer rows than columns"):
        ib.least_norm(np.eye(3), np.ones(3))


def test_kernel_projection():
    A, _ = system(5)
    P = ib.kernel_projection(A)
    np.testing.assert_allclose(P @ P, P, atol=1e-12)
    np.testing.assert_allclose(A @ P, 0, atol=1e-12)
    assert np.trace(P) == pytest.approx(5)


@given(seeds)
@settings(max_examples=15, deadline=None)
def test_conjugate_gradient_and_bfgs_keep_the_kernel_part(seed):
    A, y = system(seed)
    start = np.random.default_rng(seed + 1).standard_normal(9)
    expected = ib.least_norm(A, y, start)
    scale = np.linalg.cond(A) ** 2 * 1e-11
    np.testing.assert_allclose(ib.conjugate_gradient(A, y, start), expected, atol=scale)
    for step in (1.0, 0.6, 1.4):
        end = ib.bfgs(A, y, start, 0.7 * np.eye(9), scale=step)
        np.testing.assert_allclose(end, expected, atol=scale)


def test_bfgs_needs_a_first_matrix_that_maps_the_row_space_to_itself():
    A, y = system(21)
    zero, least = np.zeros(9), ib.least_norm(A, y)
    inner, outer = np.diag([3.0, 1.0, 0.5, 2.0]), 0.3 * ib.kernel_projection(A)
    rows = np.linalg.qr(A.T)[0]
    for H in (np.eye(9) + A.T @ A, rows @ inner @ rows.T + outer):
        np.testing.assert_allclose(ib.bfgs(A, y, zero, H), least, atol=1e-9)
        np.testing.assert_allclose(ib.least_norm(A, y, metric=H), least, atol=1e-9)
    H = np.eye(9) + np.outer(A[0], np.arange(9.0)) + np.outer(np.arange(9.0), A[0])
    H = H @ H
    assert np.linalg.norm(ib.bfgs(A, y, zero, H) - least) > 0.01


@pytest.mark.parametrize("scale", [0.0, 2.0, -1.0, float("nan")])
def test_bfgs_refuses_steps_that_do_not_lower_the_loss(scale):
    A, y = system(21)
    with pytest.raises(ValueError, match="scale"):
        ib.bfgs(A, y, np.zeros(9), np.eye(9), scale=scale)


def test_gradient_descent_converges_below_the_largest_step_only():
    A, y = system(22)
    edge = 2 / np.linalg.norm(A, 2) ** 2
    run = gradient_descent(lambda w: A.T @ (A @ w - y), np.zeros(9), 0.95 * edge, max_steps=3000)
    np.testing.assert_allclose(run.x, ib.least_norm(A, y), atol=1e-9)
    with pytest.raises(DivergenceError):
        gradient_descent(lambda w: A.T @ (A @ w - y), np.zeros(9), 1.05 * edge, max_steps=3000)


def test_no_metric_chosen_before_the_data_describes_adaptive_methods():
    A, y = system(7)
    part = np.where(np.arange(4) < 2, y, 0)
    for rule in ("adagrad", "adam"):
        whole, first, second = (
            ib.adaptive_descent(A, target, np.zeros(9), 0.05, 4000, rule=rule)
            for target in (y, part, y - part)
        )
        assert np.linalg.norm(whole - first - second) > 0.1 * np.linalg.norm(whole)


def test_bfgs_with_a_metric_and_scipy_agree():
    A, y = system(6)
    H = np.diag(np.linspace(0.5, 2, 9))
    mine = ib.bfgs(A, y, np.zeros(9), H)
    np.testing.assert_allclose(mine, ib.least_norm(A, y, metric=H), atol=1e-10)
    run = minimize(lambda w: 0.5 * np.sum((A @ w - y) ** 2), np.zeros(9),
                   jac=lambda w: A.T @ (A @ w - y), method="BFGS",
                   options={"gtol": 1e-10, "hess_inv0": H})  # fmt: skip
    np.testing.assert_allclose(run.x, mine, atol=1e-7)


@pytest.mark.parametrize("rule", ["adagrad", "adam"])
def test_adaptive_methods_solve_but_leave_the_row_space(rule):
    A, y = system(7)
    w = ib.adaptive_descent(A, y, np.zeros(9), 0.05, 4000, rule=rule)
    np.testing.assert_allclose(A @ w, y, atol=1e-6)
    assert np.linalg.norm(ib.kernel_projection(A) @ w) > 0.05


def test_adagrad_first_step_is_by_signs():
    A, y = system(7)
    w = ib.adaptive_descent(A, y, np.zeros(9), 0.05, 1, rule="adagrad")
    np.testing.assert_allclose(w, 0.05 * np.sign(A.T @ y), rtol=1e-6)


def test_unknown_rule():
    with pytest.raises(ValueError, match="rule: 'sgd'"):
        ib.adaptive_descent(*system(0), np.zeros(9), 0.1, 1, rule="sgd")


@given(seeds, st.sampled_from(KINDS))
@settings(max_examples=30, deadline=None)
def test_steepest_direction_attains_the_dual_norm(seed, kind):
    slope = np.random.default_rng(seed).standard_normal(6)
    d = ib.steepest_direction(slope, kind)
    assert ib.norm(d, kind) == pytest.approx(1)
    assert slope @ d == pytest.approx(ib.norm(slope, ib.DUAL[kind]))


def test_steepest_direction_of_zero_is_zero():
    for kind in KINDS:
        assert not ib.steepest_direction(np.zeros(3), kind).any()


@pytest.mark.parametrize("kind", KINDS)
def test_steepest_descent_never_rises_and_solves(kind):
    A, y = system(8)
    losses = [np.sum((A @ ib.steepest_descent(A, y, kind, k) - y) ** 2) for k in range(0, 60, 3)]
    assert np.all(np.diff(losses) <= 1e-12)
    np.testing.assert_allclose(A @ ib.steepest_descent(A, y, kind, 20_000), y, atol=1e-6)


def test_with_one_equation_each_geometry_finds_its_own_norm():
    A, y = np.array([[1.0, -3.0, 2.0]]), np.array([2.0])
    for kind in KINDS:
        w = ib.steepest_descent(A, y, kind, 500)
        assert ib.norm(w, kind) == pytest.approx(ib.minimal_norm(A, y, kind), rel=1e-6)


def test_with_one_equation_ties_are_resolved_alike():
    tie, zero, y = np.array([[1.0, 1.0]]), np.array([[1.0, 0.0]]), np.array([1.0])
    np.testing.assert_allclose(ib.steepest_descent(tie, y, "l1", 200, scale=1.5).sum(), 1)
    assert ib.norm(ib.steepest_descent(tie, y, "l1", 200, scale=1.5), "l1") == pytest.approx(1)
    assert ib.norm(ib.steepest_descent(zero, y, "linf", 400, scale=1.9), "linf") == pytest.approx(1)


def test_minimal_norms_in_closed_form():
    A, y = np.array([[1.0, -3.0, 2.0]]), np.array([2.0])
    expected = [2 / 3, 2 / np.sqrt(14), 2 / 6]
    assert [ib.minimal_norm(A, y, kind) for kind in KINDS] == pytest.approx(expected)


def test_maximal_margins_by_hand_and_by_slsqp():
    Z = np.array([[2.0, 1.0], [0.0, 1.0]])
    assert [ib.maximal_margin(Z, kind) for kind in KINDS] == pytest.approx([1, 1, 1])
    rng = np.random.default_rng(9)
    Z = rng.standard_normal((8, 3)) + np.array([2.0, 0, 0])
    run = minimize(lambda w: w @ w, np.array([2.0, 0, 0]), method="SLSQP",
                   constraints={"type": "ineq", "fun": lambda w: Z @ w - 1})  # fmt: skip
    assert ib.maximal_margin(Z, "l2") == pytest.approx(1 / np.linalg.norm(run.x), rel=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_margin_bound_holds_at_every_length(kind):
    rng = np.random.default_rng(10)
    Z = rng.standard_normal((8, 3)) + np.array([2.5, 0, 0])
    gamma = ib.maximal_margin(Z, kind)
    bounds = []
    for steps in (10, 100, 1000, 6000):
        run = ib.logistic_descent(Z, kind, steps)
        margin = np.min(Z @ run.w) / ib.norm(run.w, kind)
        assert margin <= gamma * (1 + 1e-9)
        if run.bound > 0:
            assert margin >= run.bound
        assert run.loss == pytest.approx(np.sum(np.log1p(np.exp(-Z @ run.w))))
        bounds.append(run.bound)
    assert bounds[-1] > 0.7 * gamma
    assert np.all(np.diff(bounds) > 0)
    assert run.loss < 1e-12


def test_first_logistic_step():
    Z = np.array([[1.0, 2.0]])
    run = ib.logistic_descent(Z, "l2", 1)
    np.testing.assert_allclose(run.w, Z[0] / 5)


def test_square_gradient_by_autograd_and_in_batches():
    A, y = system(11)
    u = np.random.default_rng(12).standard_normal((9, 3))

    def loss(u):
        return 0.25 * anp.sum((anp.dot(A, u * u) - y[:, None]) ** 2)

    expected = elementwise_grad(loss)(u)
    np.testing.assert_allclose(ib.square_gradient(A, y, u), expected, atol=1e-10)
    np.testing.assert_allclose(ib.square_gradient(A, y, u[:, 1]), expected[:, 1], atol=1e-10)


@given(seeds, st.floats(1e-6, 10))
@settings(max_examples=25, deadline=None)
def test_entropy_minimiser_is_feasible_on_the_manifold_and_least(seed, alpha):
    A, y = positive_system(seed)
    x0 = np.full(7, alpha**2)
    x, s = ib.entropy_minimiser(A, y, x0)
    np.testing.assert_allclose(A @ x, y, atol=1e-8 * np.linalg.norm(y))
    np.testing.assert_allclose(x, ib.on_manifold(A, x0, s), rtol=1e-10)
    step = ib.kernel_projection(A) @ np.random.default_rng(seed + 1).standard_normal(7)
    for size in (0.5, -0.5):
        other = x + size * np.min(x / np.abs(step)) * step
        assert ib.entropy(other, x0) >= ib.entropy(x, x0) * (1 - 1e-9)


def test_entropy_minimiser_from_a_given_s():
    A, y = positive_system(13)
    x0 = np.full(7, 0.1)
    x, s = ib.entropy_minimiser(A, y, x0)
    np.testing.assert_allclose(ib.entropy_minimiser(A, y, x0, s + 0.3)[0], x, rtol=1e-9)


def test_entropy_minimiser_errors():
    with pytest.raises(ValueError, match="x0: smallest entry"):
        ib.entropy_minimiser(*positive_system(0), np.zeros(7))
    with pytest.raises(ValueError, match="positive solution"):
        ib.entropy_minimiser(np.array([[1.0, 1.0]]), np.array([-1.0]), np.ones(2))


def test_entropy_minimiser_is_the_dual_minimum_of_scipy():
    A, y = positive_system(18)
    x0 = np.full(7, 0.2)
    dual = minimize(lambda s: 0.5 * np.sum(ib.on_manifold(A, x0, s)) - y @ s, np.zeros(3),
                    method="BFGS", options={"gtol": 1e-10})  # fmt: skip
    _, s = ib.entropy_minimiser(A, y, x0)
    np.testing.assert_allclose(dual.x, s, atol=1e-6)


def test_entropy_by_hand_and_at_zeros():
    assert ib.entropy(np.array([0.0, 2.0]), np.array([3.0, 1.0])) == pytest.approx(
        3 + 2 * np.log(2) - 1
    )
    assert ib.entropy(np.ones(3), np.ones(3)) == 0


def test_flow_ends_at_the_entropy_minimiser_and_weights_do_not_matter():
    A, y = positive_system(14)
    u0 = np.full(7, 0.5)
    expected, _ = ib.entropy_minimiser(A, y, u0**2)
    for weights in (np.ones(3), np.array([0.4, 1.0, 2.0])):
        root = np.sqrt(weights)
        u = ib.square_flow(root[:, None] * A, root * y, u0, 500)
        np.testing.assert_allclose(u**2, expected, rtol=1e-6)


def test_flow_stays_on_the_manifold_and_lowers_the_entropy_to_every_solution():
    A, y = positive_system(19)
    rng, u0 = np.random.default_rng(20), np.full(7, 0.5)
    z, _ = ib.entropy_minimiser(A, y, rng.uniform(0.1, 1, 7))
    times = (0.0, 0.1, 0.4, 1.0, 3.0)
    points = [u0**2] + [ib.square_flow(A, y, u0, t) ** 2 for t in times[1:]]
    for x in points:
        np.testing.assert_allclose(ib.off_manifold(A, x, u0**2), 0, atol=1e-7)
    falls = [ib.entropy(z, u0**2) - ib.entropy(z, x) for x in points]
    best, _ = ib.entropy_minimiser(A, y, u0**2)
    same = [ib.entropy(best, u0**2) - ib.entropy(best, x) for x in points]
    np.testing.assert_allclose(falls, same, atol=1e-7)
    assert np.all(np.diff(falls) > 0)


def test_flow_without_a_positive_solution_finds_the_face():
    A, y = np.array([[1.0, 1, 1], [0, 0, 1]]), np.array([1.0, 0])
    x = ib.square_flow(A, y, np.sqrt([0.1, 0.3, 0.2]), 1e6) ** 2
    np.testing.assert_allclose(x, [0.25, 0.75, 0], atol=1e-6)


def test_flow_agrees_with_small_gradient_steps():
    A, y = positive_system(15)
    u0 = np.full(7, 0.5)
    run = gradient_descent(lambda u: ib.square_gradient(A, y, u), u0, 1e-4, max_steps=20_000)
    np.testing.assert_allclose(run.x, ib.square_flow(A, y, u0, 2.0), rtol=1e-3)


def test_minimal_l1_on_a_hand_made_problem():
    A, y = np.array([[1.0, 2.0, 0.5]]), np.array([2.0])
    best = ib.minimal_l1(A, y)
    np.testing.assert_allclose(best.x, [0, 1, 0], atol=1e-9)
    assert best.value == pytest.approx(1)
    assert best.slack == pytest.approx(0.5)  # nu = 1/2, slacks 1 - 1/2 and 1 - 1/4
    np.testing.assert_allclose(best.dual, [0.5])


def test_minimal_l1_without_solution():
    with pytest.raises(ValueError, match="x >= 0"):
        ib.minimal_l1(np.array([[1.0, 2.0]]), np.array([-1.0]))


@pytest.mark.parametrize("seed", [1, 6, 7])
def test_excess_has_the_predicted_exponent_and_bound(seed):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((8, 20)) / np.sqrt(8)
    y = A @ np.r_[1.0, 0.6, 0.3, np.zeros(17)]
    best, excess = ib.minimal_l1(A, y), []
    for alpha in (1e-7, 1e-9):
        x, _ = ib.entropy_minimiser(A, y, np.full(20, alpha**2))
        excess.append((1 - A.T @ best.dual) @ x)
    assert np.log10(excess[0] / excess[1]) / 2 == pytest.approx(2 * best.slack, rel=0.01)


@given(seeds)
@settings(max_examples=25, deadline=None)
def test_certificate_is_a_lower_bound(seed):
    A, y = positive_system(seed)
    _, s = ib.entropy_minimiser(A, y, np.full(7, 1e-6))
    nu, lower = ib.certificate(A, y, s)
    assert np.max(A.T @ nu) == pytest.approx(1)
    assert lower <= ib.minimal_l1(A, y).value * (1 + 1e-9)


def test_gap_of_the_certificate_in_closed_form():
    A, y = positive_system(23)
    for alpha in (1e-2, 1e-5):
        x, s = ib.entropy_minimiser(A, y, np.full(7, alpha**2))
        gap = np.sum(x * np.log(x.max() / x)) / (2 * np.log(1 / alpha) + np.log(x.max()))
        assert np.sum(x) - ib.certificate(A, y, s)[1] == pytest.approx(gap, rel=1e-8)


def test_difference_of_runs_finds_the_dual_solution_of_largest_slack():
    A = np.random.default_rng(6).standard_normal((8, 20)) / np.sqrt(8)
    y = A @ np.r_[1.0, 0.6, 0.3, np.zeros(17)]
    best = ib.minimal_l1(A, y)
    runs = [ib.entropy_minimiser(A, y, np.full(20, a**2))[1] for a in (1e-8, 1e-10)]
    slack = 1 - A.T @ (runs[1] - runs[0]) / np.log(100)
    np.testing.assert_allclose(slack[:3], 0, atol=1e-4)
    assert slack[3:].min() == pytest.approx(best.slack, rel=2e-3)


def test_certificate_needs_a_positive_direction():
    with pytest.raises(ValueError, match="expected a positive one"):
        ib.certificate(np.array([[1.0, 2.0]]), np.array([1.0]), np.array([-1.0]))


def test_off_manifold_vanishes_on_the_manifold_only():
    A, _ = system(16)
    x0 = np.full(9, 0.2)
    points = np.column_stack([ib.on_manifold(A, x0, s) for s in np.eye(4)])
    np.testing.assert_allclose(ib.off_manifold(A, points, x0), 0, atol=1e-12)
    v = ib.kernel_projection(A) @ np.arange(9.0)
    np.testing.assert_allclose(ib.off_manifold(A, x0 * np.exp(v), x0), v, atol=1e-12)


@pytest.mark.parametrize("beta", [0.0, 0.5])
def test_drift_at_a_fixed_time_is_right_to_second_order(beta):
    A, y = positive_system(17, 2, 5)
    u0 = np.full(5, 0.4)
    slope, errors = ib.drift(A, y, u0**2, 1.0), []
    for h in (0.004, 0.002):
        run = gradient_descent(lambda u: ib.square_gradient(A, y, u), u0, h * (1 - beta),
                               max_steps=round(1 / h), momentum=beta)  # fmt: skip
        off = ib.off_manifold(A, run.x**2, u0**2)
        errors.append(np.linalg.norm(off - h * (1 + beta) / (1 - beta) * slope))
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.1)


@given(seeds)
@settings(max_examples=15, deadline=None)
def test_gradient_descent_stays_within_the_drift_bound(seed):
    rng = np.random.default_rng(seed)
    A, z, x0 = rng.standard_normal((2, 5)), rng.uniform(0, 1, 5), rng.uniform(0.05, 0.5, 5)
    step, bound = ib.drift_bound(A, z, x0)
    y = A @ z
    run = gradient_descent(lambda u: ib.square_gradient(A, y, u), np.sqrt(x0), step,
                           max_steps=3000, record_every=1)  # fmt: skip
    distances = np.array([ib.entropy(z, u**2) for u in run.trajectory])
    residuals = np.sum((A @ run.trajectory.T**2 - y[:, None]) ** 2, axis=0)
    assert np.all(np.diff(distances) <= -step * residuals[:-1] + 1e-12)
    drifts = np.linalg.norm(ib.off_manifold(A, run.trajectory.T**2, x0), axis=0)
    assert np.all(drifts <= step * bound)


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9])
def test_drift_predicts_heavy_ball(beta):
    A, y = positive_system(17, 2, 5)
    u0 = np.full(5, 0.4)
    slope, h = ib.drift(A, y, u0**2, 300), 0.004 * (1 - beta) / (1 + beta)
    run = gradient_descent(lambda u: ib.square_gradient(A, y, u), u0, h * (1 - beta),
                           max_steps=150_000, tolerance=1e-7, momentum=beta)  # fmt: skip
    off = ib.off_manifold(A, run.x**2, u0**2)
    np.testing.assert_allclose(off, 0.004 * slope, atol=0.05 * 0.004 * np.linalg.norm(slope))


def test_inertial_flow_solves_and_drifts_as_predicted():
    A, y = positive_system(17, 2, 5)
    u0 = np.full(5, 0.4)
    u = ib.inertial_flow(A, y, u0, 30.0, 300)
    np.testing.assert_allclose(A @ u**2, y, atol=1e-6)
    slope = ib.drift(A, y, u0**2, 300)
    off = ib.off_manifold(A, u**2, u0**2)
    np.testing.assert_allclose(off, 2 / 900 * slope, atol=0.05 * 2 / 900 * np.linalg.norm(slope))
