"""Path-norm: bound and gap on digits."""

from __future__ import annotations

import numpy as np

from lecture_code import digits, nets, path_norm, paths
from lecture_code.nets import Layered, value_and_gradient
from lecture_code.optimize import gradient_descent


def gap(rng: np.random.Generator, run: str) -> dict[str, float]:
    """3 against 8: norms over the margin, gap in ramp loss and bounds after training to the end.

    ``run`` names labels, start and width: "true small 64". Raises ``ArithmeticError`` if the
    gradient does not vanish, or does with a training image on the wrong side.
    """
    labels, start, width = run.split()
    images, kinds = digits.load()
    some = (kinds == 3) | (kinds == 8)
    inputs = np.column_stack([images[some], np.ones(some.sum())])
    signs = np.where(kinds[some] == 3, 1.0, -1.0)
    if labels == "random":
        signs = rng.choice([-1.0, 1.0], len(signs))
    x, y, x_test, y_test = digits.split(inputs, signs, 150, rng)
    net = Layered((65, int(width), 1))
    first = (0.1 if start == "small" else 1.0) * net.initial(rng)
    step = {"small": 0.05, "usual": 4 / (64 + int(width))}[start] if labels == "true" else 0.1

    def slope(w: np.ndarray) -> np.ndarray:
        return value_and_gradient(net, w, x, y, nets.squared_hinge)[1]

    end = gradient_descent(slope, first, step, max_steps=5000, tolerance=1e-4, momentum=0.9)
    margin = float(np.min(y * net.outputs(end.x, x)[:, 0])) + 0.0  # no -0
    if end.reason != "tolerance" or margin <= 0:
        raise ArithmeticError(f"{end.reason} after {end.steps} steps, margin {margin:.2g}")
    units = path_norm.unit_norms(net, end.x) / margin
    one = paths.path_norm(net, end.x, 1) / margin
    width_free = np.sqrt(np.mean(np.sum(x**2, axis=1)))
    largest = np.sqrt(np.max(np.mean(x**2, axis=0)) * 2 * np.log(2 * 65))
    return {
        "steps": end.steps,
        "margin": margin,
        "phi2": float(np.linalg.norm(units)),
        "mixed": units.sum(),
        "mixed at start": path_norm.unit_norms(net, first).sum() / margin,
        "phi1": one,
        "gap": np.clip(1 - y_test * net.outputs(end.x, x_test)[:, 0] / margin, 0, 1).mean(),
        "bound": 4 * units.sum() * width_free / np.sqrt(150),
        "bound by phi1": 4 * one * largest / np.sqrt(150),
    }
