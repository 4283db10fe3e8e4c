"""The two-layer network and its kernel, against autograd, differences and each other."""

import tracemalloc

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from hypothesis import given, settings
from hypothesis import strategies as st

from lecture_code import kernels, ntk, wide
from lecture_code.nets import Layered

AUTO = {"relu": lambda u: anp.maximum(u, 0.0), "tanh": anp.tanh}
KINDS = [(act, layers) for act in (wide.RELU, wide.TANH) for layers in ("both", "first")]
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


@pytest.mark.parametrize("act", [wide.RELU, wide.TANH], ids=lambda a: a.name)
def test_activation_derivatives(act):
    u = np.linspace(-2.95, 3.05, 61)
    h = 1e-5
    assert np.allclose((act.value(u + h) - act.value(u - h)) / (2 * h), act.slope(u), atol=1e-8)
    assert np.allclose((act.slope(u + h) - act.slope(u - h)) / (2 * h), act.curvature(u), atol=1e-8)


def test_bend_is_the_largest_curvature():
    u = np.linspace(-4, 4, 200_001)
    assert np.isclose(np.abs(wide.TANH.curvature(u)).max(), wide.TANH.bend, rtol=1e-8)
    assert wide.RELU.bend == np.inf


def test_sphere(rng):
    x = wide.sphere(200, 4, rng)
    assert np.allclose(np.linalg.norm(x, axis=1), 1)
    assert np.abs(x.mean(axis=0)).max() < 0.15


def test_initialize(rng):
    theta = wide.initialize(4000, 3, rng)
    assert theta.shape == (4000, 4)
    assert set(np.unique(theta[:, -1])) == {-1.0, 1.0}
    assert np.isclose(theta[:, :-1].std(), 1, atol=0.03)
    pairs = wide.initialize(10, 3, rng, symmetric=True)
    assert np.array_equal(pairs[:5, :-1], pairs[5:, :-1])
    assert np.array_equal(pairs[:5, -1], -pairs[5:, -1])


@pytest.mark.parametrize(("m", "symmetric"), [(0, False), (7, True), (0, True)])
def test_initialize_rejects(m, symmetric, rng):
    with pytest.raises(ValueError, match=rf"m: {m}; expected"):
        wide.initialize(m, 3, rng, symmetric=symmetric)


@pytest.mark.parametrize("act", [wide.RELU, wide.TANH], ids=lambda a: a.name)
def test_predict_is_the_formula(act, rng):
    theta, x = wide.initialize(6, 3, rng), rng.normal(size=(4, 3))
    slow = [sum(row[-1] * act.value(row[:-1] @ p) for row in theta) / np.sqrt(6) for p in x]
    assert np.allclose(wide.predict(theta, x, act), slow, rtol=1e-12)
    assert np.allclose(wide.predict(theta, x, act), auto_outputs(act, x)(theta), rtol=1e-12)


@pytest.mark.parametrize(("act", "layers"), KINDS, ids=KIND_IDS)
def test_jacobian_gradient_and_kernel_against_autograd(act, layers, rng):
    theta, x, z = wide.initialize(7, 3, rng), rng.normal(size=(5, 3)), rng.normal(size=(4, 3))
    theta[:, -1] *= rng.uniform(0.5, 2, 7)
    J, L = (auto_jacobian(theta, points, act, layers) for points in (x, z))
    c = rng.normal(size=5)
    assert np.allclose(ntk.jacobian(theta, x, act, layers), J, rtol=1e-12)
    assert np.allclose(wide.gradient(theta, x, c, act, layers).ravel(), c @ J, rtol=1e-12)
    assert np.allclose(wide.empirical_ntk(theta, x, None, act, layers), J @ J.T, rtol=1e-12)
    assert np.allclose(wide.empirical_ntk(theta, x, z, act, layers), J @ L.T, rtol=1e-12)
    change = rng.normal(size=theta.shape)
    if layers == "first":
        change[:, -1] = 0
    line = wide.predict(theta, x, act) + J @ change.ravel()
    assert np.allclose(wide.linear_model(theta, change, x, act), line, rtol=1e-12)


@pytest.mark.parametrize(("act", "layers"), KINDS, ids=KIND_IDS)
def test_batches_are_loops(act, layers, rng):
    x, z = wide.sphere(5, 3, rng), wide.sphere(2, 3, rng)
    nets = np.stack([wide.initialize(6, 3, rng) for _ in range(3)])
    c, change = rng.normal(size=(3, 5)), rng.normal(size=nets.shape)
    for k, net in enumerate(nets):
        assert np.allclose(wide.predict(nets, x, act)[k], wide.predict(net, x, act))
        one = wide.gradient(net, x, c[k], act, layers)
        assert np.allclose(wide.gradient(nets, x, c, act, layers)[k], one)
        one = wide.linear_model(net, change[k], x, act)
        assert np.allclose(wide.linear_model(nets, change, x, act)[k], one)
        one = wide.empirical_ntk(net, x, z, act, layers)
        assert np.allclose(wide.empirical_ntk(nets, x, z, act, layers)[k], one)


def test_training_a_batch_is_training_each(rng):
    x, y = wide.sphere(5, 3, rng), rng.normal(size=5)
    nets = np.stack([wide.initialize(8, 3, rng) for _ in range(2)])
    together = wide.train(nets, x, y, 0.1, 20, activation=wide.TANH, scale=2.0, momentum=0.5)
    alone = [
        wide.train(n, x, y, 0.1, 20, activation=wide.TANH, scale=2.0, momentum=0.5).x for n in nets
    ]
    assert np.allclose(together.x, alone, rtol=1e-12)


def test_training_follows_the_scaled_loss(rng):
    x, y, scale = wide.sphere(5, 3, rng), rng.normal(size=5), 3.0
    theta = wide.initialize(8, 3, rng)

    def loss(p):
        return anp.sum((scale * auto_outputs(wide.TANH, x)(p) - y) ** 2) / (2 * scale**2)

    expected = theta - 0.1 * grad(loss)(theta)
    one = wide.train(theta, x, y, 0.1, 1, activation=wide.TANH, scale=scale).x
    assert np.allclose(one, expected, rtol=1e-12)
    held = wide.train(theta, x, y, 0.1, 5, layers="first").x
    assert np.array_equal(held[:, -1], theta[:, -1])


@pytest.mark.parametrize("call", [wide.predict, ntk.jacobian, wide.empirical_ntk])
def test_wrong_dimension(call, rng):
    with pytest.raises(ValueError, match="theta: rows of 4; expected 3 for inputs in dimension 2"):
        call(wide.initialize(4, 3, rng), np.ones((1, 2)))


def test_unknown_layers(rng):
    x, net = wide.sphere(2, 3, rng), wide.initialize(4, 3, rng)
    for call in (
        lambda: wide.gradient(net, x, np.ones(2), layers="last"),
        lambda: wide.train(net, x, np.ones(2), 0.1, 1, layers="last"),
        lambda: wide.empirical_ntk(net, x, layers="last"),
    ):
        with pytest.raises(ValueError, match="layers: 'last'; expected 'both' or 'first'"):
            call()


def test_empirical_kernel_in_less_memory_than_the_jacobian(rng):
    x, net = rng.normal(size=(300, 40)), wide.initialize(3000, 40, rng)
    tracemalloc.start()
    wide.empirical_ntk(net, x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 300 * net.size * 8 / 4


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.01, 3))
def test_jacobian_lipschitz(seed, size):
    rng = np.random.default_rng(seed)
    x, net = rng.normal(size=(5, 3)), wide.initialize(7, 3, rng)
    change = size * rng.normal(size=net.shape) * [1, 1, 1, 0]
    J, L = (ntk.jacobian(p, x, wide.TANH, "first") for p in (net, net + change))
    bound = wide.jacobian_lipschitz(x, 7) * np.linalg.norm(change)
    assert np.linalg.norm(J - L, 2) <= bound * (1 + 1e-12)


def test_jacobian_lipschitz_of_relu_is_infinite():
    assert wide.jacobian_lipschitz(np.eye(2), 4, wide.RELU) == np.inf


def test_near_theorem_is_its_formula():
    condition, radius = wide.near_theorem(np.diag([4.0, 9.0]), np.array([3.0, 4.0]), 0.1)
    assert np.isclose(condition, 6 * 0.1 * 5 / 4)
    assert np.isclose(radius, 1.5 * 5 / 2)


def test_weight_scales_leave_the_first_layer_and_the_offsets_alone():
    scales = Layered((3, 4, 9, 2), bias=True).matrices(
        wide.weight_scales(Layered((3, 4, 9, 2), bias=True), 6.0)
    )
    assert (scales[0] == 1).all()
    assert (scales[1][:, :-1] == 3).all()
    assert (scales[2][:, :-1] == 2).all()
    assert (scales[1][:, -1] == 1).all()


@pytest.mark.parametrize("point", [[1.0, 0], [0.6, 0.8]])
def test_near_theorem_asks_for_a_kernel_that_is_not_singular(point):
    kernel = kernels.analytic_ntk(np.array([point, point, [0.0, 1]]))
    assert wide.near_theorem(kernel, np.ones(3), 1.0) == (np.inf, np.inf)
    with pytest.raises(ValueError, match="kernel: eigenvalue -1"):
        wide.near_theorem(-np.eye(2), np.ones(2), 1.0)


def test_weights_that_would_broadcast_are_refused(rng):
    theta = wide.initialize(4, 2, rng)
    with pytest.raises(ValueError, match=r"weights: shape \(3, 1\); expected \(3,\)"):
        wide.gradient(theta, np.ones((3, 2)), np.ones((3, 1)))
