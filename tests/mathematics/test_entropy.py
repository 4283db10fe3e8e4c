"""Positive solutions of least entropy and of least l1 norm, against closed forms and duality."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lecture_code.entropy import (
    certificate,
    entropy,
    entropy_minimiser,
    minimal_l1,
    on_manifold,
)

seeds = st.integers(0, 2**32 - 1)


def positive_system(seed, m=3, n=7):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((m, n))
    return A, A @ rng.uniform(0.2, 1.5, n)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: entropy_minimiser(*positive_system(0), np.zeros(7)), "x0: smallest entry"),
        (
            lambda: entropy_minimiser(np.ones((1, 2)), np.array([-1.0]), np.full(2, 1e-20)),
            "positive solution",
        ),
        (lambda: minimal_l1(np.array([[1.0, 2.0]]), np.array([-1.0])), "x >= 0"),
        (
            lambda: certificate(np.array([[1.0, 2.0]]), np.ones(1), np.array([-1.0])),
            "expected a positive one",
        ),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_entropy_by_hand_and_at_zeros():
    D = entropy(np.array([0.0, 2.0]), np.array([3.0, 1.0]))
    assert pytest.approx(3 + 2 * np.log(2) - 1) == D


@given(seeds, st.floats(1e-10, 1e3))
@settings(max_examples=25)
def test_entropy_minimiser_solves_and_has_the_form_of_the_least(seed, alpha):
    A, y = positive_system(seed)
    x0 = alpha**2 * np.linspace(0.5, 2, 7)
    x, s = entropy_minimiser(A, y, x0)
    np.testing.assert_allclose(A @ x, y, atol=1e-8 * np.linalg.norm(y))
    np.testing.assert_allclose(x, x0 * np.exp(2 * A.T @ s), rtol=1e-10)
    np.testing.assert_allclose(on_manifold(A, x0, s), x, rtol=1e-10)


def test_entropy_minimiser_from_a_given_s():
    A, y = positive_system(13)
    x0 = np.full(7, 0.1)
    x, s = entropy_minimiser(A, y, x0)
    np.testing.assert_allclose(entropy_minimiser(A, y, x0, s + 0.3)[0], x, rtol=1e-9)


def test_minimal_l1_and_certificate_by_hand():
    A, y = np.array([[1.0, 2.0, 0.5]]), np.array([2.0])
    best = minimal_l1(A, y)
    np.testing.assert_allclose(best.x, [0, 1, 0], atol=1e-9)
    assert best.value == pytest.approx(1)
    assert best.slack == pytest.approx(0.5)  # nu = 1/2, slacks 1 - 1/2 and 1 - 1/4
    np.testing.assert_allclose(best.dual, [0.5])
    nu, lower = certificate(A, y, np.array([3.0]))
    assert (nu, lower) == (0.5, 1)


@given(seeds)
@settings(max_examples=25)
def test_dual_of_minimal_l1_certifies_it(seed):
    A, y = positive_system(seed)
    best = minimal_l1(A, y)
    np.testing.assert_allclose(A @ best.x, y, atol=1e-8)
    assert best.x.min() >= 0
    assert best.value == pytest.approx(best.x.sum())
    assert best.dual @ y == pytest.approx(best.value)
    slacks = 1 - A.T @ best.dual
    np.testing.assert_allclose(slacks[best.x > 1e-9], 0, atol=1e-8)
    assert slacks[best.x <= 1e-9].min() == pytest.approx(best.slack, abs=1e-8)


@pytest.mark.parametrize("scale", [1e-200, 1e-9, 1e12])
def test_least_l1_norm_follows_the_scale_of_the_data(scale):
    A = np.array([[1.0, 2, 3, 1], [2, 1, 0, 1]])
    once = minimal_l1(A, np.ones(2))
    for found in (minimal_l1(A, scale * np.ones(2)), minimal_l1(A / scale, np.ones(2))):
        assert found.value == pytest.approx(2 / 3 * scale)
        assert found.slack == pytest.approx(once.slack)
    np.testing.assert_allclose(found.dual, scale * once.dual)


def test_slack_without_bound_is_infinite():
    square = minimal_l1(np.eye(2), np.ones(2))
    assert square.value == pytest.approx(2)
    assert square.slack == np.inf
    np.testing.assert_allclose(square.dual, 1)
    zero = minimal_l1([[1, 2, 3], [2, 1, 0]], [0, 0])
    assert (zero.value, zero.slack) == (0, np.inf)


def test_entropy_of_what_has_none_is_refused():
    with pytest.raises(ValueError, match=r"x: smallest entry -1.0; expected no negative"):
        entropy([-1, 1], [1, 1])
    with pytest.raises(ValueError, match=r"x0: smallest entry 0.0; expected positive"):
        entropy([1, 1], [0, 1])
    with pytest.raises(ValueError, match=r"x0: shape \(3,\); expected \(2,\)"):
        entropy([1, 1], [1, 1, 1])
