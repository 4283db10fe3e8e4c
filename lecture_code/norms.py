r"""Least norms and largest margins, each answer of a solver with the certificate of its dual.

An underdetermined system is a matrix ``A`` of shape (m, n) with m < n, and data ``y`` of shape
(m,); examples times their labels are the rows of ``Z``, of shape (N, d).

Source: talk, "Warm-up: Least Squares" and "Optimization is Tied to Choice of Geometry".
"""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import linprog, lsq_linear, nnls

from lecture_code.checks import bracketed, solve, takes
from lecture_code.optimize import Norm

DUAL: dict[str, Norm] = {"l1": "linf", "l2": "l2", "linf": "l1"}


@takes(w="n")
def norm(w: np.ndarray, kind: Norm) -> float:
    """The norm of that name of a vector; ``ValueError`` for another name."""
    check_norm(kind)
    if kind == "l2":
        return math.hypot(*w.tolist())  # squares neither overflow nor vanish
    return float(np.linalg.norm(w, {"l1": 1, "linf": np.inf}[kind]))


def check_norm(kind: str) -> None:
    """Raises ``ValueError`` unless ``kind`` names a norm."""
    if kind not in DUAL:
        raise ValueError(f"kind: {kind!r}; expected 'l1', 'l2' or 'linf'")


@takes(A="m n", y="m", start="n", metric="n n")
def least_norm(
    A: np.ndarray, y: np.ndarray, start: np.ndarray | None = None, metric: np.ndarray | None = None
) -> np.ndarray:
    r"""The solution of Aw = y closest to ``start`` in the norm :math:`\sqrt{w^\top H^{-1}w}`.

    .. math:: w_0 + HA^\top(AHA^\top)^{-1}(y - Aw_0)

    ``start`` is :math:`w_0` (zero if not given), ``metric`` the positive definite H of shape (n, n)
    (the identity if not given). Raises ``ValueError`` unless A has more columns than rows and
    these are independent.
    Source: talk, "Warm-up: Least Squares".
    """
    m, n = A.shape
    if m >= n:
        raise ValueError(f"A: shape {A.shape}; expected fewer rows than columns")
    w = np.zeros(n) if start is None else start
    spread = A.T if metric is None else metric @ A.T
    return w + spread @ solve("A", A @ spread, y - A @ w)


@takes(A="m n", y="m")
def minimal_norm(A: np.ndarray, y: np.ndarray, kind: Norm) -> float:
    """The least value of the norm over all solutions of Aw = y, by linear programming or SVD.

    For l1 and linf it is infinite if there are none. Raises ``ValueError`` for another norm, and if
    the dual does not certify the solver's answer.
    """
    check_norm(kind)
    if kind == "l2":
        return norm(least_norm(A, y), "l2")
    return _least(kind, A, y, y)


@takes(Z="N d")
def maximal_margin(Z: np.ndarray, kind: Norm) -> float:
    r"""The largest margin :math:`\gamma=\max_{\|w\|\le1}\min_i\langle w,z_i\rangle`, if positive.

    By linear programming, as the inverse of the least norm that has margin 1, or for l2 as the
    distance of the convex hull of the rows from zero (non-negative least squares). ``Z`` has shape
    (N, d). Zero if no w separates the rows from zero. Raises ``ValueError`` for another norm, and
    if duality does not certify the solver's answer.
    """
    check_norm(kind)
    if kind == "l2":
        return _distance_of_hull(Z)
    return 1 / _least(kind, Z, np.ones(len(Z)), np.full(len(Z), np.inf))


def _distance_of_hull(Z: np.ndarray) -> float:
    """The norm of the shortest convex combination w of the rows.

    It is at least the margin of every vector, and is attained if that of w, the least
    <w, z_i>/|w|, equals |w|. Where non-negative least squares fails that test, as scipy's
    can, bounded least squares is asked.
    """
    size = float(np.max(np.abs(Z))) or 1.0
    Z = Z / size
    matrix = np.vstack([Z.T, np.ones(len(Z))])
    right = np.r_[np.zeros(Z.shape[1]), 1.0]

    def bracket(weights: np.ndarray) -> tuple[float, float]:
        w = Z.T @ (weights / weights.sum())
        length = norm(w, "l2")
        return (max(0.0, float(np.min(Z @ w)) / length) if length else 0.0), length

    try:
        lower, upper = bracket(nnls(matrix, right)[0])
    except RuntimeError:
        lower, upper = 0.0, np.inf
    if not upper - lower <= 1e-9:
        other = lsq_linear(matrix, right, (0, np.inf), method="bvls", tol=1e-14).x
        lower, upper = bracket(np.maximum(other, 0.0))
    return bracketed("Z", lower, upper, scale=1.0) * size


def _least(kind: Norm, A: np.ndarray, low: np.ndarray, high: np.ndarray) -> float:
    """The least l1 or linf norm of w with low <= Aw <= high, infinite if there is none.

    It is the least sum of t in a linear program in (w, t), where t bounds each |w_i|: for l1 each
    by its own entry, for linf all by one. High is low, or infinite. The solver's tolerances are
    absolute, so all is scaled to size one; its dual prices nu >= 0 (of either sign for equations)
    certify the minimum, for |w| >= <nu, Aw> >= <nu, low> if the dual norm of A^T nu is at most 1.
    """
    sizes = np.max(np.abs(A), axis=1)
    sizes[sizes == 0] = 1.0
    size = float(np.max(np.abs(low / sizes))) or 1.0
    A, low, high = A / sizes[:, None], low / sizes / size, high / sizes / size
    n, equal = A.shape[1], bool(np.isfinite(high).all())
    cover = np.eye(n) if kind == "l1" else np.ones((n, 1))
    given = np.hstack([A, np.zeros((len(A), cover.shape[1]))])
    covered = np.block([[np.eye(n), -cover], [-np.eye(n), -cover]])
    program = linprog(
        np.r_[np.zeros(n), np.ones(cover.shape[1])],
        A_ub=covered if equal else np.vstack([covered, -given]),
        b_ub=np.zeros(2 * n) if equal else np.r_[np.zeros(2 * n), -low],
        A_eq=given if equal else None,
        b_eq=low if equal else None,
        bounds=(None, None),
    )
    if program.status == 2:
        return np.inf
    if program.status != 0:
        raise ValueError(f"A, {kind}: {program.message}; expected a program that can be solved")
    w, prices = program.x[:n], (program.eqlin if equal else program.ineqlin).marginals
    prices = prices if equal else np.maximum(-prices[2 * n :], 0.0)
    miss = np.max(np.abs(A @ w - low) if equal else np.maximum(low - A @ w, 0))
    if miss > 1e-6:
        raise ValueError(f"A: the solver misses the conditions by {miss:.1e}; expected less")
    bound = float(prices @ low) / max(1.0, norm(A.T @ prices, DUAL[kind]))
    return bracketed("A", bound, norm(w, kind), scale=1.0) * size
