"""The digits that the book ships are the original ones."""

import hashlib
import re
from importlib import resources

import numpy as np
import pytest
from sklearn.datasets import load_digits

from lecture_code import digits

DIGEST = "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"
TEST_SET = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]  # as the UCI repository counts it


@pytest.fixture(scope="module")
def data():
    return digits.load()


def test_shapes_range_and_classes(data):
    images, labels = data
    assert images.shape == (1797, 64)
    assert images.min() == 0
    assert images.max() == 1
    assert np.bincount(labels).tolist() == TEST_SET


def test_digest(data):
    images, labels = data
    pixels = images * 16
    assert np.array_equal(pixels, np.rint(pixels))
    stored = pixels.astype(np.uint8).tobytes() + labels.astype(np.uint8).tobytes()
    assert hashlib.sha256(stored).hexdigest() == DIGEST


def test_equal_to_scikit_learn(data):
    original = load_digits()
    assert np.array_equal(data[0] * 16, original.data)
    assert np.array_equal(data[1], original.target)


def test_file_is_small_and_its_note_gives_source_licence_and_digest():
    folder = resources.files("lecture_code").joinpath("data")
    assert len(folder.joinpath("digits.npz").read_bytes()) < 60_000
    note = folder.joinpath("DIGITS.md").read_text(encoding="utf-8")
    for needed in ("10.24432/C50P49", "creativecommons.org/licenses/by/4.0", "Alpaydin", DIGEST):
        assert needed in note


def test_split_is_a_partition(data):
    parts = digits.split(*data, 1000, np.random.default_rng(0))
    assert [len(part) for part in parts] == [1000, 1000, 797, 797]
    together = np.c_[np.r_[parts[0], parts[2]], np.r_[parts[1], parts[3]]]
    assert np.array_equal(np.unique(together, axis=0), np.unique(np.c_[data], axis=0))
    assert len(together) == 1797


@pytest.mark.parametrize("train", [0, 1797, -1])
def test_split_refuses_an_empty_part(data, train):
    with pytest.raises(ValueError, match=re.escape(f"train: {train}; expected")):
        digits.split(*data, train, np.random.default_rng(0))
