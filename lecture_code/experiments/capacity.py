"""Width on real digits: trained networks, and random features with and without a ridge."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lecture_code import digits, nets
from lecture_code.nets import Layered, value_and_gradient

WIDTHS, MEMORISERS = (2, 4, 8, 16, 32, 64, 128, 256), (4, 8, 12, 16, 24, 32, 64, 128)
FEATURES = (10, 25, 50, 100, 150, 175, 200, 225, 250, 300, 400, 800, 1600)
RIDGES = (0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)


def trained_width(rng: np.random.Generator, case: str) -> dict[str, float]:
    """Training and test error of ReLU networks of many widths, trained without a penalty.

    ``case`` says how many images, what share of their labels is drawn anew, and how many epochs:
    "400 0 40". All widths see the same images in the same order.
    """
    count, share, epochs = case.split()
    x, wanted, x_test, y_test = digits.split(*digits.load(), int(count), rng)
    y, centre = with_noise(wanted, float(share), rng), x.mean(axis=0)
    x, x_test = x - centre, x_test - centre
    batches = [b for _ in range(int(epochs)) for b in rng.permutation(len(x)).reshape(-1, 50)]
    found = {}
    for width in WIDTHS if float(share) == 0 else MEMORISERS:
        net = Layered((64, width, 10), bias=True)
        w = with_momentum(net, net.initial(rng), x, y, batches)
        found[f"train {width}"] = np.mean(net.outputs(w, x).argmax(axis=1) != y)
        found[f"test {width}"] = np.mean(net.outputs(w, x_test).argmax(axis=1) != y_test)
    return found


def with_momentum(
    net: Layered, w: np.ndarray, x: np.ndarray, y: np.ndarray, batches: list[np.ndarray]
) -> np.ndarray:
    """Weights after a step of heavy ball, 0.1 and 0.9, for each batch."""
    velocity = np.zeros(net.size)
    for batch in batches:
        slope = value_and_gradient(net, w, x[batch], y[batch], nets.cross_entropy)[1]
        velocity = 0.9 * velocity - 0.1 * slope
        w = w + velocity
    return w


def feature_width(rng: np.random.Generator, share: float) -> dict[str, float]:
    """Test errors of least squares on random ReLU features of 200 digits, and norms of its fits.

    ``share`` of the labels is drawn anew. Each width has the first features of one list. The norms
    are those of the least-norm fit, without a ridge.
    """
    x, wanted, x_test, y_test = digits.split(*digits.load(), 200, rng)
    y, centre = with_noise(wanted, share, rng), x.mean(axis=0)
    scale = np.linalg.norm(x - centre, axis=1).mean()
    into, bias = rng.normal(size=(64, max(FEATURES))), rng.normal(scale=0.5, size=max(FEATURES))
    train, test = (np.maximum((z - centre) / scale @ into + bias, 0) for z in (x, x_test))
    found = {}
    for width in FEATURES:
        fits = ridge_fits(train[:, :width], np.eye(10)[y] - 0.1)
        for ridge, weights in zip(RIDGES, fits, strict=True):
            wrong = (test[:, :width] @ weights).argmax(axis=1) != y_test
            found[f"test {width} {ridge:g}"] = np.mean(wrong)
            if ridge == 0:
                found[f"norm {width}"] = np.linalg.norm(weights)
    return found


def ridge_fits(features: np.ndarray, target: np.ndarray) -> Iterator[np.ndarray]:
    """Least squares with each ridge, times examples and features; with none, of least norm."""
    left, values, right = np.linalg.svd(features, full_matrices=False)
    for ridge in RIDGES:
        if ridge:
            shrunk = values / (values**2 + ridge * features.size)
        else:
            shrunk = np.divide(
                1, values, out=np.zeros_like(values), where=values > 1e-10 * values[0]
            )
        yield right.T @ (shrunk[:, None] * (left.T @ target))


def with_noise(labels: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """The labels, each of which is drawn anew from the ten digits with that probability."""
    return np.where(rng.random(labels.size) < share, rng.integers(0, 10, labels.size), labels)
