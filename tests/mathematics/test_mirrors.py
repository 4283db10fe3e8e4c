"""Mirrors against the maximisation that defines them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from lecture_code import mirrors


def corners(d: int, radius: float) -> np.ndarray:
    """The corners of the l1 ball, as columns."""
    return radius * np.hstack([np.eye(d), -np.eye(d)])


@pytest.mark.parametrize("p", [1.1, 1.5, 2.0])
def test_a_p_norm_mirror_answers_with_the_maximiser(p: float) -> None:
    zeta = np.random.default_rng(0).normal(size=4)

    def lost(w: np.ndarray) -> float:
        return np.sum(np.abs(w) ** p) ** (2 / p) / (2 * (p - 1)) - zeta @ w

    found = mirrors.p_norm(p)(zeta)
    best = minimize(
        lost, found + 0.3, method="Nelder-Mead", options={"xatol": 1e-9, "maxfev": 9999}
    )
    assert lost(found) <= best.fun + 1e-12
    np.testing.assert_allclose(mirrors.p_norm(p)(1e200 * zeta), 1e200 * found, rtol=1e-9)


def test_two_is_no_mirror() -> None:
    zeta = np.random.default_rng(1).normal(size=5)
    np.testing.assert_allclose(mirrors.p_norm(2)(zeta), zeta, rtol=1e-14)
    np.testing.assert_array_equal(mirrors.p_norm(1.5)(np.zeros(3)), np.zeros(3))


def test_the_l1_ball_is_the_entropy_on_its_corners() -> None:
    zeta, radius = np.random.default_rng(2).normal(size=3), 2.5
    weights = np.exp(corners(3, radius).T @ zeta / radius**2)
    expected = corners(3, radius) @ weights / weights.sum()
    np.testing.assert_allclose(mirrors.l1_ball(radius)(zeta), expected, rtol=1e-13)
    closed = radius * np.sinh(zeta / radius) / np.cosh(zeta / radius).sum()
    np.testing.assert_allclose(expected, closed, rtol=1e-13)
    assert np.abs(mirrors.l1_ball(radius)(1e6 * zeta)).sum() == pytest.approx(radius)


def test_the_ball_projects() -> None:
    np.testing.assert_allclose(mirrors.ball(2.0)(np.array([3.0, 4.0])), [1.2, 1.6])
    np.testing.assert_array_equal(mirrors.ball(6.0)(np.array([3.0, 4.0])), [3.0, 4.0])


def test_softmax_shrugs_at_large_numbers() -> None:
    assert mirrors.softmax([1e4, 1e4 - np.log(3)]) == pytest.approx([0.75, 0.25])


@pytest.mark.parametrize("make", [mirrors.ball, mirrors.l1_ball])
def test_a_radius_is_positive(make) -> None:
    with pytest.raises(ValueError, match=r"radius: 0.0; expected a positive number"):
        make(0)


@pytest.mark.parametrize("p", [1.0, 2.5])
def test_an_order_outside_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match=r"p: .*; expected a number in \(1, 2\]"):
        mirrors.p_norm(p)
