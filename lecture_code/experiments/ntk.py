"""The kernel regime: how far wide networks move from their linear models."""

from __future__ import annotations

import numpy as np

from lecture_code import kernels, wide

INPUTS = wide.sphere(8, 5, np.random.default_rng(2))
LABELS = np.array([-1.0, -1, -1, -1, -1, 1, -1, -1])
ELSEWHERE = wide.sphere(50, 5, np.random.default_rng(12))


def kernel_regime(rng: np.random.Generator, case: str, width: int) -> dict[str, float]:
    """A two-layer network beside its linear model: how far both kernel and outputs move.

    ``case`` says activation, layers trained and start: "relu both symmetric".
    """
    return beside_linear_model(rng, case, width, 1.0, 100)


def lazy_scale(rng: np.random.Generator, case: str, alpha: int) -> dict[str, float]:
    """Movement, kernel change and gap of alpha times a network of width 128."""
    found = beside_linear_model(rng, case, 128, float(alpha), 120)
    return {name: found[name] for name in ("movement", "kernel", "gap")}


def beside_linear_model(
    rng: np.random.Generator, case: str, width: int, alpha: float, steps: int
) -> dict[str, float]:
    """A network at scale alpha after gradient descent, beside its linear model."""
    name, layers, start = case.split()
    activation = {"relu": wide.RELU, "tanh": wide.TANH}[name]
    net = wide.initialize(width, 5, rng, symmetric=start == "symmetric")
    kernel = wide.empirical_ntk(net, INPUTS, None, activation, layers)
    across = wide.empirical_ntk(net, ELSEWHERE, INPUTS, activation, layers)
    target = LABELS - alpha * wide.predict(net, INPUTS, activation)
    step = 0.9 / np.linalg.eigvalsh(kernel)[-1]
    options = {"activation": activation, "layers": layers, "scale": alpha}
    early = wide.train(net, INPUTS, LABELS, step, 10, **options).x
    end = wide.train(early, INPUTS, LABELS, step, steps - 10, **options).x
    new, old = (alpha * wide.predict(at, ELSEWHERE, activation) for at in (end, net))
    linear = across @ kernels.kernel_descent(kernel, target, step, [steps])[0]
    fit = wide.gradient(net, INPUTS, np.linalg.solve(kernel, target / alpha), activation, layers)
    off = wide.linear_model(net, fit, ELSEWHERE, activation)

    def drift(at: np.ndarray) -> float:
        change = wide.empirical_ntk(at, INPUTS, None, activation, layers) - kernel
        return float(np.linalg.norm(change) / np.linalg.norm(kernel))

    return {
        "movement": np.linalg.norm(end - net) / np.linalg.norm(net),
        "kernel early": drift(early),
        "kernel": drift(end),
        "gap": root_mean_square(new - old - linear),
        "crossed": np.mean((net[:, :5] @ INPUTS.T > 0) != (end[:, :5] @ INPUTS.T > 0)),
        "fit": root_mean_square(alpha * wide.predict(net + fit, INPUTS, activation) - LABELS),
        "fit elsewhere": alpha
        * root_mean_square(wide.predict(net + fit, ELSEWHERE, activation) - off),
    }


def root_mean_square(values: np.ndarray) -> float:
    """The root of the mean of the squares."""
    return float(np.sqrt(np.mean(np.square(values))))
