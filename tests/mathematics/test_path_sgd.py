"""The geometry of paths and Path-SGD, by listing paths and where kappa vanishes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from path_networks import networks_for, random_graph

from lecture_code import nets
from lecture_code import path_sgd as ps
from lecture_code.nets import Layered, Recurrent, value_and_gradient
from lecture_code.paths import path_norm, path_values


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_kappa_by_its_definition_and_by_the_jacobian(seed):
    for net, listed, w in networks_for(seed):
        by_definition = np.zeros(net.size)
        for path in listed.paths():
            for e in path:
                by_definition[e] += np.prod([w[f] ** 2 for f in path if f != e])
        assert np.allclose(ps.kappa(net, w), by_definition, rtol=1e-10)
        squares = np.sum(ps.path_jacobian(listed, w) ** 2, axis=0)
        assert np.allclose(squares, by_definition, rtol=1e-10)


def test_kappa_survives_dead_units():
    net = Layered((2, 2, 1))
    w = np.array([0.0, 0.0, 1.0, 2.0, 3.0, 4.0])
    assert ps.kappa(net, w).tolist() == [9.0, 9.0, 16.0, 16.0, 0.0, 5.0]


def test_jacobian_by_differences():
    rng = np.random.default_rng(3)
    graph = random_graph(rng)
    w = rng.normal(size=graph.size)
    step = 1e-6
    slopes = [
        (path_values(graph, w + step * e) - path_values(graph, w - step * e)) / (2 * step)
        for e in np.eye(graph.size)
    ]
    assert np.allclose(np.array(slopes).T, ps.path_jacobian(graph, w), atol=1e-7)


def path_step(net, w, x, y):
    gradient = value_and_gradient(net, w, x, y, nets.squared_error)[1]
    return w - 0.3 * ps.path_sgd_direction(net, w, gradient)


def test_path_sgd_commutes_with_rescaling_where_kappa_vanishes():
    rng = np.random.default_rng(13)
    net = Layered((4, 6, 5, 3), bias=True)
    w, x, y = rng.normal(size=net.size), rng.normal(size=(8, 4)), rng.normal(size=(8, 3))
    net.matrices(w)[0][0] = 0  # a unit without a path from any input
    net.matrices(w)[2][:, 1] = 0  # a unit without a path to any output
    gradient = value_and_gradient(net, w, x, y, nets.squared_error)[1]
    dead = ps.kappa(net, w) == 0
    assert dead.any()
    assert not gradient[dead].any()
    scale = net.edge_factors(2.0 ** rng.integers(-9, 10, net.hidden))
    assert np.array_equal(path_step(net, w * scale, x, y), scale * path_step(net, w, x, y))


@pytest.mark.parametrize(("a", "b"), [(0, -1), (2, 0), (4, 1), (4, 0), (-2, -1), (0, 0)])
def test_which_powers_of_weight_and_kappa_give_an_invariant_step(a, b):
    rng = np.random.default_rng(14)
    net = Layered((4, 6, 3))
    w, x, y = rng.normal(size=net.size), rng.normal(size=(8, 4)), rng.normal(size=(8, 3))
    scale = net.edge_factors(np.exp(rng.normal(size=net.hidden)))

    def move(w):
        gradient = value_and_gradient(net, w, x, y, nets.squared_error)[1]
        return gradient * np.abs(w) ** a * ps.kappa(net, w) ** b

    assert np.allclose(move(w * scale), scale * move(w), rtol=1e-9) == (a - 2 * b == 2)


def test_only_the_penalty_on_the_path_norm_keeps_path_sgd_invariant():
    net = Layered((3, 4, 2))
    rng = np.random.default_rng(15)
    w, scale = rng.normal(size=net.size), net.edge_factors(np.exp(rng.normal(size=net.hidden)))

    def decay(w, slope):
        return w - 0.1 * ps.path_sgd_direction(net, w, slope)

    moved = w * scale
    by_paths = decay(moved, moved * ps.kappa(net, moved)), decay(w, w * ps.kappa(net, w))
    assert np.allclose(by_paths[0], scale * by_paths[1])
    assert np.isclose(path_norm(net, by_paths[1]), 0.9**2 * path_norm(net, w))
    assert not np.allclose(decay(moved, moved), scale * decay(w, w))


def test_path_sgd_leaves_edges_without_paths_alone():
    net = Layered((1, 1, 1))
    assert ps.path_sgd_direction(net, np.zeros(2), np.zeros(2)).tolist() == [0.0, 0.0]


def recurrent_jacobian(net, w):
    graph, copies = net.dag()
    return ps.path_jacobian(graph, w[copies]) @ np.eye(net.size)[copies]


@pytest.mark.parametrize("length", [1, 2, 3, 5])
def test_shared_weights_by_listing_paths(length):
    rng = np.random.default_rng(length)
    net = Recurrent(inputs=2, hidden=2, outs=2, length=length)
    w = rng.normal(size=net.size)
    graph, copies = net.dag()
    assert np.isclose(path_norm(net, w), np.linalg.norm(path_values(graph, w[copies])))

    counts = np.array(
        [np.bincount(copies[list(path)], minlength=net.size) for path in graph.paths()]
    )
    shares = path_values(graph, w[copies])[:, None] ** 2 / w**2
    kappa, repeated = ps.kappa(net, w), ps.repeated_kappa(net, w)
    assert np.allclose(kappa, np.sum(counts * shares, axis=0))
    assert np.allclose(repeated, np.sum(counts * (counts - 1) * shares, axis=0))
    assert np.allclose(kappa + repeated, np.sum(recurrent_jacobian(net, w) ** 2, axis=0))

    factors = net.edge_factors(np.exp(rng.normal(size=2)))
    assert np.allclose(ps.kappa(net, w * factors), kappa / factors**2)
    assert np.allclose(ps.repeated_kappa(net, w * factors), repeated / factors**2)


def test_gradients_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"gradient, w: shapes \(1, 6\), \(6,\); expected equal"):
        ps.path_sgd_direction(Layered((2, 2, 1)), np.ones(6), np.ones((1, 6)))
