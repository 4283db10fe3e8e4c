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
    :math:`\mathcal A^*(\nu)\preceq I` and :math:`\langle\nu,y\rangle` = ``lower``.
    """

    X: np.ndarray
    nu: np.ndarray
    lower: float
    upper: float


@takes()
def minimal_trace(problem: Sensing, gap: float = 1e-6) -> MinimalTrace:
    r"""Least trace of X >= 0 with :math:`\mathcal A(X)=y`, by Newton's method on a dual barrier.

    .. math:: \max_\nu\ \langle\nu,y\rangle+\mu\log\det(I-\mathcal A^*(\nu)), \qquad \mu\to0

    At its maximum :math:`X=\mu(I-\mathcal A^*(\nu))^{-1}` is feasible, and
    :math:`\operatorname{tr}X-\langle\nu,y\rangle=n\mu`. Damped Newton steps keep nu strictly
    feasible without line search, since the barrier is self-concordant. The bracket returned does
    not rely on that: nu is scaled to be feasible, and X is projected on the equations.

    Raises ``ValueError`` if the bracket does not close to ``gap`` relative to the minimum, as can
    happen if no positive definite X is feasible.
    """
    bracket = (-np.inf, np.inf)
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            for best in _barrier(problem):
                closed = best.upper - best.lower <= gap * best.upper
                if closed and np.linalg.eigvalsh(best.X)[0] >= 0:
                    return best
                bracket = best.lower, best.upper
    except np.linalg.LinAlgError:
        pass
    raise ValueError(
        f"problem: the bracket [{bracket[0]:.6g}, {bracket[1]:.6g}] does not close; expected a "
        "problem with a positive definite solution"
    )


def _barrier(problem: Sensing) -> Iterator[MinimalTrace]:
    """The points of the central path, mu falling by a factor of five from one to the next."""
    nu, identity = np.zeros(problem.m), np.eye(problem.n)
    rows = problem.A.reshape(problem.m, -1)
    mu = float(np.linalg.norm(minimal_frobenius(problem))) + 1e-300
    for _ in range(30):
        for _ in range(40):
            inverse = np.linalg.inv(identity - adjoint(problem, nu))
            images = problem.A @ inverse
            slope = problem.y / mu - np.trace(images, axis1=1, axis2=2)
            hessian = np.einsum("kij,lji->kl", images, images)
            newton = np.linalg.solve(hessian, slope)
            if not np.isfinite(newton @ slope):
                raise np.linalg.LinAlgError("Newton's method diverges")
            decrement = float(np.sqrt(max(newton @ slope, 0.0)))
            nu = nu + newton / (1 + decrement if decrement > 0.25 else 1.0)
            if decrement < 1e-5:
                break
        X = mu * np.linalg.inv(identity - adjoint(problem, nu))
        miss = problem.y - measure(problem, X)
        X = X + adjoint(problem, solve("problem", rows @ rows.T, miss))
        top = max(1.0, float(np.linalg.eigvalsh(adjoint(problem, nu))[-1]))
        lower, upper = float(nu @ problem.y) / top, float(np.trace(X))
        yield MinimalTrace(X, nu / top, lower, upper)
        mu *= 0.2
