"""The path-norm by listing paths, and for extreme orders and weights."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from path_networks import networks_for

from lecture_code.nets import Layered, Recurrent
from lecture_code.paths import path_norm, path_values


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), p=st.floats(1, 6))
def test_path_norm_by_enumeration(seed, p):
    for net, listed, w in networks_for(seed):
        values = np.abs(path_values(listed, w))
        assert np.isclose(path_norm(net, w, p), np.sum(values**p) ** (1 / p), rtol=1e-11)


def test_path_norm_needs_p_of_at_least_one():
    with pytest.raises(ValueError, match=re.escape("p: 0.5; expected a number of at least 1")):
        path_norm(Layered((1, 1)), np.ones(1), 0.5)


@pytest.mark.parametrize("p", [100, 400, 1e6, np.inf])
def test_large_orders_give_the_largest_path_value(p):
    net, w = Layered((2, 2, 1)), np.arange(1.0, 7)
    assert path_norm(net, w, p) == pytest.approx(24, rel=1e-6)
    assert path_norm(net.dag(), w, p) == pytest.approx(24, rel=1e-6)


@pytest.mark.parametrize("scale", [1e-150, 1e-100, 1e100])
@pytest.mark.parametrize("p", [1, 2, 7, np.inf])
def test_path_norm_of_extreme_weights(p, scale):
    """Both kinds of networks: all paths of the first have two weights."""
    w = np.arange(1.0, 7)
    net = Layered((2, 2, 1))
    with np.errstate(under="ignore"):
        expected = path_norm(net, w, p) * scale * scale
        assert path_norm(net, scale * w, p) == pytest.approx(expected, rel=1e-9, abs=0)
    recurrent = Recurrent(1, 2, 1, 3)
    up = np.array([scale] * 2 + [1.0] * 4 + [1 / scale] * 2)
    weights = np.arange(1.0, 9)
    expected = path_norm(recurrent, weights, p)
    assert path_norm(recurrent, up * weights, p) == pytest.approx(expected, rel=1e-9)
