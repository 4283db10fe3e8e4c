r"""Low-rank recovery by local search: curvature, isometry from both sides, and the worst operators.

A problem is one of :mod:`lecture_code.measurements`, with data of a truth :math:`X^*=ZZ^\top`.
Write :math:`\mathcal H=\tfrac1m\mathcal A^*\mathcal A` and :math:`E=UU^\top-X^*`; the objective
is :math:`f(U)=\langle E,\mathcal HE\rangle`.

Source: talk, "Our Result: Local Search Sufficient"; Bhojanapalli, Neyshabur & Srebro (2016).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lecture_code.checks import takes
from lecture_code.measurements import (
    Sensing,
    adjoint,
    factor_gradient,
    measure,
    residual_matrix,
)
from lecture_code.optimize import gradient_descent


@takes(U="problem.n k", finite=False)
def objective(problem: Sensing, U: np.ndarray) -> float:
    r""":math:`f(U)=\tfrac1m\|\mathcal A(UU^\top)-y\|^2`; ``U`` has shape (n, k)."""
    miss = measure(problem, U @ U.T) - problem.y
    return float(miss @ miss) / problem.m


@takes(U="problem.n k", finite=False)
def gradient(problem: Sensing, U: np.ndarray) -> np.ndarray:
    r""":math:`\nabla f(U)=4(\mathcal HE)U`, of the shape of ``U``."""
    return factor_gradient(problem, U) / problem.m


@takes(U="problem.n k", finite=False)
def hessian(problem: Sensing, U: np.ndarray) -> np.ndarray:
    r"""The matrix of the second derivative, of shape (nk, nk), for D of shape (n, k) row by row.

    .. math:: \langle D,\nabla^2f\,D\rangle=2\langle S,\mathcal HS\rangle
              +4\langle\mathcal HE,DD^\top\rangle,\qquad S=UD^\top+DU^\top
    """
    slopes = (problem.A @ U).reshape(problem.m, -1)
    weights = residual_matrix(problem, U @ U.T)
    return (8 * slopes.T @ slopes + 4 * np.kron(weights, np.eye(U.shape[1]))) / problem.m


@takes(U="n k", Z="n r")
def align(U: np.ndarray, Z: np.ndarray) -> np.ndarray:
    r"""The :math:`ZQ`, with orthonormal rows of Q, that is closest to ``U``.

    Then :math:`U^\top ZQ` is symmetric and positive semidefinite. Raises ``ValueError`` if Z has
    more columns than U.
    """
    if Z.shape[1] > U.shape[1]:
        raise ValueError(f"Z: {Z.shape[1]} columns; expected at most those of U, {U.shape[1]}")
    left, _, right = np.linalg.svd(Z.T @ U, full_matrices=False)
    return Z @ left @ right


@takes(U="problem.n k")
def critical_point(problem: Sensing, U: np.ndarray, steps: int = 200) -> np.ndarray:
    """Where damped Newton steps on the gradient lead, often a saddle; ends when it is zero.

    A step is halved until the gradient is shorter; it lies off the kernel of the Hessian, which
    holds at least the rotations.
    """
    slope = gradient(problem, U)
    for _ in range(steps):
        size = np.linalg.norm(slope)
        if size <= 1e-11 * np.linalg.norm(problem.y):
            break
        newton = np.linalg.lstsq(hessian(problem, U), slope.ravel(), rcond=1e-9)[0]
        for halvings in range(20):
            trial = U - newton.reshape(U.shape) / 2**halvings
            slope = gradient(problem, trial)
            if np.linalg.norm(slope) < size:
                break
        U = trial
    return U


@takes()
def spectral_start(problem: Sensing, rank: int) -> np.ndarray:
    r"""A factor, of shape (n, rank), of the positive part of rank at most ``rank`` of
    :math:`\tfrac1m\mathcal A^*(y)`.

    Source: talk, "Global Initialization + Local Search".
    """
    values, vectors = np.linalg.eigh(adjoint(problem, problem.y) / problem.m)
    top = slice(problem.n - rank, problem.n)
    return vectors[:, top] * np.sqrt(np.maximum(values[top], 0))


@takes(starts="s n k")
def descend(problems: Sequence[Sensing], starts: np.ndarray, pace: float, steps: int) -> np.ndarray:
    r"""Gradient descent on as many problems with equally many measurements at once.

    Each has the step :math:`\eta=\text{pace}/\|\mathcal HX^*\|`, and less where
    :math:`\|\mathcal HE\|_F` is more than three times that norm, so that no step is longer than
    12 pace times U. ``starts`` has shape (problems, n, k), as what is returned.

    Raises ``ValueError`` if there are not as many starts as problems.
    """
    if len(problems) != len(starts):
        raise ValueError(f"starts: {len(starts)}; expected one a problem, {len(problems)}")
    A, y = np.stack([p.A for p in problems]), np.stack([p.y for p in problems])
    count, m, n, _ = A.shape
    rows = A.reshape(count, m, n * n)
    tops = np.linalg.norm((y[:, None] @ rows).reshape(count, n, n), 2, axis=(1, 2))

    def slopes(U: np.ndarray) -> np.ndarray:
        X = (U @ U.transpose(0, 2, 1)).reshape(count, n * n, 1)
        miss = (rows @ X)[..., 0] - y
        weights = (miss[:, None] @ rows).reshape(count, n, n)
        sizes = np.maximum(tops, np.linalg.norm(weights, axis=(1, 2)) / 3)
        return 4 * weights @ U / sizes[:, None, None]

    return gradient_descent(slopes, starts, pace, max_steps=steps, tolerance=1e-12).x


@takes()
def isometry_search(
    problem: Sensing, rank: int, rng: np.random.Generator, starts: int = 20, steps: int = 60
) -> tuple[float, float]:
    r"""The least and the largest :math:`\tfrac1m\|\mathcal A(X)\|^2` found at unit X of that rank.

    Power steps: X becomes the best approximation of rank at most ``rank`` of :math:`\mathcal HX`,
    scaled to Frobenius norm 1. As :math:`\langle X,\mathcal HX\rangle` is convex no step goes down.
    For the least value :math:`c-\mathcal H` stands for H, with c its largest eigenvalue. Both
    values are attained, so they bound the isometry constant from below.
    """
    rows = problem.A.reshape(problem.m, -1)
    top = float(np.linalg.norm(rows, 2)) ** 2 / problem.m
    ends = []
    for sign, shift in ((-1.0, top), (1.0, 0.0)):
        X = rng.standard_normal((starts, problem.n, problem.n))
        X = X + X.transpose(0, 2, 1)
        for _ in range(steps):
            values, vectors = np.linalg.eigh(X)
            kept = np.argsort(-np.abs(values), axis=1)[:, :rank]
            values = np.take_along_axis(values, kept, axis=1)
            vectors = np.take_along_axis(vectors, kept[:, None], axis=2)
            values /= np.linalg.norm(values, axis=1, keepdims=True)
            unit = (vectors * values[:, None]) @ vectors.transpose(0, 2, 1)
            flat = unit.reshape(starts, -1)
            images = flat @ rows.T
            X = (shift * flat + sign / problem.m * images @ rows).reshape(unit.shape)
        squares = np.sum(images**2, axis=1) / problem.m
        ends.append(float(np.max(sign * squares) * sign))
    return ends[0], ends[1]


@takes()
def gaussian_width(n: int, rank: int, rng: np.random.Generator, draws: int = 1000) -> float:
    r"""Mean of :math:`\bigl(\sum_{i\le r}\lambda_{(i)}^2\bigr)^{1/2}`, by that many draws.

    The :math:`\lambda_{(i)}` are the eigenvalues, the largest in absolute value first, of a
    symmetrised standard normal matrix: it is the mean of the largest inner product with a symmetric
    matrix of rank at most ``rank`` and norm 1.
    """
    G = rng.standard_normal((draws, n, n))
    squares = np.sort(np.linalg.eigvalsh((G + G.transpose(0, 2, 1)) / 2) ** 2, axis=1)
    return float(np.mean(np.sqrt(squares[:, -rank:].sum(axis=1))))


@takes()
def isometry_bound(width: float, m: int, failure: float = 0.01) -> float:
    r"""What the isometry constant of m Gaussian measurements exceeds with probability ``failure``.

    .. math:: 1-\delta\ge\Bigl(\sqrt{\tfrac m{m+1}}-\tfrac{w+s}{\sqrt m}\Bigr)_+^2,\qquad
              1+\delta\le\Bigl(1+\tfrac{w+s}{\sqrt m}\Bigr)^2,\qquad2e^{-s^2/2}=\text{failure}

    Source: Gordon's comparison of Gaussian processes (Ledoux & Talagrand, section 3.3).
    """
    if not (m >= 1 and 0 < failure < 1 and width >= 0):
        raise ValueError(
            f"width, m, failure: {width}, {m}, {failure}; expected w >= 0, m >= 1, (0, 1)"
        )
    part = (width + np.sqrt(2 * np.log(2 / failure))) / np.sqrt(m)
    return float(max((1 + part) ** 2 - 1, 1 - max(np.sqrt(m / (m + 1)) - part, 0) ** 2))


@takes(V="n n", Z="n r")
def weak_direction(V: np.ndarray, delta: float, Z: np.ndarray) -> Sensing:
    r"""Measurements with :math:`\mathcal HX=(1+\delta)X-2\delta\langle V,X\rangle V`, truth ZZ^T.

    ``V``, symmetric, is scaled to norm 1: in its direction the isometry is :math:`1-\delta`, in all
    others :math:`1+\delta`. There are n(n+1)/2 measurements. Raises ``ValueError`` unless delta
    lies in [0, 1] and V is symmetric and not 0.
    """
    if not 0 <= delta <= 1:
        raise ValueError(f"delta: {delta}; expected a number in [0, 1]")
    norm = np.linalg.norm(V)
    if norm == 0 or not np.array_equal(V, V.T):
        raise ValueError(f"V: norm {norm:.3g}; expected a symmetric matrix other than 0")
    n, unit = len(V), V / norm
    pairs = [(i, j) for i in range(n) for j in range(i, n)]
    basis = np.zeros((len(pairs), n, n))
    for k, (i, j) in enumerate(pairs):
        basis[k, i, j] = basis[k, j, i] = 1.0 if i == j else np.sqrt(0.5)
    along = np.tensordot(basis, unit, 2)[:, None, None] * unit
    A = np.sqrt(1 + delta) * basis + (np.sqrt(1 - delta) - np.sqrt(1 + delta)) * along
    A = np.sqrt(len(pairs)) * (A + A.transpose(0, 2, 1)) / 2
    return Sensing(A, A.reshape(len(pairs), -1) @ (Z @ Z.T).ravel())


@takes(points="... 2", finite=False)
def sharp(points: np.ndarray, delta: float) -> np.ndarray:
    r"""The example in the plane, at points (x, y) along the last axis.

    .. math:: f_\delta=(x^2-1)^2+2\delta(x^2-1)y^2+y^4+2(1+\delta)x^2y^2
    """
    x, y = points[..., 0] ** 2, points[..., 1] ** 2
    return (x - 1) ** 2 + 2 * delta * (x - 1) * y + y**2 + 2 * (1 + delta) * x * y


@takes(points="... 2", finite=False)
def sharp_gradient(points: np.ndarray, delta: float) -> np.ndarray:
    """The gradient of :func:`sharp`, of the shape of ``points``."""
    x, y = points[..., 0] ** 2, points[..., 1] ** 2
    along = np.stack([x - 1 + (1 + 2 * delta) * y, y - delta + (1 + 2 * delta) * x], axis=-1)
    return 4 * points * along


@takes()
def threshold(rank: int, columns: int) -> float:
    r""":math:`1/(1+\sqrt{r/k})`: isometry below it leaves no second-order point but the truth."""
    if not 1 <= rank <= columns:
        raise ValueError(f"rank, columns: {rank}, {columns}; expected 1 <= rank <= columns")
    return float(1 / (1 + np.sqrt(rank / columns)))


@takes()
def least_escape(delta: float) -> float:
    r""":math:`4\bigl(1-\delta\sqrt{2/(1-\delta)}\bigr)`: how the worst saddle bends, rank one."""
    if not 0 <= delta < 1:
        raise ValueError(f"delta: {delta}; expected a number in [0, 1)")
    return float(4 * (1 - delta * np.sqrt(2 / (1 - delta))))
