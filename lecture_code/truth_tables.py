"""Boolean functions of eight bits as truth tables: 256 values in four words of 64 bits."""

from __future__ import annotations

import numpy as np

from lecture_code import cubes
from lecture_code.checks import as_bits, as_words

INPUTS, POINTS = 8, 256


def inputs() -> np.ndarray:
    """All inputs, shape (256, 8), Boolean; row r holds the bits of the number r, lowest first."""
    return cubes.bits(INPUTS).astype(bool)


def pack(values: np.ndarray) -> np.ndarray:
    """Truth values of shape (..., 256) as words of shape (..., 4)."""
    values = as_bits("values", values)
    if values.shape[-1:] != (POINTS,):
        raise ValueError(f"values: shape {values.shape}; expected (..., {POINTS})")
    octets = np.packbits(np.ascontiguousarray(values), axis=-1, bitorder="little")
    return octets.view("<u8")


def unpack(words: np.ndarray) -> np.ndarray:
    """Words of shape (..., 4) as truth values of shape (..., 256)."""
    tables = np.moveaxis(as_words("words", np.moveaxis(np.asarray(words), -1, 0)), 0, -1)
    octets = np.ascontiguousarray(tables, dtype="<u8").view(np.uint8)
    return np.unpackbits(octets, axis=-1, bitorder="little").astype(bool)


def words(values: np.ndarray) -> np.ndarray:
    """:func:`pack` along the first axis."""
    return np.moveaxis(pack(np.moveaxis(np.asarray(values), 0, -1)), -1, 0)
