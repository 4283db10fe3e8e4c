"""First-order methods, written once: gradient descent with momentum or noise, SGD with a mirror.

A point is an array of any shape; a batch of starts is one array that ``gradient`` maps to an array
of the same shape, so that a whole batch moves with one call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from lecture_code.checks import as_floats, same_shape, takes

Gradient = Callable[[np.ndarray], np.ndarray]
Mirror = Callable[[np.ndarray], np.ndarray]
Norm = Literal["l1", "l2", "linf"]


class DivergenceError(ArithmeticError):
    """The iterates left every bound; the message says at which step, and the step size."""


@dataclass(frozen=True)
class Descent:
    """Where a run ended, why, and on request how it got there.

    ``x`` is the last point, ``steps`` the number of steps taken, ``reason`` why it stopped,
    ``gradient_norm`` the largest entry of the last gradient in absolute value, and ``trajectory``
    the points recorded, stacked along a new first axis, at the steps ``recorded``.
    """

    x: np.ndarray
    steps: int
    reason: Literal["tolerance", "budget"]
    gradient_norm: float
    trajectory: np.ndarray | None = None
    recorded: np.ndarray | None = None


@takes(start="...", finite=False)
def gradient_descent(
    gradient: Gradient,
    start: np.ndarray,
    step: float,
    *,
    max_steps: int,
    tolerance: float = 0.0,
    momentum: float = 0.0,
    noise: float = 0.0,
    rng: np.random.Generator | None = None,
    record_every: int | None = None,
    limit: float = 1e8,
) -> Descent:
    r"""Gradient descent, heavy-ball momentum and noisy gradient descent.

    .. math:: x_{t+1} = x_t - \eta\,(\nabla f(x_t) + \sigma\,\xi_t) + \beta\,(x_t - x_{t-1})

    with :math:`\xi_t` standard normal. It stops when every entry of the gradient is at most
    ``tolerance`` ("tolerance") or after ``max_steps`` steps ("budget").

    Parameters
    ----------
    gradient : maps points of the shape of ``start`` to gradients of that shape.
    start : first point, or a batch of them.
    step : the step size eta, positive.
    max_steps, tolerance : when to stop.
    momentum : beta in [0, 1).
    noise : sigma, at least 0; needs ``rng``.
    rng : generator of the noise.
    record_every : if given, every so many steps (and both ends) are kept in the trajectory.
    limit : an entry beyond it, or one that is not a number, is divergence.

    Raises
    ------
    DivergenceError : if the iterates diverge.
    ValueError : if an argument is out of range, or a gradient has another shape than the point.

    Source: Polyak (1964) for the momentum; Ge, Huang, Jin & Yuan (2015) for the noise.
    """
    _check(step > 0, "step", step, "a positive number")
    _check(max_steps >= 0, "max_steps", max_steps, "at least 0")
    _check(0 <= momentum < 1, "momentum", momentum, "a number in [0, 1)")
    _check(noise >= 0, "noise", noise, "at least 0")
    _check(noise == 0 or rng is not None, "rng", rng, "a numpy Generator, for noise is on")
    _check(record_every is None or record_every >= 1, "record_every", record_every, "at least 1")
    x = np.array(start, dtype=float)
    velocity = np.zeros_like(x)
    kept = [(0, x.copy())]
    for t in range(max_steps + 1):
        slope = _slope(gradient(x), x)
        size = float(np.max(np.abs(slope), initial=0.0))
        if size <= tolerance or t == max_steps:
            break
        direction = slope if noise == 0 else slope + noise * rng.standard_normal(x.shape)
        velocity = momentum * velocity - step * direction
        x = x + velocity
        if not np.max(np.abs(x), initial=0.0) <= limit:
            raise DivergenceError(
                f"the iterates passed {limit:g} at step {t + 1} with step size {step:g}; "
                "take a smaller step"
            )
        if record_every and (t + 1) % record_every == 0:
            kept.append((t + 1, x.copy()))
    reason: Literal["tolerance", "budget"] = "tolerance" if size <= tolerance else "budget"
    if record_every is None:
        return Descent(x, t, reason, size)
    if kept[-1][0] != t:
        kept.append((t, x.copy()))
    steps, points = zip(*kept, strict=True)
    return Descent(x, t, reason, size, np.stack(points), np.array(steps))


@takes(start="...", finite=False)
def stochastic_gradient_descent(
    gradient: Callable[[np.ndarray, Any], np.ndarray],
    start: np.ndarray,
    samples: Iterable[Any],
    step: float | Callable[[int], float],
    *,
    mirror: Mirror | None = None,
    weight: Callable[[int], float] | None = None,
    watch: Callable[[np.ndarray], object] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    r"""One pass of SGD or mirror descent: the last iterate, and the average of those before it.

    .. math:: \zeta_{t+1} = \zeta_t - \eta_t \nabla f(x_t, z_t), \qquad x_t = w(\zeta_t), \qquad
        \bar x = \sum_{t<T} a_t x_t\Big/\sum_{t<T} a_t

    Without a mirror w is the identity, and this is SGD. The samples may be a generator that never
    ends in memory: the loop keeps the current point and a running sum.

    Parameters
    ----------
    gradient : maps a point and a sample to a gradient of the point's shape.
    start : the first dual point zeta_0; without a mirror, the first point.
    samples : one sample (or minibatch) a step.
    step : the step size, or a function of the step number 0, 1, ... that gives it.
    mirror : the map w from dual points to points, such as a projection.
    weight : gives the weight a_t in the average of the point before step t; equal if left out.
    watch : is called with each point before its step, such as the ``append`` of a list.

    Raises
    ------
    DivergenceError : if an iterate is no longer finite.
    ValueError : if there are no samples, or a gradient has another shape than the point.

    Source: Robbins & Monro (1951); averaging as in the talk, "SGD"; Nemirovski & Yudin (1983).
    """
    dual = np.array(start, dtype=float)
    x = dual if mirror is None else mirror(dual)
    total, mass, count = np.zeros_like(x), 0.0, 0
    for count, sample in enumerate(samples, 1):
        if watch is not None:
            watch(x)
        share = 1.0 if weight is None else weight(count - 1)
        total, mass = total + share * x, mass + share
        eta = step(count - 1) if callable(step) else step
        dual = dual - eta * _slope(gradient(x, sample), x)
        x = dual if mirror is None else mirror(dual)
        if not np.isfinite(x).all():
            raise DivergenceError(f"an iterate is not finite at step {count}; take a smaller step")
    _check(count > 0, "samples", samples, "at least one")
    return x, total / mass


@takes(slope="...", squares="...", finite=False)
def adagrad(slope: np.ndarray, squares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""What AdaGrad subtracts, before the step size, and the running sum of squares it keeps.

    .. math:: s_t = s_{t-1} + g_t\circ g_t, \qquad d_t = g_t/(\sqrt{s_t}+10^{-12})

    ``slope`` is the gradient g, ``squares`` the sum s before this step, zero at first. A coordinate
    whose slopes so far are zero, or nothing but rounding error, hardly moves.

    Source: Duchi, Hazan & Singer (2011).
    """
    same_shape(slope=slope, squares=squares)
    squares = squares + slope**2
    return slope / (np.sqrt(squares) + 1e-12), squares


@takes(slope="n", finite=False)
def steepest_step(slope: np.ndarray, step: float, geometry: Norm) -> np.ndarray:
    r"""The minimiser of :math:`\eta\langle g,\Delta\rangle+\tfrac12\|\Delta\|^2` in three norms.

    l2: :math:`-\eta g`. l1: :math:`-\eta\|g\|_\infty\operatorname{sign}(g_i)e_i` for the first i of
    largest :math:`|g_i|`. linf: :math:`-\eta\|g\|_1\operatorname{sign}(g)`. ``slope`` is g.

    Raises ``ValueError`` for another geometry. Source: talk, "Optimization is Tied to Choice of
    Geometry", with its formula mended.
    """
    if geometry == "l2":
        return -step * slope
    if geometry == "linf":
        return -step * np.abs(slope).sum() * np.sign(slope)
    if geometry != "l1":
        raise ValueError(f"geometry: {geometry!r}; expected 'l1', 'l2' or 'linf'")
    move = np.zeros_like(slope)
    top = np.argmax(np.abs(slope))
    move[top] = -step * slope[top]
    return move


def _slope(gradient: Any, x: np.ndarray) -> np.ndarray:
    slope = as_floats("gradient", gradient, finite=False)
    _check(slope.shape == x.shape, "gradient", slope.shape, f"the shape of the point, {x.shape}")
    return slope


def _check(holds: bool, name: str, value: object, expected: str) -> None:
    if not holds:
        raise ValueError(f"{name}: {value!r}; expected {expected}")
