"""The kernel chapter's functions, against autograd, brute force, Monte Carlo and each other."""

import tracemalloc
from itertools import combinations
from math import comb

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad, hessian
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import dblquad, quad
from scipy.stats import norm

from lecture_code import ntk
from lecture_code.display import claims

AUTO = {"relu": lambda u: anp.maximum(u, 0.0), "tanh": anp.tanh}
KINDS = [(act, layers) for act in (ntk.RELU, ntk.TANH) for layers in ("both", "first")]
KIND_IDS = [f"{act.name}-{layers}" for act, layers in KINDS]


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def auto_outputs(act, x):
    def outputs(theta):
        return AUTO[act.name](x @ theta[:, :-1].T) @ theta[:, -1] / np.sqrt(len(theta))

    return outputs


def auto_jacobian(theta, x, act, layers):
    rows = [grad(lambda p, i=i: auto_outputs(act, x)(p)[i])(theta) for i in range(len(x))]
    rows = np.array(rows)
    if layers == "first":
        rows[:, :, -1] = 0
    return rows.reshape(len(x), -1)


@pytest.mark.parametrize("act", [ntk.RELU, ntk.TANH], ids=lambda a: a.name)
def test_activation_derivatives(act):
    u = np.linspace(-2.95, 3.05, 61)
    h = 1e-5
    assert np.allclose((act.value(u + h) - act.value(u - h)) / (2 * h), act.slope(u), atol=1e-8)
    assert np.allclose((act.slope(u + h) - act.slope(u - h)) / (2 * h), act.curvature(u), atol=1e-8)


def test_bend_is_the_largest_curvature():
    u = np.linspace(-4, 4, 200_001)
    assert np.isclose(np.abs(ntk.TANH.curvature(u)).max(), ntk.TANH.bend, rtol=1e-8)
    assert ntk.RELU.bend == np.inf


def test_sphere(rng):
    x = ntk.sphere(200, 4, rng)
    assert np.allclose(np.linalg.norm(x, axis=1), 1)
    assert np.abs(x.mean(axis=0)).max() < 0.15


def test_initialize(rng):
    theta = ntk.initialize(4000, 3, rng)
    assert theta.shape == (4000, 4)
    assert set(np.unique(theta[:, -1])) == {-1.0, 1.0}
    assert np.isclose(theta[:, :-1].std(), 1, atol=0.03)
    pairs = ntk.initialize(10, 3, rng, symmetric=True)
    assert np.array_equal(pairs[:5, :-1], pairs[5:, :-1])
    assert np.array_equal(pairs[:5, -1], -pairs[5:, -1])


@pytest.mark.parametrize(("m", "symmetric"), [(0, False), (7, True), (0, True)])
def test_initialize_rejects(m, symmetric, rng):
    with pytest.raises(ValueError, match=rf"m: {m}; expected"):
        ntk.initialize(m, 3, rng, symmetric=symmetric)


@pytest.mark.parametrize("act", [ntk.RELU, ntk.TANH], ids=lambda a: a.name)
def test_predict_is_the_formula(act, rng):
    theta, x = ntk.initialize(6, 3, rng), rng.normal(size=(4, 3))
    slow = [sum(row[-1] * act.value(row[:-1] @ p) for row in theta) / np.sqrt(6) for p in x]
    assert np.allclose(ntk.predict(theta, x, act), slow, rtol=1e-12)
    assert np.allclose(ntk.predict(theta, x, act), auto_outputs(act, x)(theta), rtol=1e-12)


@pytest.mark.parametrize(("act", "layers"), KINDS, ids=KIND_IDS)
def test_jacobian_gradient_and_kernel_against_autograd(act, layers, rng):
    theta, x, z = ntk.initialize(7, 3, rng), rng.normal(size=(5, 3)), rng.normal(size=(4, 3))
    theta[:, -1] *= rng.uniform(0.5, 2, 7)
    J, L = (auto_jacobian(theta, points, act, layers) for points in (x, z))
    c = rng.normal(size=5)
    assert np.allclose(ntk.jacobian(theta, x, act, layers), J, rtol=1e-12)
    assert np.allclose(ntk.gradient(theta, x, c, act, layers).ravel(), c @ J, rtol=1e-12)
    assert np.allclose(ntk.empirical_ntk(theta, x, None, act, layers), J @ J.T, rtol=1e-12)
    assert np.allclose(ntk.empirical_ntk(theta, x, z, act, layers), J @ L.T, rtol=1e-12)
    change = rng.normal(size=theta.shape)
    if layers == "first":
        change[:, -1] = 0
    line = ntk.predict(theta, x, act) + J @ change.ravel()
    assert np.allclose(ntk.linear_model(theta, change, x, act), line, rtol=1e-12)


@pytest.mark.parametrize(("act", "layers"), KINDS, ids=KIND_IDS)
def test_batches_are_loops(act, layers, rng):
    x, z = ntk.sphere(5, 3, rng), ntk.sphere(2, 3, rng)
    nets = np.stack([ntk.initialize(6, 3, rng) for _ in range(3)])
    c, change = rng.normal(size=(3, 5)), rng.normal(size=nets.shape)
    for k, net in enumerate(nets):
        assert np.allclose(ntk.predict(nets, x, act)[k], ntk.predict(net, x, act))
        one = ntk.gradient(net, x, c[k], act, layers)
        assert np.allclose(ntk.gradient(nets, x, c, act, layers)[k], one)
        one = ntk.linear_model(net, change[k], x, act)
        assert np.allclose(ntk.linear_model(nets, change, x, act)[k], one)
        one = ntk.empirical_ntk(net, x, z, act, layers)
        assert np.allclose(ntk.empirical_ntk(nets, x, z, act, layers)[k], one)


def test_training_a_batch_is_training_each(rng):
    x, y = ntk.sphere(5, 3, rng), rng.normal(size=5)
    nets = np.stack([ntk.initialize(8, 3, rng) for _ in range(2)])
    together = ntk.train(nets, x, y, 0.1, 20, activation=ntk.TANH, scale=2.0, momentum=0.5)
    alone = [
        ntk.train(n, x, y, 0.1, 20, activation=ntk.TANH, scale=2.0, momentum=0.5).x for n in nets
    ]
    assert np.allclose(together.x, alone, rtol=1e-12)


def test_training_follows_the_scaled_loss(rng):
    x, y, scale = ntk.sphere(5, 3, rng), rng.normal(size=5), 3.0
    theta = ntk.initialize(8, 3, rng)

    def loss(p):
        return anp.sum((scale * auto_outputs(ntk.TANH, x)(p) - y) ** 2) / (2 * scale**2)

    expected = theta - 0.1 * grad(loss)(theta)
    one = ntk.train(theta, x, y, 0.1, 1, activation=ntk.TANH, scale=scale).x
    assert np.allclose(one, expected, rtol=1e-12)
    held = ntk.train(theta, x, y, 0.1, 5, layers="first").x
    assert np.array_equal(held[:, -1], theta[:, -1])


@pytest.mark.parametrize("call", [ntk.predict, ntk.jacobian, ntk.empirical_ntk])
def test_wrong_dimension(call, rng):
    with pytest.raises(ValueError, match="theta: rows of 4; expected 3 for inputs in dimension 2"):
        call(ntk.initialize(4, 3, rng), np.ones((1, 2)))


def test_unknown_layers(rng):
    x, net = ntk.sphere(2, 3, rng), ntk.initialize(4, 3, rng)
    for call in (
        lambda: ntk.gradient(net, x, np.ones(2), layers="last"),
        lambda: ntk.train(net, x, np.ones(2), 0.1, 1, layers="last"),
        lambda: ntk.empirical_ntk(net, x, layers="last"),
        lambda: ntk.analytic_ntk(x, layers="last"),
        lambda: ntk.circle_eigenvalues(np.arange(3), layers="last"),
    ):
        with pytest.raises(ValueError, match="layers: 'last'; expected 'both' or 'first'"):
            call()


# Closed forms


@pytest.mark.parametrize("degrees", [0, 5, 60, 90, 150, 180])
def test_arc_cosine_against_quadrature(degrees):
    t = np.radians(degrees)
    zero, one = ntk.arc_cosine(np.cos(t))
    low, high = t - np.pi / 2, np.pi / 2
    radial = quad(lambda r: r**3 * np.exp(-(r**2) / 2), 0, np.inf)[0] / (2 * np.pi)
    angular = quad(lambda p: np.cos(p) * np.cos(p - t), low, high)[0]
    assert np.isclose(one, radial * angular, atol=1e-12)
    assert np.isclose(zero, (high - low) / (2 * np.pi), atol=1e-7)


def test_arc_cosine_against_the_gaussian_integral():
    rho, relu = 0.4, lambda u: max(u, 0.0)

    def density(v, u):
        return norm.pdf(u) * norm.pdf((v - rho * u) / np.sqrt(1 - rho**2)) / np.sqrt(1 - rho**2)

    value = dblquad(lambda v, u: relu(u) * relu(v) * density(v, u), 0, 8, 0, 8)[0]
    sign = dblquad(density, 0, 8, 0, 8)[0]
    zero, one = ntk.arc_cosine(rho)
    assert np.isclose(one, value, rtol=1e-6)
    assert np.isclose(zero, sign, rtol=1e-6)


@given(st.floats(-1, 1))
def test_arc_cosine_slope(c):
    """The derivative of the second kernel with respect to the cosine is the first one."""
    if abs(c) < 0.999:
        h = 1e-6
        quotient = (ntk.arc_cosine(c + h)[1] - ntk.arc_cosine(c - h)[1]) / (2 * h)
        assert np.isclose(quotient, ntk.arc_cosine(c)[0], atol=1e-6)


@pytest.mark.parametrize("layers", ["both", "first"])
def test_analytic_kernel_is_the_mean_of_the_empirical_one(layers, rng):
    x = rng.normal(size=(4, 3))
    nets = ntk.initialize(400_000, 3, rng)
    assert np.allclose(
        ntk.empirical_ntk(nets, x, layers=layers),
        ntk.analytic_ntk(x, layers=layers),
        atol=0.02 * np.max(np.sum(x**2, axis=1)),
    )


def test_depth_one_is_arc_cosine(rng):
    x, z = rng.normal(size=(6, 3)), rng.normal(size=(5, 3))
    size = np.outer(np.linalg.norm(x, axis=1), np.linalg.norm(z, axis=1))
    zero, one = ntk.arc_cosine(x @ z.T / size)
    assert np.allclose(ntk.analytic_ntk(x, z, layers="first"), x @ z.T * zero, rtol=1e-12)
    assert np.allclose(ntk.analytic_ntk(x, z, gain=3), 9 * (x @ z.T * zero + size * one))


@pytest.mark.parametrize("depth", [1, 2, 3, 6])
@pytest.mark.parametrize("gain", [1.0, np.sqrt(2), 2.0])
def test_recursion_with_explicit_covariances(depth, gain, rng):
    """The recursion as printed, with covariances that are not normalised in between."""
    x = rng.normal(size=(5, 3))
    sigma = tangent = x @ x.T
    for _ in range(depth):
        size = np.sqrt(np.outer(np.diag(sigma), np.diag(sigma)))
        zero, one = ntk.arc_cosine(sigma / size)
        sigma = gain**2 * size * one
        tangent = sigma + tangent * gain**2 * zero
    assert np.allclose(ntk.analytic_ntk(x, depth=depth, gain=gain), tangent, rtol=1e-6)


def test_deep_diagonal_and_homogeneity(rng):
    x = rng.normal(size=(4, 3))
    kernel = ntk.analytic_ntk(x, depth=5, gain=np.sqrt(2))
    assert np.allclose(np.diag(kernel), 6 * np.sum(x**2, axis=1), rtol=1e-12)
    scale = np.array([1.0, 2, 3, 4])
    scaled = ntk.analytic_ntk(x * scale[:, None], depth=5, gain=np.sqrt(2))
    assert np.allclose(scaled, kernel * np.outer(scale, scale), rtol=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 30), st.integers(1, 6), st.integers(1, 4), st.integers(0, 10**6))
def test_analytic_kernel_is_positive_semidefinite(n, d, depth, seed):
    x = np.random.default_rng(seed).normal(size=(n, d))
    kernel = ntk.analytic_ntk(x, depth=depth)
    assert np.allclose(kernel, kernel.T, rtol=1e-12)
    assert np.linalg.eigvalsh(kernel)[0] >= -1e-6 * np.linalg.norm(kernel, 2)


@pytest.mark.parametrize("act", [ntk.RELU, ntk.TANH], ids=lambda a: a.name)
def test_mean_kernel_needs_inputs_that_are_not_parallel(act, rng):
    x, net = ntk.sphere(5, 3, rng), ntk.initialize(20_000, 3, rng)
    assert np.linalg.eigvalsh(ntk.empirical_ntk(net, x, None, act, "first"))[0] > 1e-3
    twice = np.r_[x, 2 * x[:1]]
    least = np.linalg.eigvalsh(ntk.empirical_ntk(net, twice, None, act, "first"))[0]
    assert (least < 1e-9) == (act is ntk.RELU)
    mirrored = np.r_[x, -x[:1]]
    least = np.linalg.eigvalsh(ntk.empirical_ntk(net, mirrored, None, act, "first"))[0]
    assert (least < 1e-9) == (act is ntk.TANH)


def test_blocks_do_not_matter(rng, monkeypatch):
    x, z = rng.normal(size=(30, 3)), rng.normal(size=(7, 3))
    whole = ntk.analytic_ntk(x, depth=2), ntk.analytic_ntk(x, z, depth=2)
    monkeypatch.setattr(ntk, "ROWS", 4)
    blocks = ntk.analytic_ntk(x, depth=2), ntk.analytic_ntk(x, z, depth=2)
    assert all(np.allclose(a, b, rtol=1e-9, atol=1e-12) for a, b in zip(whole, blocks, strict=True))


@pytest.mark.timeout(60)
def test_large_gram_matrix_in_little_memory(rng):
    x = rng.normal(size=(2000, 10))
    tracemalloc.start()
    kernel = ntk.analytic_ntk(x, depth=8, gain=np.sqrt(2))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert kernel.shape == (2000, 2000)
    assert peak < 200e6
    assert np.allclose(
        kernel[1990:, :5], ntk.analytic_ntk(x[1990:], x[:5], depth=8, gain=np.sqrt(2))
    )


def test_empirical_kernel_in_less_memory_than_the_jacobian(rng):
    x, net = rng.normal(size=(300, 40)), ntk.initialize(3000, 40, rng)
    tracemalloc.start()
    ntk.empirical_ntk(net, x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 300 * net.size * 8 / 4


def test_analytic_kernel_rejects():
    x = np.ones((2, 3))
    with pytest.raises(ValueError, match="depth: 0; expected at least 1"):
        ntk.analytic_ntk(x, depth=0)
    with pytest.raises(ValueError, match=r"x, z: shapes \(2, 3\), \(2, 2\); expected"):
        ntk.analytic_ntk(x, np.ones((2, 2)))
    with pytest.raises(ValueError, match="an input is zero"):
        ntk.analytic_ntk(np.zeros((1, 3)), x)


def test_limit_deviation_and_rate(rng):
    x = rng.normal(size=(5, 3))
    exact = ntk.analytic_ntk(x, layers="first")
    for m in (20, 80):
        nets = np.stack([ntk.initialize(m, 3, rng) for _ in range(3000)])
        gap = ntk.empirical_ntk(nets, x, layers="first") - exact
        size = np.sqrt(np.mean(np.sum(gap**2, axis=(1, 2))))
        assert np.isclose(size, ntk.limit_deviation(x, m), rtol=0.05)


@pytest.mark.parametrize("layers", ["both", "first"])
def test_circle_eigenvalues_by_quadrature(layers):
    one = np.array([[1.0, 0.0]])

    def kernel(t):
        return ntk.analytic_ntk(one, np.array([[np.cos(t), np.sin(t)]]), layers=layers)[0, 0]

    values = ntk.circle_eigenvalues(np.arange(8), layers)
    for k, value in enumerate(values):
        integral = quad(lambda t, k=k: kernel(t) * np.cos(k * t), 0, np.pi)[0] / np.pi
        assert np.isclose(value, integral, atol=1e-7)


@pytest.mark.parametrize("layers", ["both", "first"])
def test_two_points(layers):
    for delta in (1e-2, 1e-3, 1e-4):
        pair = np.array([[1.0, 0.0], [np.cos(delta), np.sin(delta)]])
        least = np.linalg.eigvalsh(ntk.analytic_ntk(pair, layers=layers))[0]
        assert np.isclose(least, delta / (2 * np.pi), rtol=4 * delta)


@pytest.mark.parametrize("degrees", [20, 100, 120, 150, 179])
@pytest.mark.parametrize("depth", [1, 3])
def test_least_eigenvalue_of_two_inputs(degrees, depth):
    """Beyond about 113 degrees the kernel of depth one is negative, and the signs change roles."""
    t = np.radians(degrees)
    kernel = ntk.analytic_ntk(np.array([[1.0, 0.0], [np.cos(t), np.sin(t)]]), depth=depth)
    least = kernel[0, 0] - abs(kernel[0, 1])
    assert np.isclose(np.linalg.eigvalsh(kernel)[0], least, rtol=1e-9)
    assert (kernel[0, 1] < 0) == (depth == 1 and degrees > 113)


def test_a_bias_free_network_of_depth_two_has_the_third_frequency():
    turns = 2 * np.pi * np.arange(256) / 256
    circle = np.c_[np.cos(turns), np.sin(turns)]
    weights = [np.eye(2), np.array([[1.0, -1.0]]), np.ones((1, 1))]
    assert abs(np.fft.rfft(ntk.deep_predict(weights, circle)[:, 0])[3]) / 256 > 0.01
    assert np.fft.rfft(ntk.analytic_ntk(circle[:1], circle, depth=2)[0]).real[3] / 256 > 1e-3
    assert np.allclose(ntk.circle_eigenvalues(3), 0)


# Layered networks


def deep_auto(weights, x, gain, act):
    hidden = x
    for matrix in weights[:-1]:
        hidden = gain * AUTO[act.name](hidden @ matrix.T) / np.sqrt(matrix.shape[0])
    return hidden @ weights[-1].T


@pytest.mark.parametrize("act", [ntk.RELU, ntk.TANH], ids=lambda a: a.name)
@pytest.mark.parametrize("widths", [(3, 6, 1), (3, 6, 5, 1), (3, 4, 5, 6, 1)])
def test_deep_network_against_autograd(act, widths, rng):
    weights, x, gain = ntk.deep_initialize(widths, rng), rng.normal(size=(4, 3)), 1.3
    z = rng.normal(size=(3, 3))
    assert [w.shape for w in weights] == list(zip(widths[1:], widths[:-1], strict=True))
    assert np.allclose(ntk.deep_predict(weights, x, act, gain), deep_auto(weights, x, gain, act))

    def rows(points):
        whole = []
        for i in range(len(points)):
            parts = [
                grad(
                    lambda w, k=k, i=i: deep_auto(
                        [*weights[:k], w, *weights[k + 1 :]], points[i : i + 1], gain, act
                    )[0, 0]
                )(weights[k])
                for k in range(len(weights))
            ]
            whole.append(np.concatenate([p.ravel() for p in parts]))
        return np.array(whole)

    J, L = rows(x), rows(z)
    c = rng.normal(size=(4, 1))
    slopes = ntk.deep_gradient(weights, x, c, act, gain)
    assert np.allclose(np.concatenate([s.ravel() for s in slopes]), c[:, 0] @ J, rtol=1e-10)
    assert np.allclose(ntk.deep_ntk(weights, x, None, act, gain), J @ J.T, rtol=1e-10)
    assert np.allclose(ntk.deep_ntk(weights, x, z, act, gain), J @ L.T, rtol=1e-10)


def test_deep_and_two_layer_code_agree(rng):
    theta, x = ntk.initialize(9, 3, rng), rng.normal(size=(4, 3))
    weights = [theta[:, :-1], theta[:, -1:].T]
    assert np.allclose(ntk.deep_predict(weights, x)[:, 0], ntk.predict(theta, x), rtol=1e-12)
    assert np.allclose(ntk.deep_ntk(weights, x), ntk.empirical_ntk(theta, x), rtol=1e-12)


def test_deep_kernel_tends_to_the_recursion(rng):
    x, gain = ntk.sphere(4, 3, rng), np.sqrt(2)
    exact = ntk.analytic_ntk(x, depth=2, gain=gain)
    nets = [ntk.deep_initialize((3, 300, 300, 1), rng) for _ in range(60)]
    mean = np.mean([ntk.deep_ntk(net, x, gain=gain) for net in nets], axis=0)
    assert np.allclose(mean, exact, atol=0.15)


def test_deep_rejects(rng):
    with pytest.raises(ValueError, match="widths: "):
        ntk.deep_initialize((3, 1), rng)
    with pytest.raises(ValueError, match="weights: 2 outputs; expected 1"):
        ntk.deep_ntk(ntk.deep_initialize((3, 4, 2), rng), np.ones((1, 3)))


# The linear model, and descent


@pytest.mark.parametrize("shape", [(6,), (6, 2)])
def test_kernel_descent_is_gradient_descent(shape, rng):
    J, y = rng.normal(size=(6, 20)), rng.normal(size=shape)
    K = J @ J.T
    step = 0.9 / np.linalg.eigvalsh(K)[-1]
    dual = ntk.kernel_descent(K, y, step, [0, 1, 7, 300_000])
    change = np.zeros((20, *shape[1:]))
    for t in range(8):
        if t in (0, 1, 7):
            assert np.allclose(J.T @ dual[[0, 1, 7].index(t)], change, atol=1e-12)
        change -= step * J.T @ (J @ change - y)
    assert np.allclose(dual[3], np.linalg.solve(K, y), rtol=1e-6)


def test_kernel_descent_on_a_singular_kernel():
    K, y = np.diag([2.0, 0.0]), np.array([1.0, 1.0])
    dual = ntk.kernel_descent(K, y, 0.25, [3])[0]
    assert np.allclose(dual, [(1 - 0.5**3) / 2, 0.75])


@pytest.mark.parametrize("step", [0.0, -1.0, 1.0, 2.0])
def test_kernel_descent_rejects(step):
    with pytest.raises(ValueError, match=r"step: .*expected a number in"):
        ntk.kernel_descent(np.eye(2), np.ones(2), step, [1])


def test_nearest_fit_is_the_shortest_solution(rng):
    x, y = ntk.sphere(6, 4, rng), rng.normal(size=6)
    net = ntk.initialize(30, 4, rng)
    J, K = ntk.jacobian(net, x), ntk.empirical_ntk(net, x)
    hat = ntk.gradient(net, x, np.linalg.solve(K, y)).ravel()
    assert np.allclose(hat, np.linalg.lstsq(J, y)[0], rtol=1e-8, atol=1e-10)
    assert np.isclose(hat @ hat, y @ np.linalg.solve(K, y), rtol=1e-10)


def test_symmetric_start(rng):
    x = ntk.sphere(5, 4, rng)
    net = ntk.initialize(20, 4, rng, symmetric=True)
    assert np.allclose(ntk.predict(net, x), 0, atol=1e-14)
    assert np.allclose(ntk.empirical_ntk(net, x), ntk.empirical_ntk(net[:10], x))


@pytest.mark.parametrize("layers", ["both", "first"])
def test_second_derivative_vanishes_at_a_symmetric_start(layers, rng):
    x = ntk.sphere(4, 3, rng)
    net = ntk.initialize(6, 3, rng, symmetric=True)
    v, u = (ntk.gradient(net, x, rng.normal(size=4), ntk.TANH, layers).ravel() for _ in range(2))
    for i in range(4):
        output = auto_outputs(ntk.TANH, x[i : i + 1])
        H = hessian(lambda p, output=output: output(p.reshape(net.shape))[0])(net.ravel())
        for pair in (v, u):
            assert abs(v @ H @ pair) < 1e-12 * np.linalg.norm(H) * (v @ v + u @ u) + 1e-13
        assert np.linalg.norm(H @ v) > 1e-3
    h = 1e-4 * v.reshape(net.shape)
    kernels = [ntk.empirical_ntk(net + s * h, x, None, ntk.TANH, layers) for s in (1, -1)]
    assert np.allclose(kernels[0], kernels[1], atol=1e-12)


def test_curvature_blocks_complete_the_hessian(rng):
    x, y = ntk.sphere(5, 3, rng), rng.normal(size=5)
    net = ntk.initialize(8, 3, rng)

    def loss(w):
        theta = anp.concatenate([w.reshape(8, 3), net[:, -1:]], axis=1)
        return 0.5 * anp.sum((auto_outputs(ntk.TANH, x)(theta) - y) ** 2)

    H = hessian(loss)(net[:, :-1].ravel())
    J = ntk.jacobian(net, x, ntk.TANH, "first").reshape(5, 8, 4)[:, :, :3].reshape(5, -1)
    rest = (H - J.T @ J).reshape(8, 3, 8, 3)
    blocks = ntk.curvature_blocks(net, x, ntk.predict(net, x, ntk.TANH) - y)
    for r in range(8):
        assert np.allclose(rest[r, :, r], blocks[r], atol=1e-12)
        rest[r, :, r] = 0
    assert np.allclose(rest, 0, atol=1e-12)
    values = np.sort(np.linalg.eigvalsh(blocks), axis=None)
    assert values[0] - 1e-12 <= np.linalg.eigvalsh(H)[0] <= values[5] + 1e-12


def first_layer_hessian(net, x, y):
    J = ntk.jacobian(net, x, ntk.TANH, "first").reshape(len(x), *net.shape)[:, :, :-1]
    m, d = J.shape[1:]
    H = np.einsum("irj,isk->rjsk", J, J)
    residual = ntk.predict(net, x, ntk.TANH) - y
    H[np.arange(m), :, np.arange(m)] += ntk.curvature_blocks(net, x, residual)
    return H.reshape(m * d, m * d)


@pytest.mark.parametrize("m", [2, 4, 20])
def test_smooth_loss_is_not_convex_at_a_symmetric_start(m, rng):
    """The Hessian in the eigenspaces of the exchange of partners: one zero block."""
    x, y = ntk.sphere(6, 3, rng), rng.normal(size=6)
    net = ntk.initialize(m, 3, rng, symmetric=True)
    H = first_layer_hessian(net, x, y)
    half = np.eye(3 * m // 2) / np.sqrt(2)
    even, odd = np.r_[half, half], np.r_[half, -half]
    assert np.allclose(even.T @ H @ even, 0, atol=1e-12)
    assert np.linalg.norm(even.T @ H @ odd) > 1e-3
    assert np.linalg.eigvalsh(H)[0] < -1e-3
    still = first_layer_hessian(net, x, np.zeros(6))
    assert np.linalg.eigvalsh(still)[0] > -1e-12


def test_smooth_loss_can_be_convex_at_a_plain_start():
    one = np.ones((1, 1))
    assert first_layer_hessian(np.ones((1, 2)), one, np.array([0.7]))[0, 0] > 0.1


def test_smooth_loss_of_a_wide_network_is_not_convex_at_a_plain_start(rng):
    x, y = ntk.sphere(6, 3, rng), rng.choice([-1.0, 1.0], 6)
    for _ in range(50):
        net = ntk.initialize(40, 3, rng)
        residual = ntk.predict(net, x, ntk.TANH) - y
        values = np.sort(np.linalg.eigvalsh(ntk.curvature_blocks(net, x, residual)), axis=None)
        assert values[6] < 0
        assert np.linalg.eigvalsh(first_layer_hessian(net, x, y))[0] <= values[6] + 1e-12


def test_plain_counterexample_needs_the_outer_weight_held():
    """One tanh neuron at x = w = a = 1, y = 0.7: convex in w, not in (w, a)."""

    def loss(p):
        return 0.5 * (p[1] * anp.tanh(p[0]) - 0.7) ** 2

    H = hessian(loss)(np.ones(2))
    assert H[0, 0] > 0.1
    assert np.linalg.eigvalsh(H)[0] < -0.05


@pytest.mark.parametrize("m", [2, 10])
def test_relu_loss_with_both_layers_is_not_convex_at_a_symmetric_start(m, rng):
    """The Hessian by autograd, and the blocks that complete J^T J."""
    x, y = ntk.sphere(6, 3, rng), rng.choice([-1.0, 1.0], 6)
    net = ntk.initialize(m, 3, rng, symmetric=True)

    def loss(p):
        return 0.5 * anp.sum((auto_outputs(ntk.RELU, x)(p.reshape(m, 4)) - y) ** 2)

    H = hessian(loss)(net.ravel())
    J = ntk.jacobian(net, x)
    rest = (H - J.T @ J).reshape(m, 4, m, 4)
    b = (net[:, :3] @ x.T > 0) * y @ x / np.sqrt(m)
    for r in range(m):
        assert np.allclose(rest[r, :3, r, 3], -b[r], atol=1e-12)
        rest[r, :3, r, 3] = rest[r, 3, r, :3] = 0
    assert np.allclose(rest, 0, atol=1e-12)
    assert np.linalg.eigvalsh(H)[0] < -1e-3


def test_relu_loss_with_both_layers_is_not_convex_at_a_plain_start(rng):
    """By autograd: the least eigenvalue is at most minus the (n + 1)-th longest b."""
    x, y, m = ntk.sphere(4, 3, rng), rng.normal(size=4), 12
    for _ in range(5):
        net = ntk.initialize(m, 3, rng)

        def loss(p):
            return 0.5 * anp.sum((auto_outputs(ntk.RELU, x)(p.reshape(m, 4)) - y) ** 2)

        b = (net[:, :3] @ x.T > 0) * (ntk.predict(net, x) - y) @ x / np.sqrt(m)
        fifth = np.sort(np.linalg.norm(b, axis=1))[-5]
        assert fifth > 1e-3
        assert np.linalg.eigvalsh(hessian(loss)(net.ravel()))[0] <= -fifth + 1e-12


@pytest.mark.parametrize("size", [1.0, 1e-6])
def test_relu_residual_keeps_its_sign_at_the_nearest_kink(size, rng):
    """However small the label: what the partner gives has the sign of minus the label."""
    x, m = ntk.sphere(5, 3, rng), 4
    for _ in range(50):
        y = size * rng.choice([-1.0, 1.0], 5)
        net = ntk.initialize(m, 3, rng, symmetric=True)
        before = net[:, :3] @ x.T
        r, i = np.unravel_index(np.abs(before).argmin(), before.shape)
        mover = r if net[r, 3] * y[i] > 0 else (r + m // 2) % m
        net[mover, :3] -= before[r, i] * x[i]
        residual = ntk.predict(net, x)[i] - y[i]
        assert -residual * np.sign(y[i]) >= size * (1 - 1e-9)


def test_relu_loss_has_a_concave_kink_at_the_edge_of_the_ball(rng):
    """Beyond it the loss, first layer trained, is not convex: the slope falls by 1/sqrt(m)."""
    x, y, m = ntk.sphere(5, 3, rng), rng.choice([-1.0, 1.0], 5), 60
    for _ in range(30):
        net = ntk.initialize(m, 3, rng, symmetric=True)
        before = net[:, :3] @ x.T
        r, i = np.unravel_index(np.abs(before).argmin(), before.shape)
        slopes = []
        for mover in (r, (r + m // 2) % m):
            edge, side = net.copy(), np.zeros(net.shape)
            edge[mover, :3] -= before[r, i] * x[i]
            side[mover, :3] = 1e-3 * np.abs(before[r, i]) * x[i]
            three = ntk.predict(np.stack([edge + side, edge, edge - side]), x) - y
            bend = np.sum(three**2, axis=1) @ [1, -2, 1] / 2
            jump = net[mover, 3] * three[1, i] / np.sqrt(m)
            assert np.isclose(bend / (1e-3 * np.abs(before[r, i])), jump, rtol=1e-2)
            slopes.append(jump)
        assert min(slopes) < 0 < max(slopes)


@pytest.mark.parametrize("symmetric", [True, False])
def test_relu_is_affine_until_a_neuron_crosses(symmetric, rng):
    x = rng.normal(size=(5, 3))
    net = ntk.initialize(30, 3, rng, symmetric=symmetric)
    distances = np.abs(net[:, :3] @ x.T) / np.linalg.norm(x, axis=1)
    for _ in range(50):
        turn = rng.normal(size=net.shape) * [1, 1, 1, 0]
        turn *= 0.99 * distances.min() / np.linalg.norm(turn)
        line = ntk.linear_model(net, turn, x)
        assert np.allclose(ntk.predict(net + turn, x), line, rtol=0, atol=1e-13)
    r, i = np.unravel_index(distances.argmin(), distances.shape)
    turn = np.zeros(net.shape)
    turn[r, :3] = -1.5 * (net[r, :3] @ x[i]) / (x[i] @ x[i]) * x[i]
    gap = ntk.predict(net + turn, x) - ntk.linear_model(net, turn, x)
    assert abs(gap[i]) > 0.4 * distances.min() * np.linalg.norm(x[i]) / np.sqrt(30)


def test_kernel_of_relu_stands_still_for_large_scales(rng):
    x, y = ntk.sphere(6, 4, rng), rng.choice([-1.0, 1.0], 6)
    net = ntk.initialize(40, 4, rng, symmetric=True)
    before = ntk.empirical_ntk(net, x, layers="first")
    step = 0.9 / np.linalg.eigvalsh(before)[-1]
    for scale, moves in ((1.0, True), (1e6, False)):
        end = ntk.train(net, x, y, step, 50, layers="first", scale=scale).x
        assert np.array_equal(ntk.empirical_ntk(end, x, layers="first"), before) is not moves


def test_remainder_and_nearest_fit_keep_their_bounds(rng):
    x, y = ntk.sphere(6, 4, rng), rng.choice([-1.0, 1.0], 6)
    for m in (20, 200):
        net, Lambda = ntk.initialize(m, 4, rng), ntk.jacobian_lipschitz(x, m)
        for size in (0.1, 1.0, 10.0):
            turn = size * rng.normal(size=net.shape) * [1, 1, 1, 1, 0]
            gap = ntk.predict(net + turn, x, ntk.TANH) - ntk.linear_model(net, turn, x, ntk.TANH)
            assert np.linalg.norm(gap) <= Lambda / 2 * np.sum(turn**2)
        residual = y - ntk.predict(net, x, ntk.TANH)
        K = ntk.empirical_ntk(net, x, None, ntk.TANH, "first")
        hat = ntk.gradient(net, x, np.linalg.solve(K, residual), ntk.TANH, "first")
        left = ntk.predict(net + hat, x, ntk.TANH) - y
        assert np.linalg.norm(left) <= Lambda / 2 * np.sum(hat**2)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.01, 3))
def test_jacobian_lipschitz(seed, size):
    rng = np.random.default_rng(seed)
    x, net = rng.normal(size=(5, 3)), ntk.initialize(7, 3, rng)
    change = size * rng.normal(size=net.shape) * [1, 1, 1, 0]
    J, L = (ntk.jacobian(p, x, ntk.TANH, "first") for p in (net, net + change))
    bound = ntk.jacobian_lipschitz(x, 7) * np.linalg.norm(change)
    assert np.linalg.norm(J - L, 2) <= bound * (1 + 1e-12)


def test_jacobian_lipschitz_of_relu_is_infinite():
    assert ntk.jacobian_lipschitz(np.eye(2), 4, ntk.RELU) == np.inf


@pytest.mark.parametrize("seed", range(4))
def test_theorem_holds_when_its_condition_does(seed):
    """Rate, radius and distance from the linear model, at a plain start as well."""
    rng = np.random.default_rng(seed)
    x, m = ntk.sphere(3, 20, rng), 4000
    net = ntk.initialize(m, 20, rng, symmetric=bool(seed % 2))
    K = ntk.empirical_ntk(net, x, None, ntk.TANH, "first")
    y = ntk.predict(net, x, ntk.TANH) + rng.choice([-1.0, 1.0], 3)
    residual = ntk.predict(net, x, ntk.TANH) - y
    Lambda = ntk.jacobian_lipschitz(x, m)
    condition, radius = ntk.near_theorem(K, residual, Lambda)
    assert condition <= 1
    values = np.linalg.eigvalsh(K)
    lam, step = values[0], 0.5 / values[-1]
    run = ntk.train(net, x, y, step, 40, activation=ntk.TANH, layers="first", record_every=1)
    r = ntk.predict(run.trajectory, x, ntk.TANH) - y
    loss, t = np.sum(r**2, axis=1), run.recorded
    assert np.all(loss <= (1 - step * lam / 2) ** (2 * t) * loss[0] + 1e-20)
    path = np.linalg.norm(np.diff(run.trajectory, axis=0), axis=(1, 2)).sum()
    assert path <= radius
    rho = np.array([np.linalg.matrix_power(np.eye(3) - step * K, k) @ residual for k in t])
    most = 27 / 4 * Lambda * np.sqrt(values[-1]) * loss[0] / lam**1.5 * (1 - step * lam / 2) ** t
    assert np.all(np.linalg.norm(r - rho, axis=1) <= most + 1e-12)


def test_near_theorem_is_its_formula():
    condition, radius = ntk.near_theorem(np.diag([4.0, 9.0]), np.array([3.0, 4.0]), 0.1)
    assert np.isclose(condition, 6 * 0.1 * 5 / 4)
    assert np.isclose(radius, 1.5 * 5 / 2)


def test_relu_remainder_is_zero_or_the_excess(rng):
    """Neuron by neuron: zero unless the sign changes, and then the distance past the kink."""
    for _ in range(200):
        u, s = rng.normal(size=2)
        theta, change = np.array([[u, 1.0]]), np.array([[s, 0.0]])
        one = np.ones((1, 1))
        gap = ntk.predict(theta + change, one) - ntk.linear_model(theta, change, one)
        assert np.isclose(gap[0], abs(u + s) if u * (u + s) < 0 else 0.0, atol=1e-15)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.floats(1e-4, 100))
def test_relu_remainder_of_one_draw_is_of_second_order(seed, size):
    """At most |change|^2 / (4 sqrt(m) nearest kink), and equal for the mirror image."""
    rng = np.random.default_rng(seed)
    x, net = ntk.sphere(1, 3, rng), ntk.initialize(20, 3, rng)
    before = net[:, :3] @ x[0]
    r = np.abs(before).argmin()
    constant = 1 / (4 * np.sqrt(20) * np.abs(before[r]))
    turn = size * rng.normal(size=net.shape) * [1, 1, 1, 0]
    flip = np.zeros(net.shape)
    flip[r, :3] = -2 * before[r] * x[0]
    gaps = [abs(ntk.predict(net + c, x) - ntk.linear_model(net, c, x))[0] for c in (turn, flip)]
    assert gaps[0] <= constant * np.sum(turn**2) + 1e-12
    assert np.isclose(gaps[1], constant * np.sum(flip**2), rtol=1e-6, atol=1e-14)


@pytest.mark.parametrize("s", [0.01, 0.3, 2.0])
def test_closed_form_of_the_relu_remainder(s):
    integral = quad(lambda u: (s - u) ** 2 * norm.pdf(u), 0, s)[0]
    closed = (1 + s**2) * (norm.cdf(s) - 0.5) - 2 * s * norm.pdf(0) + s * norm.pdf(s)
    assert np.isclose(closed, integral, rtol=1e-6)
    assert closed <= norm.pdf(0) * s**3 / 3


def test_polyak_inequality(rng):
    x, y = ntk.sphere(5, 3, rng), rng.normal(size=5)
    for _ in range(20):
        net = ntk.initialize(10, 3, rng)
        r = ntk.predict(net, x) - y
        slope = ntk.gradient(net, x, r)
        least = np.linalg.eigvalsh(ntk.empirical_ntk(net, x))[0]
        assert np.sum(slope**2) >= least * np.sum(r**2) * (1 - 1e-9)


# Limits


@pytest.mark.parametrize(("n", "d", "k"), [(5, 6, 2), (12, 6, 3), (20, 6, 3), (30, 6, 2)])
def test_fixed_features_bound_by_brute_force(n, d, k, rng):
    cube = 1.0 - 2.0 * (np.arange(2**d)[:, None] >> np.arange(d) & 1)
    features = rng.normal(size=(2**d, n))
    missed = []
    for subset in combinations(range(d), k):
        parity = cube[:, subset].prod(axis=1)
        fit = features @ np.linalg.lstsq(features, parity)[0]
        missed.append(np.mean((parity - fit) ** 2))
    assert np.mean(missed) >= ntk.fixed_features_error(n, d, k) - 1e-12


def test_fixed_features_bound_is_sharp():
    assert ntk.fixed_features_error(comb(5, 2), 5, 2) == 0
    assert ntk.fixed_features_error(0, 5, 2) == 1


@pytest.mark.parametrize("n", [1, 4, 10])
def test_the_kernel_of_all_parities_meets_the_bound(n):
    """With points whose rows are independent its mean error is the bound, for every n."""
    cube = 1.0 - 2.0 * (np.arange(32)[:, None] >> np.arange(5) & 1)
    chi = np.stack([cube[:, s].prod(axis=1) for s in combinations(range(5), 2)], axis=1)
    points = []
    for i in range(32):
        if len(points) < n and np.linalg.matrix_rank(chi[[*points, i]]) == len(points) + 1:
            points.append(i)
    basis = np.linalg.qr(chi @ chi[points].T)[0]
    missed = 1 - np.sum((basis.T @ chi) ** 2, axis=0) / 32
    assert len(points) == n
    assert np.isclose(missed.mean(), ntk.fixed_features_error(n, 5, 2), atol=1e-12)


def test_parity_error_does_not_depend_on_the_pair(rng):
    """The kernel is invariant under permutations: relabelled samples give relabelled errors."""
    cube = 1.0 - 2.0 * (np.arange(64)[:, None] >> np.arange(6) & 1)
    sample = cube[rng.choice(64, 9, replace=False)]
    order = rng.permutation(6)

    def error(points, pair):
        features = ntk.analytic_ntk(cube, points)
        target = cube[:, pair].prod(axis=1)
        return np.mean((target - features @ np.linalg.lstsq(features, target)[0]) ** 2)

    moved = np.empty_like(sample)
    moved[:, order] = sample
    assert np.isclose(error(sample, [0, 1]), error(moved, [order[0], order[1]]), rtol=1e-8)


def test_a_contradiction_leaves_a_weighted_loss(rng):
    """With equal inputs 1 and 2: the loss minus (y1 - y2)^2 / 4 is one on the distinct inputs."""
    x, y = ntk.sphere(4, 3, rng), rng.normal(size=5)
    twice, mean = x[[0, 0, 1, 2, 3]], np.r_[(y[0] + y[1]) / 2, y[2:]]
    weights = np.diag([np.sqrt(2), 1, 1, 1])
    for _ in range(5):
        net = ntk.initialize(6, 3, rng)
        r, s = ntk.predict(net, twice) - y, ntk.predict(net, x) - mean
        rest = np.sum((weights @ s) ** 2) / 2
        assert np.isclose(np.sum(r**2) / 2 - (y[0] - y[1]) ** 2 / 4, rest, rtol=1e-12)
        assert np.allclose(ntk.gradient(net, twice, r), ntk.gradient(net, x, weights**2 @ s))
        double = np.linalg.eigvalsh(ntk.empirical_ntk(net, twice))
        single = np.linalg.eigvalsh(weights @ ntk.empirical_ntk(net, x) @ weights)
        assert np.allclose(double[1:], single, atol=1e-12)


def test_every_row_of_the_ledger_has_its_erratum():
    rows = {key: row for key, row in claims.ledger().items() if row.chapter == "ntk"}
    assert len(rows) == 10
    assert {key for key, row in rows.items() if row.errata} == {"ntk-taylor", "ntk-convex-loss"}
