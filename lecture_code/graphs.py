r"""Networks as functions of one weight vector: what all kinds share, and any acyclic graph.

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
from typing import Literal, Self

import numpy as np

from lecture_code.checks import as_floats, as_integer, takes

Activation = Literal["relu", "linear"]
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
        return np.maximum(z, 0) if self.activation == "relu" else z

    def _masked(self, slope: np.ndarray, output: np.ndarray) -> np.ndarray:
        """The slope before the unit, from that behind it; a unit at zero counts as off."""
        return slope * (output > 0) if self.activation == "relu" else slope

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
class Dag(Network):
    """A network on a directed acyclic graph.

    Units are numbered so that every edge (u, v) has u < v; the first ``inputs`` of them are inputs.
    The weight vector runs along ``edges``. Raises ``ValueError`` if an edge points backwards,
    enters an input or leaves an output, or if there is none.
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
        for u, v in self.edges:
            if not 0 <= u < v or v < self.inputs or u in self.outs:
                raise ValueError(
                    f"edges: ({u}, {v}); expected u < v, v no input (below {self.inputs}) and u no "
                    f"output {self.outs}"
                )
        if not edges or not set(self.outs) <= set(range(self.inputs, self.units)):
            raise ValueError(
                f"edges, outs: {len(edges)} edges, {self.outs}; expected edges, and outputs among "
                "the units that are no inputs"
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

    @takes(w="...", x="...", finite=False, exact=True)
    def forward(self, w: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, Backward]:
        """Outputs of shape (n, outputs) for x of shape (n, inputs), and the backward pass."""
        self._check_weights(w)
        self._check_inputs(x)
        signals = np.zeros((len(x), self.units), dtype=np.result_type(w, x))
        signals[:, : self.inputs] = x
        for v in range(self.inputs, self.units):
            for e in self.entering[v]:
                signals[:, v] += w[e] * signals[:, self.edges[e][0]]
            if v not in self.outs:
                signals[:, v] = self._transfer(signals[:, v])

        outputs = signals[:, self.outs]

        def backward(slope: np.ndarray) -> np.ndarray:
            gradient, slopes = np.zeros_like(w), np.zeros_like(signals)
            slopes[:, self.outs] = self._slope(slope, outputs)
            for v in reversed(range(self.inputs, self.units)):
                if v not in self.outs:
                    slopes[:, v] = self._masked(slopes[:, v], signals[:, v])
                for e in self.entering[v]:
                    u = self.edges[e][0]
                    gradient[e] = np.sum(slopes[:, v] * signals[:, u])
                    slopes[:, u] += w[e] * slopes[:, v]
            return gradient

        return outputs, backward

    @takes(factors="...", finite=False, exact=True)
    def edge_factors(self, factors: np.ndarray) -> np.ndarray:
        r"""For each weight :math:`c(v)/c(u)`, with c = 1 at inputs and outputs."""
        self._check_factors(factors)
        c = np.ones(self.units)
        c[list(self.hidden_units)] = factors
        before, after = np.transpose(self.edges)
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
    if activation not in ("relu", "linear"):
        raise ValueError(f"activation: {activation!r}; expected 'relu' or 'linear'")
