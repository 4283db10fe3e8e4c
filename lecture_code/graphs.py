r"""Networks as functions of one weight vector: what all kinds share, and any acyclic graph.

Each network has the same three methods: ``forward(w, x)`` gives the outputs and a function that
maps the slope of a loss in the outputs to its gradient in ``w`` (the backward pass);
``outputs(w, x)`` is the first of the two; ``edge_factors(c)`` says by what each weight is
multiplied if hidden unit v is rescaled by ``c[v]``. Examples are rows. A bias is the weight of an
edge from an always-on unit, and output units are linear. With ``activation="linear"`` the hidden
units are too; a step unit is [z > 0] and has no backward pass.

Source: talk, "Feed-Forward Neural Networks"; backward passes as in any account of back-propagation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Literal, Self, get_args

import numpy as np
from scipy.special import expit

from lecture_code.checks import as_floats, as_integer, takes

Activation = Literal["relu", "linear", "step", "sigmoid"]
Backward = Callable[[np.ndarray], np.ndarray]


class Network:
    """What all kinds share."""

    activation: Activation
    size: int
    hidden: int
    input_shape: tuple[int, ...]

    def forward(self, w: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, Backward]:
        """The outputs, one row for each example, and the backward pass."""
        raise NotImplementedError

    def outputs(self, w: np.ndarray, x: np.ndarray) -> np.ndarray:
        """The outputs, one row for each example."""
        return self.forward(w, x)[0]

    def linear(self) -> Self:
        """The same graph with linear hidden units."""
        return replace(self, activation="linear")

    def _transfer(self, z: np.ndarray) -> np.ndarray:
        match self.activation:
            case "relu":
                return np.maximum(z, 0)
            case "step":
                return (z > 0).astype(z.dtype)
            case "sigmoid":
                return expit(z)
        return z

    def _masked(self, slope: np.ndarray, output: np.ndarray) -> np.ndarray:
        """The slope before the unit, from that behind it; a unit at zero counts as off."""
        match self.activation:
            case "relu":
                return slope * (output > 0)
            case "step":
                raise ValueError("activation: 'step'; expected one with a slope to go back along")
            case "sigmoid":
                return slope * output * (1 - output)
        return slope

    def _check_weights(self, w: np.ndarray, leading: tuple[int, ...] = ()) -> None:
        if w.shape != (*leading, self.size):
            raise ValueError(f"w: shape {w.shape}; expected ({self.size},)")

    def _check_inputs(self, x: np.ndarray, leading: tuple[int, ...] = ()) -> None:
        shape = self.input_shape
        if x.shape[: len(leading)] + x.shape[len(leading) + 1 :] != (*leading, *shape):
            raise ValueError(f"x: shape {x.shape}; expected (n, {', '.join(map(str, shape))})")

    def _check_factors(self, factors: np.ndarray) -> None:
        if factors.shape != (self.hidden,) or not np.all(factors > 0):
            raise ValueError(
                f"factors: shape {factors.shape}, least {np.min(factors, initial=np.inf)}; "
                f"expected {self.hidden} positive numbers, one for each hidden unit"
            )

    def _slope(self, slope: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        slope = as_floats("slope", slope, finite=False, exact=True)
        if slope.shape != outputs.shape:
            raise ValueError(f"slope: shape {slope.shape}; expected {outputs.shape}, as outputs")
        return slope


@dataclass(frozen=True)
class Layer:
    """The edges that enter one layer of a graph, in the order of their targets."""

    edges: np.ndarray
    sources: np.ndarray
    targets: np.ndarray

    @cached_property
    def into(self) -> tuple[np.ndarray, np.ndarray]:
        """The targets, each once, and where their edges begin."""
        return np.unique(self.targets, return_index=True)

    @cached_property
    def back(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The edges in the order of their sources, these each once, and where their edges begin."""
        order = np.argsort(self.sources, kind="stable")
        return order, *np.unique(self.sources[order], return_index=True)


@dataclass(frozen=True)
class Dag(Network):
    """A network on a directed acyclic graph.

    Units are numbered so that every edge (u, v) has u < v; the first ``inputs`` of them are inputs.
    The weight vector runs along ``edges``. An output that no edge enters is 0. Raises
    ``ValueError`` if an edge points backwards, enters an input or leaves an output, or if there is
    no output.
    """

    inputs: int
    edges: tuple[tuple[int, int], ...]
    outs: tuple[int, ...]
    activation: Activation = "relu"

    def __post_init__(self) -> None:
        edges = tuple((as_integer("edges", u), as_integer("edges", v)) for u, v in self.edges)
        object.__setattr__(self, "inputs", as_integer("inputs", self.inputs))
        object.__setattr__(self, "outs", tuple(as_integer("outs", v) for v in self.outs))
        object.__setattr__(self, "edges", edges)
        check_activation(self.activation)
        outs = set(self.outs)
        for u, v in self.edges:
            if not 0 <= u < v or v < self.inputs or u in outs:
                raise ValueError(
                    f"edges: ({u}, {v}); expected u < v, v no input (below {self.inputs}) and u no "
                    f"output {self.outs}"
                )
        if min(outs, default=-1) < self.inputs:
            raise ValueError(f"outs: {self.outs}; expected units that are no inputs")

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
        return 1 + max(*self.outs, *(v for _, v in self.edges), -1)

    @cached_property
    def hidden_units(self) -> tuple[int, ...]:
        """Units that are neither input nor output."""
        return tuple(sorted(set(range(self.inputs, self.units)) - set(self.outs)))

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

    @cached_property
    def ends(self) -> np.ndarray:
        """Where each edge begins and ends, shape (2, size)."""
        return np.array(self.edges, dtype=int).reshape(-1, 2).T

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The edges by the layer they enter: the length of the longest path to its units."""
        depth = [0] * self.units
        for v, edges in enumerate(self.entering):
            depth[v] = max((depth[self.edges[e][0]] + 1 for e in edges), default=0)
        before, after = self.ends
        entered = np.array(depth)[after]
        order = np.lexsort((after, entered))
        cuts = np.searchsorted(entered[order], np.arange(1, max(depth) + 2))
        parts = [order[first:last] for first, last in pairwise(cuts)]
        return tuple(Layer(edges, before[edges], after[edges]) for edges in parts)

    @takes(w="...", x="...", finite=False, exact=True)
    def forward(self, w: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, Backward]:
        """Outputs of shape (n, outputs) for x of shape (n, inputs), and the backward pass.

        One multiplication an edge and example, layer by layer.
        """
        self._check_weights(w)
        self._check_inputs(x)
        signals = np.zeros((self.units, len(x)), dtype=np.result_type(w, x))
        signals[: self.inputs] = x.T
        hidden = np.isin(np.arange(self.units), self.hidden_units)
        signals[hidden] = self._transfer(signals[hidden])
        for layer in self.layers:
            units, starts = layer.into
            terms = w[layer.edges, None] * signals[layer.sources]
            z = np.add.reduceat(terms, starts, axis=0)
            inner = hidden[units]
            z[inner] = self._transfer(z[inner])
            signals[units] = z

        outputs = signals[list(self.outs)].T

        def backward(slope: np.ndarray) -> np.ndarray:
            gradient, slopes = np.zeros_like(w), np.zeros_like(signals)
            slopes[list(self.outs)] = self._slope(slope, outputs).T
            for layer in reversed(self.layers):
                units = layer.into[0][hidden[layer.into[0]]]
                slopes[units] = self._masked(slopes[units], signals[units])
                slope = slopes[layer.targets]
                gradient[layer.edges] = np.sum(slope * signals[layer.sources], axis=1)
                order, sources, starts = layer.back
                terms = w[layer.edges[order], None] * slope[order]
                slopes[sources] += np.add.reduceat(terms, starts, axis=0)
            return gradient

        return outputs, backward

    @takes(factors="...", finite=False, exact=True)
    def edge_factors(self, factors: np.ndarray) -> np.ndarray:
        r"""For each weight :math:`c(v)/c(u)`, with c = 1 at inputs and outputs."""
        self._check_factors(factors)
        c = np.ones(self.units)
        c[list(self.hidden_units)] = factors
        before, after = self.ends
        return c[after] / c[before]

    def paths(self) -> list[tuple[int, ...]]:
        """Every path from an input to an output, as the indices of its edges; there may be many."""
        ending: list[list[tuple[int, ...]]] = [
            [()] if v < self.inputs else [] for v in range(self.units)
        ]
        for v in range(self.inputs, self.units):
            for e in self.entering[v]:
                ending[v] += [(*path, e) for path in ending[self.edges[e][0]]]
        return [path for v in self.outs for path in ending[v]]


def check_activation(activation: str) -> None:
    """Raises ``ValueError`` unless there is such an activation."""
    if activation not in get_args(Activation):
        raise ValueError(f"activation: {activation!r}; expected one of {get_args(Activation)}")
