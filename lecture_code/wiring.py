"""Networks that are grown unit by unit, into a graph with its weights.

A network takes inputs as rows and feeds the always-on unit, the last input of its graph, itself.

Source: talk, "Feed-Forward Neural Networks".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from lecture_code.checks import as_integer, takes
from lecture_code.graphs import Activation, Dag

Terms = Mapping[int, float]


def combined(*parts: tuple[float, Terms]) -> Terms:
    """A sum of multiples of terms."""
    total: dict[int, float] = {}
    for factor, terms in parts:
        for wire, weight in terms.items():
            total[wire] = total.get(wire, 0.0) + factor * weight
    return total


@dataclass(frozen=True)
class Built:
    """A graph and its weights; called with rows of inputs it gives rows of outputs."""

    dag: Dag
    w: np.ndarray

    @takes(x="n ...", finite=False, exact=True)
    def __call__(self, x: np.ndarray) -> np.ndarray:
        return self.dag.outputs(self.w, np.column_stack([x, np.ones(len(x), dtype=x.dtype)]))

    @property
    def size(self) -> tuple[int, int, int]:
        """The numbers of hidden units, of edges, and of layers of hidden units."""
        inner = set(self.dag.hidden_units)
        depth = sum(bool(inner & set(layer.targets.tolist())) for layer in self.dag.layers)
        return self.dag.hidden, self.dag.size, depth


@dataclass
class Wiring:
    """A network that grows; a wire is the number of an input or of a unit, and ``on`` is always 1.

    Terms are weights by wire. Raises ``ValueError`` if a wire does not exist.
    """

    inputs: int
    units: list[Terms] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.inputs = self.on = as_integer("inputs", self.inputs)

    def unit(self, terms: Terms, bias: float = 0.0) -> int:
        """A unit of these terms and this bias, an edge if it is not zero; its wire."""
        self._check(terms)
        self.units.append({**terms, self.on: bias} if bias else dict(terms))
        return self.on + len(self.units)

    def network(self, outs: Sequence[Terms], activation: Activation = "step") -> Built:
        """The network with these linear outputs."""
        for terms in outs:
            self._check(terms)
        first = self.on + 1
        rows = list(enumerate([*self.units, *outs], first))
        edges = tuple((wire, v) for v, terms in rows for wire in terms)
        w = np.array([weight for _, terms in rows for weight in terms.values()], dtype=float)
        last = first + len(self.units)
        return Built(Dag(first, edges, tuple(range(last, last + len(outs))), activation), w)

    def _check(self, terms: Terms) -> None:
        wrong = [wire for wire in terms if not 0 <= wire <= self.on + len(self.units)]
        if wrong:
            raise ValueError(f"terms: wires {wrong}; expected 0 to {self.on + len(self.units)}")
