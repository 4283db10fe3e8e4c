r"""The neural tangent kernel: wide networks, their linear models, and the kernels in closed form.

The model of most of the chapter is the two-layer network without biases

.. math:: f_\theta(x) = \frac1{\sqrt m}\sum_{r=1}^m a_r\,\sigma(\langle w_r,x\rangle) .

Its parameters are one array ``theta`` of shape (m, d + 1): row r is neuron r, the first d entries
are :math:`w_r`, the last one is :math:`a_r`. Leading axes are a batch of networks. ``layers`` says
what is trained: "both", or "first" with the :math:`a_r` held fixed. Inputs are rows: X has shape
(n, d). Networks of any depth are sequences of weight matrices; their functions start with ``deep``.

Source: lecture 11, section 11.4; Jacot, Gabriel & Hongler (2018).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import comb
from typing import Literal

import numpy as np

from lecture_code.optimize import Descent, gradient_descent

Layers = Literal["both", "first"]
ROWS = 512


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


def sphere(n: int, d: int, rng: np.random.Generator) -> np.ndarray:
    """n points of uniform direction on the unit sphere of R^d, shape (n, d)."""
    points = rng.standard_normal((n, d))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def initialize(m: int, d: int, rng: np.random.Generator, *, symmetric: bool = False) -> np.ndarray:
    r"""Random parameters, shape (m, d + 1): :math:`w_r\sim N(0,I)`, :math:`a_r` a fair sign.

    With ``symmetric`` the second half repeats the first with :math:`a_r` negated, so that
    :math:`f_{\theta^0}=0`. Raises ``ValueError`` if m is then odd. Source: lecture 11, (11.42).
    """
    if m < 1 or (symmetric and m % 2):
        expected = (
            "a positive even number, for neurons come in pairs" if symmetric else "at least 1"
        )
        raise ValueError(f"m: {m}; expected {expected}")
    half = m // 2 if symmetric else m
    theta = np.c_[rng.standard_normal((half, d)), rng.choice([-1.0, 1.0], half)]
    if not symmetric:
        return theta
    mirrored = theta.copy()
    mirrored[:, -1] *= -1.0
    return np.concatenate([theta, mirrored])


def predict(theta: np.ndarray, x: np.ndarray, activation: Activation = RELU) -> np.ndarray:
    r""":math:`f_\theta` at the rows of x: shape (n,), or (..., n) for a batch of networks."""
    return _output(theta, activation.value(_before(theta, x)))


def gradient(
    theta: np.ndarray,
    x: np.ndarray,
    weights: np.ndarray,
    activation: Activation = RELU,
    layers: Layers = "both",
) -> np.ndarray:
    r""":math:`\sum_i c_i\nabla_\theta f_\theta(x_i)`, in the shape of theta.

    With ``weights`` c the residual :math:`f_\theta(x_i)-y_i` it is the gradient of
    :math:`\frac12\sum_i(f_\theta(x_i)-y_i)^2`. The Jacobian is never formed.

    Parameters
    ----------
    theta : shape (..., m, d + 1).
    x : shape (n, d).
    weights : shape (..., n).
    layers : "both", or "first": then the last column of the result is zero.

    Raises
    ------
    ValueError : if ``layers`` is unknown or d does not match.
    """
    _check_layers(layers)
    before = _before(theta, x)
    hidden = activation.value(before) if layers == "both" else None
    return _pull_back(theta, x, weights, activation.slope(before), hidden)


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
    as :func:`gradient` does. Source: Chizat, Oyallon & Bach (2019).
    """
    _check_layers(layers)

    def slope(point: np.ndarray) -> np.ndarray:
        before = _before(point, x)
        hidden = activation.value(before)
        weights = _output(point, hidden) - y / scale
        outer = hidden if layers == "both" else None
        return _pull_back(point, x, weights, activation.slope(before), outer)

    return gradient_descent(
        slope, theta, step, max_steps=steps, momentum=momentum, record_every=record_every
    )


def linear_model(
    theta: np.ndarray,
    change: np.ndarray,
    x: np.ndarray,
    activation: Activation = RELU,
) -> np.ndarray:
    r""":math:`g(x) = f_{\theta}(x)+\langle\nabla_\theta f_{\theta}(x),\Delta\rangle` (11.42).

    ``change`` is :math:`\Delta`, in the shape of ``theta``; the result has shape (..., n).
    """
    w, a = _split(theta, x)
    before, turn = (x @ np.swapaxes(v, -1, -2) for v in (w, change[..., :-1]))
    neurons = activation.value(before) * (a + change[..., -1])[..., None, :]
    neurons += activation.slope(before) * turn * a[..., None, :]
    return neurons.sum(axis=-1) / np.sqrt(theta.shape[-2])


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
    need O(n m d). Raises ``ValueError`` as :func:`gradient` does. Source: lecture 11, (11.43).
    """
    _check_layers(layers)
    z = x if z is None else z
    w, a = _split(theta, x)
    left, right = (points @ np.swapaxes(w, -1, -2) for points in (x, z))
    slopes = activation.slope(left) * (a * a)[..., None, :]
    kernel = (slopes @ np.swapaxes(activation.slope(right), -1, -2)) * (x @ z.T)
    if layers == "both":
        kernel = kernel + activation.value(left) @ np.swapaxes(activation.value(right), -1, -2)
    return kernel / theta.shape[-2]


def arc_cosine(cosine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r""":math:`\mathbb E[\sigma'(u)\sigma'(v)]` and :math:`\mathbb E[\sigma(u)\sigma(v)]` for ReLU.

    For standard Gaussian u, v with correlation :math:`\cos\vartheta`:

    .. math:: \frac{\pi-\vartheta}{2\pi}
        \quad\text{and}\quad \frac{\sin\vartheta+(\pi-\vartheta)\cos\vartheta}{2\pi} .

    Source: Cho & Saul (2009).
    """
    c = np.clip(cosine, -1.0, 1.0)
    away = np.pi - np.arccos(c)
    return away / (2 * np.pi), (np.sqrt((1.0 - c) * (1.0 + c)) + away * c) / (2 * np.pi)


def analytic_ntk(
    x: np.ndarray,
    z: np.ndarray | None = None,
    *,
    depth: int = 1,
    layers: Layers = "both",
    gain: float = 1.0,
) -> np.ndarray:
    r"""The kernel of an infinitely wide ReLU network with ``depth`` hidden layers, shape (n, k).

    .. math:: \Theta^0=\Sigma^0=\langle x,z\rangle,\qquad
        \Theta^l=\Sigma^l+\Theta^{l-1}\dot\Sigma^l

    where :math:`\Sigma^l,\dot\Sigma^l` are :math:`\gamma^2` times the means of :func:`arc_cosine`
    under the Gaussian of covariance :math:`\Sigma^{l-1}`. It goes through blocks of rows, so that
    beside the result it needs O(k) memory.

    Parameters
    ----------
    x, z : inputs as rows, none of them zero; z = x if it is left out.
    depth : number of hidden layers, at least 1.
    layers : "both" for all layers trained, "first" for the first only.
    gain : the factor gamma of each hidden layer; sqrt(2) keeps norms.

    Raises
    ------
    ValueError : if depth < 1, ``layers`` is unknown, shapes do not match or an input is zero.

    Source: Jacot, Gabriel & Hongler (2018), Theorem 1; Arora et al. (2019).
    """
    _check_layers(layers)
    if depth < 1:
        raise ValueError(f"depth: {depth}; expected at least 1 hidden layer")
    same = z is None
    z = x if same else z
    if x.ndim != 2 or z.ndim != 2 or x.shape[1] != z.shape[1]:
        raise ValueError(f"x, z: shapes {x.shape}, {z.shape}; expected (n, d) and (k, d)")
    sizes = np.linalg.norm(x, axis=1), np.linalg.norm(z, axis=1)
    if min(size.min() for size in sizes) == 0:
        raise ValueError("x, z: an input is zero; expected inputs with a direction")
    kernel = np.empty((x.shape[0], z.shape[0]))
    for start in range(0, x.shape[0], ROWS):
        rows = slice(start, start + ROWS)
        size = np.outer(sizes[0][rows], sizes[1])
        cosine = (x[rows] @ z.T) / size
        if same:  # rounding there would be magnified by the square-root edge of arccos
            np.fill_diagonal(cosine[:, start:], 1.0)
        kernel[rows] = size * _unit_ntk(cosine, depth, layers, gain)
    return kernel


def _unit_ntk(cosine: np.ndarray, depth: int, layers: Layers, gain: float) -> np.ndarray:
    """The recursion for unit inputs. Each layer multiplies all squared norms by gain^2/2."""
    tangent, square = cosine, 1.0
    for _ in range(depth):
        slopes, values = arc_cosine(cosine)
        square *= gain**2 / 2
        cosine = 2.0 * values
        tangent = gain**2 * slopes * tangent
        if layers == "both":
            tangent = tangent + square * cosine
    return tangent


def circle_eigenvalues(k: np.ndarray, layers: Layers = "both") -> np.ndarray:
    r"""Eigenvalues of the two-layer ReLU kernel on the unit circle, for the frequencies k >= 0.

    .. math:: \lambda_1 = \tfrac14,\qquad \lambda_k = \frac{k^2+3}{\pi^2(k^2-1)^2}\ (k\text{ even}),
        \qquad \lambda_k = 0\ (k\ge3\text{ odd})

    with respect to the uniform distribution; with the first layer trained only, 1/8 and
    :math:`(k^2+1)/(\pi^2(k^2-1)^2)`. Source: Basri et al. (2019).
    """
    _check_layers(layers)
    k = np.asarray(k, dtype=float)
    plus, first = (3, 1 / 4) if layers == "both" else (1, 1 / 8)
    with np.errstate(divide="ignore"):
        even = (k**2 + plus) / (np.pi**2 * (k**2 - 1) ** 2)
    return np.where(k == 1, first, np.where(k % 2 == 0, even, 0.0))


def limit_deviation(x: np.ndarray, m: int) -> float:
    r"""Root mean square of :math:`\|\hat K-K\|_F` for ReLU with the first layer trained.

    .. math:: \Bigl(\frac1m\sum_{ij}\langle x_i,x_j\rangle^2\,p_{ij}(1-p_{ij})\Bigr)^{1/2},
        \qquad p_{ij}=\frac{\pi-\vartheta_{ij}}{2\pi}
    """
    size = np.linalg.norm(x, axis=1)
    p = arc_cosine(x @ x.T / np.outer(size, size))[0]
    np.fill_diagonal(p, 0.5)
    return float(np.sqrt(np.sum((x @ x.T) ** 2 * p * (1 - p)) / m))


def kernel_descent(
    kernel: np.ndarray, target: np.ndarray, step: float, steps: Sequence[int]
) -> np.ndarray:
    r"""Dual coefficients of gradient descent on the linear model after so many steps.

    From :math:`\Delta=0` on :math:`\frac12\|\Phi\Delta-y\|^2`, the prediction at x after t steps is
    :math:`\sum_i c_iK(x,x_i)` with

    .. math:: c = K^{-1}\bigl(I-(I-\eta K)^t\bigr)\,y ,

    read as :math:`\eta t\,y` on the null space of K.

    Parameters
    ----------
    kernel : K, shape (n, n), positive semidefinite.
    target : y, shape (n,) or (n, k).
    step : eta, positive and below 1 over the largest eigenvalue.
    steps : the numbers t.

    Returns
    -------
    Shape (len(steps), n) or (len(steps), n, k).

    Raises
    ------
    ValueError : if ``step`` is out of range.
    """
    values, vectors = np.linalg.eigh(kernel)
    if not 0 < step * values[-1] < 1:
        raise ValueError(f"step: {step:g}; expected a number in (0, {1 / values[-1]:.3g})")
    rates = np.maximum(step * values, 0.0)
    parts = (vectors.T @ target).reshape(len(rates), -1)
    seen = rates > 1e-14
    factors = np.array(
        [
            step * np.where(seen, -np.expm1(t * np.log1p(-rates)) / np.where(seen, rates, 1.0), t)
            for t in steps
        ]
    )
    return (vectors @ (factors[:, :, None] * parts)).reshape(len(steps), *target.shape)


def near_theorem(kernel: np.ndarray, residual: np.ndarray, lipschitz: float) -> tuple[float, float]:
    r"""What the theorem on gradient descent asks for, and the radius it then promises.

    The first number is :math:`6\Lambda\|r_0\|/\lambda`, to be at most 1; the second the radius
    :math:`\frac32\|r_0\|/\sqrt\lambda`, with :math:`\lambda` the least eigenvalue of ``kernel``.
    """
    least, size = np.linalg.eigvalsh(kernel)[0], np.linalg.norm(residual)
    return float(6 * lipschitz * size / least), float(1.5 * size / np.sqrt(least))


def jacobian_lipschitz(x: np.ndarray, m: int, activation: Activation = TANH) -> float:
    r"""A Lipschitz constant of the Jacobian in operator norm; first layer trained, :math:`|a_r|=1`.

    .. math:: \Lambda = \mathrm{Lip}(\sigma')\,\|X\|\,\max_i\|x_i\|\,/\sqrt m

    with :math:`\|X\|` the operator norm. Infinite for ReLU, whose slope jumps.
    """
    longest = np.linalg.norm(x, axis=1).max()
    return float(activation.bend * np.linalg.norm(x, 2) * longest / np.sqrt(m))


def curvature_blocks(
    theta: np.ndarray, x: np.ndarray, residual: np.ndarray, activation: Activation = TANH
) -> np.ndarray:
    r"""The part of the loss Hessian that is not :math:`J^\top J`, first layer trained.

    :math:`\sum_ir_i\nabla^2f_\theta(x_i)` is block-diagonal; block r, of shape (d, d), is

    .. math:: \frac{a_r}{\sqrt m}\sum_i r_i\,\sigma''(\langle w_r,x_i\rangle)\,x_ix_i^\top .

    Returns shape (m, d, d).
    """
    w, a = _split(theta, x)
    c = activation.curvature(w @ x.T) * residual * a[:, None] / np.sqrt(len(a))
    return np.einsum("ri,ij,ik->rjk", c, x, x, optimize=True)


def fixed_features_error(n: int, d: int, k: int) -> float:
    r""":math:`1-n/\binom dk`: the mean squared error that n fixed features cannot get below.

    It is the mean over all parities of k of d signs, each with its best coefficients.
    """
    return 1.0 - n / comb(d, k)


def deep_initialize(widths: Sequence[int], rng: np.random.Generator) -> list[np.ndarray]:
    """Standard normal matrices of shapes (widths[l + 1], widths[l]): inputs first, outputs last."""
    if len(widths) < 3:
        raise ValueError(f"widths: {list(widths)}; expected inputs, hidden layers and outputs")
    return [rng.standard_normal((out, into)) for into, out in pairwise(widths)]


def deep_predict(
    weights: Sequence[np.ndarray],
    x: np.ndarray,
    activation: Activation = RELU,
    gain: float = 1.0,
) -> np.ndarray:
    r"""Outputs of a layered network, shape (n, outputs).

    .. math:: h^0=x,\qquad h^l=\frac\gamma{\sqrt{m_l}}\,\sigma(W^lh^{l-1}),\qquad f=W^{L+1}h^L
    """
    return _forward(weights, x, activation, gain)[0][-1] @ weights[-1].T


def deep_gradient(
    weights: Sequence[np.ndarray],
    x: np.ndarray,
    residual: np.ndarray,
    activation: Activation = RELU,
    gain: float = 1.0,
) -> list[np.ndarray]:
    r""":math:`\sum_{ij}c_{ij}\nabla f_j(x_i)` by back-propagation, one array for each layer.

    ``residual`` is c, of shape (n, outputs).
    """
    hidden, slopes = _forward(weights, x, activation, gain)
    signals = _backward(weights, residual, slopes)
    return [signal.T @ into for signal, into in zip(signals, hidden, strict=True)]


def deep_ntk(
    weights: Sequence[np.ndarray],
    x: np.ndarray,
    z: np.ndarray | None = None,
    activation: Activation = RELU,
    gain: float = 1.0,
) -> np.ndarray:
    r"""Empirical kernel of a layered network with one output, shape (n, k).

    The gradient with respect to :math:`W^l` is an outer product, so its part of the kernel is a
    product of two small Gram matrices, and no Jacobian is formed:

    .. math:: K(x,z)=\sum_l\langle h^{l-1}(x),h^{l-1}(z)\rangle
        \langle\delta^l(x),\delta^l(z)\rangle

    with :math:`\delta^l` the gradient of f with respect to :math:`W^lh^{l-1}`. Raises
    ``ValueError`` if there is more than one output.
    """
    if weights[-1].shape[0] != 1:
        raise ValueError(f"weights: {weights[-1].shape[0]} outputs; expected 1")
    sides = []
    for points in (x, x if z is None else z):
        hidden, slopes = _forward(weights, points, activation, gain)
        sides.append((hidden, _backward(weights, np.ones((len(points), 1)), slopes)))
    (hx, dx), (hz, dz) = sides
    return sum((a @ b.T) * (c @ e.T) for a, b, c, e in zip(hx, hz, dx, dz, strict=True))


def _forward(
    weights: Sequence[np.ndarray], x: np.ndarray, activation: Activation, gain: float
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The inputs of each layer, and the slopes of each hidden layer, scales included."""
    hidden, slopes = [x], []
    for matrix in weights[:-1]:
        scale = gain / np.sqrt(matrix.shape[0])
        before = hidden[-1] @ matrix.T
        slopes.append(scale * activation.slope(before))
        hidden.append(scale * activation.value(before))
    return hidden, slopes


def _backward(
    weights: Sequence[np.ndarray], top: np.ndarray, slopes: list[np.ndarray]
) -> list[np.ndarray]:
    """Signals with respect to what each matrix puts out, first layer first."""
    signals = [top]
    for matrix, slope in zip(weights[:0:-1], slopes[::-1], strict=True):
        signals.append((signals[-1] @ matrix) * slope)
    return signals[::-1]


def _before(theta: np.ndarray, x: np.ndarray) -> np.ndarray:
    """What goes into the neurons, shape (..., n, m)."""
    return x @ np.swapaxes(_split(theta, x)[0], -1, -2)


def _output(theta: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """The outputs of the network from those of its neurons."""
    return (hidden @ theta[..., -1:])[..., 0] / np.sqrt(theta.shape[-2])


def _pull_back(
    theta: np.ndarray,
    x: np.ndarray,
    weights: np.ndarray,
    slopes: np.ndarray,
    hidden: np.ndarray | None,
) -> np.ndarray:
    """The weighted sum of the gradients; without ``hidden`` that of the first layer only."""
    c = weights[..., None] / np.sqrt(theta.shape[-2])
    result = np.zeros(theta.shape)
    back = c * slopes * theta[..., None, :, -1]
    result[..., :-1] = np.swapaxes(back, -1, -2) @ x
    if hidden is not None:
        result[..., -1] = (np.swapaxes(hidden, -1, -2) @ c)[..., 0]
    return result


def _split(theta: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if theta.shape[-1] != x.shape[-1] + 1:
        raise ValueError(
            f"theta: rows of {theta.shape[-1]}; expected {x.shape[-1] + 1} for inputs in "
            f"dimension {x.shape[-1]}"
        )
    return theta[..., :-1], theta[..., -1]


def _check_layers(layers: str) -> None:
    if layers not in ("both", "first"):
        raise ValueError(f"layers: {layers!r}; expected 'both' or 'first'")
