r"""Lazy and rich training: networks of any depth at a scale, and what is learned of each tone.

Source: Chizat, Oyallon & Bach (2019); Basri et al. (2019).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lecture_code import kernels
from lecture_code.checks import takes
from lecture_code.nets import Layered
from lecture_code.wide import weight_scales


@takes(w="net.size", x="n d", targets="n k", far="j d")
def train_from_zero(
    net: Layered,
    w: np.ndarray,
    x: np.ndarray,
    targets: np.ndarray,
    far: np.ndarray,
    *,
    step: float,
    steps: int,
    scale: float = 1.0,
) -> np.ndarray:
    r"""Outputs at ``far`` of a network trained by gradient descent, its first outputs taken off.

    The model is :math:`\alpha(f_w-f_{w^0})` with the weights of
    :func:`lecture_code.wide.weight_scales`, the loss its squared distance from ``targets``, halved
    and divided by :math:`\alpha^2`.

    Parameters
    ----------
    w : the plain weights at the start, before they are scaled.
    x, targets, far : inputs as rows, what is wanted there, and inputs to predict.
    step, steps, scale : eta, the number of steps, and alpha.

    Returns
    -------
    Shape (j, k).

    Raises
    ------
    ValueError : if the shapes do not match or the scale is not positive.
    """
    if not scale > 0:
        raise ValueError(f"scale: {scale}; expected a positive number")
    factors = weight_scales(net)
    offset, far_offset = (net.outputs(factors * w, points) for points in (x, far))
    for _ in range(steps):
        outputs, backward = net.forward(factors * w, x)
        w = w - step * factors * backward(outputs - offset - targets / scale)
    return scale * (net.outputs(factors * w, far) - far_offset)


@takes(kernel="n n", waves="k n")
def shares_learned(
    kernel: np.ndarray, waves: np.ndarray, step: float, steps: Sequence[int]
) -> np.ndarray:
    r"""What a linear model has learned of each wave after so many steps on their sum.

    .. math:: \frac{\langle g_t,v_k\rangle}{\|v_k\|^2}

    for orthogonal waves :math:`v_k`, the rows of ``waves``; shape (len(steps), k).
    """
    duals = kernels.kernel_descent(kernel, waves.sum(axis=0), step, steps)
    return duals @ kernel @ waves.T / np.sum(waves**2, axis=1)
