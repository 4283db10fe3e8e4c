r"""The geometry of paths, its diagonal, and Path-SGD; also where weights are shared.

The derivatives of the path-norm are one forward and one backward pass through the linear network
with the weights :math:`w_e^2`, fed with ones.

Source: talk, "Path-SGD" and "Path-SGD on RNNs"; Neyshabur, Salakhutdinov & Srebro (2015);
Neyshabur, Wu, Salakhutdinov & Srebro (2016).
"""

from __future__ import annotations

import numpy as np

from lecture_code.checks import same_shape, takes
from lecture_code.nets import Dag, Network, Recurrent


@takes(w="dag.size", exact=True)
def path_jacobian(dag: Dag, w: np.ndarray) -> np.ndarray:
    """J: derivative of each path's value in each weight, the product of its other weights."""
    paths = dag.paths()
    jacobian = np.zeros((len(paths), dag.size))
    for row, path in zip(jacobian, paths, strict=True):
        for e in path:
            row[e] = np.prod([w[other] for other in path if other != e])
    return jacobian


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
