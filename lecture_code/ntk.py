r"""The neural tangent kernel: the Jacobian, the curvature of the loss, networks of any depth.

The two-layer network, its kernel and its training are in :mod:`lecture_code.wide`.

Source: lecture 11, section 11.4; Jacot, Gabriel & Hongler (2018).
"""

from __future__ import annotations

import numpy as np

from lecture_code import nets
from lecture_code.checks import takes
from lecture_code.kernels import Layers
from lecture_code.nets import Layered
from lecture_code.wide import RELU, TANH, Activation, gradient, split, weight_scales


@takes(theta="m c", x="n d")
def jacobian(
    theta: np.ndarray,
    x: np.ndarray,
    activation: Activation = RELU,
    layers: Layers = "both",
) -> np.ndarray:
    r"""The features :math:`\phi(x_i)=\nabla_\theta f_\theta(x_i)` as rows, shape (n, m (d + 1)).

    Written out entry by entry for one network; for small m, and to check the rest.
    """
    rows = np.eye(x.shape[0])
    return gradient(np.stack([theta] * len(x)), x, rows, activation, layers).reshape(len(x), -1)


@takes(theta="m c", x="n d", residual="n")
def curvature_blocks(
    theta: np.ndarray, x: np.ndarray, residual: np.ndarray, activation: Activation = TANH
) -> np.ndarray:
    r"""The part of the loss Hessian that is not :math:`J^\top J`, first layer trained.

    :math:`\sum_ir_i\nabla^2f_\theta(x_i)` is block-diagonal; block r, of shape (d, d), is

    .. math:: \frac{a_r}{\sqrt m}\sum_i r_i\,\sigma''(\langle w_r,x_i\rangle)\,x_ix_i^\top .

    Returns shape (m, d, d).
    """
    w, a = split(theta, x)
    c = activation.curvature(w @ x.T) * residual * a[:, None] / np.sqrt(len(a))
    return np.einsum("ri,ij,ik->rjk", c, x, x, optimize=True)


@takes(w="net.size", x="n d")
def deep_ntk(net: Layered, w: np.ndarray, x: np.ndarray, gain: float = 1.0) -> np.ndarray:
    """Kernel of a layered network with one output, shape (n, n).

    Its weights are as in :func:`lecture_code.wide.weight_scales`. Memory is O(n size), for the
    Jacobian is formed.
    """
    scales = weight_scales(net, gain)
    rows = scales * nets.jacobian(net, scales * w, x)
    return rows @ rows.T
