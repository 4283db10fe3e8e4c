"""The five problems: gradients against differences, minimisers against other solvers."""

from __future__ import annotations

from itertools import permutations

import cvxpy as cp
import numpy as np
import pytest

from lecture_code import generalized_learning as gl
from lecture_code.mirrors import softmax

CHANCES = np.array([0.1, 0.2, 0.3, 0.4])
PROBLEMS = {
    "digits": gl.odd_even(20.0),
    "clusters": gl.clusters(np.random.default_rng(0)),
    "density": gl.density(CHANCES),
    "route": gl.routes(3, np.random.default_rng(1)),
    "newsvendor": gl.newsvendor(3.0),
}
LOSS = {
    "digits": lambda h, z: np.logaddexp(0, -z[1] * (z[0] @ h)),
    "clusters": lambda h, z: np.min(np.sum((h - z) ** 2, axis=1)),
    "density": lambda h, z: -np.log(softmax(h)[z]),
    "newsvendor": lambda h, z: h - 3 * np.minimum(h, z),
}


@pytest.mark.parametrize("name", LOSS)
def test_a_gradient_is_that_of_the_loss(name: str) -> None:
    problem, rng = PROBLEMS[name], np.random.default_rng(2)
    sample = problem.draw(rng, 30)
    h = problem.start(sample) + 0.1 * rng.standard_normal(np.shape(problem.start(sample)))
    for z in sample[:5]:
        slope = np.asarray(problem.gradient(h, z))
        for i in np.ndindex(h.shape):
            nudge = np.zeros(h.shape)
            nudge[i] = 1e-6
            change = (LOSS[name](h + nudge, z) - LOSS[name](h - nudge, z)) / 2e-6
            assert slope[i] == pytest.approx(change, abs=1e-7)


@pytest.mark.parametrize("name", PROBLEMS)
def test_no_answer_beats_the_best_and_both_ways_approach_it(name: str) -> None:
    problem = PROBLEMS[name]
    lost = []
    for m in (30, 3000):
        sample = problem.draw(np.random.default_rng(3), m)
        lost.append([problem.excess(problem.one_pass(sample)), problem.excess(problem.erm(sample))])
    assert np.min(lost) >= -1e-9
    assert lost[1][0] < lost[0][0]
    assert lost[1][1] <= lost[0][1]


def test_the_logistic_minimiser_is_that_of_a_conic_solver() -> None:
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(40, 3)), rng.choice([-1.0, 1.0], 40)
    for ridge, radius in ((0.1, np.inf), (0.0, 0.2)):
        w = cp.Variable(3)
        loss = cp.sum(cp.logistic(-cp.multiply(y, x @ w))) / 40 + ridge / 2 * cp.sum_squares(w)
        limits = [cp.norm(w) <= radius] if radius < np.inf else []
        cp.Problem(cp.Minimize(loss), limits).solve()
        found = gl.logistic_minimiser(x, y, ridge=ridge, radius=radius)
        np.testing.assert_allclose(found, w.value, atol=2e-4)


def test_routes_are_all_monotone_ones_and_the_best_is_found() -> None:
    """On a grid of 3 x 3 junctions: six ways, of four edges each, no two the same."""
    problem = gl.routes(3, np.random.default_rng(5))
    delays = np.array([problem.excess(h) for h in np.eye(6)])
    assert delays.min() == 0
    assert len(set(permutations("uurr"))) == 6
    used = np.array([problem.gradient(None, z) for z in np.eye(12)])
    np.testing.assert_array_equal(used.sum(axis=0), np.full(6, 4))
    assert len({tuple(way) for way in used.T}) == 6


def test_an_empty_cell_costs_everything() -> None:
    problem = PROBLEMS["density"]
    assert problem.excess(problem.erm(np.array([0, 1, 2, 2]))) == np.inf
    counts = np.repeat(np.arange(4), [1, 2, 3, 4])
    assert problem.excess(problem.erm(counts)) == pytest.approx(0, abs=1e-12)
