r"""What networks can represent: constructions, and a compiler from circuits to networks.

Source: talk, "What can Feed-Forward Networks Represent?", "What can SMALL Networks Represent?".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from typing import Literal

import numpy as np
from scipy.special import expit

from lecture_code import cubes
from lecture_code.checks import as_bits, as_integer, takes
from lecture_code.wiring import Built, Terms, Wiring, combined


@dataclass
class Circuit:
    r"""Gates :math:`[\langle\omega,b\rangle\ge k]` of earlier bits, with integer weights."""

    inputs: int
    gates: list[tuple[Mapping[int, int], int]] = field(default_factory=list)
    outs: list[int] = field(default_factory=list)

    def gate(self, weights: Mapping[int, int], least: int) -> int:
        """A gate that is on if the sum of these weights is at least ``least``; its wire."""
        wrong = [wire for wire in weights if not 0 <= wire < self.inputs + len(self.gates)]
        if wrong:
            raise ValueError(f"weights: wires {wrong}; expected earlier ones")
        whole = {wire: as_integer("weights", w) for wire, w in weights.items() if w}
        self.gates.append((whole, as_integer("least", least)))
        return self.inputs + len(self.gates) - 1

    def nand(self, a: int, b: int) -> int:
        """Not both of two wires."""
        return self.gate({a: -1, b: -1} if a != b else {a: -2}, -1)

    @property
    def weight(self) -> int:
        """The largest sum of absolute weights of a gate, at least 1."""
        return max([1, *(sum(map(abs, weights.values())) for weights, _ in self.gates)])

    @property
    def gain(self) -> float:
        r"""What keeps sigmoids within 1/(4s) of their bits: :math:`4\ln(4s)`, s the weight."""
        return 4 * float(np.log(4 * self.weight))


def compile_circuit(
    circuit: Circuit, kind: Literal["step", "relu", "sigmoid"] = "step", gain: float | None = None
) -> Built:
    r"""A network that computes the circuit on bits, with edges linear in its gates.

    A gate becomes one unit with bias :math:`\frac12-k`, times the gain for sigmoids; or the
    difference of two ReLUs, :math:`(z-k+1)_+-(z-k)_+`.
    """
    wiring = Wiring(circuit.inputs)
    scale = (circuit.gain if gain is None else gain) if kind == "sigmoid" else 1.0
    wires: list[Terms] = [{i: 1.0} for i in range(circuit.inputs)]
    for weights, least in circuit.gates:
        terms = combined(*((scale * weight, wires[wire]) for wire, weight in weights.items()))
        if kind == "relu":
            wires.append({wiring.unit(terms, 1 - least): 1.0, wiring.unit(terms, -least): -1.0})
        else:
            wires.append({wiring.unit(terms, scale * (0.5 - least)): 1.0})
    return wiring.network([wires[wire] for wire in circuit.outs], kind)


@takes()
def adder(n: int) -> Circuit:
    """The sum of two numbers of n bits, lowest bits first, by NAND gates."""
    if n < 1:
        raise ValueError(f"n: {n}; expected at least 1 bit")
    circuit, carry = Circuit(2 * n), 0

    def xor(a: int, b: int) -> tuple[int, int]:
        """The exclusive or, and "not both"."""
        both = circuit.nand(a, b)
        return circuit.nand(circuit.nand(a, both), circuit.nand(b, both)), both

    for i in range(n):
        total, both = xor(i, n + i)
        total, again = xor(total, carry) if i else (total, both)
        carry = circuit.nand(both, again)
        circuit.outs.append(total)
    circuit.outs.append(carry)
    return circuit


CELLS = np.array(list(product((0, 1), repeat=3)))  # left, centre, right; row k spells k


@cache
def cell_gates(rule: int) -> tuple[tuple[tuple[int, ...], int], ...]:
    """Two gates of (left, centre, right) and one of these two that make a cell of that rule.

    Each as its weights and its least sum, the largest weight as small as can be. Raises
    ``ValueError`` off 0 to 255 and for 105 and 150, which take three gates of the cells.
    """
    functions: dict[tuple[int, ...], tuple[tuple[int, ...], int]] = {}
    for weights in sorted(product(range(-2, 3), repeat=3), key=lambda w: sum(map(abs, w))):
        for least in range(-5, 7):
            functions.setdefault(tuple(CELLS @ weights >= least), (weights, least))
    wanted = np.array([as_integer("rule", rule) >> k & 1 for k in range(8)])
    found = []
    for table, gate in functions.items() if 0 <= rule < 256 else ():
        for sign in (1, -1):
            rest = sign * (wanted - np.array(table, dtype=int))
            if tuple(rest == 1) in functions and rest.min() >= 0:
                found.append((gate, functions[tuple(rest == 1)], ((1, sign), 1)))
    if found:
        return min(found, key=lambda gates: max(sum(map(abs, w)) for w, _ in gates))
    raise ValueError(f"rule: {rule}; expected 0 to 255 but 105 and 150")


@takes()
def elementary(rule: int, n: int, steps: int) -> Circuit:
    """So many steps of an elementary cellular automaton on a ring of n cells, three gates a cell.

    Raises ``ValueError`` if n is below 3.
    """
    circuit, gates = Circuit(n), cell_gates(rule)
    if n < 3:
        raise ValueError(f"n: {n}; expected at least 3 cells")
    cells = list(range(n))
    for _ in range(steps):
        rows = [(cells[i - 1], cells[i], cells[(i + 1) % n]) for i in range(n)]
        cells = []
        for near in rows:
            pair = [circuit.gate(dict(zip(near, w, strict=True)), k) for w, k in gates[:2]]
            cells.append(circuit.gate(dict(zip(pair, gates[2][0], strict=True)), gates[2][1]))
    circuit.outs = cells
    return circuit


@takes(first="n")
def sigmoid_rows(rule: int, first: np.ndarray, steps: int, gain: float) -> np.ndarray:
    """Every row of the automaton as a network of sigmoids computes it, shape (steps + 1, n)."""
    rows = [first]
    for _ in range(steps):
        near = np.array([np.roll(rows[-1], 1), rows[-1], np.roll(rows[-1], -1)])
        u, v, (weights, least) = cell_gates(rule)
        pair = [expit(gain * (np.array(w) @ near + 0.5 - k)) for w, k in (u, v)]
        rows.append(expit(gain * (np.array(weights) @ pair + 0.5 - least)))
    return np.array(rows)


def truth_table(values: np.ndarray) -> Built:
    """One step unit for each positive input, or for each negative one if these are fewer.

    ``values`` has the order of ``cubes.bits``.
    """
    table = as_bits("values", values)
    d = table.size.bit_length() - 1
    if table.shape != (2**d,):
        raise ValueError(f"values: shape {table.shape}; expected (2**d,)")
    rare, wiring = 2 * int(table.sum()) <= table.size, Wiring(d)
    rows = cubes.bits(d)[table == rare]
    units = [wiring.unit(dict(enumerate((2.0 * a - 1).tolist())), 0.5 - a.sum()) for a in rows]
    terms = dict.fromkeys(units, 1.0 if rare else -1.0)
    return wiring.network([terms if rare else {**terms, wiring.on: 1.0}])


@takes()
def parity(d: int, design: Literal["table", "layer", "counter", "tree"]) -> Built:
    """Whether an odd number of d bits is on, by step units, in one of four ways."""
    if d < 1 or design not in ("table", "layer", "counter", "tree"):
        raise ValueError(f"d, design: {d}, {design!r}; expected bits, and one of four designs")
    wiring, bits = Wiring(d), dict.fromkeys(range(d), 1.0)
    if design == "table":
        return truth_table(cubes.bits(d).sum(axis=1) % 2)
    if design == "layer":
        units = [wiring.unit(bits, -k - 0.5) for k in range(d)]
        return wiring.network([{u: (-1.0) ** k for k, u in enumerate(units)}])
    if design == "counter":
        found: dict[int, float] = {}
        for j in reversed(range(d.bit_length())):
            found[wiring.unit(bits | found, 0.5 - 2**j)] = -(2.0**j)
        return wiring.network([{list(found)[-1]: 1.0}])
    wires: list[Terms] = [{i: 1.0} for i in range(d)]
    while len(wires) > 1:
        both = {**wires.pop(0), **wires.pop(0)}
        wires.append({wiring.unit(both, -0.5): 1.0, wiring.unit(both, -1.5): -1.0})
    return wiring.network(wires)


def union(polytopes: Sequence[tuple[np.ndarray, np.ndarray]]) -> Built:
    """Whether a point lies in one of the open polytopes Ax + b > 0: two layers of step units."""
    wiring = Wiring(np.shape(polytopes[0][0])[1])
    sides = [
        [wiring.unit(dict(enumerate(map(float, a))), float(c)) for a, c in zip(A, b, strict=True)]
        for A, b in polytopes
    ]
    inside = [wiring.unit(dict.fromkeys(units, 1.0), 0.5 - len(units)) for units in sides]
    return wiring.network([dict.fromkeys(inside, 1.0)])


@takes()
def batcher(n: int) -> list[tuple[int, int]]:
    """The comparators of Batcher's merge sort, each (a, b): the smaller number goes to a.

    Raises ``ValueError`` unless n is a power of two.
    """
    if n < 1 or n & (n - 1):
        raise ValueError(f"n: {n}; expected a power of two")

    def merge(first: int, size: int, step: int) -> list[tuple[int, int]]:
        if 2 * step >= size:
            return [(first, first + step)]
        halves = merge(first, size, 2 * step) + merge(first + step, size, 2 * step)
        last = range(first + step, first + size - step, 2 * step)
        return halves + [(i, i + step) for i in last]

    sizes = [2**k for k in range(1, n.bit_length())]
    return [pair for size in sizes for i in range(0, n, size) for pair in merge(i, size, 1)]


@takes()
def sorter(n: int, comparators: Sequence[tuple[int, int]] | None = None) -> Built:
    r"""A ReLU network that sorts n real numbers by comparators, Batcher's if none are given.

    One unit each: :math:`r=(a-b)_+`, then :math:`\min=a-r` and :math:`\max=b+r`.
    """
    wiring = Wiring(n)
    wires: list[Terms] = [{i: 1.0} for i in range(n)]
    for low, high in batcher(n) if comparators is None else comparators:
        r = wiring.unit(combined((1.0, wires[low]), (-1.0, wires[high])))
        wires[low], wires[high] = {**wires[low], r: -1.0}, {**wires[high], r: 1.0}
    return wiring.network(wires, "relu")


@takes(knots="n", values="n")
def interpolant(knots: np.ndarray, values: np.ndarray) -> Built:
    """The broken line through these points, one ReLU an interval; knots increase."""
    if not np.all(np.diff(knots) > 0):
        raise ValueError(f"knots: {knots}; expected increasing ones")
    changes = np.diff(np.diff(values) / np.diff(knots), prepend=0.0)
    wiring = Wiring(1)
    units = [wiring.unit({0: 1.0}, -float(t)) for t in knots[:-1]]
    terms = dict(zip(units, changes.tolist(), strict=True))
    return wiring.network([{**terms, wiring.on: float(values[0])}], "relu")
