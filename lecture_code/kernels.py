r"""Kernels of infinitely wide ReLU networks in closed form, and gradient descent with a kernel.

Inputs are rows: X has shape (n, d). ``layers`` says what is trained: "both" (or all), or "first".

Source: Jacot, Gabriel & Hongler (2018); Cho & Saul (2009).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import comb
from typing import Literal

import numpy as np

from lecture_code.checks import as_integer, as_symmetric, check_semidefinite, takes

Layers = Literal["both", "first"]
ROWS = 512


@takes(cosine="...")
def arc_cosine(cosine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r""":math:`\mathbb E[\sigma'(u)\sigma'(v)]` and :math:`\mathbb E[\sigma(u)\sigma(v)]` for ReLU.

    For standard Gaussian u, v with correlation :math:`\cos\vartheta`:

    .. math:: \frac{\pi-\vartheta}{2\pi}
        \quad\text{and}\quad \frac{\sin\vartheta+(\pi-\vartheta)\cos\vartheta}{2\pi} .

    Raises ``ValueError`` if more than rounding lies outside [-1, 1]. Source: Cho & Saul (2009).
    """
    largest = np.max(np.abs(cosine), initial=0.0)
    if largest > 1 + 1e-6:
        raise ValueError(f"cosine: {largest} in absolute value; expected at most 1")
    c = np.clip(cosine, -1.0, 1.0)
    away = np.pi - np.arccos(c)
    return away / (2 * np.pi), (np.sqrt((1.0 - c) * (1.0 + c)) + away * c) / (2 * np.pi)


@takes(x="n d", z="k d")
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
    check_layers(layers)
    if depth < 1:
        raise ValueError(f"depth: {depth}; expected at least 1 hidden layer")
    same = z is None
    z = x if same else z
    sizes = _sizes(x), _sizes(z)
    kernel = np.empty((x.shape[0], z.shape[0]))
    for start in range(0, x.shape[0], ROWS):
        rows = slice(start, start + ROWS)
        size = np.outer(sizes[0][rows], sizes[1])
        cosine = (x[rows] @ z.T) / size
        if same:  # rounding there would be magnified by the square-root edge of arccos
            np.fill_diagonal(cosine[:, start:], 1.0)
        kernel[rows] = size * _unit_ntk(cosine, depth, layers, gain)
    return kernel


def _sizes(x: np.ndarray) -> np.ndarray:
    """The norms of the rows; ``ValueError`` if one is zero."""
    size = np.linalg.norm(x, axis=1)
    if size.min() == 0:
        raise ValueError("x, z: an input is zero; expected inputs with a direction")
    return size


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


@takes(k="...")
def circle_eigenvalues(k: np.ndarray, layers: Layers = "both") -> np.ndarray:
    r"""Eigenvalues of the two-layer ReLU kernel on the unit circle, for the frequencies k >= 0.

    .. math:: \lambda_1 = \tfrac14,\qquad \lambda_k = \frac{k^2+3}{\pi^2(k^2-1)^2}\ (k\text{ even}),
        \qquad \lambda_k = 0\ (k\ge3\text{ odd})

    with respect to the uniform distribution; with the first layer trained only, 1/8 and
    :math:`(k^2+1)/(\pi^2(k^2-1)^2)`. Raises ``ValueError`` for other k.

    Source: Basri et al. (2019).
    """
    check_layers(layers)
    if np.any((k < 0) | (k != np.rint(k))):
        raise ValueError(f"k: {k}; expected frequencies 0, 1, 2, ...")
    plus, first = (3, 1 / 4) if layers == "both" else (1, 1 / 8)
    with np.errstate(divide="ignore"):
        even = (k**2 + plus) / (np.pi**2 * (k**2 - 1) ** 2)
    return np.where(k == 1, first, np.where(k % 2 == 0, even, 0.0))


@takes(x="n d")
def limit_deviation(x: np.ndarray, m: int) -> float:
    r"""Root mean square of :math:`\|\hat K-K\|_F` for ReLU with the first layer trained.

    .. math:: \Bigl(\frac1m\sum_{ij}\langle x_i,x_j\rangle^2\,p_{ij}(1-p_{ij})\Bigr)^{1/2},
        \qquad p_{ij}=\frac{\pi-\vartheta_{ij}}{2\pi}

    ``m`` is the width. Raises ``ValueError`` if it is not positive or an input is zero.
    """
    check_width(m)
    size = _sizes(x)
    p = arc_cosine(x @ x.T / np.outer(size, size))[0]
    np.fill_diagonal(p, 0.5)
    return float(np.sqrt(np.sum((x @ x.T) ** 2 * p * (1 - p)) / m))


@takes(kernel="n n", target="n ...")
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
    ValueError : if ``kernel`` is no such matrix, ``step`` out of range or a number t negative.
    """
    steps = [as_integer("steps", t) for t in steps]
    if min(steps, default=0) < 0:
        raise ValueError(f"steps: {min(steps)}; expected none below 0")
    values, vectors = np.linalg.eigh(as_symmetric("kernel", kernel))
    check_semidefinite("kernel", values)
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


@takes()
def fixed_features_error(n: int, d: int, k: int) -> float:
    r""":math:`1-n/\binom dk`: the mean squared error that n fixed features cannot get below.

    It is the mean over all parities of k of d signs, each with its best coefficients. Raises
    ``ValueError`` for negative n or d and unless 0 <= k <= d.
    """
    if not (0 <= k <= d and n >= 0):
        raise ValueError(f"n, d, k: {n}, {d}, {k}; expected n >= 0 and 0 <= k <= d")
    return 1.0 - n / comb(d, k)


@takes(kernel="n n")
def least_eigenvalue(kernel: np.ndarray) -> float:
    """The least eigenvalue of a positive semidefinite matrix, 0 if it is singular up to rounding.

    Raises ``ValueError`` if the matrix is not symmetric or an eigenvalue is negative.
    """
    values = np.linalg.eigvalsh(as_symmetric("kernel", kernel))
    check_semidefinite("kernel", values)
    return float(values[0]) if values[0] > len(values) * np.finfo(float).eps * values[-1] else 0.0


@takes(kernel="n n", target="n")
def best_of_norm(kernel: np.ndarray, target: np.ndarray, norm: float) -> np.ndarray:
    r"""Coefficients of the function of at most that norm nearest to the target in mean square.

    .. math:: g=\sum_i\alpha_ik(x_i,\cdot), \qquad \alpha=(K+\mu I)^{-1}y, \qquad
        \lVert g\rVert_{\mathcal H}^2=\alpha^\top K\alpha

    with :math:`\mu` found by bisection, and not below 1e-10.
    """
    values, vectors = np.linalg.eigh(as_symmetric("kernel", kernel))
    values, parts = np.maximum(values, 0), vectors.T @ target
    low, high = -10.0, 6.0
    for _ in range(60):
        middle = (low + high) / 2
        size = np.sum(values * (parts / (values + 10**middle)) ** 2)
        low, high = (middle, high) if size > norm**2 else (low, middle)
    return vectors @ (parts / (values + 10**high))


def check_width(m: int) -> None:
    """Raises ``ValueError`` unless the width m is positive."""
    if m < 1:
        raise ValueError(f"m: {m}; expected at least 1")


def check_layers(layers: str) -> None:
    """Raises ``ValueError`` unless ``layers`` is "both" or "first"."""
    if layers not in ("both", "first"):
        raise ValueError(f"layers: {layers!r}; expected 'both' or 'first'")
