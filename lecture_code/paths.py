r"""Paths of a ReLU network: their values, and the path-norm.

A path runs from an input to an output; its value is the product of its weights. The path-norm is
the norm of the vector of all path values. It does not need that vector: it is one forward pass
through the linear network with the weights :math:`|w_e|^p`, fed with ones. A network is any of
those of :mod:`lecture_code.nets`.

Source: talk, "The Path-Norm"; Neyshabur, Tomioka & Srebro (2015).
"""

from __future__ import annotations

import numpy as np

from lecture_code.checks import takes
from lecture_code.nets import Dag, Network


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


@takes(w="dag.size", exact=True)
def path_values(dag: Dag, w: np.ndarray) -> np.ndarray:
    """The product of the weights along each path, by enumeration; small graphs only."""
    return np.array([np.prod(w[list(path)]) for path in dag.paths()])
