"""Local search: derivatives against differences, points against solvers, flows against formulas."""

import itertools

import numpy as np
import pytest
from autograd import grad, hessian
from autograd import numpy as anp
from scipy.optimize import root

from lecture_code import local_search as ls
from lecture_code.optimize import gradient_descent

C = np.random.default_rng(9).standard_normal((5, 6))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ls.net_derivatives([np.eye(3), np.eye(2)], np.eye(3)), "layers: shapes"),
        (lambda: ls.net_derivatives([np.eye(3)], np.ones((3, 2))), "layers: shapes"),
        (lambda: ls.net_derivatives([], np.eye(2)), "layers: shapes"),
        (lambda: ls.two_layer_critical_point(C, [0, 0], 3), "kept: .* different"),
        (lambda: ls.two_layer_critical_point(C, [5], 3), "kept: holds 5"),
        (lambda: ls.two_layer_critical_point(C, [0, 1], 1), "at most 1"),
        (lambda: ls.two_layer_critical_point(C, [0], 1, 0), "balance: 0"),
        (lambda: ls.half_time(0, 0.1, 1), "depth, start: 0"),
        (lambda: ls.half_time(2, 0.9, 1), "start: 0.9"),
        (lambda: ls.learning_curve(2, 0, np.ones(1), np.ones(1)), "depth, start: 2, 0"),
        (lambda: ls.quartic_critical_points(np.array([1, 0])), "weights: .* positive"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# Linear networks


@pytest.mark.parametrize("widths", [(3, 2), (4, 2, 3), (2, 3, 2, 4), (2, 2, 3, 2, 2)], ids=str)
def test_derivatives_of_a_network_are_those_of_autograd(widths):
    rng = np.random.default_rng(len(widths))
    shapes = list(zip(widths[1:], widths, strict=False))
    target = rng.standard_normal((widths[-1], widths[0]))
    layers = [rng.standard_normal(shape) for shape in shapes]
    flat = np.concatenate([W.ravel() for W in layers])

    def loss(w):
        done, at = anp.eye(widths[0]), 0
        for a, b in shapes:
            done, at = w[at : at + a * b].reshape(a, b) @ done, at + a * b
        return anp.sum((done - target) ** 2) / 2

    value, slope, H = ls.net_derivatives(layers, target)
    np.testing.assert_allclose(value, loss(flat))
    np.testing.assert_allclose(slope, grad(loss)(flat), atol=1e-12)
    np.testing.assert_allclose(H, hessian(loss)(flat), atol=1e-12)


def test_critical_points_of_two_layers_are_critical_and_keep_what_they_say():
    U, sigma, Vt = np.linalg.svd(C, full_matrices=False)
    for kept, balance in [((), 1), ((0, 3), 1), ((4, 1, 2), 0.25)]:
        layers = ls.two_layer_critical_point(C, kept, 3, balance)
        np.testing.assert_allclose(ls.net_derivatives(layers, C)[1], 0, atol=1e-12)
        J = list(kept)
        np.testing.assert_allclose(layers[1] @ layers[0], (U[:, J] * sigma[J]) @ Vt[J], atol=1e-12)


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
def test_half_of_a_target_is_learnt_at_half_time(depth):
    start, target = 0.2, 1.7
    time = ls.half_time(depth, start, target)
    curve = ls.learning_curve(depth, start, np.array([target]), np.array([time / 2, time]))
    np.testing.assert_allclose(curve[-1], target / 2, rtol=1e-6)


def test_two_layers_follow_the_logistic_curve():
    times = np.linspace(0.1, 4, 9)
    curve = ls.learning_curve(2, 0.1, np.array([2.0]), times)[:, 0]
    np.testing.assert_allclose(curve, 2 / (1 + (2 / 0.01 - 1) * np.exp(-4 * times)), rtol=1e-6)


# A tensor on the sphere


@pytest.mark.parametrize("weights", [np.ones(3), np.array([1, 2, 0.5])], ids=str)
def test_a_solver_finds_the_critical_points_that_are_listed_and_no_other(weights):
    points, values = ls.quartic_critical_points(weights)
    assert len(np.unique(points.round(9), axis=0)) == 3**3 - 1
    np.testing.assert_allclose(ls.quartic(np.eye(3), weights, points), values)

    def equations(z):
        return np.r_[weights * z[:3] ** 3 - z[3] * z[:3], z[:3] @ z[:3] - 1]

    found = set()
    for x in np.random.default_rng(0).standard_normal((400, 3)):
        run = root(equations, np.r_[x / np.linalg.norm(x), 0.5], tol=1e-13)
        if run.success and np.max(np.abs(equations(run.x))) < 1e-10:
            near = np.linalg.norm(points - run.x[:3], axis=1)
            assert near.min() < 1e-6
            found.add(int(near.argmin()))
    assert len(found) == len(points)


def test_hessian_on_the_sphere_is_that_of_second_differences():
    rng, h = np.random.default_rng(1), 1e-3
    components, weights = rng.standard_normal((4, 3)), np.array([1.0, 2.0, 3.0])
    x = rng.standard_normal(4)
    x /= np.linalg.norm(x)

    def bend(v):
        ends = [np.cos(t) * x + np.sin(t) * v for t in (h, 0, -h)]
        up, here, down = (ls.quartic(components, weights, end) for end in ends)
        return (up + down - 2 * here) / h**2

    basis = np.linalg.svd(x[None])[2][1:]
    H = ls.sphere_hessian(components, weights, x)
    for i, j in itertools.combinations(range(3), 2):
        v = (basis[i] + basis[j]) / np.sqrt(2)
        np.testing.assert_allclose(bend(v), (H[i, i] + H[j, j] + 2 * H[i, j]) / 2, rtol=1e-4)


def test_ascent_follows_the_gradient_and_stays_on_the_sphere():
    components, weights = np.array([[1.0, 0.6], [0.0, 0.8]]), np.array([1.0, 3.0])
    x = np.array([[0.8, 0.6], [0.0, 1.0]])
    slope = [grad(lambda v: anp.sum(weights * (v @ components) ** 4))(row) for row in x]
    moved = x + 0.1 * np.array(slope)
    expected = moved / np.linalg.norm(moved, axis=1, keepdims=True)
    np.testing.assert_allclose(ls.ascend_quartic(components, weights, x, 0.1, 1), expected)


# A chain of saddles


def test_gradient_of_the_chain_is_that_of_differences():
    rng, h = np.random.default_rng(2), 1e-6
    for x in rng.uniform(-2.5, 2.5, (40, 4)):
        steps = h * np.eye(4)
        numeric = (ls.chain(x + steps) - ls.chain(x - steps)) / (2 * h)
        np.testing.assert_allclose(ls.chain_gradient(x), numeric, atol=1e-6)


def test_units_leave_one_after_the_other():
    run = gradient_descent(
        ls.chain_gradient, [0.5, 0.5, 0.0], 0.1, max_steps=400, record_every=1
    ).trajectory
    first = np.argmax(run[:, 0] > 1)
    assert run[first, 1] == pytest.approx(0.5 * 0.7**first)
    second = np.argmax(run[:, 1] > 1)
    assert list(ls.leaving_times(run)) == [first, second, -1]
    assert run[-1] == pytest.approx([2, 2, 0])


# Unit vectors on a graph


def test_hessian_of_synchrony_is_that_of_second_differences():
    rng, h = np.random.default_rng(3), 1e-4
    turns = 2 * np.pi * np.arange(7) / 7
    ring = np.roll(np.eye(7), 1, 0) + np.roll(np.eye(7), -1, 0)
    x = np.stack([np.cos(turns), np.sin(turns), 0 * turns], 1)  # critical: a twisted ring
    tangent = np.linalg.svd(x[:, None])[2][:, 1:]
    v = rng.standard_normal((7, 2))
    velocity = np.einsum("ia,iak->ik", v, tangent)

    def moved(t):
        y = x + t * velocity
        return ls.synchrony(ring, y / np.linalg.norm(y, axis=1, keepdims=True))

    bend = (moved(h) + moved(-h) - 2 * moved(0)) / h**2
    assert v.ravel() @ ls.synchrony_hessian(ring, x) @ v.ravel() == pytest.approx(bend, rel=1e-4)
    assert moved(0) == pytest.approx(7 * np.cos(2 * np.pi / 7))


def test_synchronizing_climbs_to_full_agreement_on_a_complete_graph():
    x = np.random.default_rng(4).standard_normal((5, 6, 3))
    end = ls.synchronize(1 - np.eye(6), x, 0.1, 300)
    np.testing.assert_allclose(ls.synchrony(1 - np.eye(6), end), 15)
