r"""Wide two-layer networks and their linear models: outputs, gradients, kernels, training.

The network has no biases,

.. math:: f_\theta(x) = \frac1{\sqrt m}\sum_{r=1}^m a_r\,\sigma(\langle w_r,x\rangle) .

Its parameters are one array ``theta`` of shape (m, d + 1): row r is neuron r, the first d entries
are :math:`w_r`, the last one is :math:`a_r`. Leading axes are a batch of networks. ``layers`` says
what is trained: "both", or "first" with the :math:`a_r` held fixed. Inputs are rows: X has shape
(n, d). Networks of any depth are those of :mod:`lecture_code.nets`, with scaled weights.

Source: lecture 11, section 11.4; Jacot, Gabriel & Hongler (2018).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lecture_code.checks import as_floats, takes
from lecture_code.kernels import Layers, check_layers, check_width, least_eigenvalue
from lecture_code.nets import Layered
from lecture_code.optimize import Descent, gradient_descent


@dataclass(frozen=True)
class Activation:
    r"""An activation :math:`\sigma` with its first two derivatives, applied entry by entry.

    ``bend`` is the least Lipschitz constant of :math:`\sigma'`; infinite where it jumps.
    """

    name: str
    value: Callable[[np.ndarray], np.ndarray]
    slope: Callable[[np.ndarray], np.ndarray]
    curvature: Callable[[np.ndarray], np.ndarray]
    bend: float


RELU = Activation(
    "relu",
    lambda u: np.maximum(u, 0.0),
    lambda u: (u > 0).astype(float),
    np.zeros_like,
    np.inf,
)
TANH = Activation(
    "tanh",
    np.tanh,
    lambda u: 1.0 - np.tanh(u) ** 2,
    lambda u: -2.0 * np.tanh(u) * (1.0 - np.tanh(u) ** 2),
    4.0 / (3.0 * np.sqrt(3.0)),
)


@takes()
def sphere(n: int, d: int, rng: np.random.Generator) -> np.ndarray:
    """n points of uniform direction on the unit sphere of R^d, shape (n, d)."""
    points = rng.standard_normal((n, d))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


@takes()
def initialize(m: int, d: int, rng: np.random.Generator, *, symmetric: bool = False) -> np.ndarray:
    r"""Random parameters, shape (m, d + 1): :math:`w_r\sim N(0,I)`, :math:`a_r` a fair sign.

    With ``symmetric`` the second half repeats the first with :math:`a_r` negated, so that
    :math:`f_{\theta^0}=0`. Raises ``ValueError`` if m is then odd. Source: lecture 11, (11.42).
    """
    if m < 1 or (symmetric and m % 2):
        expected = "a positive even number, neurons come in pairs" if symmetric else "at least 1"
        raise ValueError(f"m: {m}; expected {expected}")
    half = m // 2 if symmetric else m
    theta = np.c_[rng.standard_normal((half, d)), rng.choice([-1.0, 1.0], half)]
    if not symmetric:
        return theta
    return np.concatenate([theta, theta * np.r_[np.ones(d), -1.0]])


@takes(theta="... m c", x="n d", finite=False)
def forward(
    theta: np.ndarray, x: np.ndarray, activation: Activation = RELU, layers: Layers = "both"
) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    r"""Outputs at the rows of x, shape (..., n), and a function that gives gradients.

    It maps c of shape (..., n) to :math:`\sum_i c_i\nabla_\theta f_\theta(x_i)`, in the shape of
    theta; with ``layers="first"`` its last column is zero. Raises ``ValueError`` if ``layers`` is
    unknown or d does not match.
    """
    check_layers(layers)
    before, root = x @ split(theta, x)[0].mT, np.sqrt(theta.shape[-2])
    hidden = activation.value(before)
    outputs = (hidden @ theta[..., -1:])[..., 0] / root

    def backward(weights: np.ndarray) -> np.ndarray:
        weights = as_floats("weights", weights, finite=False)
        if weights.shape != outputs.shape:
            raise ValueError(f"weights: shape {weights.shape}; expected {outputs.shape}")
        c = weights[..., None] / root
        result = np.zeros(theta.shape)
        result[..., :-1] = (c * activation.slope(before) * theta[..., None, :, -1]).mT @ x
        if layers == "both":
            result[..., -1] = (hidden.mT @ c)[..., 0]
        return result

    return outputs, backward


def predict(theta: np.ndarray, x: np.ndarray, activation: Activation = RELU) -> np.ndarray:
    r""":math:`f_\theta` at the rows of x: shape (n,), or (..., n) for a batch of networks."""
    return forward(theta, x, activation)[0]


def gradient(
    theta: np.ndarray,
    x: np.ndarray,
    weights: np.ndarray,
    activation: Activation = RELU,
    layers: Layers = "both",
) -> np.ndarray:
    r""":math:`\sum_i c_i\nabla_\theta f_\theta(x_i)`, in the shape of theta.

    With ``weights`` c the residual :math:`f_\theta(x_i)-y_i` it is the gradient of
    :math:`\frac12\sum_i(f_\theta(x_i)-y_i)^2`. The Jacobian is never formed. Raises ``ValueError``
    as :func:`forward` does.
    """
    return forward(theta, x, activation, layers)[1](weights)


@takes(theta="... m c", x="n d", y="... n")
def train(
    theta: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    step: float,
    steps: int,
    *,
    activation: Activation = RELU,
    layers: Layers = "both",
    scale: float = 1.0,
    momentum: float = 0.0,
    record_every: int | None = None,
) -> Descent:
    r"""Gradient descent on :math:`\frac1{2\alpha^2}\sum_i(\alpha f_\theta(x_i)-y_i)^2`.

    ``scale`` is :math:`\alpha`; the factor :math:`\alpha^{-2}` makes the residual follow the same
    linear equation for every scale. A batch of networks is trained at once. Raises ``ValueError``
    as :func:`forward` does. Source: Chizat, Oyallon & Bach (2019).
    """

    def slope(point: np.ndarray) -> np.ndarray:
        outputs, backward = forward(point, x, activation, layers)
        return backward(outputs - y / scale)

    return gradient_descent(
        slope, theta, step, max_steps=steps, momentum=momentum, record_every=record_every
    )


@takes(theta="... m c", change="... m c", x="n d", finite=False)
def linear_model(
    theta: np.ndarray,
    change: np.ndarray,
    x: np.ndarray,
    activation: Activation = RELU,
) -> np.ndarray:
    r""":math:`g(x) = f_{\theta}(x)+\langle\nabla_\theta f_{\theta}(x),\Delta\rangle` (11.42).

    ``change`` is :math:`\Delta`, in the shape of ``theta``; the result has shape (..., n).
    """
    w, a = split(theta, x)
    before, turn = (x @ v.mT for v in (w, change[..., :-1]))
    neurons = activation.value(before) * (a + change[..., -1])[..., None, :]
    neurons += activation.slope(before) * turn * a[..., None, :]
    return neurons.sum(axis=-1) / np.sqrt(theta.shape[-2])


@takes(theta="... m c", x="n d", z="k d")
def empirical_ntk(
    theta: np.ndarray,
    x: np.ndarray,
    z: np.ndarray | None = None,
    activation: Activation = RELU,
    layers: Layers = "both",
) -> np.ndarray:
    r"""The kernel :math:`\langle\nabla f_\theta(x),\nabla f_\theta(z)\rangle`, shape (..., n, k).

    .. math:: \frac1m\sum_r a_r^2\,\sigma'(\langle w_r,x\rangle)\,\sigma'(\langle w_r,z\rangle)
        \langle x,z\rangle + \frac1m\sum_r\sigma(\langle w_r,x\rangle)\,\sigma(\langle w_r,z\rangle)

    (the first sum only, for ``layers="first"``). Memory is O((n + k) m + n k); the Jacobian would
    need O(n m d). Raises ``ValueError`` as :func:`forward` does. Source: lecture 11, (11.43).
    """
    check_layers(layers)
    z = x if z is None else z
    w, a = split(theta, x)
    left, right = (points @ w.mT for points in (x, z))
    slopes = activation.slope(left) * (a * a)[..., None, :]
    kernel = (slopes @ activation.slope(right).mT) * (x @ z.T)
    if layers == "both":
        kernel = kernel + activation.value(left) @ activation.value(right).mT
    return kernel / theta.shape[-2]


@takes(kernel="n n", residual="n")
def near_theorem(kernel: np.ndarray, residual: np.ndarray, lipschitz: float) -> tuple[float, float]:
    r"""What the theorem on gradient descent asks for, and the radius it then promises.

    The first number is :math:`6\Lambda\|r_0\|/\lambda`, to be at most 1; the second the radius
    :math:`\frac32\|r_0\|/\sqrt\lambda`, with :math:`\lambda` the least eigenvalue of ``kernel``.
    Both are infinite for a kernel that is singular up to rounding.
    """
    least, size = least_eigenvalue(kernel), np.linalg.norm(residual)
    if least == 0:
        return np.inf, np.inf
    return float(6 * lipschitz * size / least), float(1.5 * size / np.sqrt(least))


@takes(x="n d")
def jacobian_lipschitz(x: np.ndarray, m: int, activation: Activation = TANH) -> float:
    r"""A Lipschitz constant of the Jacobian in operator norm; first layer trained, :math:`|a_r|=1`.

    .. math:: \Lambda = \mathrm{Lip}(\sigma')\,\|X\|\,\max_i\|x_i\|\,/\sqrt m

    with :math:`\|X\|` the operator norm. Infinite for ReLU, whose slope jumps.
    """
    check_width(m)
    longest = np.linalg.norm(x, axis=1).max()
    return float(activation.bend * np.linalg.norm(x, 2) * longest / np.sqrt(m))


@takes()
def weight_scales(net: Layered, gain: float = 1.0) -> np.ndarray:
    r"""By what each weight is multiplied so that standard normal weights give outputs of size one.

    .. math:: h^0=x,\qquad h^l=\frac\gamma{\sqrt{m_l}}\,\sigma(W^lh^{l-1}),\qquad f=W^{L+1}h^L

    is the plain network with the weights s W, where s is 1 in the first layer and
    :math:`\gamma/\sqrt{m_l}` behind hidden layer l; its gradient in W is s times that in s W.
    Source: Jacot, Gabriel & Hongler (2018).
    """
    scales = np.ones(net.size)
    for matrix, m in zip(net.matrices(scales)[1:], net.widths[1:-1], strict=True):
        matrix[:, :m] = gain / np.sqrt(m)
    return scales


@takes(theta="... m c", x="n d", finite=False)
def split(theta: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Inner weights, shape (..., m, d), and outer ones, (..., m); ``ValueError`` unless d fits."""
    if theta.shape[-1] != x.shape[-1] + 1:
        raise ValueError(
            f"theta: rows of {theta.shape[-1]}; expected {x.shape[-1] + 1} for inputs in "
            f"dimension {x.shape[-1]}"
        )
    return theta[..., :-1], theta[..., -1]
