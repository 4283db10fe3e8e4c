"""The two-layer network and its kernel, against autograd, differences and each other."""

import tracemalloc

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad, hessian, jacobian
from hypothesis import given, settings
from hypothesis import strategies as st

from lecture_code import kernels, ntk
from lecture_code.nets import Layered

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
    ):
        with pytest.raises(ValueError, match="layers: 'last'; expected 'both' or 'first'"):
            call()


def test_empirical_kernel_in_less_memory_than_the_jacobian(rng):
    x, net = rng.normal(size=(300, 40)), ntk.initialize(3000, 40, rng)
    tracemalloc.start()
    ntk.empirical_ntk(net, x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 300 * net.size * 8 / 4


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


def test_near_theorem_is_its_formula():
    condition, radius = ntk.near_theorem(np.diag([4.0, 9.0]), np.array([3.0, 4.0]), 0.1)
    assert np.isclose(condition, 6 * 0.1 * 5 / 4)
    assert np.isclose(radius, 1.5 * 5 / 2)


@pytest.mark.parametrize("widths", [(3, 6, 1), (3, 6, 5, 1), (3, 4, 5, 6, 1)])
def test_layered_networks_with_scaled_weights_against_autograd(widths, rng):
    """The formula as printed, with a factor behind each hidden layer; its kernel by autograd."""
    net, gain, x = Layered(widths), 1.3, rng.normal(size=(4, 3))
    w = rng.standard_normal(net.size)

    def outputs(w):
        signal, at = x, 0
        for layer, (rows, columns) in enumerate(net.shapes):
            signal = signal @ w[at : at + rows * columns].reshape(rows, columns).T
            at += rows * columns
            if layer + 1 < len(net.shapes):
                signal = gain * anp.maximum(signal, 0.0) / np.sqrt(rows)
        return signal[:, 0]

    J = jacobian(outputs)(w)
    assert np.allclose(net.outputs(ntk.weight_scales(net, gain) * w, x)[:, 0], outputs(w))
    assert np.allclose(ntk.deep_ntk(net, w, x, gain), J @ J.T, rtol=1e-10)


def test_weight_scales_leave_the_first_layer_and_the_offsets_alone():
    scales = Layered((3, 4, 9, 2), bias=True).matrices(
        ntk.weight_scales(Layered((3, 4, 9, 2), bias=True), 6.0)
    )
    assert (scales[0] == 1).all()
    assert (scales[1][:, :-1] == 3).all()
    assert (scales[2][:, :-1] == 2).all()
    assert (scales[1][:, -1] == 1).all()


@pytest.mark.parametrize("point", [[1.0, 0], [0.6, 0.8]])
def test_near_theorem_asks_for_a_kernel_that_is_not_singular(point):
    kernel = kernels.analytic_ntk(np.array([point, point, [0.0, 1]]))
    assert ntk.near_theorem(kernel, np.ones(3), 1.0) == (np.inf, np.inf)
    with pytest.raises(ValueError, match="kernel: eigenvalue -1"):
        ntk.near_theorem(-np.eye(2), np.ones(2), 1.0)


def test_weights_that_would_broadcast_are_refused(rng):
    theta = ntk.initialize(4, 2, rng)
    with pytest.raises(ValueError, match=r"weights: shape \(3, 1\); expected \(3,\)"):
        ntk.gradient(theta, np.ones((3, 2)), np.ones((3, 1)))
