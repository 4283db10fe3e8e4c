"""Norms of units, and the unit that follows signs best: by a grid, and on awkward inputs."""

import re

import numpy as np
import pytest

from lecture_code import path_norm as pn
from lecture_code.nets import Layered
from lecture_code.paths import path_norm


@pytest.mark.parametrize("p", [1, 2])
def test_best_unit_by_a_fine_grid(p):
    rng = np.random.default_rng(7)
    angles = np.linspace(0, 2 * np.pi, 20_001)
    grid = np.column_stack([np.cos(angles), np.sin(angles)])
    grid /= np.linalg.norm(grid, ord=p, axis=1, keepdims=True)
    for m in [1, 2, 3, 4, 5] * 4:
        x, signs = rng.normal(size=(m, 2)), rng.choice([-1.0, 1.0], m)
        value, unit = pn.best_unit(x, signs, p)
        brute = np.max(np.abs(np.maximum(grid @ x.T, 0) @ signs)) / m
        assert brute <= value + 1e-12
        assert np.isclose(brute, value, rtol=1e-3)
        assert np.isclose(np.linalg.norm(unit, ord=p), 1)
        assert np.isclose(abs(signs @ np.maximum(x @ unit, 0)) / m, value)


def test_unit_norms():
    net = Layered((4, 6, 1))
    w = np.random.default_rng(10).normal(size=net.size)
    for p in (1, 2):
        norms = pn.unit_norms(net, w, p)
        assert np.isclose(np.linalg.norm(norms, ord=p), path_norm(net, w, p))


@pytest.mark.parametrize("p", [100, 400, 1e6, np.inf])
def test_large_orders_give_the_largest_weight_of_each_unit(p):
    norms = pn.unit_norms(Layered((2, 2, 1)), np.arange(1.0, 7), p)
    np.testing.assert_allclose(norms, [10, 24], rtol=1e-6)


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


def test_signs_that_are_none_and_orders_below_one_are_refused():
    with pytest.raises(ValueError, match="signs: holds 0; expected -1 and 1 only"):
        pn.best_unit(np.ones((2, 2)), [0, 1], 1)
    with pytest.raises(ValueError, match=r"x: shape \(0, 2\)"):
        pn.best_unit(np.ones((0, 2)), [], 1)
    with pytest.raises(ValueError, match=r"p: 0.5; expected a number of at least 1"):
        pn.unit_norms(Layered((2, 2, 1)), np.ones(6), 0.5)
