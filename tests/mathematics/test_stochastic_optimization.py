"""Tight, slow and misleading instances against other ways to the same numbers."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import cvxpy as cp
import numpy as np
import pytest

from lecture_code import stochastic_optimization as so
from lecture_code.optimize import stochastic_gradient_descent


def test_the_planets_keep_the_third_law() -> None:
    axes, periods = so.orbits()
    np.testing.assert_allclose(periods**2 / axes**3, 1, rtol=2e-3)
    assert periods[0] * 365.25 == pytest.approx(87.969, abs=1e-3)  # Mercury, in days


def test_a_pass_over_coins_in_floats() -> None:
    """Summed by the loop instead, over all samples."""
    seen = np.zeros((2, 3))
    for sample in product((-1.0, 1.0), repeat=3):
        points: list[np.ndarray] = []
        stochastic_gradient_descent(
            lambda w, z: w - z, np.zeros(()), sample * 2, 0.5, watch=points.append
        )
        seen += (np.reshape(points, (2, 3)) - sample) ** 2 / 2 / 8
    exact = [float(following) for following, _ in so.passes(3, 2)]
    np.testing.assert_allclose(seen.mean(axis=1), exact, rtol=1e-13)


@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_coordinates_are_met_or_not(steps: int) -> None:
    missed = Fraction(steps - 1, steps) ** steps
    assert so.coordinate_excess(steps) == (1 - missed, missed)


@pytest.mark.parametrize("steps", [1, 2, 7, 30])
def test_the_staircase_is_climbed_row_by_row(steps: int) -> None:
    """Each step takes the next row; rows are shorter than 1."""
    rows, used = so.staircase(steps), []

    def slope(w: np.ndarray, _: int) -> np.ndarray:
        used.append(so.first_maximiser(rows, w))
        return used[-1]

    stochastic_gradient_descent(slope, np.zeros(steps), range(steps), steps**-0.5)
    np.testing.assert_array_equal(used, rows[:-1])
    assert np.linalg.norm(rows, axis=1).max() < 1


def test_some_unseen_is_a_share_of_all_samples() -> None:
    for m, n in ((1, 1), (2, 3), (3, 2)):
        samples = list(product((0, 1), repeat=m * n))
        missed = sum((np.reshape(s, (m, n)).sum(axis=0) == 0).any() for s in samples)
        assert so.some_unseen(m, n) == Fraction(int(missed), len(samples))


def test_masks_look_like_fair_tosses() -> None:
    bits = so.masks(64, 1000, 5)
    assert abs(bits.mean() - 0.5) < 3 * 0.5 / np.sqrt(bits.size)
    correlations = np.corrcoef(bits)[np.triu_indices(64, 1)]
    assert np.abs(correlations).max() < 5 / np.sqrt(1000)
    assert not np.array_equal(bits, so.masks(64, 1000, 6))


def test_the_masked_slope_is_that_of_the_loss() -> None:
    rng = np.random.default_rng(0)
    w, mask = rng.normal(size=6), rng.integers(0, 2, 6)

    def loss(w: np.ndarray) -> float:
        return np.linalg.norm(mask * w) + 0.3 / 6 * np.sum((w - 1) ** 2)

    nudges = 1e-6 * np.eye(6)
    change = [(loss(w + e) - loss(w - e)) / 2e-6 for e in nudges]
    np.testing.assert_allclose(so.masked_slope(w, mask, 0.3), change, atol=1e-8)


@pytest.mark.parametrize("seed", [2, 5])
def test_the_empirical_minimiser_sits_on_what_was_never_met(seed: int) -> None:
    """As a conic solver finds it; its excess by enumeration of what a fresh mask meets."""
    m, d, pull = 4, 36, 0.1
    sample = so.masks(m, d, seed)
    unseen = sample.sum(axis=0) == 0
    k = int(unseen.sum())
    assert k > 0
    w = cp.Variable(d)
    met = sum(cp.norm(cp.multiply(mask, w)) for mask in sample) / m
    objective = met + pull / d * cp.sum_squares(w - 1)
    cp.Problem(cp.Minimize(objective), [cp.norm(w) <= 1]).solve(solver=cp.CLARABEL)
    np.testing.assert_allclose(w.value, unseen / np.sqrt(k), atol=1e-5)
    root = np.mean([np.sqrt(sum(bits) / k) for bits in product((0, 1), repeat=k)])
    excess = root + pull / d * (np.sum((w.value - 1) ** 2) - d)
    assert so.masked_excess(k, d, pull) == pytest.approx(excess, abs=1e-5)
    assert so.masked_excess(0, d, pull) == 0


def test_one_pass_over_masks_keeps_its_bound() -> None:
    fresh = so.masks(500, 256, 99)
    for m in (4, 16):
        w = so.masked_pass(so.masks(m, 256, 1), 0.1)
        risk = np.linalg.norm(fresh * w, axis=1).mean() + 0.1 / 256 * np.sum((w - 1) ** 2)
        assert risk - 0.1 <= (1 + 0.4 / 16) / np.sqrt(m)


def test_the_code_is_linear_and_its_words_are_far_apart() -> None:
    words = so.golay()
    weights, counts = np.unique((words < 0).sum(axis=1), return_counts=True)
    assert dict(zip(weights, counts, strict=True)) == {0: 1, 8: 759, 12: 2576, 16: 759, 24: 1}
    rng = np.random.default_rng(1)
    known = {tuple(word) for word in words}
    for i, j in rng.integers(4096, size=(50, 2)):
        assert tuple(words[i] * words[j]) in known


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: so.passes(0, 1), r"m, epochs: \(0, 1\); expected at least 1"),
        (lambda: so.coordinate_excess(7), "steps: 7; expected an integer from 1 to 6"),
        (lambda: so.staircase(0), "steps: 0; expected at least 1"),
        (lambda: so.some_unseen(-1, 2), "m, n"),
        (lambda: so.masked_excess(5, 4, 0.1), "unseen: 5; expected an integer from 0 to 4"),
    ],
)
def test_what_is_out_of_range_is_refused(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
