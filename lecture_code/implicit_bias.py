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
from scipy.integrate import solve_ivp
from scipy.optimize import linprog, nnls
from scipy.special import xlogy

Norm = Literal["l1", "l2", "linf"]
DUAL: dict[str, Norm] = {"l1": "linf", "l2": "l2", "linf": "l1"}


def norm(w: np.ndarray, kind: Norm) -> float:
    """The norm of that name of a vector; ``ValueError`` for another name."""
    order = {"l1": 1, "l2": 2, "linf": np.inf}.get(kind)
    if order is None:
        raise ValueError(f"kind: {kind!r}; expected 'l1', 'l2' or 'linf'")
    return float(np.linalg.norm(w, order))


def least_norm(
    A: np.ndarray, y: np.ndarray, start: np.ndarray | None = None, metric: np.ndarray | None = None
) -> np.ndarray:
    r"""The solution of Aw = y closest to ``start`` in the norm :math:`\sqrt{w^\top H^{-1}w}`.

    .. math:: w_0 + HA^\top(AHA^\top)^{-1}(y - Aw_0)

    ``start`` is :math:`w_0` (zero if not given), ``metric`` the positive definite H of shape (n, n)
    (the identity if not given). Raises ``ValueError`` unless A has more columns than rows.
    Source: talk, "Warm-up: Least Squares".
    """
    m, n = A.shape
    if m >= n:
        raise ValueError(f"A: shape {A.shape}; expected fewer rows than columns")
    w = np.zeros(n) if start is None else np.asarray(start, dtype=float)
    spread = A.T if metric is None else metric @ A.T
    return w + spread @ np.linalg.solve(A @ spread, y - A @ w)


def kernel_projection(A: np.ndarray) -> np.ndarray:
    """The orthogonal projection on the kernel of A, shape (n, n)."""
    rows = np.linalg.qr(A.T)[0]
    return np.eye(A.shape[1]) - rows @ rows.T


def conjugate_gradient(A: np.ndarray, y: np.ndarray, start: np.ndarray) -> np.ndarray:
    r"""Conjugate gradient on :math:`\tfrac12\|Aw-y\|^2` from ``start``.

    In exact arithmetic m steps suffice, since the Hessian has m positive eigenvalues. It stops when
    the gradient has lost fourteen digits, at the latest after 2m steps.
    """
    w, residual = np.array(start, dtype=float), y - A @ start
    slope = A.T @ residual
    direction, size = slope, slope @ slope
    first = size
    for _ in range(2 * A.shape[0]):
        if size <= 1e-28 * first:
            break
        image = A @ direction
        step = size / (image @ image)
        w, residual = w + step * direction, residual - step * image
        slope = A.T @ residual
        direction, size = slope + (slope @ slope) / size * direction, slope @ slope
    return w


def bfgs(
    A: np.ndarray,
    y: np.ndarray,
    start: np.ndarray,
    inverse_hessian: np.ndarray,
    *,
    scale: float = 1.0,
) -> np.ndarray:
    r"""BFGS on :math:`\tfrac12\|Aw-y\|^2`, from any first H.

    .. math:: H_+ = (I-\rho sg^\top)H(I-\rho gs^\top)+\rho ss^\top,
        \qquad \rho = 1/\langle s,g\rangle

    with s the step and g the change of the gradient. A step is ``scale`` times the best one along
    its line. The end is the solution of least norm from zero if the first H maps the row space to
    itself. It stops when the gradient has lost thirteen digits, at the latest after 20m steps.
    Raises ``ValueError`` unless 0 < scale < 2, where each step lowers the loss.
    """
    if not 0 < scale < 2:
        raise ValueError(f"scale: {scale!r}; expected a number between 0 and 2")
    w, H = np.array(start, dtype=float), np.array(inverse_hessian, dtype=float)
    slope = A.T @ (A @ w - y)
    first = np.linalg.norm(slope)
    for _ in range(20 * A.shape[0]):
        if np.linalg.norm(slope) <= 1e-13 * first:
            break
        direction = -H @ slope
        image = A @ direction
        step = -scale * (slope @ direction) / (image @ image) * direction
        change = A.T @ (A @ step)
        left = np.eye(w.size) - np.outer(step, change) / (step @ change)
        H = left @ H @ left.T + np.outer(step, step) / (step @ change)
        w, slope = w + step, slope + change
    return w


def adaptive_descent(
    A: np.ndarray,
    y: np.ndarray,
    start: np.ndarray,
    step: float,
    steps: int,
    *,
    rule: Literal["adagrad", "adam"],
) -> np.ndarray:
    r"""AdaGrad or Adam on :math:`\tfrac12\|Aw-y\|^2` with full gradients.

    Both divide each coordinate of the gradient by a running size of that coordinate: the root of
    the sum of squares (AdaGrad) or of their moving mean (Adam, with rates 0.9 and 0.999, and a step
    that falls linearly to zero so that it settles). Raises ``ValueError`` for another rule.
    """
    if rule not in ("adagrad", "adam"):
        raise ValueError(f"rule: {rule!r}; expected 'adagrad' or 'adam'")
    w = np.array(start, dtype=float)
    mean, square = np.zeros_like(w), np.zeros_like(w)
    for t in range(1, steps + 1):
        slope = A.T @ (A @ w - y)
        if rule == "adagrad":
            square = square + slope**2
            w = w - step * slope / np.sqrt(square + 1e-12)
            continue
        mean, square = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * slope**2
        rate = step * (1 - t / steps) / (1 - 0.9**t)
        w = w - rate * mean / (np.sqrt(square / (1 - 0.999**t)) + 1e-8)
    return w


def steepest_direction(slope: np.ndarray, kind: Norm) -> np.ndarray:
    r"""A vector d of norm 1 with :math:`\langle g,d\rangle=\|g\|_*`, the dual norm of the slope g.

    :math:`\pm e_i` at the largest :math:`|g_i|` for l1 (the first of them), :math:`g/\|g\|` for l2,
    the signs for linf. The zero vector for a zero slope. Source: talk, "Optimization is Tied to
    Choice of Geometry".
    """
    if kind == "l1":
        d = np.zeros_like(slope)
        top = int(np.argmax(np.abs(slope)))
        d[top] = np.sign(slope[top])
        return d
    if kind == "linf":
        return np.sign(slope)
    size = norm(slope, kind)
    return slope / size if size else np.zeros_like(slope)


def steepest_descent(
    A: np.ndarray, y: np.ndarray, kind: Norm, steps: int, scale: float = 1.0
) -> np.ndarray:
    r"""Steepest descent on :math:`\tfrac12\|Aw-y\|^2` in a norm, from zero.

    .. math:: w_{t+1} = w_t - \frac{c}{L}\|g_t\|_*\,d_t, \qquad L=\max_{\|d\|\le1}\|Ad\|^2

    with d_t the steepest direction of the gradient g_t; the loss never rises for 0 < c < 2.
    ``scale`` is c. For linf, L is replaced by its upper bound :math:`\sum_{ij}|(A^\top A)_{ij}|`.
    """
    gram = A.T @ A
    curvature = {
        "l1": float(np.max(np.diag(gram))),
        "l2": float(np.linalg.norm(A, 2) ** 2),
        "linf": float(np.sum(np.abs(gram))),
    }[kind]
    w = np.zeros(A.shape[1])
    for _ in range(steps):
        slope = A.T @ (A @ w - y)
        w = w - scale / curvature * norm(slope, DUAL[kind]) * steepest_direction(slope, kind)
    return w


def minimal_norm(A: np.ndarray, y: np.ndarray, kind: Norm) -> float:
    """The least value of the norm over all solutions of Aw = y, by linear programming or SVD."""
    n = A.shape[1]
    if kind == "l2":
        return norm(least_norm(A, y), "l2")
    if kind == "l1":
        return float(linprog(np.ones(2 * n), A_eq=np.hstack([A, -A]), b_eq=y).fun)
    ones = np.ones((n, 1))
    box = np.vstack([np.hstack([np.eye(n), -ones]), np.hstack([-np.eye(n), -ones])])
    equations = np.hstack([A, np.zeros((A.shape[0], 1))])
    free = [(None, None)] * n + [(0, None)]
    target = np.r_[np.zeros(n), 1.0]
    program = linprog(target, A_ub=box, b_ub=np.zeros(2 * n), A_eq=equations, b_eq=y, bounds=free)
    return float(program.fun)


@dataclass(frozen=True)
class LogisticRun:
    """Normalised steepest descent on the logistic loss.

    ``w`` is the last point, ``loss`` its loss, and ``bound`` the margin that the proof guarantees.
    """

    w: np.ndarray
    loss: float
    bound: float


def logistic_descent(Z: np.ndarray, kind: Norm, steps: int) -> LogisticRun:
    r"""Normalised steepest descent on :math:`L(w)=\sum_i\log(1+e^{-\langle w,z_i\rangle})`.

    .. math:: w_{t+1}=w_t-\eta_t d_t, \qquad \eta_t=\frac1{B\sqrt{t+1}}, \qquad B=\max_i\|z_i\|_*

    from zero, with d_t the steepest direction of the gradient. ``bound`` is

    .. math:: \frac1{S}\Bigl(\gamma\sum_t\eta_t\varphi(L_t)-\tfrac{B^2}2\sum_t\eta_t^2
        -\log L_0-L_T\Bigr), \qquad S=\sum_t\eta_t,\ \varphi(L)=\frac{1-e^{-L}}L

    with gamma the largest margin; it tends to gamma.

    Parameters
    ----------
    Z : the examples times their labels, shape (N, d).
    kind : the norm.
    steps : number of steps.

    Source: Gunasekar, Lee, Soudry & Srebro (2018), with a proof written for this book.
    """
    gamma = maximal_margin(Z, kind)
    reach = max(norm(z, DUAL[kind]) for z in Z)
    w, scores = np.zeros(Z.shape[1]), np.zeros(Z.shape[0])
    rates = 1 / (reach * np.sqrt(np.arange(1, steps + 1)))
    losses = np.empty(steps + 1)
    for t, rate in enumerate(rates):
        # scaled by exp(min score), so that the direction survives when the loss is tiny
        shift = scores.min()
        weights = np.exp(shift - scores) / (1 + np.exp(-scores))
        losses[t] = np.sum(np.log1p(np.exp(-scores)))
        w = w + rate * steepest_direction(weights @ Z, kind)
        scores = Z @ w
    losses[steps] = np.sum(np.log1p(np.exp(-scores)))
    length, tilt = float(rates.sum()), -np.expm1(-losses[:-1]) / losses[:-1]
    gain = gamma * (rates @ tilt) - reach**2 / 2 * (rates @ rates) - np.log(losses[0]) - losses[-1]
    return LogisticRun(w, float(losses[-1]), float(gain / length))


def maximal_margin(Z: np.ndarray, kind: Norm) -> float:
    r"""The largest margin :math:`\gamma=\max_{\|w\|\le1}\min_i\langle w,z_i\rangle`.

    By linear programming or, for l2, as the distance of the convex hull of the rows from zero
    (non-negative least squares). ``Z`` has shape (N, d).
    """
    count, d = Z.shape
    if kind == "l2":
        system = np.vstack([Z.T, np.ones(count)])
        weights = nnls(system, np.r_[np.zeros(d), 1.0])[0]
        return norm(Z.T @ weights / weights.sum(), "l2")
    ones, target = np.ones((count, 1)), np.zeros(d + 1)
    target[-1] = -1.0
    if kind == "linf":
        bounds = [(-1, 1)] * d + [(None, None)]
        program = linprog(target, A_ub=np.hstack([-Z, ones]), b_ub=np.zeros(count), bounds=bounds)
        return float(-program.fun)
    cover = np.r_[np.ones(2 * d), 0.0][None]
    rows = np.vstack([np.hstack([-Z, Z, ones]), cover])
    bounds = [(0, None)] * (2 * d) + [(None, None)]
    target = np.r_[np.zeros(2 * d), -1.0]
    program = linprog(target, A_ub=rows, b_ub=np.r_[np.zeros(count), 1.0], bounds=bounds)
    return float(-program.fun)


def square_gradient(A: np.ndarray, y: np.ndarray, u: np.ndarray) -> np.ndarray:
    r"""Gradient :math:`u\circ A^\top(A(u\circ u)-y)` of :math:`\tfrac14\|A(u\circ u)-y\|^2`.

    ``u`` has shape (n,), or (n, k) for a batch. Source: talk, corollary on non-negative least
    squares.
    """
    target = y if u.ndim == 1 else y[:, None]
    return u * (A.T @ (A @ (u * u) - target))


def on_manifold(A: np.ndarray, x0: np.ndarray, s: np.ndarray) -> np.ndarray:
    r"""The point :math:`x_0\circ\exp(2A^\top s)` of the manifold on which the flow stays."""
    return x0 * np.exp(2.0 * (A.T @ s))


def entropy(x: np.ndarray, x0: np.ndarray) -> float:
    r""":math:`D(x,x_0)=\sum_ix_i\log(x_i/x_{0,i})-x_i+x_{0,i}` for x >= 0 and positive x0."""
    return float(np.sum(xlogy(x, x / x0) - x + x0))


def entropy_minimiser(
    A: np.ndarray, y: np.ndarray, x0: np.ndarray, s: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    r"""The positive solution of Ax = y of least :math:`D(x,x_0)`, and its coordinates s.

    :math:`x=x_0\circ e^{2A^\top s}`, by damped Newton on the convex dual

    .. math:: \Phi(s)=\tfrac12\sum_ix_{0,i}e^{2(A^\top s)_i}-\langle y,s\rangle

    Parameters
    ----------
    A, y : system of shape (m, n) and (m,), with a solution x > 0.
    x0 : reference point, positive, shape (n,).
    s : where Newton starts, zero if not given.

    Raises
    ------
    ValueError : if x0 is not positive, or if Newton does not reach Ax = y, which is so if there is
        no solution x >= 0.

    Source: talk, "What we can prove: commutative A_i", corollary.
    """
    if not np.all(x0 > 0):
        raise ValueError(f"x0: smallest entry {np.min(x0)}; expected positive entries")
    s = np.zeros(A.shape[0]) if s is None else s

    def dual(s: np.ndarray) -> float:
        return 0.5 * float(np.sum(on_manifold(A, x0, s))) - float(y @ s)

    reach = np.inf
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(500):
            x = on_manifold(A, x0, s)
            slope = A @ x - y
            newton = -np.linalg.lstsq(2 * (A * x) @ A.T, slope, rcond=1e-15)[0]
            before, reach = reach, float(np.max(np.abs(A.T @ newton)))
            if np.linalg.norm(slope) <= 1e-12 * np.linalg.norm(y) and reach > before / 2:
                return x, s  # rounding error has taken over
            if not 0 < reach < np.inf:
                break
            newton *= min(1.0, 2.0 / reach)  # no entry of x by more than e^4
            step, value = 1.0, dual(s)
            allowed = 1e-14 * abs(value)
            while not dual(s + step * newton) <= value + 1e-4 * step * (slope @ newton) + allowed:
                step /= 2
                if step < 1e-9:
                    break
            s = s + step * newton
    if np.linalg.norm(slope) <= 1e-10 * np.linalg.norm(y):
        return x, s
    raise ValueError(
        f"A, y: Newton ends with residual {np.linalg.norm(slope):.1e}; expected a system Ax = y "
        "that has a positive solution"
    )


def square_flow(A: np.ndarray, y: np.ndarray, u0: np.ndarray, time: float) -> np.ndarray:
    r"""The gradient flow :math:`\dot u=-\nabla f(u)` of :math:`\tfrac14\|A(u\circ u)-y\|^2`.

    Returns u at ``time``. It integrates u itself and knows nothing of the manifold. For weights on
    the equations multiply the rows of A and y by their roots. Source: talk, corollary on
    non-negative least squares.
    """
    run = solve_ivp(
        lambda _, u: -square_gradient(A, y, u),
        (0, time),
        u0,
        method="LSODA",
        rtol=1e-10,
        atol=1e-13,
    )
    return run.y[:, -1]


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


def minimal_l1(A: np.ndarray, y: np.ndarray) -> MinimalL1:
    r"""Two linear programs: the least l1 norm, and the slack t of the rate :math:`\alpha^{2t}`.

    .. math:: \max t \quad\text{s.t.}\quad \langle a_i,\nu\rangle=1\ (x_i>0),\quad
        \langle a_i,\nu\rangle+t\le1\ (x_i=0)

    Raises ``ValueError`` if no x >= 0 solves Ax = y.
    """
    m, n = A.shape
    program = linprog(np.ones(n), A_eq=A, b_eq=y)
    if program.status != 0:
        raise ValueError(f"A, y: {program.message}; expected a system with a solution x >= 0")
    on = program.x > 1e-9 * np.max(program.x)
    tight = np.hstack([A[:, on].T, np.zeros((int(on.sum()), 1))])
    loose = np.hstack([A[:, ~on].T, np.ones((int((~on).sum()), 1))])
    second = linprog(
        np.r_[np.zeros(m), -1.0],
        A_eq=tight,
        b_eq=np.ones(len(tight)),
        A_ub=loose,
        b_ub=np.ones(len(loose)),
        bounds=[(None, None)] * (m + 1),
    )
    return MinimalL1(program.x, float(program.fun), float(-second.fun), second.x[:-1])


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


def off_manifold(A: np.ndarray, x: np.ndarray, x0: np.ndarray) -> np.ndarray:
    r""":math:`P_{\ker A}\log(x/x_0)`, zero exactly on the manifold; columns of x are a batch."""
    ratio = x / (x0 if x.ndim == 1 else x0[:, None])
    return kernel_projection(A) @ np.log(ratio)


def drift(A: np.ndarray, y: np.ndarray, x0: np.ndarray, time: float) -> np.ndarray:
    r""":math:`-\int_0^T P_{\ker A}(A^\top r_\tau)^{\circ2}\,d\tau` along the flow, shape (n,).

    To first order in eta, gradient descent with step eta is eta times this vector off the manifold
    after ``time`` T.
    """
    m = y.size
    kernel = kernel_projection(A)

    def velocity(_: float, z: np.ndarray) -> np.ndarray:
        residual = A @ on_manifold(A, x0, z[:m]) - y
        return np.r_[-residual, -kernel @ (A.T @ residual) ** 2]

    start = np.zeros(m + x0.size)
    run = solve_ivp(velocity, (0, time), start, method="LSODA", rtol=1e-10, atol=1e-12)
    return run.y[m:, -1]


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


def inertial_flow(
    A: np.ndarray, y: np.ndarray, u0: np.ndarray, damping: float, time: float
) -> np.ndarray:
    r"""Gradient flow with inertia from rest, :math:`\ddot u+\gamma\dot u=-\nabla f(u)`: returns u.

    ``time`` is the slow time :math:`\tau=t/\gamma`, where :math:`\gamma^{-2}u''+u'=-\nabla f(u)`.
    ``damping`` is gamma. Source: talk, "finite steps, as well as (infinitesimal) momentum".
    """
    n = u0.size

    def velocity(_: float, z: np.ndarray) -> np.ndarray:
        return np.r_[z[n:], -(damping**2) * (z[n:] + square_gradient(A, y, z[:n]))]

    start = np.r_[u0, np.zeros(n)]
    run = solve_ivp(velocity, (0, time), start, method="LSODA", rtol=1e-10, atol=1e-13)
    return run.y[:n, -1]
