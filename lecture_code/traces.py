r"""The least trace of a positive semidefinite solution, in a bracket with its certificates.

A problem is one of :mod:`lecture_code.measurements`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lecture_code.checks import solve, takes
from lecture_code.measurements import Sensing, adjoint, measure, minimal_frobenius


@dataclass(frozen=True)
class MinimalTrace:
    r"""A bracket of the least trace, with what certifies its two ends.

    ``X`` is positive semidefinite with :math:`\mathcal A(X)=y` and trace ``upper``; ``nu`` has
    :math:`\mathcal A^*(\nu)\preceq I` and :math:`\langle\nu,y\rangle` = ``lower``. With a penalty
    the two ends are values of the two penalised programs instead, and ``X`` need not fit.
    """

    X: np.ndarray
    nu: np.ndarray
    lower: float
    upper: float


@takes()
def minimal_trace(problem: Sensing, gap: float = 1e-6, penalty: float = 0.0) -> MinimalTrace:
    r"""Least trace of X >= 0 with :math:`\mathcal A(X)=y`, by Newton's method on a dual barrier.

    .. math:: \max_\nu\ \langle\nu,y\rangle-\tfrac\lambda4\|\nu\|^2
              +\mu\log\det(I-\mathcal A^*(\nu)), \qquad \mu\to0

    At its maximum :math:`X=\mu(I-\mathcal A^*(\nu))^{-1}` has :math:`\mathcal A(X)=y-\tfrac\lambda2
    \nu`. Damped Newton steps keep nu strictly feasible without line search, since the barrier is
    self-concordant. Without a penalty, lambda is a multiple of mu: so the maximum exists even
    where the truth is the only feasible matrix, and X becomes feasible in the limit. The bracket
    returned does not rely on any of that: nu is scaled to be feasible, and X is moved to the
    equations, by projection or, where that would make it indefinite, by Newton's method on its
    factor U, for :math:`UU^\top` is positive semidefinite whatever U is.

    With a ``penalty`` lambda it is the least
    :math:`\operatorname{tr}X+\tfrac1\lambda\|\mathcal A(X)-y\|^2` instead, over all X >= 0.

    Raises ``ValueError`` if the bracket does not close to ``gap`` relative to the minimum, as
    happens if no positive semidefinite X is feasible, or if the penalty is negative.
    """
    if penalty < 0:
        raise ValueError(f"penalty: {penalty}; expected at least 0")
    bracket = (-np.inf, np.inf)
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            for mu, nu, X in _central_path(problem, penalty):
                top = max(1.0, float(np.linalg.eigvalsh(adjoint(problem, nu))[-1]))
                dual = nu / top
                lower = float(dual @ problem.y - penalty / 4 * dual @ dual)
                if penalty:
                    miss = measure(problem, X) - problem.y
                    upper = float(np.trace(X) + miss @ miss / penalty)
                else:
                    X = _feasible(problem, X, mu)
                    upper = float(np.trace(X))
                bracket = lower, upper
                if upper - lower <= gap * upper and np.linalg.eigvalsh(X)[0] >= -1e-15 * upper:
                    return MinimalTrace(X, dual, lower, upper)
    except np.linalg.LinAlgError:
        pass
    raise ValueError(
        f"problem: the bracket [{bracket[0]:.6g}, {bracket[1]:.6g}] does not close; expected a "
        "problem with a positive semidefinite solution"
    )


def _central_path(
    problem: Sensing, penalty: float
) -> Iterator[tuple[float, np.ndarray, np.ndarray]]:
    """Points mu, nu and X, mu falling by a factor of five from one to the next."""
    nu, identity = np.zeros(problem.m), np.eye(problem.n)
    size = np.sum(problem.A**2) / (problem.m * problem.n)
    mu = float(np.linalg.norm(minimal_frobenius(problem))) + 1e-300
    for _ in range(30):
        damping = penalty or mu * size
        for _ in range(40):
            inverse = np.linalg.inv(identity - adjoint(problem, nu))
            images = problem.A @ inverse
            slope = (problem.y - damping / 2 * nu) / mu - np.trace(images, axis1=1, axis2=2)
            hessian = np.einsum("kij,lji->kl", images, images)
            hessian[np.diag_indices(problem.m)] += damping / (2 * mu)
            newton = np.linalg.solve(hessian, slope)
            if not np.isfinite(newton @ slope):
                raise np.linalg.LinAlgError("Newton's method diverges")
            decrement = float(np.sqrt(max(newton @ slope, 0.0)))
            nu = nu + newton / (1 + decrement if decrement > 0.25 else 1.0)
            if decrement < 1e-5:
                break
        yield mu, nu, mu * np.linalg.inv(identity - adjoint(problem, nu))
        mu *= 0.2


def _feasible(problem: Sensing, X: np.ndarray, mu: float) -> np.ndarray:
    """A matrix near X that solves the equations, positive semidefinite if one can be found."""
    rows = problem.A.reshape(problem.m, -1)
    miss = problem.y - measure(problem, X)
    projected = X + adjoint(problem, solve("problem", rows @ rows.T, miss))
    if np.linalg.eigvalsh(projected)[0] >= 0:
        return projected
    values, vectors = np.linalg.eigh(X)
    kept = values > np.sqrt(mu * np.trace(X))
    U = vectors[:, kept] * np.sqrt(values[kept])
    for _ in range(8):
        miss = problem.y - measure(problem, U @ U.T)
        if np.linalg.norm(miss) <= 1e-12 * np.linalg.norm(problem.y):
            return U @ U.T
        slopes = 2 * (problem.A @ U).reshape(problem.m, -1)
        U = U + np.linalg.lstsq(slopes, miss, rcond=1e-10)[0].reshape(U.shape)
    return projected
