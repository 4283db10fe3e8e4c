r"""Networks as functions of one weight vector: on any acyclic graph, in layers, unrolled in time.

Each network has the same three methods: ``forward(w, x)`` gives the outputs and a function that
maps the slope of a loss in the outputs to its gradient in ``w`` (the backward pass);
``outputs(w, x)`` is the first of the two; ``edge_factors(c)`` says by what each weight is
multiplied if hidden unit v is rescaled by ``c[v]``. Examples are rows. A bias is the weight of an
edge from an always-on unit, and output units are linear. With ``activation="linear"`` the hidden
units are too.

Source: talk, "Feed-Forward Neural Networks"; backward passes as in any account of back-propagation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Literal, Self

import numpy as np

Activation = Literal["relu", "linear"]
Backward = Callable[[np.ndarray], np.ndarray]
Loss = Callable[[np.ndarray, np.ndarray], tuple[float, np.ndarray]]


class _Network:
    """What the three kinds share."""

    activation: Activation
    size: int
    hidden: int

    def forward(self, w: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, Backward]:
        raise NotImplementedError

    def outputs(self, w: np.ndarray, x: np.ndarray) -> np.ndarray:
        """The outputs, one row for each example."""
        return self.forward(w, x)[0]

    def linear(self) -> Self:
        """The same graph with linear hidden units."""
        return replace(self, activation="linear")

    def _transfer(self, z: np.ndarray) -> np.ndarray:
        return np.maximum(z, 0) if self.activation == "relu" else z

    def _masked(self, slope: np.ndarray, output: np.ndarray) -> np.ndarray:
        """The slope before the unit, from that behind it; a unit at zero counts as off."""
        return slope * (output > 0) if self.activation == "relu" else slope

    def _check_weights(self, w: np.ndarray) -> None:
        if w.shape != (self.size,):
            raise ValueError(f"w: shape {w.shape}; expected ({self.size},)")

    def _check_inputs(self, x: np.ndarray, shape: tuple[int, ...]) -> None:
        if x.shape[1:] != shape:
            raise ValueError(f"x: shape {x.shape}; expected (n, {', '.join(map(str, shape))})")

    def _check_factors(self, factors: np.ndarray) -> None:
        if factors.shape != (self.hidden,) or not np.all(factors > 0):
            raise ValueError(
                f"factors: shape {factors.shape}, least {np.min(factors, initial=np.inf)}; "
                f"expected {self.hidden} positive numbers, one for each hidden unit"
            )


@dataclass(frozen=True)
class Layered(_Network):
    """Fully connected layers of the given widths, inputs first.

    The weight vector holds the matrices one after the other, each of shape (fan out, fan in), with
    one more column, the last, for the always-on unit if ``bias`` is set. Raises ``ValueError`` if
    there are fewer than two layers or an empty one.
    """

    widths: tuple[int, ...]
    bias: bool = False
    activation: Activation = "relu"

    def __post_init__(self) -> None:
        if len(self.widths) < 2 or min(self.widths) < 1:
            raise ValueError(f"widths: {self.widths}; expected two or more positive numbers")

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one example."""
        return (self.widths[0],)

    @cached_property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """The shapes of the weight matrices."""
        return tuple((out, into + self.bias) for into, out in pairwise(self.widths))

    @cached_property
    def size(self) -> int:
        """The number of weights."""
        return sum(rows * columns for rows, columns in self.shapes)

    @cached_property
    def hidden(self) -> int:
        """The number of hidden units."""
        return sum(self.widths[1:-1])

    def matrices(self, w: np.ndarray) -> list[np.ndarray]:
        """The weight matrices, as views into the vector."""
        self._check_weights(w)
        views, at = [], 0
        for rows, columns in self.shapes:
            views.append(w[at : at + rows * columns].reshape(rows, columns))
            at += rows * columns
        return views

    def initial(self, rng: np.random.Generator) -> np.ndarray:
        """Weights N(0, 2 / fan in) and biases zero, so that ReLU layers keep the size of signals.

        Source: He, Zhang, Ren & Sun (2015).
        """
        w = np.zeros(self.size)
        for matrix, into in zip(self.matrices(w), self.widths[:-1], strict=True):
            matrix[:, :into] = rng.normal(scale=np.sqrt(2 / into), size=(len(matrix), into))
        return w

    def forward(self, w: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, Backward]:
        """Outputs of shape (n, outputs) for x of shape (n, inputs), and the backward pass."""
        self._check_inputs(x, self.input_shape)
        matrices, signals = self.matrices(w), [self._with_bias(x)]
        for matrix in matrices[:-1]:
            signals.append(self._with_bias(self._transfer(signals[-1] @ matrix.T)))
        outputs = signals[-1] @ matrices[-1].T

        def backward(slope: np.ndarray) -> np.ndarray:
            gradient = np.empty_like(w)
            for matrix, part, signal in zip(
                reversed(matrices),
                reversed(self.matrices(gradient)),
                reversed(signals),
                strict=True,
            ):
                np.matmul(slope.T, signal, out=part)
                if signal is not signals[0]:
                    into = signal.shape[1] - self.bias
                    slope = self._masked(slope @ matrix[:, :into], signal[:, :into])
            return gradient

        return outputs, backward

    def _with_bias(self, signal: np.ndarray) -> np.ndarray:
        if not self.bias:
            return signal
        return np.concatenate([signal, np.ones_like(signal[:, :1])], axis=1)

    def edge_factors(self, factors: np.ndarray) -> np.ndarray:
        r"""For each weight :math:`c(v)/c(u)`, with c = 1 at inputs, outputs and always-on unit."""
        self._check_factors(factors)
        ends = [np.ones(self.widths[0]), *np.split(factors, np.cumsum(self.widths[1:-1])[:-1])]
        ends = [*ends[: len(self.widths) - 1], np.ones(self.widths[-1])]
        blocks = [
            np.outer(after, np.r_[1 / before, np.ones(int(self.bias))])
            for before, after in pairwise(ends)
        ]
        return np.concatenate([block.ravel() for block in blocks])

    def dag(self) -> Dag:
        """The same network as a graph with the same weight vector.

        The always-on unit, if there is one, is the last input, to be fed with 1.
        """
        starts = np.cumsum([0, self.widths[0] + self.bias, *self.widths[1:]])
        edges = []
        for layer, (into, out) in enumerate(pairwise(self.widths)):
            sources = [starts[layer] + k for k in range(into)]
            sources += [self.widths[0]] if self.bias else []
            edges += [(int(u), int(starts[layer + 1] + j)) for j in range(out) for u in sources]
        last = tuple(range(int(starts[-2]), int(starts[-1])))
        return Dag(self.widths[0] + self.bias, tuple(edges), last, self.activation)


@dataclass(frozen=True)
class Dag(_Network):
    """A network on a directed acyclic graph.

    Units are numbered so that every edge (u, v) has u < v; the first ``inputs`` of them are inputs.
    The weight vector runs along ``edges``. Raises ``ValueError`` if an edge points backwards,
    enters an input or leaves an output.
    """

    inputs: int
    edges: tuple[tuple[int, int], ...]
    outs: tuple[int, ...]
    activation: Activation = "relu"

    def __post_init__(self) -> None:
        for u, v in self.edges:
            if not 0 <= u < v or v < self.inputs or u in self.outs:
                raise ValueError(
                    f"edges: ({u}, {v}); expected u < v, v no input (below {self.inputs}) and u no "
                    f"output {self.outs}"
                )

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one example."""
        return (self.inputs,)

    @property
    def size(self) -> int:
        """The number of weights."""
        return len(self.edges)

    @cached_property
    def units(self) -> int:
        """The number of units."""
        return 1 + max(v for _, v in self.edges)

    @cached_property
    def hidden_units(self) -> tuple[int, ...]:
        """Units that are neither input nor output."""
        return tuple(v for v in range(self.inputs, self.units) if v not in self.outs)

    @property
    def hidden(self) -> int:
        """The number of hidden units."""
        return len(self.hidden_units)

    @cached_property
    def entering(self) -> tuple[tuple[int, ...], ...]:
        """For each unit the indices of the edges that enter it."""
        lists: list[list[int]] = [[] for _ in range(self.units)]
        for index, (_, v) in enumerate(self.edges):
            lists[v].append(index)
        return tuple(map(tuple, lists))

    def forward(self, w: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, Backward]:
        """Outputs of shape (n, outputs) for x of shape (n, inputs), and the backward pass."""
        self._check_weights(w)
        self._check_inputs(x, self.input_shape)
        signals = np.zeros((len(x), self.units), dtype=np.result_type(w, x))
        signals[:, : self.inputs] = x
        for v in range(self.inputs, self.units):
            for e in self.entering[v]:
                signals[:, v] += w[e] * signals[:, self.edges[e][0]]
            if v not in self.outs:
                signals[:, v] = self._transfer(signals[:, v])

        def backward(slope: np.ndarray) -> np.ndarray:
            gradient, slopes = np.zeros_like(w), np.zeros_like(signals)
            slopes[:, self.outs] = slope
            for v in reversed(range(self.inputs, self.units)):
                if v not in self.outs:
                    slopes[:, v] = self._masked(slopes[:, v], signals[:, v])
                for e in self.entering[v]:
                    u = self.edges[e][0]
                    gradient[e] = np.sum(slopes[:, v] * signals[:, u])
                    slopes[:, u] += w[e] * slopes[:, v]
            return gradient

        return signals[:, self.outs], backward

    def edge_factors(self, factors: np.ndarray) -> np.ndarray:
        r"""For each weight :math:`c(v)/c(u)`, with c = 1 at inputs and outputs."""
        self._check_factors(factors)
        c = np.ones(self.units)
        c[list(self.hidden_units)] = factors
        return np.array([c[v] / c[u] for u, v in self.edges])

    def paths(self) -> list[tuple[int, ...]]:
        """Every path from an input to an output, as the indices of its edges; there may be many."""
        ending: list[list[tuple[int, ...]]] = [
            [()] if v < self.inputs else [] for v in range(self.units)
        ]
        for v in range(self.inputs, self.units):
            for e in self.entering[v]:
                ending[v] += [(*path, e) for path in ending[self.edges[e][0]]]
        return [path for v in self.outs for path in ending[v]]


@dataclass(frozen=True)
class Recurrent(_Network):
    r"""A plain recurrent network, unrolled for ``length`` steps with shared weights.

    .. math:: h_t = \sigma(A x_t + W h_{t-1}), \qquad o_t = V h_t, \qquad h_0 = 0

    The weight vector holds A (hidden, inputs), W (hidden, hidden) and V (outs, hidden). An example
    has shape (length, inputs), its outputs (length, outs).

    Source: talk, "Recurrent Neural Networks".
    """

    inputs: int
    hidden: int
    outs: int
    length: int
    activation: Activation = "relu"

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one example."""
        return self.length, self.inputs

    @property
    def size(self) -> int:
        """The number of weights."""
        return self.hidden * (self.inputs + self.hidden + self.outs)

    def matrices(self, w: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A, W and V as views into the vector."""
        self._check_weights(w)
        first, second = self.hidden * self.inputs, self.hidden * (self.inputs + self.hidden)
        return (
            w[:first].reshape(self.hidden, self.inputs),
            w[first:second].reshape(self.hidden, self.hidden),
            w[second:].reshape(self.outs, self.hidden),
        )

    def initial(self, rng: np.random.Generator) -> np.ndarray:
        """W the identity, A and V normal with standard deviation 1 / sqrt(fan in).

        Source: Le, Jaitly & Hinton (2015) for the identity.
        """
        w = np.zeros(self.size)
        into, across, out = self.matrices(w)
        into[:] = rng.normal(size=into.shape) / np.sqrt(self.inputs)
        across[:] = np.eye(self.hidden)
        out[:] = rng.normal(size=out.shape) / np.sqrt(self.hidden)
        return w

    def states(self, w: np.ndarray, x: np.ndarray) -> np.ndarray:
        """The hidden states, shape (length + 1, n, hidden), the zero state first."""
        self._check_inputs(x, self.input_shape)
        into, across, _ = self.matrices(w)
        driven = np.moveaxis(x @ into.T, 1, 0)
        states = np.zeros((self.length + 1, len(x), self.hidden))
        for t in range(self.length):
            states[t + 1] = self._transfer(driven[t] + states[t] @ across.T)
        return states

    def forward(self, w: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, Backward]:
        """Outputs of shape (n, length, outs), and the backward pass through time."""
        states = self.states(w, x)
        _, across, out = self.matrices(w)

        def backward(slope: np.ndarray) -> np.ndarray:
            slopes = np.moveaxis(slope @ out, 1, 0).copy()
            for t in reversed(range(self.length)):
                if t + 1 < self.length:
                    slopes[t] += slopes[t + 1] @ across
                slopes[t] = self._masked(slopes[t], states[t + 1])
            gradient = np.empty_like(w)
            parts = self.matrices(gradient)
            parts[0][:] = np.tensordot(slopes, np.moveaxis(x, 1, 0), ((0, 1), (0, 1)))
            parts[1][:] = np.tensordot(slopes, states[:-1], ((0, 1), (0, 1)))
            parts[2][:] = np.tensordot(slope, np.moveaxis(states[1:], 0, 1), ((0, 1), (0, 1)))
            return gradient

        return np.moveaxis(states[1:] @ out.T, 0, 1), backward

    def edge_factors(self, factors: np.ndarray) -> np.ndarray:
        r"""c for A, :math:`c_j/c_k` for W and 1/c for V: the same factors at every time."""
        self._check_factors(factors)
        into = np.outer(factors, np.ones(self.inputs))
        out = np.outer(np.ones(self.outs), 1 / factors)
        return np.concatenate([into.ravel(), np.outer(factors, 1 / factors).ravel(), out.ravel()])

    def dag(self) -> tuple[Dag, np.ndarray]:
        """The network unrolled as a graph, and for each of its edges the index of its weight.

        Its inputs are those of all times in order, and so are its outputs.
        """
        into, across, out = self.matrices(np.arange(self.size))
        first, last = self.length * self.inputs, self.length * (self.inputs + self.hidden)
        edges, indices = [], []
        for t in range(self.length):
            now, before = first + t * self.hidden, first + (t - 1) * self.hidden
            for source, block in (
                (t * self.inputs, into),
                (before, across if t else across[:, :0]),
            ):
                for (j, k), index in np.ndenumerate(block):
                    edges.append((source + k, now + j))
                    indices.append(index)
            for (j, k), index in np.ndenumerate(out):
                edges.append((now + k, last + t * self.outs + j))
                indices.append(index)
        outs = tuple(range(last, last + self.length * self.outs))
        return Dag(first, tuple(edges), outs, self.activation), np.array(indices)


Network = Layered | Dag | Recurrent


def value_and_gradient(
    net: Network, w: np.ndarray, x: np.ndarray, target: np.ndarray, loss: Loss
) -> tuple[float, np.ndarray]:
    """A loss of the outputs on a batch and its gradient in the weights."""
    outputs, backward = net.forward(w, x)
    value, slope = loss(outputs, target)
    return value, backward(slope)


def squared_error(outputs: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray]:
    r"""Mean over examples of :math:`\tfrac12\|o-y\|^2`, and its slope in the outputs."""
    residual = outputs - target
    return 0.5 * float(np.sum(residual**2)) / len(outputs), residual / len(outputs)


def cross_entropy(outputs: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Mean negative log-likelihood of integer labels under the softmax, and its slope.

    ``outputs`` has one axis more than ``labels``, the last, over the classes.
    """
    shifted = outputs - outputs.max(axis=-1, keepdims=True)
    weights = np.exp(shifted)
    totals = weights.sum(axis=-1, keepdims=True)
    chosen = labels[..., None]
    value = np.mean(np.log(totals) - np.take_along_axis(shifted, chosen, axis=-1))
    slope = weights / totals
    np.put_along_axis(slope, chosen, np.take_along_axis(slope, chosen, axis=-1) - 1, axis=-1)
    return float(value), slope / labels.size


def squared_hinge(outputs: np.ndarray, signs: np.ndarray) -> tuple[float, np.ndarray]:
    r"""Mean of :math:`\tfrac12(1-yo)_+^2` over examples with one output each, and its slope."""
    short = np.maximum(0, 1 - signs * outputs[:, 0])
    return 0.5 * float(np.mean(short**2)), -(signs * short / len(signs))[:, None]
