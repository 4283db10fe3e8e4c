"""The path-norm and what is built on it, by listing paths, by a grid, and on awkward inputs."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lecture_code import nets
from lecture_code import path_norm as pn
from lecture_code.nets import Dag, Layered, Recurrent, value_and_gradient


def random_graph(rng, units=11, inputs=3, outs=2):
    """A graph in which every unit lies on a path from an input to an output."""
    last = units - outs
    edges = [
        (u, v)
        for v in range(inputs, units)
        for u in range(min(v, last))
        if u in (v - inputs, v - outs) or rng.random() < 0.3
    ]
    return Dag(inputs, tuple(edges), tuple(range(last, units)))


def networks_for(seed):
    rng = np.random.default_rng(seed)
    plain, biased, graph = (
        Layered((3, 4, 2, 2)),
        Layered((2, 3, 4, 1), bias=True),
        random_graph(rng),
    )
    for net in (plain, biased, graph):
        yield net, net if net is graph else net.dag(), rng.normal(size=net.size)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), p=st.floats(1, 6))
def test_path_norm_by_enumeration(seed, p):
    for net, listed, w in networks_for(seed):
        values = np.abs(pn.path_values(listed, w))
        assert np.isclose(pn.path_norm(net, w, p), np.sum(values**p) ** (1 / p), rtol=1e-11)


def test_path_norm_needs_p_of_at_least_one():
    with pytest.raises(ValueError, match=re.escape("p: 0.5; expected a number of at least 1")):
        pn.path_norm(Layered((1, 1)), np.ones(1), 0.5)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_kappa_by_its_definition_and_by_the_jacobian(seed):
    for net, listed, w in networks_for(seed):
        by_definition = np.zeros(net.size)
        for path in listed.paths():
            for e in path:
                by_definition[e] += np.prod([w[f] ** 2 for f in path if f != e])
        assert np.allclose(pn.kappa(net, w), by_definition, rtol=1e-10)
        squares = np.sum(pn.path_jacobian(listed, w) ** 2, axis=0)
        assert np.allclose(squares, by_definition, rtol=1e-10)


def test_kappa_survives_dead_units():
    net = Layered((2, 2, 1))
    w = np.array([0.0, 0.0, 1.0, 2.0, 3.0, 4.0])
    assert pn.kappa(net, w).tolist() == [9.0, 9.0, 16.0, 16.0, 0.0, 5.0]


def test_jacobian_by_differences():
    rng = np.random.default_rng(3)
    graph = random_graph(rng)
    w = rng.normal(size=graph.size)
    step = 1e-6
    slopes = [
        (pn.path_values(graph, w + step * e) - pn.path_values(graph, w - step * e)) / (2 * step)
        for e in np.eye(graph.size)
    ]
    assert np.allclose(np.array(slopes).T, pn.path_jacobian(graph, w), atol=1e-7)


def path_step(net, w, x, y):
    gradient = value_and_gradient(net, w, x, y, nets.squared_error)[1]
    return w - 0.3 * pn.path_sgd_direction(net, w, gradient)


def test_path_sgd_commutes_with_rescaling_where_kappa_vanishes():
    rng = np.random.default_rng(13)
    net = Layered((4, 6, 5, 3), bias=True)
    w, x, y = rng.normal(size=net.size), rng.normal(size=(8, 4)), rng.normal(size=(8, 3))
    net.matrices(w)[0][0] = 0  # a unit without a path from any input
    net.matrices(w)[2][:, 1] = 0  # a unit without a path to any output
    gradient = value_and_gradient(net, w, x, y, nets.squared_error)[1]
    dead = pn.kappa(net, w) == 0
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
        return gradient * np.abs(w) ** a * pn.kappa(net, w) ** b

    assert np.allclose(move(w * scale), scale * move(w), rtol=1e-9) == (a - 2 * b == 2)


def test_only_the_penalty_on_the_path_norm_keeps_path_sgd_invariant():
    net = Layered((3, 4, 2))
    rng = np.random.default_rng(15)
    w, scale = rng.normal(size=net.size), net.edge_factors(np.exp(rng.normal(size=net.hidden)))

    def decay(w, slope):
        return w - 0.1 * pn.path_sgd_direction(net, w, slope)

    moved = w * scale
    by_paths = decay(moved, moved * pn.kappa(net, moved)), decay(w, w * pn.kappa(net, w))
    assert np.allclose(by_paths[0], scale * by_paths[1])
    assert np.isclose(pn.path_norm(net, by_paths[1]), 0.9**2 * pn.path_norm(net, w))
    assert not np.allclose(decay(moved, moved), scale * decay(w, w))


def test_path_sgd_leaves_edges_without_paths_alone():
    net = Layered((1, 1, 1))
    assert pn.path_sgd_direction(net, np.zeros(2), np.zeros(2)).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("p", [1, 2])
def test_best_unit_by_a_fine_grid(p):
    rng = np.random.default_rng(7)
    angles = np.linspace(0, 2 * np.pi, 20_001)
    grid = np.column_stack([np.cos(angles), np.sin(angles)])
    grid /= np.linalg.norm(grid, ord=p, axis=1, keepdims=True)
    for _ in range(10):
        x, signs = rng.normal(size=(15, 2)), rng.choice([-1.0, 1.0], 15)
        value, unit = pn.best_unit(x, signs, p)
        brute = np.max(np.abs(np.maximum(grid @ x.T, 0) @ signs)) / 15
        assert brute <= value + 1e-12
        assert np.isclose(brute, value, rtol=1e-3)
        assert np.isclose(np.linalg.norm(unit, ord=p), 1)
        assert np.isclose(abs(signs @ np.maximum(x @ unit, 0)) / 15, value)


def test_unit_norms():
    net = Layered((4, 6, 1))
    w = np.random.default_rng(10).normal(size=net.size)
    for p in (1, 2):
        norms = pn.unit_norms(net, w, p)
        assert np.isclose(np.linalg.norm(norms, ord=p), pn.path_norm(net, w, p))


def recurrent_jacobian(net, w):
    graph, copies = net.dag()
    return pn.path_jacobian(graph, w[copies]) @ np.eye(net.size)[copies]


@pytest.mark.parametrize("length", [1, 2, 3, 5])
def test_shared_weights_by_listing_paths(length):
    rng = np.random.default_rng(length)
    net = Recurrent(inputs=2, hidden=2, outs=2, length=length)
    w = rng.normal(size=net.size)
    graph, copies = net.dag()
    assert np.isclose(pn.path_norm(net, w), np.linalg.norm(pn.path_values(graph, w[copies])))

    counts = np.array(
        [np.bincount(copies[list(path)], minlength=net.size) for path in graph.paths()]
    )
    shares = pn.path_values(graph, w[copies])[:, None] ** 2 / w**2
    kappa, repeated = pn.kappa(net, w), pn.repeated_kappa(net, w)
    assert np.allclose(kappa, np.sum(counts * shares, axis=0))
    assert np.allclose(repeated, np.sum(counts * (counts - 1) * shares, axis=0))
    assert np.allclose(kappa + repeated, np.sum(recurrent_jacobian(net, w) ** 2, axis=0))

    factors = net.edge_factors(np.exp(rng.normal(size=2)))
    assert np.allclose(pn.kappa(net, w * factors), kappa / factors**2)
    assert np.allclose(pn.repeated_kappa(net, w * factors), repeated / factors**2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pn.unit_norms(Layered((2, 3, 3, 1)), np.ones(18)), "net: widths (2, 3, 3, 1)"),
        (lambda: pn.unit_norms(Layered((2, 3, 2)), np.ones(12)), "net: widths (2, 3, 2)"),
        (lambda: pn.unit_norms(Layered((2, 3, 1), bias=True), np.ones(13)), "bias True; expected"),
        (lambda: pn.best_unit(np.ones((4, 3)), np.ones(4), 2), "x: shape (4, 3); expected (m, 2)"),
        (lambda: pn.best_unit(np.ones((4, 2)), np.ones(4), 3), "p: 3; expected 1 or 2"),
    ],
)
def test_errors_name_argument_value_and_what_was_expected(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


@pytest.mark.parametrize("p", [100, 400, 1e6, np.inf])
def test_large_orders_give_the_largest_path_value(p):
    net, w = Layered((2, 2, 1)), np.arange(1.0, 7)
    assert pn.path_norm(net, w, p) == pytest.approx(24, rel=1e-6)
    assert pn.path_norm(net.dag(), w, p) == pytest.approx(24, rel=1e-6)
    np.testing.assert_allclose(pn.unit_norms(net, w, p), [10, 24], rtol=1e-6)


@pytest.mark.parametrize("scale", [1e-150, 1e-100, 1e100])
@pytest.mark.parametrize("p", [1, 2, 7, np.inf])
def test_path_norm_of_extreme_weights(p, scale):
    """Both kinds of networks: all paths of the first have two weights."""
    w = np.arange(1.0, 7)
    net = Layered((2, 2, 1))
    with np.errstate(under="ignore"):
        expected = pn.path_norm(net, w, p) * scale * scale
        assert pn.path_norm(net, scale * w, p) == pytest.approx(expected, rel=1e-9, abs=0)
    recurrent = Recurrent(1, 2, 1, 3)
    up = np.array([scale] * 2 + [1.0] * 4 + [1 / scale] * 2)
    weights = np.arange(1.0, 9)
    expected = pn.path_norm(recurrent, weights, p)
    assert pn.path_norm(recurrent, up * weights, p) == pytest.approx(expected, rel=1e-9)


def test_gradients_of_another_shape_and_signs_that_are_none_are_refused():
    net = Layered((2, 2, 1))
    with pytest.raises(ValueError, match=r"gradient, w: shapes \(1, 6\), \(6,\); expected equal"):
        pn.path_sgd_direction(net, np.ones(6), np.ones((1, 6)))
    with pytest.raises(ValueError, match="signs: holds 0; expected -1 and 1 only"):
        pn.best_unit(np.ones((2, 2)), [0, 1], 1)
    with pytest.raises(ValueError, match=r"x: shape \(0, 2\)"):
        pn.best_unit(np.ones((0, 2)), [], 1)
    with pytest.raises(ValueError, match=r"p: 0.5; expected a number of at least 1"):
        pn.unit_norms(net, np.ones(6), 0.5)
