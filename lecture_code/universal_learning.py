r"""Learners that search through short programs, circuits that run fast, and parities.

A sample of points below 256 and labels is two truth tables of four words, as in
:mod:`lecture_code.description_length`; ``tables`` are distinct functions in the order in which a
learner tries them, shape (4, count).

Source: talk, "Minimum Description Length Learner" and "No Free Lunch After All"; Shalev-Shwartz,
Shamir & Shammah (2017) for the parities.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement

import numpy as np

from lecture_code import cubes
from lecture_code.description_length import POINTS, pack


def sample_tables(points: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A sample as two truth tables: its labels, and a mask of the points it holds.

    ``points`` are numbers below 256 and may repeat. Raises ``ValueError`` if shapes differ or a
    point comes with two labels.
    """
    points, labels = np.asarray(points), np.asarray(labels, dtype=bool)
    if points.shape != labels.shape or points.ndim != 1:
        raise ValueError(f"points, labels: shapes {points.shape}, {labels.shape}; expected equal")
    mask, values = np.zeros(POINTS, dtype=bool), np.zeros(POINTS, dtype=bool)
    mask[points] = True
    values[points] = labels
    if (values[points] != labels).any():
        raise ValueError("labels: a point has two labels; expected a sample without noise")
    return pack(values), pack(mask)


def training_errors(tables: np.ndarray, points: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """How many examples each column of ``tables`` gets wrong; labels may contradict each other."""
    labels = np.asarray(labels, dtype=bool)
    ones, zeros = (np.bincount(points[labels == kind], minlength=POINTS) for kind in (True, False))
    cost = zeros - ones  # what it costs to say 1 rather than 0
    total = np.full(tables.shape[1], ones.sum())
    for value in np.unique(cost[cost != 0]):
        said = np.bitwise_count(tables & pack(cost == value)[:, None])
        total += value * said.sum(axis=0, dtype=int)
    return total


def best_by_length(
    tables: np.ndarray, length: np.ndarray, errors: np.ndarray, grid: Sequence[int]
) -> np.ndarray:
    """For each bound on the length, the first program among those with fewest training errors."""
    ends = np.searchsorted(length, grid, side="right")
    if ends[0] == 0:
        raise ValueError(f"grid: starts at {grid[0]} bits; expected at least {length[0]}")
    return np.array([int(np.argmin(errors[:end])) for end in ends])


def occam_bound(length: float, examples: float, delta: float) -> float:
    r""":math:`(|p|\log 2 + \log(1/\delta))/m`, Occam's bound on a consistent program's error."""
    if not 0 < delta < 1:
        raise ValueError(f"delta: {delta}; expected a probability in (0, 1)")
    return float((length * np.log(2) + np.log(1 / delta)) / examples)


def examples_needed(
    tables: np.ndarray, target: int, epsilon: float, rng: np.random.Generator
) -> int:
    r"""After how many examples the shortest-program learner is right up to epsilon, for good.

    ``tables`` are distinct functions in the order in which the learner tries them, ``target`` is
    the column to learn. Points are drawn uniformly with replacement. The learner returns the first
    function that no example has refuted. Counted is the last time at which that one differs from
    the target on more than :math:`256\,\epsilon` points, plus one. (Other far functions may survive
    longer, behind one that is near; they do no harm.)
    """
    different = tables[:, :target] ^ tables[:, target][:, None]
    far = np.bitwise_count(different).sum(axis=0) > epsilon * POINTS
    alive, examples, needed = np.arange(target), 0, 0
    while far[alive].any():
        examples += 1
        if far[alive[0]]:
            needed = examples
        word, bit = divmod(int(rng.integers(POINTS)), 64)
        alive = alive[(different[word, alive] >> np.uint64(bit)) & np.uint64(1) == 0]
    return needed


def union_bound_examples(
    tables: np.ndarray, targets: Sequence[int], epsilon: float, delta: float
) -> int:
    r"""The least m with mean over the targets of :math:`\min(1,\sum_g (1-d_g)^m)\le\delta`.

    The sum runs over a target's rivals: the earlier functions g that differ from it on a share
    :math:`d_g>\epsilon` of the inputs. It bounds the probability that one of them survives m
    examples; the mean is over a target drawn from the list.
    """
    number = np.zeros((len(targets), POINTS + 1))
    for row, target in zip(number, targets, strict=True):
        different = tables[:, :target] ^ tables[:, target][:, None]
        row += np.bincount(np.bitwise_count(different).sum(axis=0), minlength=POINTS + 1)
    share = np.arange(POINTS + 1) / POINTS
    number[:, share <= epsilon] = 0
    examples = 0
    while np.minimum(number @ (1 - share) ** examples, 1).mean() > delta:
        examples += 1
    return examples


def nand_functions(inputs: int, gates: int) -> tuple[list[int], list[int]]:
    """Distinct functions, and circuits, of up to 0, 1, ..., ``gates`` NAND gates on so many inputs.

    A circuit is a list of gates, each fed by two earlier wires; its value is that of its last wire.
    Raises ``ValueError`` outside 1 to 4 inputs and 0 to 5 gates.
    """
    if not (1 <= inputs <= 4 and 0 <= gates <= 5):
        raise ValueError(f"inputs, gates: {inputs}, {gates}; expected 1 to 4 and 0 to 5")
    ones = np.uint16(2 ** (2**inputs) - 1)
    wires = (2 ** np.arange(2**inputs) @ cubes.bits(inputs)).astype(np.uint16)[None, :]
    known, circuits = set(wires[0].tolist()), [inputs]
    functions = [len(known)]
    for _ in range(gates):
        pairs = combinations_with_replacement(range(wires.shape[1]), 2)
        grown = [np.c_[wires, ~(wires[:, a] & wires[:, b]) & ones] for a, b in pairs]
        wires = np.concatenate(grown)
        known |= set(np.unique(wires[:, -1]).tolist())
        functions.append(len(known))
        circuits.append(circuits[-1] + len(wires))
    return functions, circuits


def selection_circuit(values: Sequence[int]) -> tuple[list[tuple[int, int]], int]:
    """NAND gates for a function of k bits: a tree of selections that builds no subfunction twice.

    Parameters
    ----------
    values : the 2**k values, in the order of ``cubes.points(k)``, k >= 1.

    Returns
    -------
    gates : the two wires that feed each gate; wires 0 to k - 1 are the inputs, then the gates.
    output : the wire that carries the value.
    """
    k = len(values).bit_length() - 1
    if k < 1 or len(values) != 2**k:
        raise ValueError(f"values: {len(values)}; expected a power of two, 2 or more")
    gates: list[tuple[int, int]] = []

    def nand(a: int, b: int) -> int:
        gates.append((a, b))
        return k + len(gates) - 1

    negated = [nand(i, i) for i in range(k)]
    one = nand(0, negated[0])
    built = {(0,): nand(one, one), (1,): one}

    def build(part: tuple[int, ...], bit: int) -> int:
        if part not in built:
            half = len(part) // 2
            if part == part[:1] * len(part):
                built[part] = built[part[:1]]
            else:
                low, high = build(part[:half], bit + 1), build(part[half:], bit + 1)
                built[part] = nand(nand(bit, high), nand(negated[bit], low))
        return built[part]

    output = build(tuple(int(v) for v in values), 0)
    return gates, output


def run_circuit(gates: Sequence[tuple[int, int]], inputs: np.ndarray) -> np.ndarray:
    """The values of all wires, shape (rows, wires), on rows of input bits."""
    wires = [np.asarray(column, dtype=bool) for column in inputs.T]
    for a, b in gates:
        wires.append(~(wires[a] & wires[b]))
    return np.stack(wires, axis=1)


def eliminate(examples: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The parity that Gaussian elimination modulo 2 reads off the examples.

    Parameters
    ----------
    examples : shape (m, d), entries 0 and 1.
    labels : shape (m,), or (m, r) for r sets of labels of the same examples.

    Returns
    -------
    k of shape (d,) or (d, r) with <k, x> = y modulo 2 on the rows that elimination uses; free
    coordinates are 0. If the labels are those of a parity and the examples have rank d, it is k.

    Raises
    ------
    ValueError : if the numbers of rows differ.
    """
    if len(examples) != len(labels):
        raise ValueError(f"labels: {len(labels)} rows; expected {len(examples)}, as examples has")
    d = examples.shape[1]
    rows = np.c_[examples, labels.reshape(len(labels), -1)].astype(np.uint8)
    pivots: list[int] = []
    for column in range(d):
        candidates = np.flatnonzero(rows[len(pivots) :, column])
        if candidates.size == 0:
            continue
        here, there = len(pivots), len(pivots) + int(candidates[0])
        rows[[here, there]] = rows[[there, here]]
        others = rows[:, column].copy()
        others[here] = 0
        rows ^= others[:, None] * rows[here]
        pivots.append(column)
    parity = np.zeros((d, rows.shape[1] - d), dtype=np.uint8)
    parity[pivots] = rows[: len(pivots), d:]
    return parity.reshape(d, *labels.shape[1:])
