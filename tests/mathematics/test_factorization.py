"""Norms of factors, their bracket, Hessians and samples: against cone programs and enumeration."""

import hashlib
from importlib import resources
from itertools import product

import cvxpy as cp
import numpy as np
import pytest

from lecture_code import factorization as fz


def rng(seed=0):
    return np.random.default_rng(seed)


def gamma_two(W):
    """The max-norm by its semidefinite program."""
    m, n = W.shape
    X, t = cp.Variable((m + n, m + n), PSD=True), cp.Variable()
    return cp.Problem(cp.Minimize(t), [X[:m, m:] == W, cp.diag(X) <= t]).solve(solver="CLARABEL")


def test_balanced_factors_have_the_product_and_the_trace_norm():
    W = rng().standard_normal((5, 4))
    for k in (4, 7):
        U, V = fz.balanced(W, k)
        assert U.shape == (5, k)
        assert V.shape == (4, k)
        np.testing.assert_allclose(U @ V.T, W, atol=1e-12)
        np.testing.assert_allclose(U.T @ U, V.T @ V, atol=1e-12)
    assert np.sum(U**2) == pytest.approx(fz.trace_norm(W))
    U, V = fz.balanced(W, 2)
    assert np.linalg.norm(W - U @ V.T, 2) == pytest.approx(np.linalg.svd(W)[1][2])


@pytest.mark.parametrize("seed", range(4))
def test_the_bracket_holds_the_semidefinite_optimum(seed):
    W = rng(seed).standard_normal((5, 4))
    W[:, 1] *= seed > 0  # a zero column, once
    found = fz.max_norm(W, gap=1e-7)
    assert found.upper - found.lower <= 1e-7 * found.upper
    assert found.upper == pytest.approx(gamma_two(W), rel=1e-6)
    assert found.lower == pytest.approx(fz.weighted_trace_norm(W, found.p, found.q))
    assert found.p.sum() == pytest.approx(1)
    assert found.q.sum() == pytest.approx(1)
    assert (np.diff(found.history, axis=0) * [1, -1] >= 0).all()


def test_the_max_norm_of_zero_is_zero():
    assert fz.max_norm(np.zeros((2, 3))).upper == 0


def test_the_hessian_is_the_second_difference():
    Y, s = rng(1).standard_normal((3, 4)), rng(2).random((3, 4))
    z, h = rng(3).standard_normal(14), 1e-4

    def value(z):
        U, V = z[:6].reshape(3, 2), z[6:].reshape(4, 2)
        return np.sum(s * (U @ V.T - Y) ** 2) / 2 + 0.35 * z @ z

    e = h * np.eye(14)
    second = [
        [(value(z + a + b) - value(z + a - b) - value(z - a + b) + value(z - a - b)) for b in e]
        for a in e
    ]
    H = fz.hessian(Y, s, z[:6].reshape(3, 2), z[6:].reshape(4, 2), 0.7)
    np.testing.assert_allclose(H, np.array(second) / (4 * h**2), atol=1e-6)


def test_a_power_spectrum_is_one():
    W = fz.power_spectrum(6, 1.5, rng(4))
    sigma = np.linalg.svd(W, compute_uv=False)
    np.testing.assert_allclose(sigma / sigma[0], np.arange(1, 7.0) ** -1.5)
    assert np.mean(W**2) == pytest.approx(1)
    assert np.linalg.matrix_rank(fz.power_spectrum(6, 0.5, rng(5), rank=2)) == 2


def test_the_block_gets_its_share():
    law = fz.block_law(6, 2, 0.5)
    assert law.sum() == pytest.approx(1)
    assert law[:2, :2].sum() == pytest.approx(0.5 + 0.5 * 4 / 36)
    assert np.ptp(law[2:]) == 0


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("distinct", [False, True])
def test_the_complexity_is_that_of_all_samples_and_signs(weighted, distinct):
    law = np.array([[0.6, 0.2], [0.1, 0.1]])
    p, q = (law.sum(1), law.sum(0)) if weighted else ([0.5, 0.5], [0.5, 0.5])
    exact = 0.0
    for places in product(range(4), repeat=2):
        kept = sorted(set(places)) if distinct else places
        for signs in product((-1, 1), repeat=len(kept)):
            S = np.zeros(4)
            np.add.at(S, list(kept), signs)
            size = np.linalg.norm(S.reshape(2, 2) / np.sqrt(np.outer(p, q)), 2) / len(kept)
            exact += size * np.prod(law.ravel()[list(places)]) / 2 ** len(kept)
    found = fz.rademacher(law, 2, 4000, rng(6), weighted=weighted, distinct=distinct)
    assert found == pytest.approx(exact, rel=0.05)


def test_the_sea_temperatures_are_those_of_the_provenance():
    folder = resources.files("lecture_code").joinpath("data")
    digest = hashlib.sha256(folder.joinpath("sea_temperatures.csv").read_bytes()).hexdigest()
    assert f"`{digest}`" in folder.joinpath("SEA_TEMPERATURES.md").read_text(encoding="utf-8")
    years, degrees = fz.sea_temperatures()
    assert years.tolist() == list(range(1950, 2011))
    assert degrees.shape == (61, 12)
    assert degrees[0, 0] == 23.11
    assert 18 < degrees.min() < degrees.max() < 30


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fz.block_law(3, 4), "n, k|k, mass: 4"),
        (lambda: fz.power_spectrum(3, 1.0, rng(), rank=4), "n, rank: 3, 4"),
        (lambda: fz.weighted_trace_norm(np.ones((1, 1)), [-1.0], [1.0]), "p, q: least -1"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
