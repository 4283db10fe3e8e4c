"""Losses of a network's outputs: each gives its value and its slope in the outputs.

Examples are rows.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lecture_code.checks import as_integers, as_signs, same_shape, takes

Loss = Callable[[np.ndarray, np.ndarray], tuple[float | np.ndarray, np.ndarray]]


@takes(outputs="...", target="...", finite=False, exact=True)
def squared_error(outputs: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray]:
    r"""Mean over examples of :math:`\tfrac12\|o-y\|^2`, and its slope in the outputs.

    Raises ``ValueError`` unless outputs and target have one shape.
    """
    same_shape(outputs=outputs, target=target)
    residual = outputs - target
    return 0.5 * float(np.sum(residual**2)) / len(outputs), residual / len(outputs)


@takes(outputs="...", finite=False, exact=True)
def cross_entropy(outputs: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Mean negative log-likelihood of integer labels under the softmax, and its slope.

    ``outputs`` has one axis more than ``labels``, the last, over the classes. Raises ``ValueError``
    for other shapes and for labels that are none of 0, ..., classes - 1.
    """
    labels = as_integers("labels", labels, 0, outputs.shape[-1] - 1, outputs.shape[:-1])
    shifted = outputs - outputs.max(axis=-1, keepdims=True)
    weights = np.exp(shifted)
    totals = weights.sum(axis=-1, keepdims=True)
    chosen = labels[..., None]
    value = np.mean(np.log(totals) - np.take_along_axis(shifted, chosen, axis=-1))
    slope = weights / totals
    np.put_along_axis(slope, chosen, np.take_along_axis(slope, chosen, axis=-1) - 1, axis=-1)
    return float(value), slope / labels.size


@takes(outputs="n 1", signs="n", finite=False, exact=True)
def squared_hinge(outputs: np.ndarray, signs: np.ndarray) -> tuple[float, np.ndarray]:
    r"""Mean of :math:`\tfrac12(1-yo)_+^2` over examples with one output each, and its slope.

    Raises ``ValueError`` unless there is a sign -1 or 1 for each.
    """
    as_signs("signs", signs)
    short = np.maximum(0, 1 - signs * outputs[:, 0])
    return 0.5 * float(np.mean(short**2)), -(signs * short / len(signs))[:, None]


@takes(outputs="... n 1", signs="... n", finite=False, exact=True)
def logistic(outputs: np.ndarray, signs: np.ndarray) -> tuple[float | np.ndarray, np.ndarray]:
    r"""Mean of :math:`\log(1+e^{-yo})` over examples with one output each, and its slope.

    Leading axes are a batch of networks, with a value each. Raises ``ValueError`` unless there is a
    sign -1 or 1 for each example, of all networks alike or of each.
    """
    as_signs("signs", signs)
    if signs.shape not in (outputs.shape[-2:-1], outputs.shape[:-1]):
        raise ValueError(f"signs: shape {signs.shape}; expected {outputs.shape[:-1]}")
    margins = signs * outputs[..., 0]
    slope = -signs / (1 + np.exp(margins)) / signs.shape[-1]
    return np.mean(np.logaddexp(0, -margins), axis=-1), slope[..., None]
