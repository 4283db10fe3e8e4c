r"""Networks in layers and unrolled in time, with their losses; what they share is in ``graphs``.

A layered network takes one weight vector, or a batch of them along leading axes: then all of them
are run, and differentiated, at once.

Source: talk, "Feed-Forward Neural Networks", "Recurrent Neural Networks".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from lecture_code.checks import as_integer, takes
from lecture_code.graphs import Activation, Backward, Dag, Network, check_activation
from lecture_code.losses import Loss
from lecture_code.losses import cross_entropy as cross_entropy
from lecture_code.losses import logistic as logistic
from lecture_code.losses import squared_error as squared_error
from lecture_code.losses import squared_hinge as squared_hinge


@dataclass(frozen=True)
class Layered(Network):
    """Fully connected layers of the given widths, inputs first.

    The weight vector holds the matrices one after the other, each of shape (fan out, fan in), with
    one more column, the last, for the always-on unit if ``bias`` is set. Raises ``ValueError`` if
    there are fewer than two layers or an empty one.
    """

    widths: tuple[int, ...]
    bias: bool = False
    activation: Activation = "relu"

    def __post_init__(self) -> None:
        object.__setattr__(self, "widths", tuple(as_integer("widths", m) for m in self.widths))
        check_activation(self.activation)
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

    @takes(w="...", finite=False, exact=True)
    def matrices(self, w: np.ndarray) -> list[np.ndarray]:
        """The weight matrices, as views into the vector, or a batch of each."""
        self._check_weights(w, w.shape[:-1])
        views, at = [], 0
        for rows, columns in self.shapes:
            part = w[..., at : at + rows * columns]
            views.append(part.reshape(*w.shape[:-1], rows, columns))
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

    @takes(w="...", x="...", finite=False, exact=True)
    def forward(self, w: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, Backward]:
        """Outputs of shape (n, outputs) for x of shape (n, inputs), and the backward pass.

        For w of shape (..., size) the outputs have shape (..., n, outputs); x then holds one set of
        examples for all networks, or with the same leading axes one for each.
        """
        self._check_inputs(x, x.shape[:-2])
        matrices, signals = self.matrices(w), [self._with_bias(x)]
        for matrix in matrices[:-1]:
            signals.append(self._with_bias(self._transfer(signals[-1] @ matrix.mT)))
        outputs = signals[-1] @ matrices[-1].mT

        def backward(slope: np.ndarray) -> np.ndarray:
            slope, gradient = self._slope(slope, outputs), np.empty_like(w)
            for matrix, part, signal in zip(
                reversed(matrices),
                reversed(self.matrices(gradient)),
                reversed(signals),
                strict=True,
            ):
                np.matmul(slope.mT, signal, out=part)
                if signal is not signals[0]:
                    into = signal.shape[-1] - self.bias
                    slope = self._masked(slope @ matrix[..., :into], signal[..., :into])
            return gradient

        return outputs, backward

    def _with_bias(self, signal: np.ndarray) -> np.ndarray:
        if not self.bias:
            return signal
        return np.concatenate([signal, np.ones_like(signal[..., :1])], axis=-1)

    def edge_factors(self, factors: np.ndarray) -> np.ndarray:
        r"""For each weight :math:`c(v)/c(u)`, with c = 1 at inputs, outputs and always-on unit."""
        return self.dag().edge_factors(factors)

    def dag(self) -> Dag:
        """The same network as a graph with the same weight vector.

        The always-on unit, if there is one, is the last input, to be fed with 1.
        """
        starts = np.cumsum([0, self.widths[0] + self.bias, *self.widths[1:]]).tolist()
        edges = []
        for layer, (into, out) in enumerate(pairwise(self.widths)):
            sources = [*range(starts[layer], starts[layer] + into), *[self.widths[0]] * self.bias]
            edges += [(u, starts[layer + 1] + j) for j in range(out) for u in sources]
        outs = tuple(range(starts[-2], starts[-1]))
        return Dag(starts[1], tuple(edges), outs, self.activation)


@dataclass(frozen=True)
class Recurrent(Network):
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

    def __post_init__(self) -> None:
        for name in ("inputs", "hidden", "outs", "length"):
            object.__setattr__(self, name, as_integer(name, getattr(self, name)))
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: {getattr(self, name)}; expected at least 1")
        check_activation(self.activation)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one example."""
        return self.length, self.inputs

    @property
    def size(self) -> int:
        """The number of weights."""
        return self.hidden * (self.inputs + self.hidden + self.outs)

    @takes(w="...", finite=False, exact=True)
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

    @takes(w="...", x="...", finite=False, exact=True)
    def states(self, w: np.ndarray, x: np.ndarray) -> np.ndarray:
        """The hidden states, shape (length + 1, n, hidden), the zero state first."""
        self._check_inputs(x)
        into, across, _ = self.matrices(w)
        driven = np.moveaxis(x @ into.T, 1, 0)
        states = np.zeros((self.length + 1, len(x), self.hidden))
        for t in range(self.length):
            states[t + 1] = self._transfer(driven[t] + states[t] @ across.T)
        return states

    @takes(w="...", x="...", finite=False, exact=True)
    def forward(self, w: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, Backward]:
        """Outputs of shape (n, length, outs), and the backward pass through time."""
        states = self.states(w, x)
        _, across, out = self.matrices(w)
        outputs = np.moveaxis(states[1:] @ out.T, 0, 1)

        def backward(slope: np.ndarray) -> np.ndarray:
            slope = self._slope(slope, outputs)
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

        return outputs, backward

    @takes(factors="...", finite=False, exact=True)
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
        into, across, out = (m.astype(int) for m in self.matrices(np.arange(self.size)))
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


def value_and_gradient(
    net: Network, w: np.ndarray, x: np.ndarray, target: np.ndarray, loss: Loss
) -> tuple[float, np.ndarray]:
    """A loss of the outputs on a minibatch and its gradient in the weights."""
    outputs, backward = net.forward(w, x)
    value, slope = loss(outputs, target)
    return value, backward(slope)


@takes(w="net.size", x="n ...", finite=False, exact=True)
def jacobian(net: Layered, w: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Derivatives of the only output at each example by the weights, shape (n, size).

    Each example gets its own copy of the network, and one backward pass goes through the batch.
    Raises ``ValueError`` if there is more than one output.
    """
    if net.widths[-1] != 1:
        raise ValueError(f"net: {net.widths[-1]} outputs; expected 1")
    copies = np.tile(w, (len(x), 1))
    return net.forward(copies, x[:, None])[1](np.ones((len(x), 1, 1)))
