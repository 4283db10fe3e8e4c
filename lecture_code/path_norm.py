r"""What the size of the weights misses: norms of the units, and the unit that follows signs best.

Source: talk, "The Path-Norm"; Neyshabur, Tomioka & Srebro (2015).
"""

from __future__ import annotations

import numpy as np

from lecture_code.checks import as_signs, takes
from lecture_code.nets import Layered
from lecture_code.paths import check_order


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

    .. math:: \max_{\|w\|_p\le1}\Bigl|\frac1m\sum_i\sigma_i(\langle w,x_i\rangle)_+\Bigr|

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
