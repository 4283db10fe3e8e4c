r"""How close the sampled objective of matrix completion is to the full one: for one point, for all.

``f`` is the objective of :mod:`lecture_code.completion`, ``g`` the one that sees everything.

Source: lecture 11, sections 11.1 and 11.2.
"""

from __future__ import annotations

import numpy as np

from lecture_code.checks import takes
from lecture_code.completion import Completion


@takes(z="d", x="d")
def full_gradient(z: np.ndarray, x: np.ndarray) -> np.ndarray:
    r""":math:`\nabla g(x) = -2\,(\langle x,z\rangle z - \|x\|^2 x)`."""
    return -2.0 * ((x @ z) * z - (x @ x) * x)


@takes(z="d", x="d", v="d")
def full_hessian_form(z: np.ndarray, x: np.ndarray, v: np.ndarray) -> float:
    r""":math:`\langle v,\nabla^2 g(x)v\rangle = 2\|v\|^2\|x\|^2+4\langle v,x\rangle^2
    -2\langle v,z\rangle^2`."""
    return float(2 * (v @ v) * (x @ x) + 4 * (v @ x) ** 2 - 2 * (v @ z) ** 2)


@takes(u="problem.d", v="problem.d")
def sample_error(problem: Completion, u: np.ndarray, v: np.ndarray) -> float:
    r""":math:`\langle P_\Omega(uu^\top),vv^\top\rangle/p - \langle uu^\top,vv^\top\rangle`.

    Equal to :math:`(u\circ v)^\top E\,(u\circ v)`. Source: lecture 11, Lemma 11.6.
    """
    w = u * v
    return float(w @ (problem.weights @ w) / problem.p - w.sum() ** 2)


@takes(x="problem.d", v="problem.d")
def transfer_bounds(problem: Completion, x: np.ndarray, v: np.ndarray, norm: float) -> np.ndarray:
    r"""What :math:`\|E\|` allows f/p and g to differ by, in the two forms that the proof uses.

    .. math:: 2\|E\|\,(\|v\circ z\|\|x\circ z\| + \|v\circ x\|\|x\circ x\|)
        \quad\text{and}\quad
        \|E\|\,(2\|v\circ v\|\|x\circ x\| + 4\|v\circ x\|^2 + 2\|v\circ z\|^2)

    for :math:`\langle v,\nabla\cdot\rangle` and :math:`\langle v,\nabla^2\cdot\,v\rangle` and every
    mask, x and v; ``norm`` is :math:`\|E\|`.
    """
    size, z = np.linalg.norm, problem.z
    first = 2 * norm * (size(v * z) * size(x * z) + size(v * x) * size(x * x))
    second = norm * (2 * size(v * v) * size(x * x) + 4 * size(v * x) ** 2 + 2 * size(v * z) ** 2)
    return np.array([first, second])


@takes()
def bernstein_norm(d: int, p: float, delta: float) -> float:
    r"""A bound on :math:`\|E\|` that a symmetric random mask keeps with probability 1 - delta.

    .. math:: \sqrt{2\ell\,d(1-p)/p} + \tfrac{2\ell}{3p}, \qquad \ell = \log(2d/\delta)

    Source: matrix Bernstein inequality, Tropp (2012).
    """
    if not 0 < p <= 1:
        raise ValueError(f"p: {p}; expected a probability in (0, 1]")
    if not 0 < delta < 1:
        raise ValueError(f"delta: {delta}; expected a probability in (0, 1)")
    scale = np.log(2 * d / delta)
    return float(np.sqrt(2 * scale * d * (1 - p) / p) + 2 * scale / (3 * p))
