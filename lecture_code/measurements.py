r"""Linear measurements of a symmetric matrix: the operator, its adjoint, and the loss on X = UU^T.

A problem is m symmetric matrices :math:`A_i` of shape (n, n) and data y of shape (m,). Write
:math:`\mathcal A(X)_i=\langle A_i,X\rangle` and :math:`\mathcal A^*(s)=\sum_is_iA_i`.

Memory: 8mn^2 bytes, once. Drawing a problem, checking it and applying it and its adjoint take no
second copy, only a few megabytes more (n = 300, m = 10,000: 7.2 GB).

Source: talk, "Gradient Descent on Factorization"; Gunasekar et al. (2017).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from lecture_code.checks import as_floats, as_integers, as_number, solve, takes

PART = 2**17  # entries of the measurement matrices that are looked at together, 1 MB


@dataclass(frozen=True)
class Sensing:
    """Measurement matrices ``A`` of shape (m, n, n), symmetric, and data ``y`` of shape (m,)."""

    A: np.ndarray
    y: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "A", as_floats("A", self.A))
        object.__setattr__(self, "y", as_floats("y", self.y))
        if self.A.ndim != 3 or self.A.shape[1] != self.A.shape[2] or not self.A.size:
            raise ValueError(f"A: shape {self.A.shape}; expected (m, n, n)")
        if self.y.shape != self.A.shape[:1]:
            raise ValueError(f"y: shape {self.y.shape}; expected ({self.A.shape[0]},)")
        if not all(np.array_equal(part, part.transpose(0, 2, 1)) for part in _parts(self.A)):
            raise ValueError("A: not symmetric; expected symmetric matrices, (A + A^T)/2 will do")

    @property
    def m(self) -> int:
        """The number of measurements."""
        return self.A.shape[0]

    @property
    def n(self) -> int:
        """The size of the matrices."""
        return self.A.shape[1]


def _parts(A: np.ndarray) -> Iterator[np.ndarray]:
    """The matrices in groups, views of them: what is done to a group needs memory for it alone."""
    count = max(1, PART // max(A[0].size, 1))
    return (A[k : k + count] for k in range(0, len(A), count))


@takes(X="problem.n problem.n", finite=False)
def measure(problem: Sensing, X: np.ndarray) -> np.ndarray:
    r""":math:`\mathcal A(X)`, the m inner products :math:`\langle A_i,X\rangle`."""
    return problem.A.reshape(problem.m, -1) @ X.ravel()


@takes(s="problem.m", finite=False)
def adjoint(problem: Sensing, s: np.ndarray) -> np.ndarray:
    r""":math:`\mathcal A^*(s)=\sum_is_iA_i`, shape (n, n)."""
    return (s @ problem.A.reshape(problem.m, -1)).reshape(problem.n, problem.n)


@takes()
def gaussian_sensing(
    n: int, m: int, rank: int, rng: np.random.Generator
) -> tuple[Sensing, np.ndarray]:
    r"""Symmetrised standard normal :math:`A_i` and data of a random truth; returns both.

    The truth is :math:`X^*=ZZ^\top` with Gaussian Z of shape (n, rank), scaled to trace ``rank``.
    """
    Z = rng.standard_normal((n, rank))
    truth = Z @ Z.T * (rank / np.sum(Z * Z))
    A = rng.standard_normal((m, n, n))
    for part in _parts(A):
        part[:] = (part + part.transpose(0, 2, 1)) / 2
    return Sensing(A, A.reshape(m, -1) @ truth.ravel()), truth


@takes()
def completion(n: int, entries: Mapping[tuple[int, int], float]) -> Sensing:
    r"""Observed entries as a problem: :math:`A=\tfrac12(e_ie_j^\top+e_je_i^\top)` for each pair.

    Raises ``ValueError`` if an index is none of 0, ..., n - 1.
    """
    A = np.zeros((len(entries), n, n))
    pairs = as_integers("entries", list(entries), 0, n - 1, (len(entries), 2))
    for k, (i, j) in enumerate(pairs.tolist()):
        A[k, i, j] += 0.5
        A[k, j, i] += 0.5
    return Sensing(A, np.array([as_number("entries", y) for y in entries.values()]))


@takes(X="problem.n problem.n", finite=False)
def residual_matrix(problem: Sensing, X: np.ndarray) -> np.ndarray:
    r""":math:`\mathcal A^*(\mathcal A(X)-y)`, half the gradient of the loss with respect to X."""
    return adjoint(problem, measure(problem, X) - problem.y)


@takes(U="problem.n k", finite=False)
def factor_gradient(problem: Sensing, U: np.ndarray) -> np.ndarray:
    r"""Gradient of :math:`\|\mathcal A(UU^\top)-y\|^2`, that is :math:`4\mathcal A^*(r)U`.

    ``U`` has shape (n, k). Source: talk, "Gradient Descent on Factorization", with the factor 4.
    """
    return 4.0 * residual_matrix(problem, U @ U.T) @ U


def minimal_frobenius(problem: Sensing) -> np.ndarray:
    r"""The matrix :math:`\mathcal A^*(\nu)` with :math:`\mathcal A(X)=y`: least Frobenius norm.

    Raises ``ValueError`` if the measurements are dependent.
    """
    rows = problem.A.reshape(problem.m, -1)
    return adjoint(problem, solve("problem", rows @ rows.T, problem.y))
