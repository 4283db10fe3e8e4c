"""The statements of the chapter on the path-norm, each by a second way."""

import re
from itertools import product

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

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


def test_path_norm_of_layers_by_matrix_products():
    rng = np.random.default_rng(0)
    net = Layered((4, 5, 3, 2))
    w = rng.normal(size=net.size)
    first, second, third = net.matrices(w)
    expected = np.sqrt(np.sum(third**2 @ second**2 @ first**2))
    assert np.isclose(pn.path_norm(net, w), expected, rtol=1e-13)


def test_path_norm_needs_p_of_at_least_one():
    with pytest.raises(ValueError, match=re.escape("p: 0.5; expected a number of at least 1")):
        pn.path_norm(Layered((1, 1)), np.ones(1), 0.5)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_rescaling_changes_neither_path_values_nor_kappa_times_squares(seed):
    for net, listed, w in networks_for(seed):
        factors = np.exp(np.random.default_rng(seed).normal(size=net.hidden))
        moved = w * net.edge_factors(factors)
        assert np.allclose(pn.path_values(listed, moved), pn.path_values(listed, w), rtol=1e-10)
        assert np.allclose(
            moved**2 * pn.kappa(net, moved), w**2 * pn.kappa(net, w), rtol=1e-10, atol=1e-14
        )


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_kappa_by_jacobian_by_second_difference_and_by_definition(seed):
    for net, listed, w in networks_for(seed):
        kappa = pn.kappa(net, w)
        assert np.allclose(kappa, np.sum(pn.path_jacobian(listed, w) ** 2, axis=0), rtol=1e-10)
        by_definition = np.zeros(net.size)
        for path in listed.paths():
            for e in path:
                by_definition[e] += np.prod([w[f] ** 2 for f in path if f != e])
        assert np.allclose(kappa, by_definition, rtol=1e-10)
        e = np.eye(net.size)[seed % net.size]
        bend = sum(s * pn.path_norm(net, w + t * e) ** 2 for t, s in ((1, 1), (0, -2), (-1, 1))) / 2
        assert np.isclose(kappa @ e, bend, rtol=1e-8)


def test_kappa_by_autograd():
    rng = np.random.default_rng(1)
    net = Layered((3, 5, 4, 2))
    w = rng.normal(size=net.size)

    def phi_squared(w):
        a, b, c = w[:15].reshape(5, 3), w[15:35].reshape(4, 5), w[35:].reshape(2, 4)
        return anp.sum(c**2 @ (b**2 @ anp.sum(a**2, axis=1)))

    assert np.allclose(grad(phi_squared)(w), 2 * w * pn.kappa(net, w), rtol=1e-12)


def test_kappa_survives_dead_units():
    net = Layered((2, 2, 1))
    w = np.array([0.0, 0.0, 1.0, 2.0, 3.0, 4.0])
    assert pn.kappa(net, w).tolist() == [9.0, 9.0, 16.0, 16.0, 0.0, 5.0]


def test_layers_without_biases_each_hold_the_whole_norm():
    net = Layered((3, 5, 4, 2))
    w = np.random.default_rng(2).normal(size=net.size)
    for part in net.matrices(w**2 * pn.kappa(net, w)):
        assert np.isclose(part.sum(), pn.path_norm(net, w) ** 2)


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


@pytest.mark.parametrize("seed", range(5))
def test_rank_and_kernel_of_the_jacobian(seed):
    for net, listed, w in networks_for(seed):
        jacobian = pn.path_jacobian(listed, w)
        assert np.linalg.matrix_rank(pn.incidence(listed)) == net.size - net.hidden
        assert np.linalg.matrix_rank(jacobian) == net.size - net.hidden
        for unit in np.eye(net.hidden):
            direction = w * np.log(net.edge_factors(np.exp(unit)))
            assert np.allclose(jacobian @ direction, 0, atol=1e-10)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), depth=st.integers(0, 3))
def test_the_diagonal_against_the_whole_geometry(seed, depth):
    rng = np.random.default_rng(seed)
    net = Layered((2, *rng.integers(1, 5, depth), 2))
    w = rng.normal(size=net.size)
    jacobian, kappa = pn.path_jacobian(net.dag(), w), pn.kappa(net, w)
    moves = rng.normal(size=(50, net.size))
    lengths, by_diagonal = np.sum((moves @ jacobian.T) ** 2, axis=1), moves**2 @ kappa
    assert np.all(lengths <= (depth + 1) * by_diagonal * (1 + 1e-12))
    assert np.isclose(np.sum((jacobian @ w) ** 2), (depth + 1) * (w**2 @ kappa), rtol=1e-10)

    moved = w * net.edge_factors(np.exp(rng.normal(size=net.hidden)))
    spectra = []
    for v in (w, moved):
        scaled = pn.path_jacobian(net.dag(), v) / np.sqrt(pn.kappa(net, v))
        spectra.append(np.linalg.eigvalsh(scaled.T @ scaled))
    assert np.allclose(spectra[0], spectra[1], atol=1e-9)
    assert np.isclose(spectra[0][-1], depth + 1, rtol=1e-10)
    assert np.sum(spectra[0] < 1e-9) == net.hidden


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_move_of_one_weight_has_exactly_the_length_of_the_diagonal(seed):
    for net, listed, w in networks_for(seed):
        e = np.eye(net.size)[seed % net.size]
        change = pn.path_values(listed, w + 3 * e) - pn.path_values(listed, w)
        assert np.isclose(np.sum(change**2), 9 * pn.kappa(net, w) @ e, rtol=1e-9)


def path_step(net, w, x, y):
    gradient = value_and_gradient(net, w, x, y, nets.squared_error)[1]
    return w - 0.3 * pn.path_sgd_direction(net, w, gradient)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), spread=st.floats(0.1, 3))
def test_path_sgd_commutes_with_rescaling(seed, spread):
    rng = np.random.default_rng(seed)
    net = Layered((4, 6, 5, 3), bias=True)
    w, x, y = rng.normal(size=net.size), rng.normal(size=(8, 4)), rng.normal(size=(8, 3))
    scale = net.edge_factors(np.exp(spread * rng.normal(size=net.hidden)))
    assert np.allclose(path_step(net, w * scale, x, y) / scale, path_step(net, w, x, y), rtol=1e-8)


def test_path_sgd_commutes_with_powers_of_two_to_the_last_bit():
    rng = np.random.default_rng(4)
    net = Layered((4, 6, 5, 3), bias=True)
    w, x, y = rng.normal(size=net.size), rng.normal(size=(8, 4)), rng.normal(size=(8, 3))
    scale = net.edge_factors(2.0 ** rng.integers(-9, 10, net.hidden))
    assert np.array_equal(path_step(net, w * scale, x, y), scale * path_step(net, w, x, y))


def test_sgd_and_the_printed_kappa_do_not_commute():
    rng = np.random.default_rng(5)
    net = Layered((4, 6, 3))
    w, x, y = rng.normal(size=net.size), rng.normal(size=(8, 4)), rng.normal(size=(8, 3))
    scale = net.edge_factors(np.full(net.hidden, 2.0))
    for printed in (False, True):
        ends = []
        for start in (w, w * scale):
            gradient = value_and_gradient(net, start, x, y, nets.squared_error)[1]
            step = gradient / (start**2 * pn.kappa(net, start)) if printed else gradient
            ends.append(start - 1e-3 * step)
        assert not np.allclose(ends[1] / scale, ends[0], rtol=1e-6)


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


def test_the_function_is_no_function_of_the_path_values():
    net, x = Layered((1, 1, 1)), np.ones((1, 1))
    plus, minus = np.ones(2), -np.ones(2)
    assert np.array_equal(pn.path_values(net.dag(), plus), pn.path_values(net.dag(), minus))
    assert net.outputs(plus, x).item() == 1
    assert net.outputs(minus, x).item() == 0


def test_path_sgd_leaves_edges_without_paths_alone():
    net = Layered((1, 1, 1))
    assert pn.path_sgd_direction(net, np.zeros(2), np.zeros(2)).tolist() == [0.0, 0.0]


def test_path_sgd_on_the_squared_norm_is_weight_decay():
    net = Layered((3, 4, 2))
    w = np.random.default_rng(6).normal(size=net.size)
    assert np.allclose(pn.path_sgd_direction(net, w, w * pn.kappa(net, w)), w)


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


@pytest.mark.parametrize("p", [1, 2])
def test_no_two_layer_network_beats_the_theorem(p):
    rng = np.random.default_rng(8)
    x, signs = rng.normal(size=(12, 2)), rng.choice([-1.0, 1.0], 12)
    best, unit = pn.best_unit(x, signs, p)
    for H in (1, 2, 5):
        net = Layered((2, H, 1))
        gain = H ** (1 - 1 / p)

        def correlation(w, net=net):
            return abs(signs @ net.outputs(w, x)[:, 0]) / 12 / pn.path_norm(net, w, p)

        for _ in range(50):
            assert correlation(rng.normal(size=net.size)) <= gain * best + 1e-12
        found = minimize(lambda w: -correlation(w), rng.normal(size=net.size), method="Nelder-Mead")
        assert -found.fun <= gain * best + 1e-12
        assert np.isclose(correlation(np.r_[np.tile(unit, H), np.ones(H)]), gain * best)


def test_rademacher_complexity_of_one_unit_by_all_signs():
    rng = np.random.default_rng(9)
    x = rng.normal(size=(8, 2))
    every = np.array(list(product([-1.0, 1.0], repeat=8)))
    mean = np.mean([pn.best_unit(x, signs, 2)[0] for signs in every])
    linear = np.mean(np.linalg.norm(every @ x, axis=1)) / 8
    assert linear / 2 <= mean <= 2 * linear <= 2 * np.sqrt(np.sum(x**2)) / 8


@pytest.mark.parametrize("p", [1, 2])
def test_two_hidden_layers_stay_between_the_bounds(p):
    rng = np.random.default_rng(16)
    x, width = rng.normal(size=(6, 2)), 3
    net, gain = Layered((2, width, width, 1)), width ** (1 - 1 / p)
    every = np.array(list(product([-1.0, 1.0], repeat=6)))[:32]  # the other half are negatives
    units = [pn.best_unit(x, signs, p) for signs in every]
    linear = np.mean(np.linalg.norm(every @ x, ord=np.inf if p == 1 else 2, axis=1)) / 6
    assert linear / 2 <= np.mean([value for value, _ in units]) <= 2 * linear

    def correlation(w, signs):
        return abs(signs @ net.outputs(w, x)[:, 0]) / 6 / pn.path_norm(net, w, p)

    found = []
    for signs, (value, unit) in zip(every, units, strict=True):
        clones = np.r_[np.tile(unit, width), np.ones(width**2 + width)]
        assert np.isclose(correlation(clones, signs), gain**2 * value)
        start = clones + 0.1 * rng.normal(size=net.size)
        loss = minimize(
            lambda w, s=signs: -correlation(w, s), start, method="Powell", options={"maxiter": 3}
        )
        found.append(max(-loss.fun, gain**2 * value))
    assert np.mean(found) <= (2 * gain) ** 2 * linear


def test_unit_norms():
    net = Layered((4, 6, 1))
    w = np.random.default_rng(10).normal(size=net.size)
    for p in (1, 2):
        norms = pn.unit_norms(net, w, p)
        assert np.isclose(np.linalg.norm(norms, ord=p), pn.path_norm(net, w, p))
    least = minimize(
        lambda s: 0.5 * np.sum((w * net.edge_factors(np.exp(s))) ** 2), np.zeros(6), tol=1e-12
    )
    assert np.isclose(least.fun, pn.unit_norms(net, w).sum(), rtol=1e-8)


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

    counts = pn.incidence(graph) @ np.eye(net.size, dtype=int)[copies]
    shares = pn.path_values(graph, w[copies])[:, None] ** 2 / w**2
    kappa, repeated = pn.kappa(net, w), pn.repeated_kappa(net, w)
    assert np.allclose(kappa, np.sum(counts * shares, axis=0))
    assert np.allclose(repeated, np.sum(counts * (counts - 1) * shares, axis=0))
    assert np.allclose(kappa + repeated, np.sum(recurrent_jacobian(net, w) ** 2, axis=0))

    factors = net.edge_factors(np.exp(rng.normal(size=2)))
    assert np.allclose(pn.kappa(net, w * factors), kappa / factors**2)
    assert np.allclose(pn.repeated_kappa(net, w * factors), repeated / factors**2)


def test_half_the_second_derivative_with_shared_weights():
    net = Recurrent(inputs=1, hidden=2, outs=1, length=4)
    w = np.random.default_rng(12).normal(size=net.size)
    curvature = pn.kappa(net, w) + 2 * pn.repeated_kappa(net, w)
    for e, expected in zip(np.eye(net.size), curvature, strict=True):
        at = np.arange(-3, 4)
        values = [pn.path_norm(net, w + s * e) ** 2 for s in at]
        quadratic = np.polynomial.polynomial.polyfit(at, values, 6)[2]
        assert np.isclose(quadratic, expected, rtol=1e-8)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pn.unit_norms(Layered((2, 3, 3, 1)), np.ones(18)), "net: widths (2, 3, 3, 1)"),
        (lambda: pn.unit_norms(Layered((2, 3, 2)), np.ones(12)), "net: widths (2, 3, 2)"),
        (lambda: pn.unit_norms(Layered((2, 3, 1), bias=True), np.ones(13)), "bias True; expected"),
        (lambda: pn.best_unit(np.ones((4, 3)), np.ones(4), 2), "x, p: shape (4, 3), 2; expected"),
        (lambda: pn.best_unit(np.ones((4, 2)), np.ones(4), 3), "x, p: shape (4, 2), 3; expected"),
    ],
)
def test_errors_name_argument_value_and_what_was_expected(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()
