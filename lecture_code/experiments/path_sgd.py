"""Path-SGD: training on digits, recurrent networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from lecture_code import digits, nets, path_sgd
from lecture_code.nets import Layered, Network, Recurrent, value_and_gradient
from lecture_code.optimize import (
    DivergenceError,
    adagrad,
    stochastic_gradient_descent,
)

EPOCHS, LOOKS = 12, (1, 2, 4, 8, 12)
STEPS = {
    "SGD": {0: -0.25, 0.5: -1.25, 1: -2.75},
    "Path-SGD": {0: 0.0, 0.5: 0.0, 1: 0.0},
    "AdaGrad": {0: -1.25, 0.5: -1.25, 1: -1.75},
}


def training(rng: np.random.Generator, spread: float) -> dict[str, float]:
    """Ten digits, 12 epochs: training loss and test error of three methods from one start.

    ``spread`` is the standard deviation of log10 of the factors by which units are rescaled. Each
    method has the step size 10 ** STEPS, and is also run a quarter of a decade below and above.
    """
    x, y, x_test, y_test = digits.split(*digits.load(), 1000, rng)
    net = Layered((64, 48, 48, 10), bias=True)
    factors = 2.0 ** np.rint(np.log2(10) * spread * rng.normal(size=net.hidden))
    start = net.initial(rng) * net.edge_factors(factors)
    epochs = [np.split(rng.permutation(1000), 10) for _ in range(EPOCHS)]
    found = {}
    for method, centres in STEPS.items():
        for name, shift in (("below", -0.25), ("above", 0.25), ("", 0.0)):
            losses, w = [], start
            move = _direction(method, net, x, y)
            for batches in epochs:
                w = _pass(move, w, batches, 10.0 ** (centres[spread] + shift))
                losses.append(nets.cross_entropy(net.outputs(w, x), y)[0])
            if name:
                found[f"{method} {name}"] = losses[-1]
        found |= {f"{method} {epoch}": losses[epoch - 1] for epoch in LOOKS}
        wrong = net.outputs(w, x_test).argmax(axis=1) != y_test
        found[f"{method} error"] = float(wrong.mean()) if np.isfinite(w).all() else np.nan
    return found


def _pass(move: Callable, w: np.ndarray, batches: Sequence[np.ndarray], step: float) -> np.ndarray:
    """One epoch; weights that are not numbers after divergence, so that the loss is none."""
    with np.errstate(over="ignore", invalid="ignore"):
        try:
            return stochastic_gradient_descent(move, w, batches, step)[0]
        except DivergenceError:
            return np.full_like(w, np.nan)


def _direction(method: str, net: Network, x: np.ndarray, y: np.ndarray) -> Callable:
    """What a method subtracts, given weights and minibatch; AdaGrad keeps a sum."""
    total = np.zeros(net.size)

    def move(w: np.ndarray, batch: np.ndarray) -> np.ndarray:
        nonlocal total
        gradient = value_and_gradient(net, w, x[batch], y[batch], nets.cross_entropy)[1]
        if method == "Path-SGD":
            return path_sgd.path_sgd_direction(net, w, gradient)
        if method == "AdaGrad":
            gradient, total = adagrad(gradient, total)
        return gradient

    return move


NOUNS = "fox river stone lamp garden teacher ship bird letter child".split()
ADJECTIVES = "old quiet bright small green".split()
VERBS = "sees finds carries follows paints".split()


def grammar_text(rng: np.random.Generator, sentences: int) -> str:
    """Sentences of a small grammar, one after the other."""

    def phrase() -> str:
        adjective = rng.choice(ADJECTIVES) + " " if rng.random() < 0.5 else ""
        noun = f"the {adjective}{rng.choice(NOUNS)}"
        return (
            f"{noun} {rng.choice(['near', 'under', 'with'])} {phrase()}"
            if rng.random() < 0.25
            else noun
        )

    return "".join(f"{phrase()} {rng.choice(VERBS)} {phrase()}. " for _ in range(sentences))


RATES = {
    "SGD": (0.15, 0.5, 1.5, 5),
    "Path-SGD, kappa": (300, 1000, 3000, 10000),
    "Path-SGD, kappa + 2 rho": (1000, 3000, 10000, 30000),
    "AdaGrad": (0.1, 0.3, 1, 3),
}


def recurrent(rng: np.random.Generator, setting: str) -> dict[str, float]:
    """Characters of an artificial text: test bits of four methods on a recurrent network.

    ``setting`` says hidden units, characters seen at a time and steps. Of four step sizes, about a
    factor of three apart, each method has the one that is best on validation windows; a step size
    has failed if it does worse there than to guess.
    """
    units, length, steps = map(int, setting.split())
    text = grammar_text(rng, 700 * (length + 1) // 9)
    alphabet = sorted(set(text))
    codes = np.array([alphabet.index(letter) for letter in text])
    windows = codes[: codes.size // (length + 1) * (length + 1)].reshape(-1, length + 1)
    validation, test, seen = np.split(rng.permutation(windows), [400, 800])
    net, one_hot = Recurrent(len(alphabet), units, len(alphabet), length), np.eye(len(alphabet))
    start, batches = net.initial(rng), seen[rng.integers(len(seen), size=(steps, 16))]

    def bits(w: np.ndarray, windows: np.ndarray) -> float:
        outputs = net.outputs(w, one_hot[windows[:, :-1]])
        return nets.cross_entropy(outputs, windows[:, 1:])[0] / np.log(2)

    found = {}
    for method, rates in RATES.items():
        with np.errstate(over="ignore", invalid="ignore"):
            ends = [_capped(method, net, start, batches, one_hot, rate) for rate in rates]
            scores = np.nan_to_num([bits(w, validation) for w in ends], nan=np.inf)
        best = int(np.argmin(scores))
        found[method] = bits(ends[best], test)
        found[f"{method} rate"] = rates[best]
        found[f"{method} failed"] = int(np.sum(scores > np.log2(len(alphabet))))
    return found


def _capped(
    method: str,
    net: Recurrent,
    w: np.ndarray,
    batches: np.ndarray,
    one_hot: np.ndarray,
    rate: float,
) -> np.ndarray:
    """Weights after a step for each batch, none longer than a tenth of w by the method's ruler."""
    total = np.zeros(net.size)
    for batch in batches:
        x, y = one_hot[batch[:, :-1]], batch[:, 1:]
        gradient = value_and_gradient(net, w, x, y, nets.cross_entropy)[1]
        ruler = path_sgd.kappa(net, w) if "kappa" in method else np.ones(net.size)
        if "rho" in method:
            ruler = ruler + 2 * path_sgd.repeated_kappa(net, w)
        total += gradient**2
        scale = np.sqrt(total) if method == "AdaGrad" else ruler
        move = rate * np.divide(gradient, scale, out=np.zeros(net.size), where=scale > 0)
        excess = 10 * np.sqrt(ruler @ move**2 / (ruler @ w**2))
        w = w - move / max(1.0, excess)
    return w
