r"""Which solution does an algorithm choose? Vectors: least squares, other geometries, x = u∘u.

Points are vectors of shape (n,); an underdetermined system is a matrix ``A`` of shape (m, n) with
m < n and full row rank, and data ``y`` of shape (m,). The quadratic loss is 1/2 |Aw - y|^2 with the
gradient A^T(Aw - y); on ``x = u∘u`` it is 1/4 |A(u∘u) - y|^2, with the gradient u∘A^T(A(u∘u) - y).

Source: talk, "Warm-up: Least Squares", "Optimization is Tied to Choice of Geometry" and the
corollary on non-negative least squares; Gunasekar et al. (2017, 2018).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from lecture_code.checks import takes
from lecture_code.entropy import check_positive, entropy, on_manifold
from lecture_code.flows import Field, integrate
from lecture_code.norms import DUAL, check_norm, maximal_margin, norm
from lecture_code.norms import least_norm as least_norm
from lecture_code.norms import minimal_norm as minimal_norm
from lecture_code.optimize import Norm, adagrad, steepest_step

Rule = Literal["adagrad", "adam"]


@takes(A="m n")
def kernel_projection(A: np.ndarray) -> np.ndarray:
    """The orthogonal projection on the kernel of A, shape (n, n).

    Raises ``ValueError`` if the rows of A are dependent.
    """
    rows, factor = np.linalg.qr(A.T)
    parts = np.abs(np.diag(factor))
    if len(A) > A.shape[1] or parts.min() <= 1e-14 * parts.max():
        raise ValueError(f"A: rank below {len(A)}; expected independent rows")
    return np.eye(A.shape[1]) - rows @ rows.T


@takes(A="m n", y="m", start="n")
def adaptive_descent(
    A: np.ndarray, y: np.ndarray, start: np.ndarray, step: float, steps: int, *, rule: Rule
) -> np.ndarray:
    r"""AdaGrad or Adam on :math:`\tfrac12\|Aw-y\|^2` with full gradients.

    Both divide each coordinate of the gradient by a running size of that coordinate: the root of
    the sum of squares (AdaGrad) or of their moving mean (Adam, with rates 0.9 and 0.999, and a step
    that falls linearly to zero so that it settles). Raises ``ValueError`` for another rule.
    """
    if rule not in ("adagrad", "adam"):
        raise ValueError(f"rule: {rule!r}; expected 'adagrad' or 'adam'")
    w = np.array(start, dtype=float)
    mean, squares = np.zeros_like(w), np.zeros_like(w)
    for t in range(1, steps + 1):
        slope = A.T @ (A @ w - y)
        if rule == "adagrad":
            direction, squares = adagrad(slope, squares)
            w = w - step * direction
            continue
        mean, squares = 0.9 * mean + 0.1 * slope, 0.999 * squares + 0.001 * slope**2
        rate = step * (1 - t / steps) / (1 - 0.9**t)
        w = w - rate * mean / (np.sqrt(squares / (1 - 0.999**t)) + 1e-8)
    return w


@takes(A="m n", y="m")
def steepest_descent(
    A: np.ndarray, y: np.ndarray, kind: Norm, steps: int, scale: float = 1.0
) -> np.ndarray:
    r"""Steepest descent on :math:`\tfrac12\|Aw-y\|^2` in a norm, from zero.

    A step is the steepest one with :math:`\eta=c/L`, where :math:`L=\max_{\|d\|\le1}\|Ad\|^2`; the
    loss never rises for 0 < c < 2. ``scale`` is c. For linf, L is replaced by its upper bound
    :math:`\sum_{ij}|(A^\top A)_{ij}|`.
    """
    check_norm(kind)
    gram = A.T @ A
    curvature = {
        "l1": float(np.max(np.diag(gram))),
        "l2": float(np.linalg.norm(A, 2) ** 2),
        "linf": float(np.sum(np.abs(gram))),
    }[kind]
    if curvature == 0:
        raise ValueError("A: all entries are zero; expected a system")
    w = np.zeros(A.shape[1])
    for _ in range(steps):
        w = w + steepest_step(A.T @ (A @ w - y), scale / curvature, kind)
    return w


@dataclass(frozen=True)
class LogisticRun:
    """Normalised steepest descent on the logistic loss.

    ``w`` is the last point, ``loss`` its loss, and ``bound`` the margin that the proof guarantees.
    """

    w: np.ndarray
    loss: float
    bound: float


@takes(Z="N d")
def logistic_descent(Z: np.ndarray, kind: Norm, steps: int) -> LogisticRun:
    r"""Normalised steepest descent on :math:`L(w)=\sum_i\log(1+e^{-\langle w,z_i\rangle})`.

    .. math:: w_{t+1}=w_t-\eta_t d_t, \qquad \eta_t=\frac1{B\sqrt{t+1}}, \qquad B=\max_i\|z_i\|_*

    from zero, with d_t the steepest direction of the gradient, of norm 1. ``bound`` is

    .. math:: \frac1{S}\Bigl(\gamma\sum_t\eta_t\varphi(L_t)-\tfrac{B^2}2\sum_t\eta_t^2
        -\log L_0-L_T\Bigr), \qquad S=\sum_t\eta_t,\ \varphi(L)=\frac{1-e^{-L}}L

    with gamma the largest margin; it tends to gamma.

    Parameters
    ----------
    Z : the examples times their labels, shape (N, d).
    kind : the norm.
    steps : number of steps, at least 1.

    Raises
    ------
    ValueError : if the norm is unknown, there is no step, or the gradient vanishes, which it does
        only if no w separates the rows from zero.

    Source: Gunasekar, Lee, Soudry & Srebro (2018), with a proof written for this book.
    """
    if steps < 1:
        raise ValueError(f"steps: {steps}; expected at least 1")
    gamma = maximal_margin(Z, kind)
    reach = max(norm(z, DUAL[kind]) for z in Z)
    w, scores = np.zeros(Z.shape[1]), np.zeros((steps + 1, len(Z)))
    rates = 1 / (reach * np.sqrt(np.arange(1, steps + 1)))
    for t, rate in enumerate(rates):
        # scaled by exp(min score), so that the direction survives when the loss is tiny
        weights = np.exp(scores[t].min() - scores[t]) / (1 + np.exp(-scores[t]))
        slope = -weights @ Z
        if not np.any(slope):
            raise ValueError(f"Z: the gradient vanishes at step {t}; expected separable rows")
        w = w + steepest_step(slope, rate / norm(slope, DUAL[kind]), kind)
        scores[t + 1] = Z @ w
    losses = np.sum(np.log1p(np.exp(-scores)), axis=1)
    length, tilt = float(rates.sum()), -np.expm1(-losses[:-1]) / losses[:-1]
    gain = gamma * (rates @ tilt) - reach**2 / 2 * (rates @ rates) - np.log(losses[0]) - losses[-1]
    return LogisticRun(w, float(losses[-1]), float(gain / length))


@takes(A="m n", y="m", u="n ...", finite=False)
def square_gradient(A: np.ndarray, y: np.ndarray, u: np.ndarray) -> np.ndarray:
    r"""Gradient :math:`u\circ A^\top(A(u\circ u)-y)` of :math:`\tfrac14\|A(u\circ u)-y\|^2`.

    ``u`` has shape (n,), or (n, k) for a batch. Source: talk, corollary on non-negative least
    squares.
    """
    target = y if u.ndim == 1 else y[:, None]
    return u * (A.T @ (A @ (u * u) - target))


@takes(A="m n", y="m", u0="n")
def square_flow(A: np.ndarray, y: np.ndarray, u0: np.ndarray, time: float) -> np.ndarray:
    r"""The gradient flow :math:`\dot u=-\nabla f(u)` of :math:`\tfrac14\|A(u\circ u)-y\|^2`.

    Returns u at ``time``. It integrates u itself and knows nothing of the manifold. For weights on
    the equations multiply the rows of A and y by their roots. Source: talk, corollary on
    non-negative least squares.
    """
    return _flow(lambda u: -square_gradient(A, y, u), u0, time)


def _flow(velocity: Field, start: np.ndarray, time: float) -> np.ndarray:
    """Where an autonomous system is at ``time``, to about ten digits."""
    return integrate(velocity, start, np.array([time]), rtol=1e-10, atol=1e-13)[0]


@takes(A="m n", x="n ...", x0="n")
def off_manifold(A: np.ndarray, x: np.ndarray, x0: np.ndarray) -> np.ndarray:
    r""":math:`P_{\ker A}\log(x/x_0)`, zero exactly on the manifold; columns of x are a batch."""
    check_positive(x0)
    if np.min(x) <= 0:
        raise ValueError(f"x: smallest entry {np.min(x)}; expected positive entries")
    ratio = x / (x0 if x.ndim == 1 else x0[:, None])
    return kernel_projection(A) @ np.log(ratio)


@takes(A="m n", y="m", x0="n")
def drift(A: np.ndarray, y: np.ndarray, x0: np.ndarray, time: float) -> np.ndarray:
    r""":math:`-\int_0^T P_{\ker A}(A^\top r_\tau)^{\circ2}\,d\tau` along the flow, shape (n,).

    To first order in eta, gradient descent with step eta is eta times this vector off the manifold
    after ``time`` T.
    """
    m = y.size
    kernel = kernel_projection(A)

    def velocity(z: np.ndarray) -> np.ndarray:
        residual = A @ on_manifold(A, x0, z[:m]) - y
        return np.r_[-residual, -kernel @ (A.T @ residual) ** 2]

    return _flow(velocity, np.zeros(m + x0.size), time)[m:]


@takes(A="m n", z="n", x0="n")
def drift_bound(A: np.ndarray, z: np.ndarray, x0: np.ndarray) -> tuple[float, float]:
    r"""How far gradient descent can leave the manifold, over the whole run.

    .. math:: \eta\le\frac1{4a^2R}\ \Rightarrow\ \|P_{\ker A}\log(x_T/x_0)\|\le2\eta\,a\|A\|D
        \quad\text{for all }T

    with :math:`D=D(z,x_0)`, :math:`R=(\sqrt{\|z\|_1}+\sqrt D)^2`, a the largest norm of a column
    and ``z`` any solution z >= 0 of the system. Returns the largest step, :math:`1/(4a^2R)`, and
    the bound for step 1, :math:`2a\|A\|D`.
    """
    distance, largest = entropy(z, x0), float(np.max(np.linalg.norm(A, axis=0)))
    radius = (np.sqrt(np.sum(z)) + np.sqrt(distance)) ** 2
    bound = 2 * largest * float(np.linalg.norm(A, 2)) * distance
    return float(1 / (4 * largest**2 * radius)), bound


@takes(A="m n", y="m", u0="n")
def inertial_flow(
    A: np.ndarray, y: np.ndarray, u0: np.ndarray, damping: float, time: float
) -> np.ndarray:
    r"""Gradient flow with inertia from rest, :math:`\ddot u+\gamma\dot u=-\nabla f(u)`: returns u.

    ``time`` is the slow time :math:`\tau=t/\gamma`, where :math:`\gamma^{-2}u''+u'=-\nabla f(u)`.
    ``damping`` is gamma. Source: talk, "finite steps, as well as (infinitesimal) momentum".
    """
    n = u0.size

    def velocity(z: np.ndarray) -> np.ndarray:
        return np.r_[z[n:], -(damping**2) * (z[n:] + square_gradient(A, y, z[:n]))]

    return _flow(velocity, np.r_[u0, np.zeros(n)], time)[:n]
