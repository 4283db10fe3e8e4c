r"""Which matrix does gradient descent on a factor choose? Flows on X = UU^T.

A problem is one of :mod:`lecture_code.measurements`. Time is scaled such that the flow on
:math:`\|\mathcal A(UU^\top)-y\|^2` reads :math:`\dot U=-\mathcal A^*(r)U` with
:math:`r=\mathcal A(X)-y`, a quarter of the gradient. Along a run, :math:`s=-\int r\,dt`.

Source: talk, "Gradient Descent on Factorization" to "The Non-Commutative Case"; Gunasekar et al.
(2017).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.integrate import solve_ivp
from scipy.linalg import expm, orth
from scipy.optimize import brentq

from lecture_code.measurements import Sensing, adjoint, measure, minimal_frobenius, residual_matrix


def flow(
    problem: Sensing, U0: np.ndarray, time: float, rtol: float = 1e-8
) -> tuple[np.ndarray, np.ndarray]:
    r"""The flow :math:`\dot U=-\mathcal A^*(r)U` up to a time: returns :math:`X=UU^\top` and s.

    ``U0`` has shape (n, k). Adaptive multistep integration (LSODA), with an absolute tolerance far
    below the size of U0, so that small starts are followed as exactly as large ones. ``rtol`` is
    the relative tolerance of a step, not of the result.
    """
    last = _integrate(problem, U0, time, np.array([time]), rtol)[0]
    U = last[: U0.size].reshape(U0.shape)
    return U @ U.T, last[U0.size :]


def path(problem: Sensing, U0: np.ndarray, times: np.ndarray, rtol: float = 1e-8) -> np.ndarray:
    """X along the flow from U0 at increasing times, shape (len(times), n, n)."""
    U = _integrate(problem, U0, times[-1], times, rtol)[:, : U0.size].reshape(-1, *U0.shape)
    return U @ U.transpose(0, 2, 1)


def _integrate(
    problem: Sensing, U0: np.ndarray, time: float, at: np.ndarray, rtol: float
) -> np.ndarray:
    """The run of (U, s) from (U0, 0), a row for each of the times ``at`` up to ``time``."""
    velocity, jacobian = _field(problem, U0.shape)
    return solve_ivp(
        lambda _, z: velocity(z),
        (0, time),
        np.r_[U0.ravel(), np.zeros(problem.m)],
        method="LSODA",
        t_eval=at,
        rtol=rtol,
        atol=rtol * 1e-2 * float(np.max(np.abs(U0))),
        jac=lambda _, z: jacobian(z),
    ).y.T


def _field(
    problem: Sensing, shape: tuple[int, ...]
) -> tuple[Callable[[np.ndarray], np.ndarray], Callable[[np.ndarray], np.ndarray]]:
    r"""The velocity of z = (U, s), U written row by row, and its Jacobian.

    With :math:`b_i` the entries of :math:`A_iU`, the derivative of :math:`r_i` is :math:`2b_i`.
    """
    n, k = shape
    size = n * k

    def velocity(z: np.ndarray) -> np.ndarray:
        U = z[:size].reshape(n, k)
        r = measure(problem, U @ U.T) - problem.y
        return np.r_[-(adjoint(problem, r) @ U).ravel(), -r]

    def jacobian(z: np.ndarray) -> np.ndarray:
        U = z[:size].reshape(n, k)
        images = (problem.A @ U).reshape(problem.m, size)
        J = np.zeros((z.size, z.size))
        J[:size, :size] = -np.kron(residual_matrix(problem, U @ U.T), np.eye(k))
        J[:size, :size] -= 2 * images.T @ images
        J[size:, :size] = -2 * images
        return J

    return velocity, jacobian


def example_flow(R: float, power: float) -> tuple[np.ndarray, np.ndarray]:
    r"""Where the flow from :math:`\alpha I` ends if X13 = 1, X14 = X23 = R are known: X and s.

    .. math:: \dot a=p+qc,\quad \dot c=-\tfrac12pc+\tfrac12q(1-c^2+e^{d-2a}),\quad \dot d=p

    :math:`\alpha` is 10 to minus ``power``, which may be in the hundreds. X has the blocks
    :math:`\tfrac12(Y\pm\alpha^2Y^{-1})`, and a = log Y11, c = Y12/Y11, d = log det Y; the
    residuals are -p, -q, -q. Source: the proof of ``ib-nuclear``.
    """
    log_start = -power * np.log(10)

    def pair(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        a, c, d = z[:3]
        corner = c * c + np.exp(d - 2 * a)
        Y = np.exp(a) * np.array([[1, c], [c, corner]])
        return Y, np.exp(2 * log_start + a - d) * np.array([[corner, -c], [-c, 1]])

    def velocity(_: float, z: np.ndarray) -> list[float]:
        a, c, d = z[:3]
        Y, Z = pair(z)
        p, q = np.array([1.0, R]) - (Y - Z)[0] / 2
        return [p + q * c, q / 2 * (1 - c * c + np.exp(d - 2 * a)) - p * c / 2, p, q]

    # Near zero the scalars are almost linear in time, and a free solver would leap into overflow.
    start, control = [log_start, 0, 2 * log_start, 0], {"rtol": 1e-9, "atol": 1e-10}
    run = solve_ivp(velocity, (0, 60 + 3 * power), start, "LSODA", max_step=0.5, **control).y[:, -1]
    Y, Z = pair(run)
    s = np.array([run[2] - 2 * log_start, run[3], run[3]])
    return np.block([[Y + Z, Y - Z], [Y - Z, Y + Z]]) / 2, s


def exponential_descent(
    problem: Sensing, U0: np.ndarray, step: float, steps: int, order: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    r"""Exponential steps, the residual of the computed X frozen over each: returns X and s.

    .. math:: U_{k+1}=e^{-\varepsilon\mathcal A^*(r_k)}U_k, \qquad r_k=\mathcal A(U_kU_k^\top)-y

    Order 2 takes the residual at the middle of the step, found with a half step of order 1. X keeps
    its rank. Raises ``ValueError`` for another order. Source: talk, "The Non-Commutative Case".
    """
    if order not in (1, 2):
        raise ValueError(f"order: {order}; expected 1 or 2")
    U, s = np.array(U0, dtype=float), np.zeros(problem.m)
    for _ in range(steps):
        r = measure(problem, U @ U.T) - problem.y
        if order == 2:
            half = expm(-step / 2 * adjoint(problem, r)) @ U
            r = measure(problem, half @ half.T) - problem.y
        U = expm(-step * adjoint(problem, r)) @ U
        s = s - step * r
    return U @ U.T, s


def ordered_product(
    problem: Sensing, U0: np.ndarray, time: float, steps: int, at: float = 1.0
) -> np.ndarray:
    r"""The time-ordered product of exponentials with the residual of the exact flow: returns X.

    .. math:: U=e^{-\varepsilon\mathcal A^*(r(t_k))}\cdots e^{-\varepsilon\mathcal A^*(r(t_1))}U_0,
        \qquad t_j=(j-1+\mathtt{at})\,\varepsilon,\quad\varepsilon=\mathtt{time}/k

    k is the number of ``steps``. The residual is taken from an accurate run of the flow, at the
    ends of the steps (``at`` 1), at their beginnings (0) or at midpoints (1/2). Source: talk, "The
    Non-Commutative Case".
    """
    U, step = np.array(U0, dtype=float), time / steps
    times = (np.arange(steps) + at) / steps * time
    for X in path(problem, U0, times, 1e-10):
        U = expm(-step * residual_matrix(problem, X)) @ U
    return U @ U.T


def single_observation(A: np.ndarray, y: float, X0: np.ndarray) -> tuple[np.ndarray, float]:
    r"""Where the flow with one measurement ends: :math:`X=e^{sA}X_0e^{sA}`, and s.

    s is the root of :math:`\langle A,X\rangle=y`. Raises ``ValueError`` if y is not positive or A
    has no positive eigenvalue (for y < 0 change the sign of both). Source: talk, "GD on U, single
    observation (m=1)".
    """
    values, vectors = np.linalg.eigh(A)
    if y <= 0 or values[-1] <= 0:
        raise ValueError(f"y: {y}, largest eigenvalue {values[-1]:.3g}; expected both positive")
    weights = np.einsum("ij,ik,kj->j", vectors, X0, vectors)

    def excess(s: float) -> float:
        return float(np.sum(values * np.exp(2 * s * values) * weights)) - y

    high = 1.0 / values[-1]
    while excess(high) < 0:
        high *= 2
    low = -1.0 / np.max(np.abs(values))
    while excess(low) > 0:
        low *= 2
    s = brentq(excess, low, high, xtol=1e-15, rtol=1e-15)
    grow = expm(s * A)
    return grow @ X0 @ grow, float(s)


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
        X = X + adjoint(problem, np.linalg.solve(rows @ rows.T, miss))
        top = max(1.0, float(np.linalg.eigvalsh(adjoint(problem, nu))[-1]))
        lower, upper = float(nu @ problem.y) / top, float(np.trace(X))
        yield MinimalTrace(X, nu / top, lower, upper)
        mu *= 0.2


def certificate(problem: Sensing, s: np.ndarray) -> tuple[np.ndarray, float]:
    r"""The dual point :math:`\nu=s/\lambda_{\max}(\mathcal A^*(s))` and the bound it gives.

    Every feasible X >= 0 has trace at least :math:`\langle\nu,y\rangle`. Raises ``ValueError`` if
    :math:`\mathcal A^*(s)` has no positive eigenvalue. Source: talk, "What we can prove:
    commutative A_i".
    """
    top = float(np.linalg.eigvalsh(adjoint(problem, s))[-1])
    if top <= 0:
        raise ValueError(f"s: largest eigenvalue of A*(s) is {top}; expected a positive one")
    return s / top, float(s @ problem.y) / top


def steer(A: np.ndarray, U0: np.ndarray, controls: np.ndarray) -> np.ndarray:
    r"""The matrix X reached from U0 by :math:`\dot U=\mathcal A^*(c)U`, c constant on K segments.

    .. math:: U=e^{\mathcal A^*(c_K)}\cdots e^{\mathcal A^*(c_1)}U_0, \qquad X=UU^\top

    ``A`` has shape (m, n, n), ``controls`` (K, m). Source: talk, "The Non-Commutative Case".
    """
    U = np.array(U0, dtype=float)
    for c in controls:
        U = expm(np.tensordot(c, A, 1)) @ U
    return U @ U.T


def lie_dimension(A: np.ndarray, tolerance: float = 1e-8) -> int:
    """Dimension of the Lie algebra that the matrices ``A`` of shape (m, n, n) generate.

    Brackets of the generators with what is there are added until nothing new appears; then the span
    is closed under brackets. Directions below ``tolerance`` count as dependent.
    """
    n, size = A.shape[1], 0
    basis = orth(A.reshape(len(A), n * n).T, rcond=tolerance)
    while basis.shape[1] > size:
        size = basis.shape[1]
        brackets = [commutator(a, B).ravel() for a in A for B in basis.T.reshape(size, n, n)]
        basis = orth(np.column_stack([basis, *brackets]), rcond=tolerance)
    return size


def commutator(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """[A, B] = AB - BA."""
    return A @ B - B @ A
