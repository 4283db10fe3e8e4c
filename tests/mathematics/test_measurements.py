"""Linear measurements of a matrix: each function against another way to the same numbers."""

import tracemalloc

import numpy as np
import pytest
from autograd import grad
from autograd import numpy as anp
from hypothesis import given, settings
from hypothesis import strategies as st

from lecture_code import measurements as ms

seeds = st.integers(0, 2**32 - 1)


def sensing(seed, n=5, m=6, rank=1):
    return ms.gaussian_sensing(n, m, rank, np.random.default_rng(seed))


def symmetric(seed, n):
    G = np.random.default_rng(seed).standard_normal((n, n))
    return (G + G.T) / 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ms.Sensing(np.ones((2, 3)), np.ones(2)), "A: shape"),
        (lambda: ms.Sensing(np.ones((2, 3, 4)), np.ones(2)), "A: shape"),
        (lambda: ms.Sensing(np.ones((2, 3, 3)), np.ones(3)), "y: shape"),
        (lambda: ms.Sensing(np.arange(9.0).reshape(1, 3, 3), np.ones(1)), "not symmetric"),
    ],
)
def test_a_problem_is_checked(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@given(seeds)
@settings(max_examples=20)
def test_measure_and_adjoint(seed):
    problem, truth = sensing(seed, rank=2)
    X, s = symmetric(seed, 5), np.random.default_rng(seed).standard_normal(6)
    expected = [np.sum(A * X) for A in problem.A]
    np.testing.assert_allclose(ms.measure(problem, X), expected, atol=1e-12)
    np.testing.assert_allclose(ms.adjoint(problem, s), np.tensordot(s, problem.A, 1), atol=1e-12)
    np.testing.assert_allclose(ms.measure(problem, truth), problem.y, atol=1e-12)
    assert np.trace(truth) == pytest.approx(2)
    assert np.linalg.matrix_rank(truth) == 2
    assert (problem.n, problem.m) == (5, 6)


def test_completion_reads_entries():
    problem = ms.completion(3, {(0, 1): 2.0, (2, 2): 5.0})
    X = symmetric(0, 3)
    np.testing.assert_allclose(ms.measure(problem, X), [X[0, 1], X[2, 2]])
    np.testing.assert_array_equal(problem.y, [2, 5])


def test_factor_gradient_by_autograd():
    problem, _ = sensing(1)
    U = np.random.default_rng(2).standard_normal((5, 3))

    def loss(U):
        X = anp.dot(U, U.T)
        return sum((anp.sum(A * X) - y) ** 2 for A, y in zip(problem.A, problem.y, strict=True))

    np.testing.assert_allclose(ms.factor_gradient(problem, U), grad(loss)(U), rtol=1e-10)


def test_minimal_frobenius_is_the_pseudoinverse():
    problem, _ = sensing(3)
    rows = problem.A.reshape(6, -1)
    expected = (np.linalg.pinv(rows) @ problem.y).reshape(5, 5)
    np.testing.assert_allclose(ms.minimal_frobenius(problem), expected, atol=1e-10)


def test_indices_off_the_matrix_and_dependent_measurements_are_refused():
    for pair in [(-1, 0), (0, 2)]:
        with pytest.raises(ValueError, match="entries: holds"):
            ms.completion(2, {pair: 1.0})
    twice = ms.Sensing(np.stack([np.eye(2)] * 2), np.array([1.0, 2.0]))
    with pytest.raises(ValueError, match=r"problem: condition .* expected independent rows"):
        ms.minimal_frobenius(twice)


def test_the_matrices_are_held_once():
    """Drawn, checked, applied and differentiated: memory grows like 8mn^2 and no faster."""
    n, m = 60, 1000
    tracemalloc.start()
    problem, truth = ms.gaussian_sensing(n, m, 2, np.random.default_rng(0))
    ms.factor_gradient(problem, np.ones((n, 2)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert problem.A.nbytes == 8 * m * n**2
    assert peak < 1.2 * problem.A.nbytes
    np.testing.assert_allclose(ms.measure(problem, truth), problem.y)


def test_gaussian_measurements_keep_the_square_on_average():
    problem, _ = ms.gaussian_sensing(4, 20_000, 1, np.random.default_rng(3))
    X = symmetric(4, 4)
    assert np.mean(ms.measure(problem, X) ** 2) == pytest.approx(np.sum(X * X), rel=0.05)
