"""Cubes of bits, by enumeration."""

from itertools import product

import numpy as np
from scipy.linalg import hadamard

from lecture_code import cubes


def test_rows_are_numbers_and_points_are_in_alphabetical_order():
    for d in range(6):
        assert (cubes.bits(d) @ 2 ** np.arange(d) == np.arange(2**d)).all()
        assert cubes.points(d) == list(product((0, 1), repeat=d))


def test_signs_are_in_the_order_of_the_hadamard_matrix():
    """Its row k is the product of the signs at the set bits of k."""
    x, chosen = cubes.signs(4), cubes.bits(4).astype(bool)
    parities = [x[:, mask].prod(axis=1) for mask in chosen]
    assert np.array_equal(parities, hadamard(16))
