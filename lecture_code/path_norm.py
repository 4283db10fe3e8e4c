r"""The path-norm of a ReLU network, its geometry, and Path-SGD.

A path runs from an input to an output; its value is the product of its weights. The path-norm is
the norm of the vector of all path values. Neither it nor its derivatives need that vector: they are
one forward and one backward pass through the linear network with the weights :math:`|w_e|^p`, fed
with ones. A network is any of those of :mod:`lecture_code.nets`.

Source: talk, "The Path-Norm" to "Path-SGD on RNNs"; Neyshabur, Salakhutdinov & Srebro (2015);
Neyshabur, Tomioka & Srebro (2015); Neyshabur, Wu, Salakhutdinov & Srebro (2016).
"""

from __future__ import annotations

import numpy as np

from lecture_code.checks import as_signs, same_shape, takes
from lecture_code.nets import Dag, Layered, Network, Recurrent


@takes(w="...")
def path_norm(net: Network, w: np.ndarray, p: float = 2.0) -> float:
    r"""The path-norm by one forward pass.

    .. math:: \phi_p(w) = \Bigl(\sum_{\text{paths}}\ \prod_{e\in\text{path}} |w_e|^p\Bigr)^{1/p}

    For p = inf it is the largest path value. Where a power would overflow or vanish, the pass goes
    through logarithms. Raises ``ValueError`` if p < 1. Source: Neyshabur, Tomioka & Srebro (2015).
    """
    check_order(p)
    if not np.isinf(p):
        with np.errstate(over="raise", under="raise"):
            try:
                powers = np.abs(w) ** p
                total = net.linear().outputs(powers, np.ones((1, *net.input_shape))).sum()
                if total > 0 or not np.any(w):
                    return float(total ** (1 / p))
            except FloatingPointError:
                pass
    return _path_norm_by_logarithms(net, w, p)


def _path_norm_by_logarithms(net: Network, w: np.ndarray, p: float) -> float:
    """The path-norm, with the norm of the paths that end in each unit held as its logarithm."""
    net._check_weights(w)
    dag = net if isinstance(net, Dag) else net.dag()
    if isinstance(dag, tuple):
        dag, weights = dag
        w = w[weights]
    with np.errstate(divide="ignore"):
        logs = np.log(np.abs(w))
    ends = np.full(dag.units, -np.inf)
    ends[: dag.inputs] = 0.0
    for v in range(dag.inputs, dag.units):
        entering = list(dag.entering[v])
        sources = [dag.edges[e][0] for e in entering]
        ends[v] = _log_norm(logs[entering] + ends[sources], p)
    with np.errstate(over="ignore"):
        return float(np.exp(_log_norm(ends[list(dag.outs)], p)))


def _log_norm(logs: np.ndarray, p: float) -> float:
    """The logarithm of the lp norm of numbers with these logarithms."""
    top = float(np.max(logs, initial=-np.inf))
    if np.isinf(p) or np.isinf(top):
        return top
    return top + float(np.log(np.sum(np.exp(p * (logs - top))))) / p


def check_order(p: float) -> None:
    """Raises ``ValueError`` unless p is the order of a norm."""
    if not p >= 1:
        raise ValueError(f"p: {p}; expected a number of at least 1")


@takes(w="...", finite=False, exact=True)
def kappa(net: Network, w: np.ndarray) -> np.ndarray:
    r"""How fast :math:`\phi_2^2` grows with each squared weight, by one backward pass.

    .. math:: \kappa_e = \frac{\partial\phi_2^2}{\partial(w_e^2)}
        = \sum_{\text{paths}\ni e}\ \prod_{e'\in\text{path},\,e'\ne e} w_{e'}^2

    Without shared weights this is the diagonal of :math:`J^\top J`, J the Jacobian of the path
    values. With shared weights it is the first of two terms; see :func:`repeated_kappa`.

    Source: talk, "Path-SGD", with the factor of e itself left out.
    """
    outputs, backward = net.linear().forward(w * w, np.ones((1, *net.input_shape)))
    return backward(np.ones_like(outputs))


@takes(w="...", gradient="...", finite=False, exact=True)
def path_sgd_direction(net: Network, w: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    r"""What Path-SGD subtracts, before the step size: :math:`g_e/\kappa_e`.

    Where :math:`\kappa_e=0` no path through e has a nonzero rest, so the gradient vanishes too, and
    the direction is zero. Source: talk, "Path-SGD".
    """
    scale = kappa(net, w)
    same_shape(gradient=gradient, w=w)
    return np.divide(gradient, scale, out=np.zeros_like(gradient), where=scale > 0)


@takes(w="dag.size", exact=True)
def path_values(dag: Dag, w: np.ndarray) -> np.ndarray:
    """The product of the weights along each path, by enumeration; small graphs only."""
    return np.array([np.prod(w[list(path)]) for path in dag.paths()])


@takes(w="dag.size", exact=True)
def path_jacobian(dag: Dag, w: np.ndarray) -> np.ndarray:
    """J: derivative of each path's value in each weight, the product of its other weights."""
    paths = dag.paths()
    jacobian = np.zeros((len(paths), dag.size))
    for row, path in zip(jacobian, paths, strict=True):
        for e in path:
            row[e] = np.prod([w[other] for other in path if other != e])
    return jacobian


@takes(w="net.size")
def unit_norms(net: Layered, w: np.ndarray, p: float = 2.0) -> np.ndarray:
    r""":math:`|v_j|\|w_j\|_p` for each unit of a network with one hidden layer and one output.

    Its lp norm is the path-norm; its sum is a norm that bounds capacity whatever the width. Raises
    ``ValueError`` for another architecture or p < 1. Source: Neyshabur, Tomioka & Srebro (2015).
    """
    if len(net.widths) != 3 or net.widths[2] != 1 or net.bias:
        raise ValueError(
            f"net: widths {net.widths}, bias {net.bias}; expected one hidden layer, one output and "
            "no bias"
        )
    check_order(p)
    first, last = net.matrices(w)
    largest = np.max(np.abs(first), axis=1)
    largest[largest == 0] = 1.0
    norms = largest * np.linalg.norm(first / largest[:, None], ord=p, axis=1)
    return np.abs(last[0]) * norms


@takes(x="m 2", signs="m")
def best_unit(x: np.ndarray, signs: np.ndarray, p: int) -> tuple[float, np.ndarray]:
    r"""The largest correlation of one ReLU unit with given signs, and the unit; in the plane.

    .. math:: \max_{\|w\|_p\le1}\Bigl|\frac1m\sum_i\sigma_i[\langle w,x_i\rangle]_+\Bigr|

    Exact: the sum is linear in w between the directions at right angles to some x_i, so on the unit
    sphere of the l2 norm it is largest there or along its slope, on that of the l1 norm there or on
    an axis.

    Parameters
    ----------
    x : points, shape (m, 2).
    signs : shape (m,).
    p : 1 or 2.

    Raises
    ------
    ValueError : if the points are not in the plane, the signs are none or p is neither.
    """
    if p not in (1, 2):
        raise ValueError(f"p: {p}; expected 1 or 2")
    as_signs("signs", signs)
    angles = np.arctan2(x[:, 1], x[:, 0])
    kinks = np.concatenate([angles + np.pi / 2, angles - np.pi / 2, np.arange(4) * np.pi / 2])
    kinks = np.unique(kinks % (2 * np.pi))
    between = (kinks + np.append(kinks[1:], kinks[0] + 2 * np.pi)) / 2
    units = np.column_stack([np.cos(kinks), np.sin(kinks)])
    if p == 2:
        inside = np.column_stack([np.cos(between), np.sin(between)])
        slopes = ((inside @ x.T > 0) * signs) @ x
        slopes = slopes[np.linalg.norm(slopes, axis=1) > 0]
        units = np.concatenate([units, slopes, -slopes])
    units = units / np.linalg.norm(units, ord=p, axis=1, keepdims=True)
    values = np.abs(np.maximum(units @ x.T, 0) @ signs) / len(x)
    top = np.argmax(values)
    return float(values[top]), units[top]


@takes(w="net.size", finite=False, exact=True)
def repeated_kappa(net: Recurrent, w: np.ndarray) -> np.ndarray:
    r"""What paths that use a shared weight twice add to :math:`\kappa` in a recurrent network.

    .. math:: \rho_e = \sum_{\text{paths}} k_e(k_e-1)\,w_e^{2k_e-2}\prod_{e'\ne e} w_{e'}^{2k_{e'}}

    with :math:`k_e` the number of times that the path uses e. Then :math:`\kappa+\rho` is the
    diagonal of :math:`J^\top J`, and :math:`\kappa+2\rho` is half the second derivative of
    :math:`\phi_2^2`. Only the weights from hidden to hidden can repeat. With a_t and b_t the path
    sums up to and from the state at t, and :math:`M = W\circ W`, it is a sum over the lag between
    the two uses:

    .. math:: \rho_{jk} = 2w_{jk}^2\sum_{d\ge0} (M^d)_{kj}\sum_t b_{t+1+d,j}\,a_{t-1,k}

    Source: Neyshabur, Wu, Salakhutdinov & Srebro (2016) for the second term.
    """
    squares = w * w
    _, across, out = net.matrices(squares)
    upto = net.linear().states(squares, np.ones((1, *net.input_shape)))[:, 0]
    onwards = np.zeros((net.length + 1, net.hidden))
    for t in reversed(range(1, net.length + 1)):
        onwards[t] = out.sum(axis=0) + (onwards[t + 1] @ across if t < net.length else 0)
    total, power = np.zeros_like(across), np.eye(net.hidden)
    for lag in range(net.length - 1):
        pairs = onwards[2 + lag :].T @ upto[: net.length - 1 - lag]
        total += power.T * pairs
        power = power @ across
    repeated = np.zeros_like(w)
    net.matrices(repeated)[1][:] = 2 * across * total
    return repeated
