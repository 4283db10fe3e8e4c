"""Completion by exact ridge steps: against scipy's minimiser and a cone program; its memory."""

import re
import tracemalloc
from itertools import pairwise

import cvxpy as cp
import numpy as np
import pytest
from scipy.optimize import minimize

from lecture_code import alternating as al
from lecture_code import factorization as fz


def rng(seed=0):
    return np.random.default_rng(seed)


def holes(m, n, share, seed):
    """A random matrix, which places are seen, and the table of these."""
    draw = rng(seed)
    Y, seen = draw.standard_normal((m, n)), draw.random((m, n)) < share
    return Y, seen, al.table(Y, seen)


def convex(Y, seen, lam, p=None, q=None):
    """The least penalised loss over all matrices, by a solver of cone programs."""
    W = cp.Variable(Y.shape)
    p, q = (np.ones(size) if w is None else w for w, size in ((p, len(Y)), (q, Y.shape[1])))
    norm = cp.normNuc(cp.diag(np.sqrt(p)) @ W @ cp.diag(np.sqrt(q)))
    loss = cp.sum_squares(cp.multiply(seen, W - Y)) / 2
    return cp.Problem(cp.Minimize(loss + lam * norm)).solve(solver="CLARABEL")


def test_a_sweep_minimises_in_each_factor():
    Y, seen, data = holes(5, 4, 0.6, 0)
    U, V = rng(1).standard_normal((5, 2)), rng(2).standard_normal((4, 2))
    U, V = al.alternate(data, U, V, 0.3, 1)
    free = minimize(lambda v: al.objective(data, U, v.reshape(4, 2), 0.3), V.ravel() + 0.1)
    np.testing.assert_allclose(V.ravel(), free.x, atol=1e-4)
    loss = np.sum((seen * (U @ V.T - Y)) ** 2) + 0.3 * (np.sum(U**2) + np.sum(V**2))
    assert al.objective(data, U, V, 0.3) == pytest.approx(loss / 2)


@pytest.mark.parametrize("weighted", [False, True])
def test_wide_factors_reach_the_convex_minimum_and_the_gap_says_so(weighted):
    Y, seen, data = holes(7, 6, 0.6, 3)
    weights = {}
    if weighted:
        weights = {"p": rng(4).uniform(0.5, 2, 7), "q": rng(5).uniform(0.5, 2, 6)}
        data = al.Table(data.rows, data.columns, data.values, data.shape, **weights)
    U, V = al.alternate(data, *(rng(6).standard_normal((s, 6)) for s in (7, 6)), 0.5, 2000)
    best = convex(Y, seen, 0.5, **weights)
    assert al.objective(data, U, V, 0.5) == pytest.approx(best, rel=1e-6)
    assert 0 <= al.duality_gap(data, U, V, 0.5) < 1e-6


def test_the_gap_is_an_upper_bound_far_from_the_minimum():
    Y, seen, data = holes(7, 6, 0.6, 7)
    best = convex(Y, seen, 0.5)
    for seed in range(20):
        U, V = rng(seed).standard_normal((7, 3)), rng(seed + 50).standard_normal((6, 3))
        norm = fz.trace_norm(U @ V.T)
        excess = np.sum((seen * (U @ V.T - Y)) ** 2) / 2 + 0.5 * norm - best
        assert al.duality_gap(data, U, V, 0.5) >= excess - 1e-8


def test_the_gap_of_a_large_table_is_that_of_a_small_one(monkeypatch):
    _, _, data = holes(30, 20, 0.5, 8)
    U, V = al.alternate(data, *(rng(9).standard_normal((s, 4)) for s in (30, 20)), 1.0, 5)
    small = al.duality_gap(data, U, V, 1.0)
    monkeypatch.setattr(al, "DENSE", 0)
    assert al.duality_gap(data, U, V, 1.0) == pytest.approx(small, rel=1e-10)


def test_a_million_entries_of_a_huge_matrix_need_memory_linear_in_them():
    """10,000 x 10,000 would be 800 MB; the seen entries are 24 MB with their places."""
    size, k, draw = 10_000, 10, rng(10)
    rows, columns = np.divmod(np.unique(draw.integers(0, size**2, 1_000_000)), size)
    left, right = draw.standard_normal((2, size, k))
    values = sum(u[rows] * v[columns] for u, v in zip(left.T, right.T, strict=True))
    data = al.Table(rows, columns, values, (size, size))
    start = draw.standard_normal((2, size, k))
    tracemalloc.start()
    U, V = al.alternate(data, *start, 1.0, 15)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 120e6
    assert np.sqrt(np.mean((al.entries(data, U, V) - values) ** 2)) < 0.1


def test_sweeps_end_when_they_gain_nothing():
    _, _, data = holes(8, 8, 0.7, 11)
    start = [rng(12).standard_normal((8, 2)) for _ in range(2)]
    early = al.alternate(data, *start, 0.5, 100_000, tolerance=1e-12)
    late = al.alternate(data, *early, 0.5, 500)
    ends = [al.objective(data, *pair, 0.5) for pair in (early, late)]
    assert ends[1] == pytest.approx(ends[0], rel=1e-9)


def test_a_path_falls_with_the_width_and_knows_its_ranks():
    _, _, data = holes(9, 9, 0.6, 13)
    fits = al.rank_path(data, (1, 2, 4, 9), 1.0, rng(14), sweeps=400, starts=2, easing=(10, 1))
    assert all(a.objective >= b.objective - 1e-9 for a, b in pairwise(fits))
    for fit, k in zip(fits, (1, 2, 4, 9), strict=True):
        assert fit.U.shape == fit.V.shape == (9, k)
        assert fit.rank == np.linalg.matrix_rank(fit.W, tol=1e-3 * np.linalg.norm(fit.W, 2))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rows": [0, 3]}, "rows: holds 3"),
        ({"columns": [0, 0], "rows": [1, 1]}, "each place once"),
        ({"values": [np.nan, 1.0]}, "values:"),
        ({"p": [1.0, 0.0]}, "p: shape (2,)"),
    ],
)
def test_bad_tables_are_refused(change, message):
    good = {"rows": [0, 1], "columns": [0, 1], "values": [1.0, 2.0], "shape": (2, 2)}
    with pytest.raises(ValueError, match=re.escape(message)):
        al.Table(**good | change)


def test_a_penalty_must_be_positive():
    _, _, data = holes(3, 3, 0.5, 15)
    with pytest.raises(ValueError, match=re.escape("lam, sweeps: 0.0, 1;")):
        al.alternate(data, np.ones((3, 1)), np.ones((3, 1)), 0.0, 1)
