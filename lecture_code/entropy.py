r"""Solutions x >= 0 of Ax = y: that of least relative entropy, and those of least l1 norm.

Points are vectors of shape (n,); a system is a matrix ``A`` of shape (m, n) and data ``y`` of shape
(m,). For matrices that commute, x are the eigenvalues.

Source: talk, "What we can prove: commutative A_i", and its corollary; Gunasekar et al. (2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog, milp
from scipy.special import xlogy

from lecture_code.checks import bracketed, takes

UNBOUNDED = 1e6  # a slack beyond which it counts as infinite


@takes(x="n", x0="n")
def entropy(x: np.ndarray, x0: np.ndarray) -> float:
    r""":math:`D(x,x_0)=\sum_ix_i\log(x_i/x_{0,i})-x_i+x_{0,i}` for x >= 0 and positive x0.

    Raises ``ValueError`` for others.
    """
    if np.min(x) < 0:
        raise ValueError(f"x: smallest entry {np.min(x)}; expected no negative entries")
    check_positive(x0)
    return float(np.sum(xlogy(x, x / x0) - x + x0))


@takes(A="m n", x0="n", s="m")
def on_manifold(A: np.ndarray, x0: np.ndarray, s: np.ndarray) -> np.ndarray:
    r"""The point :math:`x_0\circ\exp(2A^\top s)` of the manifold on which the flow stays."""
    return x0 * np.exp(2.0 * (A.T @ s))


@takes(A="m n", y="m", x0="n", s="m")
def entropy_minimiser(
    A: np.ndarray, y: np.ndarray, x0: np.ndarray, s: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    r"""The positive solution of Ax = y of least :math:`D(x,x_0)`, and its coordinates s.

    :math:`x=x_0\circ e^{2A^\top s}`, by damped Newton on the convex dual

    .. math:: \Phi(s)=\tfrac12\sum_ix_{0,i}e^{2(A^\top s)_i}-\langle y,s\rangle

    If the full step changes :math:`\log x` by at most :math:`\delta`, its share t multiplies second
    derivatives by at most :math:`e^{\delta t}`. The share :math:`t=\log(1+\delta)/\delta` has the
    largest fall that this guarantees, so no line search is needed.

    Parameters
    ----------
    A, y : system of shape (m, n) and (m,), with a solution x > 0.
    x0 : reference point, positive, shape (n,).
    s : where Newton starts, zero if not given.

    Raises
    ------
    ValueError : if x0 is not positive, or if Newton does not reach Ax = y, which is so if there is
        no solution x >= 0.

    Source: talk, "What we can prove: commutative A_i", corollary; Sun & Tran-Dinh (2019) for the
    damping.
    """
    check_positive(x0)
    s = np.zeros(A.shape[0]) if s is None else s
    change = np.inf
    for _ in range(500):
        x = on_manifold(A, x0, s)
        slope = A @ x - y
        newton = -np.linalg.lstsq(2 * (A * x) @ A.T, slope, rcond=1e-15)[0]
        before, change = change, 2 * float(np.max(np.abs(A.T @ newton)))
        solved = np.linalg.norm(slope) <= 1e-12 * np.linalg.norm(np.abs(A) @ x)
        if solved and change >= before / 2:
            return x, s  # no longer quadratic: rounding error has taken over
        if change == np.inf:
            break
        s = s + newton * (np.log1p(change) / change if change else 1.0)
    raise ValueError(
        f"A, y: Newton ends with residual {np.linalg.norm(slope):.1e}; expected a system Ax = y "
        "that has a positive solution"
    )


@dataclass(frozen=True)
class MinimalL1:
    r"""The point of least l1 norm among x >= 0 with Ax = y.

    ``x`` is that point, ``value`` its norm, ``slack`` the largest t for which some dual solution nu
    has :math:`\langle a_i,\nu\rangle\le1-t` off the support of x, and ``dual`` that nu.
    """

    x: np.ndarray
    value: float
    slack: float
    dual: np.ndarray


@takes(A="m n", y="m")
def minimal_l1(A: np.ndarray, y: np.ndarray) -> MinimalL1:
    r"""Two linear programs: the least l1 norm, and the slack t of the rate :math:`\alpha^{2t}`.

    .. math:: \max t \quad\text{s.t.}\quad \langle a_i,\nu\rangle=1\ (x_i>0),\quad
        \langle a_i,\nu\rangle+t\le1\ (x_i=0)

    The slack is infinite if t has no bound. Raises ``ValueError`` if no x >= 0 solves Ax = y, or
    if the dual of the first program does not certify its minimum.
    """
    m, n = A.shape
    # the solvers' tolerances are absolute
    large, size = float(np.max(np.abs(A))) or 1.0, float(np.max(np.abs(y))) or 1.0
    unit, right = A / large, y / size
    program = linprog(np.ones(n), A_eq=unit, b_eq=right)
    if program.status != 0:
        raise ValueError(f"A, y: {program.message}; expected a system with a solution x >= 0")
    price = program.eqlin.marginals
    bound = float(price @ right) / max(1.0, float(np.max(unit.T @ price)))
    bracketed("A, y", bound, float(program.fun), scale=1.0)
    on = program.x > 1e-9 * np.max(program.x)
    second = milp(
        np.r_[np.zeros(m), -1.0],
        bounds=(-np.inf, np.r_[np.full(m, np.inf), UNBOUNDED]),
        constraints=(np.column_stack([unit.T, ~on]), np.where(on, 1, -np.inf), 1),
    )
    if second.status != 0:
        raise ValueError(f"A, y: {second.message}; expected a solution with a dual")
    slack, scale = float(-second.fun), size / large
    bounded = slack < UNBOUNDED / 2
    return MinimalL1(
        program.x * scale,
        float(program.fun) * scale,
        slack if bounded else np.inf,
        (second.x[:-1] if bounded else price) / large,
    )


@takes(A="m n", y="m", s="m")
def certificate(A: np.ndarray, y: np.ndarray, s: np.ndarray) -> tuple[np.ndarray, float]:
    r"""The dual point :math:`\nu=s/\max_i(A^\top s)_i` and its bound :math:`\langle\nu,y\rangle`.

    Every x >= 0 with Ax = y has :math:`\|x\|_1\ge\langle\nu,y\rangle`, for :math:`A^\top\nu\le1`.
    Raises ``ValueError`` if :math:`A^\top s` has no positive entry. Source: talk, "What we can
    prove".
    """
    top = float(np.max(A.T @ s))
    if top <= 0:
        raise ValueError(f"s: largest entry of A^T s is {top}; expected a positive one")
    return s / top, float(s @ y) / top


def check_positive(x0: np.ndarray) -> None:
    """Raises ``ValueError`` unless all entries of the reference point are positive."""
    if not np.min(x0) > 0:
        raise ValueError(f"x0: smallest entry {np.min(x0)}; expected positive entries")
