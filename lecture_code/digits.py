r"""The 1797 handwritten digits of 8 x 8 pixels: small enough to ship, real enough to learn from.

Each image is a 32 x 32 bitmap in which the set pixels of every 4 x 4 block were counted, so that a
pixel is an integer from 0 to 16. Thirteen people wrote them.

Source: E. Alpaydin & C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning
Repository (1998), test set; see ``data/DIGITS.md`` for provenance and licence.
"""

from __future__ import annotations

from importlib import resources

import numpy as np

from lecture_code.checks import takes


def load() -> tuple[np.ndarray, np.ndarray]:
    """All images as rows and their labels, in the order of the original.

    Returns
    -------
    images : shape (1797, 64), floats from 0 to 1: the pixel counts over 16, which is exact.
    labels : shape (1797,), integers from 0 to 9.
    """
    with resources.files(__package__).joinpath("data/digits.npz").open("rb") as file:
        with np.load(file) as stored:
            images, labels = stored["images"], stored["labels"]
    return images.reshape(len(images), -1) / 16.0, labels.astype(np.int64)


@takes(images="n ...")
def split(
    images: np.ndarray, labels: np.ndarray, train: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A random split: training images and labels, then test images and labels (all the rest).

    Raises ``ValueError`` unless both parts get at least one image and each has its label.
    """
    labels = np.asarray(labels)
    if len(images) != len(labels):
        raise ValueError(f"labels: {len(labels)}; expected {len(images)}, one for each image")
    if not 0 < train < len(images):
        raise ValueError(f"train: {train}; expected a number from 1 to {len(images) - 1}")
    order = rng.permutation(len(images))
    first, rest = order[:train], order[train:]
    return images[first], labels[first], images[rest], labels[rest]
