r"""Which matrix does gradient descent on a factor choose? Flows on X = UU^T.

A problem is one of :mod:`lecture_code.measurements`. Time is scaled such that the flow on
:math:`\|\mathcal A(UU^\top)-y\|^2` reads :math:`\dot U=-\mathcal A^*(r)U` with
:math:`r=\mathcal A(X)-y`, a quarter of the gradient. Along a run, :math:`s=-\int r\,dt`.

Source: talk, "Gradient Descent on Factorization" to "The Non-Commutative Case"; Gunasekar et al.
(2017).
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import expm, orth
from scipy.optimize import brentq

from lecture_code.checks import as_symmetric, takes
from lecture_code.flows import Field, integrate
from lecture_code.measurements import Sensing, adjoint, measure, residual_matrix
from lecture_code.traces import MinimalTrace as MinimalTrace
from lecture_code.traces import minimal_trace as minimal_trace


@takes(U0="problem.n k")
def flow(
    problem: Sensing, U0: np.ndarray, time: float, rtol: float = 1e-8
) -> tuple[np.ndarray, np.ndarray]:
    r"""The flow :math:`\dot U=-\mathcal A^*(r)U` up to a time: returns :math:`X=UU^\top` and s.

    ``U0`` has shape (n, k). Adaptive multistep integration (LSODA), with an absolute tolerance far
    below the size of U0, so that small starts are followed as exactly as large ones. ``rtol`` is
    the relative tolerance of a step, not of the result.
    """
    last = _integrate(problem, U0, np.array([time]), rtol)[0]
    U = last[: U0.size].reshape(U0.shape)
    return U @ U.T, last[U0.size :]


@takes(U0="problem.n k", times="K")
def path(problem: Sensing, U0: np.ndarray, times: np.ndarray, rtol: float = 1e-8) -> np.ndarray:
    """X along the flow from U0 at increasing times, shape (len(times), n, n)."""
    U = _integrate(problem, U0, times, rtol)[:, : U0.size].reshape(-1, *U0.shape)
    return U @ U.transpose(0, 2, 1)


def _integrate(problem: Sensing, U0: np.ndarray, at: np.ndarray, rtol: float) -> np.ndarray:
    """The run of (U, s) from (U0, 0), a row for each of the times ``at``."""
    velocity, jacobian = _field(problem, U0.shape)
    small = max(rtol * 1e-2 * float(np.max(np.abs(U0))), np.finfo(float).tiny)
    return integrate(
        velocity,
        np.r_[U0.ravel(), np.zeros(problem.m)],
        at,
        rtol=rtol,
        # s starts at zero and moves at once, however small U0 is
        atol=np.r_[np.full(U0.size, small), np.full(problem.m, max(small, 1e-30))],
        jacobian=jacobian,
    )


def _field(problem: Sensing, shape: tuple[int, ...]) -> tuple[Field, Field]:
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


@takes()
def example_flow(R: float, power: float) -> tuple[np.ndarray, np.ndarray]:
    r"""Where the flow from :math:`\alpha I` ends if X13 = 1, X14 = X23 = R are known: X and s.

    :math:`\alpha` is 10 to minus ``power``, which may be in the hundreds. X has the blocks
    :math:`\tfrac12(Y\pm\alpha^2Y^{-1})`; see :func:`example_path`. Source: the proof of
    ``ib-nuclear``.
    """
    run = _example(R, power, np.array([60 + 3 * power]))[0]
    Y, Z = _pair(power, run)
    s = np.array([run[2] + 2 * power * np.log(10), run[3], run[3]])
    return np.block([[Y + Z, Y - Z], [Y - Z, Y + Z]]) / 2, s


@takes(times="K")
def example_path(R: float, power: float, times: np.ndarray) -> np.ndarray:
    r"""The same flow in the three scalars of its proof, at increasing times, shape (K, 3).

    .. math:: \dot a=-r_1-r_2c,\quad \dot c=\tfrac12r_1c-\tfrac12r_2(1-c^2+e^{d-2a}),\quad
        \dot d=-r_1

    a = log Y11, c = Y12/Y11, d = log det Y; the residuals are r1, r2, r2. Source: the proof of
    ``ib-nuclear``.
    """
    return _example(R, power, times)[:, :3]


def _example(R: float, power: float, times: np.ndarray) -> np.ndarray:
    """The scalars and minus the integral of r2, a row for each of the times."""

    def velocity(z: np.ndarray) -> list[float]:
        a, c, d = z[:3]
        Y, Z = _pair(power, z)
        r1, r2 = (Y - Z)[0] / 2 - np.array([1.0, R])
        return [-r1 - r2 * c, r1 * c / 2 - r2 / 2 * (1 - c * c + np.exp(d - 2 * a)), -r1, -r2]

    log_start = -power * np.log(10)
    # Near zero the scalars are almost linear in time, and a free solver would leap into overflow.
    start = [log_start, 0, 2 * log_start, 0]
    return integrate(velocity, start, times, rtol=1e-9, atol=1e-10, max_step=0.5)


def _pair(power: float, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Y and Z, the inverse of Y times alpha squared, from the scalars."""
    a, c, d = z[:3]
    corner = c * c + np.exp(d - 2 * a)
    Y = np.exp(a) * np.array([[1, c], [c, corner]])
    scale = np.exp(a - d - 2 * power * np.log(10))
    return Y, scale * np.array([[corner, -c], [-c, 1]])


@takes(U0="problem.n k")
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


@takes(U0="problem.n k")
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
    if steps < 1:
        raise ValueError(f"steps: {steps}; expected at least 1")
    U, step = np.array(U0, dtype=float), time / steps
    times = (np.arange(steps) + at) / steps * time
    for X in path(problem, U0, times, 1e-10):
        U = expm(-step * residual_matrix(problem, X)) @ U
    return U @ U.T


@takes(A="n n", X0="n n")
def single_observation(A: np.ndarray, y: float, X0: np.ndarray) -> tuple[np.ndarray, float]:
    r"""Where the flow with one measurement ends: :math:`X=e^{sA}X_0e^{sA}`, and s.

    s is the root of :math:`\langle A,X\rangle=y`. Raises ``ValueError`` if y is not positive or A
    has no positive eigenvalue that X0 sees (for y < 0 change the sign of both). Source: talk, "GD
    on U, single observation (m=1)".
    """
    values, vectors = np.linalg.eigh(as_symmetric("A", A))
    if y <= 0 or values[-1] <= 0:
        raise ValueError(f"y: {y}, largest eigenvalue {values[-1]:.3g}; expected both positive")
    weights = np.einsum("ij,ik,kj->j", vectors, X0, vectors)
    if not np.max(weights[values > 0]) > 0:
        raise ValueError("X0: zero where A is positive; expected a start from which y is reached")

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


@takes(s="problem.m")
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


@takes(A="m n n", U0="n k", controls="... m")
def steer(A: np.ndarray, U0: np.ndarray, controls: np.ndarray) -> np.ndarray:
    r"""The matrix X reached from U0 by :math:`\dot U=\mathcal A^*(c)U`, c constant on K segments.

    .. math:: U=e^{\mathcal A^*(c_K)}\cdots e^{\mathcal A^*(c_1)}U_0, \qquad X=UU^\top

    ``A`` has shape (m, n, n), ``controls`` (K, m). Source: talk, "The Non-Commutative Case".
    """
    U = np.array(U0, dtype=float)
    for c in controls:
        U = expm(np.tensordot(c, A, 1)) @ U
    return U @ U.T


@takes(A="m n n")
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


@takes(A="n n", B="n n")
def commutator(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """[A, B] = AB - BA."""
    return A @ B - B @ A
