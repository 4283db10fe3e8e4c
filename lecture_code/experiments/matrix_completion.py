"""Matrix completion: how often gradient descent succeeds."""

from __future__ import annotations

from functools import partial

import numpy as np

from lecture_code import completion as cm
from lecture_code.masks import determines_signs
from lecture_code.optimize import DivergenceError, gradient_descent


def completion(rng: np.random.Generator, d: int, multiple: float, z: str) -> dict[str, float]:
    """A mask of density ``multiple`` log d / d: does it determine z, and does descent find z?

    ``z`` is "flat" or "Gaussian". From each of two random starts gradient descent with momentum
    succeeds if it comes within 0.01 of z or -z; a run that diverges does not.
    """
    p = multiple * np.log(d) / d
    vector = {"flat": cm.flat_vector, "Gaussian": cm.gaussian_vector}
    problem = cm.random_instance(d, p, rng, vector=vector[z])
    slope = partial(cm.gradient, problem)
    step = 0.1 / np.max(problem.weights @ problem.z**2)
    options = {"max_steps": 2000, "tolerance": 1e-5 * p, "momentum": 0.8}
    solved = diverged = 0
    for start in 0.5 * rng.normal(size=(2, d)) / np.sqrt(d):
        try:
            end = gradient_descent(slope, start, step, **options).x
            solved += int(cm.distance(problem, end) < 1e-2)
        except DivergenceError:
            diverged += 1
    determined = int(determines_signs(problem.mask))
    return {"solved": solved, "diverged": diverged, "determined": determined}
