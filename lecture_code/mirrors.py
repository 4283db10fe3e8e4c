r"""Mirrors: from a dual point to the point that a potential answers with.

A potential :math:`\psi` on a convex set K gives :math:`w(\zeta)=\arg\max_{w\in K}
\langle\zeta,w\rangle-\psi(w)`, the gradient of its conjugate. These are the maps that
``optimize.stochastic_gradient_descent`` takes as ``mirror``.

Source: Nemirovski & Yudin (1983); Kivinen & Warmuth (1997).
"""

from __future__ import annotations

import numpy as np

from lecture_code.checks import takes
from lecture_code.optimize import Mirror


@takes()
def ball(radius: float) -> Mirror:
    r"""Potential :math:`\tfrac12\|w\|_2^2` on the ball of that radius: the projection on it."""
    _positive("radius", radius)
    return lambda zeta: zeta / max(1.0, float(np.linalg.norm(zeta)) / radius)


@takes(zeta="... d", finite=False)
def softmax(zeta: np.ndarray) -> np.ndarray:
    r"""Potential :math:`\sum_iw_i\log w_i` on the simplex: w is :math:`e^\zeta` over its sum."""
    weights = np.exp(zeta - zeta.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


@takes()
def l1_ball(radius: float) -> Mirror:
    r"""The entropic potential on the l1 ball: :math:`R\sinh(\zeta_i/R)/\sum_j\cosh(\zeta_j/R)`.

    It is softmax on the 2d corners of the ball of radius R, whose weights are then added up. In the
    l1 norm the potential is 1-strongly convex, and its range is :math:`R^2\log 2d`.
    """
    _positive("radius", radius)

    def mirror(zeta: np.ndarray) -> np.ndarray:
        corners = softmax(np.stack([zeta, -zeta]).ravel() / radius).reshape(2, -1)
        return radius * (corners[0] - corners[1])

    return mirror


@takes()
def p_norm(p: float) -> Mirror:
    r"""Potential :math:`\tfrac1{2(p-1)}\|w\|_p^2`, for which p = 2 is no mirror at all.

    The map is :math:`(p-1)\|\zeta\|_q^{2-q}\operatorname{sign}(\zeta_i)|\zeta_i|^{q-1}` with
    1/p + 1/q = 1. Raises ``ValueError`` unless 1 < p <= 2.
    """
    if not 1 < p <= 2:
        raise ValueError(f"p: {p!r}; expected a number in (1, 2]")
    q = p / (p - 1)

    def mirror(zeta: np.ndarray) -> np.ndarray:
        largest = np.max(np.abs(zeta), initial=0.0)
        if largest == 0:
            return np.zeros_like(zeta)
        shares = np.abs(zeta) / largest  # powers of numbers above 1 would overflow
        scale = largest * np.sum(shares**q) ** (2 / q - 1)
        return (p - 1) * scale * np.sign(zeta) * shares ** (q - 1)

    return mirror


def _positive(name: str, value: float) -> None:
    if not value > 0:
        raise ValueError(f"{name}: {value!r}; expected a positive number")
