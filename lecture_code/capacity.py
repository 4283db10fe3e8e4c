r"""What networks cost to learn: labelings counted, bits stored in weights, colourings as networks.

A labeling of m points is a number whose bit i is the label of point i, or a row of bits. Halfspaces
are strict, :math:`[\langle a,x\rangle>\theta]`, and a point that is always on stands for a bias.

Source: talk, "Sample Complexity of NN", "Optimization"; Baum & Haussler (1989), Bartlett et al.
(2019), Blum & Rivest (1992).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product
from math import comb

import numpy as np
from scipy.optimize import linprog

from lecture_code import cubes
from lecture_code.checks import as_bits, as_integer, as_integers, takes
from lecture_code.graphs import Dag

#: The lines of the smallest projective plane: sides and medians of a triangle, and a circle.
FANO = ((0, 5, 1), (1, 3, 2), (0, 4, 2), (0, 6, 3), (1, 6, 4), (2, 6, 5), (3, 4, 5))

# --- how many labelings -----------------------------------------------------------------------


@takes()
def sauer(m: int, v: int) -> int:
    r""":math:`\sum_{i\le v}\binom mi`, the most labelings of m points in a class of dimension v.

    Raises ``ValueError`` unless m and v are at least 0. Source: Sauer (1972).
    """
    _check(m >= 0 and v >= 0, "m, v", (m, v), "numbers that are at least 0")
    return sum(comb(m, i) for i in range(min(m, v) + 1))


@takes(points="m 2")
def half_planes(points: np.ndarray) -> np.ndarray:
    """All labelings of points in the plane by half-planes, sorted numbers.

    Every one is that of a line through two points, turned a little: each of the two may fall on
    either side. Raises ``ValueError`` if three points are on a line, or m is below 2 or above 20.
    """
    m = _few_points(points)
    found = set()
    for i, j in combinations(range(m), 2):
        along = points[i] - points[j]
        side = (points - points[j]) @ np.array([-along[1], along[0]])
        side[[i, j]] = 0
        off = np.delete(np.abs(side), [i, j])
        _check(off.size == 0 or off.min() > 1e-12, "points", (i, j), "no third on their line")
        rest = int((side > 0) @ (1 << np.arange(m)))
        for ends in (0, 1 << i, 1 << j, 1 << i | 1 << j):
            found |= {rest | ends, (1 << m) - 1 - (rest | ends)}
    return np.array(sorted(found))


@takes()
def threshold_functions(k: int) -> np.ndarray:
    """The truth tables of all step units on k <= 3 bits, shape (count, 2**k), inputs as ``bits``.

    Weights from -2 to 2 are enough for these k. Raises ``ValueError`` for others.
    """
    _check(1 <= k <= 3, "k", k, "1, 2 or 3")
    inputs = cubes.bits(k)
    sums = np.array(list(product(range(-2, 3), repeat=k))) @ inputs.T
    thresholds = np.arange(-6.5, 7)
    return np.unique((sums[:, None] > thresholds[:, None]).reshape(-1, 2**k), axis=0)


@takes(points="m 2")
def labelings(points: np.ndarray, hidden: int) -> np.ndarray:
    """All labelings of points in the plane by 2-hidden-1 networks of step units, sorted numbers.

    Every choice of half-planes for the hidden units goes through every function of the output
    unit; for one hidden unit the output adds nothing. Raises ``ValueError`` as ``half_planes``
    does, and unless there are 1 to 3 hidden units.
    """
    tables, m = threshold_functions(hidden), _few_points(points)
    full, planes = (1 << m) - 1, half_planes(points)
    planes = planes[planes <= full - planes]  # the output unit turns a hidden unit round
    seen = np.zeros(full + 1, dtype=bool)
    for chosen in combinations(range(len(planes)), hidden - 1):
        last = planes[chosen[-1] :] if chosen else planes
        cells = []
        for bits in cubes.bits(hidden):
            cell = np.where(bits[-1], last, full - last)
            for on, i in zip(bits, chosen, strict=False):
                cell = cell & (planes[i] if on else full - planes[i])
            cells.append(cell)
        for table in tables:
            on = [cell for cell, value in zip(cells, table, strict=True) if value]
            seen[np.bitwise_or.reduce(on, axis=0) if on else 0] = True
    return np.flatnonzero(seen)


# --- bits in weights --------------------------------------------------------------------------


def sine_weight(bits: Sequence[int]) -> int:
    r"""The odd integer :math:`W=1+\sum_jb_j2^j` that makes a sine say these labels.

    Bit j = 1, 2, ... is the wish at :math:`x_j=2^{-j}`: 0 for plus, 1 for minus. Raises
    ``ValueError`` for other bits.
    """
    return 1 + sum(int(bit) << j for j, bit in enumerate(as_bits("bits", bits), start=1))


@takes()
def sine_signs(weight: int, n: int) -> np.ndarray:
    r"""The signs of :math:`\sin(\pi W2^{-j})` for j = 1, ..., n, in exact arithmetic, 0 among them.

    Raises ``ValueError`` for negative n.
    """
    _check(n >= 0, "n", n, "at least 0")
    turns = [(weight % (2 << j), 1 << j) for j in range(1, n + 1)]  # W 2**-j mod 2, over 2**-j
    return np.array([0 if t in (0, one) else 1 if t < one else -1 for t, one in turns])


@takes(bits="k n")
def bit_extractor(bits: np.ndarray) -> tuple[Dag, np.ndarray]:
    r"""A ReLU network that says ``bits[a, i - 1]`` at the input (a, i, 1): 3k + 16n + 5 edges.

    Row a is the binary number :math:`\beta_a=\sum_ib_{ai}2^{-i}`, and only the k + 2 weights that
    hold these numbers depend on the bits. Each later layer reads off the first digit that is left.

    Raises ``ValueError`` for other entries than 0 and 1, or n above 26, where doubles end.
    Source: Shalev-Shwartz & Ben-David (2014), exercise 20.5; Koiran & Sontag (1997).
    """
    (k, n), bits = bits.shape, as_bits("bits", bits)
    _check(n <= 26, "n", n, "at most 26 bits a number")
    betas, gain = bits @ 0.5 ** np.arange(1, n + 1), 2.0**n
    edges: list[tuple[int, int]] = []
    weights: list[float] = []
    row, column, on = range(3)

    def unit(entering: dict[int, float]) -> int:
        new = 1 + max([on, *(v for _, v in edges)])
        edges.extend((u, new) for u in entering)
        weights.extend(entering.values())
        return new

    def ramps(source: int, last: int) -> dict[int, int]:
        shifts = range(-1 if source == row else 0, last + 1)
        return {j: unit({source: 1.0} | ({on: -float(j)} if j else {})) for j in shifts}

    rows, columns = ramps(row, k), ramps(column, n + 1)
    kinks = np.convolve(betas, [1, -2, 1])
    rest, outs = unit(dict(zip(rows.values(), kinks.tolist(), strict=True))), []
    for i in range(1, n + 1):
        above, half = unit({rest: 1.0, on: 1 / gain - 0.5}), unit({rest: 1.0, on: -0.5})
        hat = {columns[i - 1]: 1.0, columns[i]: -2.0, columns[i + 1]: 1.0}
        outs.append(unit({above: gain, half: -gain} | hat | {on: -1.0}))
        if i < n:
            rest = unit({rest: 2.0, above: -gain, half: gain})
    out = unit(dict.fromkeys(outs, 1.0))
    return Dag(3, tuple(edges), (out,)), np.array(weights)


def hidden_layers(net: Dag) -> int:
    """The most hidden units on a path from an input to an output."""
    depth = [0] * net.units
    for u, v in sorted(net.edges, key=lambda edge: edge[1]):
        depth[v] = max(depth[v], depth[u] + 1)
    return max(depth[v] for v in net.outs) - 1


# --- colourings as networks -------------------------------------------------------------------


def colouring_sample(n: int, sets: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Examples that an AND of k halfspaces fits exactly if n points have a k-colouring.

    None of the sets may be of one colour. The inputs, shape (1 + len(sets) + n, n): zero and the
    indicators of the sets, labelled True, then the n coordinate vectors, labelled False. Raises
    ``ValueError`` if a set is empty or holds other points than 0, ..., n - 1. Source: Blum & Rivest
    (1992).
    """
    n = as_integer("n", n)
    _check(all(len(s) for s in sets), "sets", sets, "none empty")
    members = [as_integers("sets", np.array(s), 0, n - 1) for s in sets]
    shown = np.array([np.isin(np.arange(n), s) for s in members], dtype=int).reshape(-1, n)
    x = np.vstack([np.zeros((1, n), dtype=int), shown, np.eye(n, dtype=int)])
    return x, np.arange(len(x)) <= len(sets)


@takes(colours="n")
def colouring_network(colours: np.ndarray, k: int = 2) -> np.ndarray:
    """Weights of k step units, shape (k, n): -1 at the points of the unit's colour, n elsewhere."""
    colours = as_integers("colours", colours, 0, k - 1)
    return np.where(colours == np.arange(k)[:, None], -1, colours.size)


@takes(weights="k n", x="m n")
def fires(weights: np.ndarray, x: np.ndarray) -> np.ndarray:
    r"""The AND of the units :math:`[\langle a_h,x\rangle>-\frac12]`, one truth value an example."""
    return np.all(x @ weights.T > -0.5, axis=1)


@takes(colours="n")
def one_coloured(colours: np.ndarray, sets: Sequence[Sequence[int]]) -> int:
    """How many of the sets are of one colour. Raises ``ValueError`` for unknown points."""
    members = [as_integers("sets", np.array(s), 0, colours.size - 1) for s in sets]
    return sum(np.unique(colours[s]).size == 1 for s in members)


@takes()
def consistent(n: int, sets: Sequence[Sequence[int]], k: int = 2) -> set[tuple[int, ...]]:
    """The ways to share the False examples out to k halfspaces so that a network fits the sample.

    Each halfspace is to cut off its share and to keep all True ones: a linear program.
    """
    x, labels = colouring_sample(n, sets)

    def separable(share: tuple[int, ...]) -> bool:
        cut = x[~labels][list(share)]
        rows = np.vstack([-x[labels], cut])
        sides = np.where(np.arange(len(rows)) < labels.sum(), 1, -1)
        system = np.column_stack([rows, sides])
        found = linprog(np.zeros(n + 1), system, -np.ones(len(rows)), bounds=(None, None))
        return found.status == 0

    shares = {s for size in range(n + 1) for s in combinations(range(n), size)}
    fine = {share for share in shares if separable(share)}
    return {
        colours
        for colours in product(range(k), repeat=n)
        if all(tuple(i for i in range(n) if colours[i] == h) in fine for h in range(k))
    }


def _few_points(points: np.ndarray) -> int:
    _check(2 <= len(points) <= 20, "points", len(points), "2 to 20 of them")
    return len(points)


def _check(holds: bool, name: str, value: object, expected: str) -> None:
    if not holds:
        raise ValueError(f"{name}: {value!r}; expected {expected}")
