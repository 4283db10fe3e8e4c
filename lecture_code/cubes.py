"""The corners of the cube, written once: all vectors of d bits, as numbers, as signs, as points."""

from __future__ import annotations

import numpy as np

from lecture_code.checks import takes


@takes()
def bits(d: int) -> np.ndarray:
    """All vectors of d bits, shape (2**d, d): row r holds the bits of the number r, lowest first.

    Read as labels, the rows are all labelings of d points. Raises ``ValueError`` for negative d.
    """
    if d < 0:
        raise ValueError(f"d: {d}; expected at least 0")
    return np.arange(2**d)[:, None] >> np.arange(d) & 1


def signs(d: int) -> np.ndarray:
    """All points of {-1, 1}^d, shape (2**d, d); bit j of the row's number gives the sign -1."""
    return 1.0 - 2.0 * bits(d)


def points(d: int) -> list[tuple[int, ...]]:
    """The points of {0, 1}^d as tuples in the order of the alphabet: the last bit runs fastest."""
    return [tuple(row[::-1]) for row in bits(d).tolist()]
