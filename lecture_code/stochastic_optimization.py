r"""Instances on which stochastic optimization is seen exactly: tight, slow, or misled.

The loop is ``optimize.stochastic_gradient_descent``, mirrors are in ``mirrors``, and the five
problems of the chapter in ``generalized_learning``.

Source: talk, "Learning and Optimization" to "Why is this important?".
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
from scipy.stats import binom

from lecture_code.checks import takes
from lecture_code.mirrors import ball
from lecture_code.optimize import stochastic_gradient_descent

# Semi-major axis in astronomical units, and mean longitude in degrees a Julian century. Source:
# E. M. Standish, Keplerian Elements for Approximate Positions of the Major Planets, Table 1, JPL.
PLANETS = {
    "Mercury": (0.38709927, 149472.67411175),
    "Venus": (0.72333566, 58517.81538729),
    "Earth": (1.00000261, 35999.37244981),
    "Mars": (1.52371034, 19140.30268499),
    "Jupiter": (5.20288700, 3034.74612775),
    "Saturn": (9.53667594, 1222.49362201),
    "Uranus": (19.18916464, 428.48202785),
    "Neptune": (30.06992276, 218.45945325),
}


def orbits() -> tuple[np.ndarray, np.ndarray]:
    """Semi-major axes in astronomical units and periods in Julian years of the eight planets.

    The period is that in which the mean longitude grows by 360 degrees (for "Earth", of the
    barycentre of Earth and Moon).
    """
    axes, longitudes = np.array(list(PLANETS.values())).T
    return axes, 36000 / longitudes


# --- exact averages ---------------------------------------------------------------------------


@takes()
def passes(m: int, epochs: int) -> list[tuple[Fraction, Fraction]]:
    r"""Per pass over m coin tosses the mean loss on the next example, and the mean risk.

    The loss is :math:`\tfrac12(w-z)^2`, z is -1 or 1, SGD starts at 0 with step 1/2. All samples
    are enumerated, in fractions.
    """
    _check(m >= 1 and epochs >= 1, "m, epochs", (m, epochs), "at least 1")
    seen, true = [Fraction(0)] * epochs, [Fraction(0)] * epochs
    for sample in product((-1, 1), repeat=m):
        w = Fraction(0)
        for epoch in range(epochs):
            for z in sample:
                seen[epoch] += (w - z) ** 2 / 2
                true[epoch] += (w * w + 1) / 2
                w = (w + z) / 2
    return [(a / m / 2**m, b / m / 2**m) for a, b in zip(seen, true, strict=True)]


@takes()
def coordinate_excess(steps: int) -> tuple[Fraction, Fraction]:
    r"""Mean excess of the averaged and of the last point on one coordinate an example, exactly.

    :math:`\ell(w,i)=|w_i-B/\sqrt T|`, i uniform in T coordinates, step :math:`B/\sqrt T`, slope 0
    at the kink; in units of that step. All T**T sequences are enumerated.
    """
    _check(1 <= steps <= 6, "steps", steps, "an integer from 1 to 6, as all sequences are listed")
    average, last = Fraction(0), Fraction(0)
    for sequence in product(range(steps), repeat=steps):
        w, total = [0] * steps, [0] * steps
        for i in sequence:
            total = [a + b for a, b in zip(total, w, strict=True)]
            w[i] += (w[i] < 1) - (w[i] > 1)
        average += sum(abs(Fraction(a, steps) - 1) for a in total) / steps
        last += Fraction(sum(abs(a - 1) for a in w), steps)
    return average / steps**steps, last / steps**steps


# --- maxima of linear functions ---------------------------------------------------------------


@takes()
def staircase(steps: int) -> np.ndarray:
    r"""Rows h_1, ..., h_{T+1} in R^T of an instance whose last iterate pays a logarithm.

    :math:`h_i=\sum_{j<i}a_je_j-be_i` (no b in the last row), :math:`a_j=1/(3(T-j+1))`, b = 9/10.
    """
    _check(steps >= 1, "steps", steps, "at least 1")
    slopes = 1 / (3 * np.arange(steps, 0, -1))
    rows = np.tril(np.tile(slopes, (steps + 1, 1)), -1)
    rows[np.arange(steps), np.arange(steps)] = -0.9
    return rows


@takes(rows="n d", w="d", finite=False)
def first_maximiser(rows: np.ndarray, w: np.ndarray) -> np.ndarray:
    """The first row of largest inner product with w, up to rounding: a subgradient of the max."""
    values = rows @ w
    return rows[int(np.argmax(values >= values.max() - 1e-12))]


# --- where empirical risk minimisation fails --------------------------------------------------


@takes()
def some_unseen(m: int, n: int) -> Fraction:
    """The probability that m fair tosses for each of n things leave one without a head, exactly."""
    _check(m >= 0 and n >= 1, "m, n", (m, n), "m at least 0 and n at least 1")
    return 1 - (1 - Fraction(1, 2**m)) ** n


@takes()
def hashed(rows: int, columns: int, seed: int) -> np.ndarray:
    """rows x columns whole numbers of 32 bits that look random, the same here and in a browser.

    Source: Mueller's integer hash, with the factors 0x7feb352d and 0x846ca68b.
    """
    column, row = np.arange(1, columns + 1), np.arange(1, rows + 1)[:, None]
    h = (column.astype(np.uint32) * np.uint32(0x9E3779B1)) ^ (
        row.astype(np.uint32) * np.uint32(0x85EBCA6B)
    )
    h ^= np.uint32(seed * 0xC2B2AE35 % 2**32)
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        h = (h ^ (h >> np.uint32(shift))) * np.uint32(factor)
    return h ^ (h >> np.uint32(16))


@takes()
def masks(m: int, d: int, seed: int) -> np.ndarray:
    """m samples of d fair bits each, as floats, from ``hashed``."""
    return (hashed(m, d, seed) & 1).astype(float)


@takes(w="d", mask="d")
def masked_slope(w: np.ndarray, mask: np.ndarray, pull: float) -> np.ndarray:
    r"""A gradient of :math:`\|a\circ w\|+\tfrac\gamma d\|w-\mathbf 1\|^2`; ``pull`` is gamma."""
    length = np.linalg.norm(mask * w)
    return mask * w / (length or 1.0) + 2 * pull / len(w) * (w - 1)


@takes()
def masked_excess(unseen: int, d: int, pull: float) -> float:
    r"""Excess over the origin of the empirical minimiser with k coordinates never seen.

    .. math:: \mathbb E\sqrt{\mathrm{Bin}(k,\tfrac12)/k}+\tfrac\gamma d(1-2\sqrt k),\qquad 0\ (k=0)
    """
    _check(0 <= unseen <= d, "unseen", unseen, f"an integer from 0 to {d}")
    if unseen == 0:
        return 0.0
    heads = np.arange(unseen + 1)
    root = float(binom.pmf(heads, unseen, 0.5) @ np.sqrt(heads / unseen))
    return root + pull / d * (1 - 2 * np.sqrt(unseen))


@takes(sample="m d")
def masked_pass(sample: np.ndarray, pull: float) -> np.ndarray:
    """The averaged point of one pass of SGD over masks, in the unit ball, from its flat corner.

    The start is 1/sqrt(d) times the ones, the step 1/(L sqrt(m)) with L = 1 + 4 gamma/sqrt(d).
    """
    m, d = sample.shape
    return stochastic_gradient_descent(
        lambda w, mask: masked_slope(w, mask, pull),
        np.full(d, d**-0.5),
        sample,
        1 / ((1 + 4 * pull / np.sqrt(d)) * np.sqrt(m)),
        mirror=ball(1.0),
    )[1]


def golay() -> np.ndarray:
    """The 4096 words of the extended binary Golay code, rows of signs -1 and 1, shape (4096, 24).

    The cyclic code of length 23 of 1 + x^2 + x^4 + x^5 + x^6 + x^10 + x^11, and a parity bit.
    """
    generator = np.isin(np.arange(12), (0, 2, 4, 5, 6, 10, 11)).astype(int)
    rows = np.array([np.pad(generator, (i, 11 - i)) for i in range(12)])
    bits = np.array(list(product((0, 1), repeat=12))) @ rows % 2
    return 1 - 2 * np.column_stack([bits, bits.sum(axis=1) % 2])


def _check(holds: bool, name: str, value: object, expected: str) -> None:
    if not holds:
        raise ValueError(f"{name}: {value!r}; expected {expected}")
