"""Autonomous systems of differential equations, integrated to the end or not at all."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.integrate import solve_ivp

from lecture_code.checks import takes

Field = Callable[[np.ndarray], np.ndarray]
EVALUATIONS = 300_000


@takes(start="n", at="k", finite=False)
def integrate(
    velocity: Field,
    start: np.ndarray,
    at: np.ndarray,
    *,
    rtol: float,
    atol: float | np.ndarray,
    jacobian: Field | None = None,
    max_step: float = np.inf,
) -> np.ndarray:
    """Where the system is at the increasing times ``at``, one row for each, from time zero.

    Adaptive multistep integration (LSODA). Raises ``ValueError`` if a time is not finite, if the
    integrator gives up, or after ``EVALUATIONS`` evaluations of the velocity.
    """
    if not np.isfinite(at).all():
        raise ValueError(f"time: {at[-1]}; expected a finite number")
    left = EVALUATIONS

    def counted(time: float, z: np.ndarray) -> np.ndarray:
        nonlocal left
        left -= 1
        if left < 0:
            raise ValueError(
                f"time: {at[-1]:g}; expected a flow that gets there, this one is at {time:.3g} "
                f"after {EVALUATIONS} evaluations"
            )
        with np.errstate(over="ignore", invalid="ignore"):
            return velocity(z)

    run = solve_ivp(
        counted,
        (0, at[-1]),
        start,
        method="LSODA",
        t_eval=at,
        rtol=rtol,
        atol=atol,
        max_step=max_step,
        jac=None if jacobian is None else lambda _, z: jacobian(z),
    )
    if not run.success or len(run.t) < len(at) or not np.isfinite(run.y).all():
        raise ValueError(f"time: {at[-1]:g}; expected a flow that gets there: {run.message}")
    return run.y.T
