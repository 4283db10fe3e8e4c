r"""Problems without bad local minima, and what it costs to pass their saddles.

A network is a sequence of matrices, input layer first; its loss against a target C is
:math:`F(W_1,\dots,W_N)=\tfrac12\|W_N\cdots W_1-C\|_F^2`.

Source: lecture 11, section 11.3; talk, "Our Result: Local Search Sufficient" and the slide after.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import combinations, product

import numpy as np
from scipy.integrate import quad

from lecture_code.checks import as_floats, as_integers, takes
from lecture_code.flows import integrate

GROWTH, PULL = 1.0, 3.0  # curvatures of the chain: -GROWTH at a saddle, PULL while a unit waits


# Linear networks


def _multiply(layers: Sequence[np.ndarray], size: int) -> np.ndarray:
    """The product of the layers, the last one leftmost; the identity of that size if none."""
    return reduce(lambda done, W: W @ done, layers, np.eye(size))


def net_derivatives(
    layers: Sequence[np.ndarray], target: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    r"""The loss F of a network, its gradient and its Hessian; layers in order, each row by row.

    With the product P of the layers and its derivatives in a direction, the slope is
    :math:`\langle P-C,\dot P\rangle` and the curvature :math:`\|\dot P\|_F^2+\langle P-C,\ddot
    P\rangle`. Raises ``ValueError`` if the shapes do not make a product of that of ``target``.
    """
    C, layers = as_floats("target", target), [as_floats("layers", W) for W in layers]
    widths = [*(W.shape[-1] for W in layers), *C.shape[:1]]
    shapes = list(zip(widths[1:], widths, strict=False))
    if not layers or [W.shape for W in layers] != shapes or C.shape != (widths[-1], widths[0]):
        found = [W.shape for W in layers]
        raise ValueError(f"layers: shapes {found}; expected a product of shape {C.shape}")
    below = [_multiply(layers[:q], widths[0]) for q in range(len(layers))]
    above = [_multiply(layers[q + 1 :], W.shape[0]) for q, W in enumerate(layers)]
    error = _multiply(layers, widths[0]) - C
    slope = np.hstack([np.kron(L, R.T) for L, R in zip(above, below, strict=True)])
    H, ends = slope.T @ slope, np.cumsum([0, *(W.size for W in layers)])
    for p, q in combinations(range(len(layers)), 2):
        between = _multiply(layers[p + 1 : q], layers[p].shape[0])
        outside = below[p] @ error.T @ above[q]
        block = np.einsum("bc,da->abcd", between, outside).reshape(layers[q].size, -1)
        H[ends[q] : ends[q + 1], ends[p] : ends[p + 1]] += block
        H[ends[p] : ends[p + 1], ends[q] : ends[q + 1]] += block.T
    return float(np.sum(error**2) / 2), slope.T @ error.ravel(), H


@takes(target="m n")
def two_layer_critical_point(
    target: np.ndarray, kept: Sequence[int], width: int, balance: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    r"""Layers (B, A) of a critical point of two layers that keeps some singular triples of C.

    .. math:: A=c\sum_j\sqrt{\sigma_j}\,u_je_j^\top,\qquad B=\sum_j\sqrt{\sigma_j}\,e_jv_j^\top/c

    over the j of ``kept``, counted from 0, of which there are at most ``width``; c is ``balance``.
    Raises ``ValueError`` for an index out of range or twice, or a balance that is not positive.
    """
    U, sigma, Vt = np.linalg.svd(target, full_matrices=False)
    J = as_integers("kept", list(kept), 0, sigma.size - 1)
    if len(set(J.tolist())) < J.size or J.size > width:
        raise ValueError(f"kept: {list(kept)}; expected at most {width} different indices")
    if not balance > 0:
        raise ValueError(f"balance: {balance}; expected a positive number")
    A, B = np.zeros((target.shape[0], width)), np.zeros((width, target.shape[1]))
    A[:, : J.size] = U[:, J] * np.sqrt(sigma[J]) * balance
    B[: J.size] = np.sqrt(sigma[J])[:, None] * Vt[J] / balance
    return B, A


@takes(targets="k", times="K")
def learning_curve(depth: int, start: float, targets: np.ndarray, times: np.ndarray) -> np.ndarray:
    r"""The singular values of the product under gradient flow from layers that are multiples of I.

    .. math:: \dot w=(\sigma-w^N)\,w^{N-1},\quad w(0)=\alpha,\qquad\text{learnt: }w^N

    N is ``depth``, alpha is ``start``, sigma runs through ``targets``; a row for each of the
    increasing ``times``. Raises ``ValueError`` if the depth is below 1 or the start not positive.
    """
    _check_net_start(depth, start)

    def velocity(w: np.ndarray) -> np.ndarray:
        return (targets - w**depth) * w ** (depth - 1)

    begin = np.full(targets.size, start)
    return integrate(velocity, begin, times, rtol=1e-11, atol=1e-12 * start) ** depth


@takes()
def half_time(depth: int, start: float, target: float) -> float:
    r"""When the flow of ``learning_curve`` reaches half of its target.

    .. math:: T=\int_\alpha^{(\sigma/2)^{1/N}}\frac{dw}{w^{N-1}(\sigma-w^N)}

    Integrated in log w. Raises ``ValueError`` if the depth is below 1, or the start is not positive
    or already there.
    """
    _check_net_start(depth, start)
    if not start**depth < target / 2:
        raise ValueError(f"start: {start}; expected its power {depth} below {target / 2}")
    ends = np.log(start), np.log(target / 2) / depth
    return quad(lambda v: np.exp((2 - depth) * v) / (target - np.exp(depth * v)), *ends)[0]


def _check_net_start(depth: int, start: float) -> None:
    """``ValueError`` if the depth is below 1 or the start is not positive."""
    if depth < 1 or not start > 0:
        raise ValueError(f"depth, start: {depth}, {start}; expected at least 1, and above 0")


# A tensor on the sphere


@takes(components="n r", weights="r", x="... n")
def quartic(components: np.ndarray, weights: np.ndarray, x: np.ndarray) -> np.ndarray:
    r"""The form :math:`T(x)=\sum_iw_i\langle a_i,x\rangle^4`; the a_i are columns, x many."""
    return np.sum(weights * (x @ components) ** 4, axis=-1)


@takes(components="n r", weights="r", x="... n")
def ascend_quartic(
    components: np.ndarray, weights: np.ndarray, x: np.ndarray, step: float, steps: int
) -> np.ndarray:
    r"""Projected gradient ascent on ``quartic``: where points x of the sphere end.

    .. math:: x\leftarrow\frac{x+\eta\nabla T(x)}{\|x+\eta\nabla T(x)\|},\qquad
        \nabla T(x)=4\sum_iw_i\langle a_i,x\rangle^3a_i
    """
    for _ in range(steps):
        x = x + 4 * step * (weights * (x @ components) ** 3) @ components.T
        x = x / np.linalg.norm(x, axis=-1, keepdims=True)
    return x


@takes(weights="d")
def quartic_critical_points(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""All :math:`3^d-1` critical points on the sphere; coordinates :math:`\langle a_i,x\rangle`.

    On a support K they are :math:`\pm\sqrt{\lambda/w_i}` with :math:`1/\lambda=\sum_K1/w_i`; the
    value is :math:`\lambda`. Returns the points, a row each, and their values. Raises
    ``ValueError`` if a weight is not positive.
    """
    if not (weights > 0).all():
        raise ValueError(f"weights: {weights}; expected positive numbers")
    signs = np.array([s for s in product((-1, 0, 1), repeat=weights.size) if any(s)])
    values = 1 / (np.abs(signs) @ (1 / weights))
    return signs * np.sqrt(values[:, None] / weights), values


@takes(components="n r", weights="r", x="n")
def sphere_hessian(components: np.ndarray, weights: np.ndarray, x: np.ndarray) -> np.ndarray:
    r"""The Hessian of ``quartic`` on the unit sphere at x, in a basis of the tangent space."""
    y = components.T @ x
    H = 12 * (components * (weights * y**2)) @ components.T
    H = H - 4 * np.sum(weights * y**4) * np.eye(x.size)
    tangent = np.linalg.svd(x[None])[2][1:]
    return tangent @ H @ tangent.T


# A chain of saddles


@takes(x="... d")
def chain(x: np.ndarray) -> np.ndarray:
    r"""The chain of saddles: unit i may leave 0 only once unit i-1 has passed 1.

    .. math:: \Psi(x)=\sum_i\chi_i\,\varphi(x_i)+(1-\chi_i)\tfrac L2x_i^2,\qquad
        \varphi(u)=\gamma\bigl(\tfrac1{16}u^4-\tfrac12u^2\bigr)

    with :math:`\chi_1=1`, :math:`\chi_i=\chi(|x_{i-1}|)` rising from 0 at 1 to 1 at 3/2, growth
    :math:`\gamma=1` and pull L = 3. Simplified from Du et al. (2017).
    """
    gates = np.concatenate([np.ones_like(x[..., :1]), _gate(x[..., :-1])[0]], axis=-1)
    return np.sum(gates * _well(x)[0] + (1 - gates) * PULL / 2 * x**2, axis=-1)


@takes(x="... d", finite=False)
def chain_gradient(x: np.ndarray) -> np.ndarray:
    r"""The gradient of ``chain``, of the shape of x."""
    (open_, opening), (value, slope) = _gate(x[..., :-1]), _well(x)
    gates = np.concatenate([np.ones_like(x[..., :1]), open_], axis=-1)
    out = gates * slope + (1 - gates) * PULL * x
    out[..., :-1] += opening * (value - PULL / 2 * x**2)[..., 1:]
    return out


def _gate(u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The switch chi(|u|), a polynomial of degree five between 1 and 3/2, and its derivative."""
    v = np.clip(2 * np.abs(u) - 2, 0, 1)
    return v**3 * (10 - 15 * v + 6 * v**2), 60 * np.sign(u) * v**2 * (1 - v) ** 2


def _well(u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The double well phi with its minima -gamma at 2 and -2, and its derivative."""
    return GROWTH * (u**4 / 16 - u**2 / 2), GROWTH * (u**3 / 4 - u)


@takes(trajectory="T ... d")
def leaving_times(trajectory: np.ndarray) -> np.ndarray:
    """The first step at which each unit of a recorded run is beyond 1, or -1 if it never is."""
    beyond = np.abs(trajectory) > 1
    return np.where(beyond.any(axis=0), np.argmax(beyond, axis=0), -1)


# Unit vectors on a graph


@takes(weights="n n", x="... n D")
def synchrony(weights: np.ndarray, x: np.ndarray) -> np.ndarray:
    r"""The agreement :math:`\tfrac12\sum_{ij}a_{ij}\langle x_i,x_j\rangle` of vectors on a graph.

    ``weights`` is the symmetric matrix a of the graph; the rows of ``x`` are the vectors.
    """
    return np.sum(x * (weights @ x), axis=(-2, -1)) / 2


@takes(weights="n n", x="... n D")
def synchronize(weights: np.ndarray, x: np.ndarray, step: float, steps: int) -> np.ndarray:
    """Projected gradient ascent on ``synchrony`` of unit vectors."""
    for _ in range(steps):
        x = x + step * (weights @ x)
        x = x / np.linalg.norm(x, axis=-1, keepdims=True)
    return x


@takes(weights="n n", x="n D")
def synchrony_hessian(weights: np.ndarray, x: np.ndarray) -> np.ndarray:
    r"""The Hessian of ``synchrony`` over unit vectors at a critical point, in tangent bases.

    Its form is :math:`\sum_{ij}a_{ij}(\langle v_i,v_j\rangle-\langle x_i,x_j\rangle\|v_i\|^2)` for
    :math:`v_i\perp x_i`.
    """
    n, D = x.shape
    tangent = np.linalg.svd(x[:, None])[2][:, 1:]
    H = np.einsum("ij,iak,jbk->iajb", weights, tangent, tangent)
    H = H.reshape(n * (D - 1), n * (D - 1))
    return H - np.diag(np.repeat(np.sum(weights * (x @ x.T), axis=1), D - 1))
