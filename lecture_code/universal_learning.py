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
from lecture_code.checks import as_bits, as_integer, as_integers, as_words, takes
from lecture_code.truth_tables import POINTS, pack


def sample_tables(points: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A sample as two truth tables: its labels, and a mask of the points it holds.

    ``points`` are numbers below 256 and may repeat, labels are 0 or 1. Raises ``ValueError`` for
    others, if shapes differ or a point comes with two labels.
    """
    points, labels = _sample(points, labels)
    mask, values = np.zeros(POINTS, dtype=bool), np.zeros(POINTS, dtype=bool)
    mask[points] = True
    values[points] = labels
    if (values[points] != labels).any():
        raise ValueError("labels: a point has two labels; expected a sample without noise")
    return pack(values), pack(mask)


def first_consistent(tables: np.ndarray, points: np.ndarray, labels: np.ndarray) -> int | None:
    """The first column of ``tables`` that makes no error on the sample, or None if all do.

    With tables in order of the length of their programs this is the learner of minimum description
    length. Raises ``ValueError`` as :func:`sample_tables` does.
    """
    tables, (values, mask) = as_words("tables", tables), sample_tables(points, labels)
    consistent = (((tables ^ values[:, None]) & mask[:, None]) == 0).all(axis=0)
    return int(consistent.argmax()) if consistent.any() else None


def training_errors(tables: np.ndarray, points: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """How many examples each column of ``tables`` gets wrong; labels may contradict each other."""
    tables, (points, labels) = as_words("tables", tables), _sample(points, labels)
    ones, zeros = (np.bincount(points[labels == kind], minlength=POINTS) for kind in (True, False))
    cost = zeros - ones  # what it costs to say 1 rather than 0
    least = cost.min()
    total = ones.sum() + least * np.bitwise_count(tables).sum(axis=0, dtype=int)
    for power in 2 ** np.arange(int(np.ptp(cost)).bit_length()):  # the rest, a bit at a time
        said = np.bitwise_count(tables & pack((cost - least) & power != 0)[:, None])
        total += power * said.sum(axis=0, dtype=int)
    return total


def best_by_length(
    tables: np.ndarray, length: np.ndarray, errors: np.ndarray, grid: Sequence[int]
) -> np.ndarray:
    """For each bound on the length, the first program among those with fewest training errors."""
    length, errors, grid = np.asarray(length), np.asarray(errors), np.asarray(grid)
    if not 0 < len(length) == len(errors) == np.shape(tables)[1]:
        found = f"{np.shape(tables)[1]}, {len(length)}, {len(errors)}"
        raise ValueError(f"tables, length, errors: {found}; expected equal numbers of programs")
    ends = np.searchsorted(length, grid, side="right")
    if np.min(ends) == 0:
        raise ValueError(f"grid: starts at {np.min(grid)} bits; expected at least {length[0]}")
    return np.array([int(np.argmin(errors[:end])) for end in ends])


@takes()
def occam_bound(length: float, examples: float, delta: float) -> float:
    r""":math:`(|p|\log 2 + \log(1/\delta))/m`, Occam's bound on a consistent program's error."""
    if not 0 < delta < 1:
        raise ValueError(f"delta: {delta}; expected a probability in (0, 1)")
    if length < 0 or examples <= 0:
        raise ValueError(f"length, examples: {length}, {examples}; expected >= 0, positive")
    return float((length * np.log(2) + np.log(1 / delta)) / examples)


@takes()
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
    _check_epsilon(epsilon)
    different = _differences(as_words("tables", tables), target)
    far = np.bitwise_count(different).sum(axis=0) > epsilon * POINTS
    alive, examples, needed = np.arange(target), 0, 0
    while far[alive].any():
        examples += 1
        if far[alive[0]]:
            needed = examples
        word, bit = divmod(int(rng.integers(POINTS)), 64)
        alive = alive[(different[word, alive] >> np.uint64(bit)) & np.uint64(1) == 0]
    return needed


@takes()
def union_bound_examples(
    tables: np.ndarray, targets: Sequence[int], epsilon: float, delta: float
) -> int:
    r"""The least m with mean over the targets of :math:`\min(1,\sum_g (1-d_g)^m)\le\delta`.

    The sum runs over a target's rivals: the earlier functions g that differ from it on a share
    :math:`d_g>\epsilon` of the inputs. It bounds the probability that one of them survives m
    examples; the mean is over a target drawn from the list.
    """
    _check_epsilon(epsilon)
    if not delta > 0:
        raise ValueError(f"delta: {delta}; expected a positive number")
    tables = as_words("tables", tables)
    number = np.zeros((len(targets), POINTS + 1))
    for row, target in zip(number, targets, strict=True):
        different = _differences(tables, as_integer("targets", target))
        row += np.bincount(np.bitwise_count(different).sum(axis=0), minlength=POINTS + 1)
    share = np.arange(POINTS + 1) / POINTS
    number[:, share <= epsilon] = 0
    examples = 0
    while np.minimum(number @ (1 - share) ** examples, 1).mean() > delta:
        examples += 1
    return examples


def _sample(points: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points as integers and labels as truth values, one for each."""
    points = as_integers("points", points, 0, POINTS - 1)
    if points.shape != np.shape(labels) or points.ndim != 1:
        found = f"{points.shape}, {np.shape(labels)}"
        raise ValueError(f"points, labels: shapes {found}; expected equal")
    return points, as_bits("labels", labels)


def _differences(tables: np.ndarray, target: int) -> np.ndarray:
    """Where each function before the target differs from it, as truth tables."""
    if not 0 <= target < tables.shape[1]:
        raise ValueError(f"target: {target}; expected a column, 0 to {tables.shape[1] - 1}")
    return tables[:, :target] ^ tables[:, target][:, None]


def _check_epsilon(epsilon: float) -> None:
    if not epsilon >= 0:
        raise ValueError(f"epsilon: {epsilon}; expected at least 0")


@takes()
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
    values = as_bits("values", values).astype(int)
    k = values.size.bit_length() - 1
    if k < 1 or values.shape != (2**k,):
        raise ValueError(f"values: {values.size}; expected a power of two, 2 or more")
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

    output = build(tuple(values.tolist()), 0)
    return gates, output


def run_circuit(gates: Sequence[tuple[int, int]], inputs: np.ndarray) -> np.ndarray:
    """The values of all wires, shape (rows, wires), on rows of input bits.

    Raises ``ValueError`` if a gate is fed by a wire that is not before it.
    """
    wires = list(as_bits("inputs", inputs).T)
    for gate in gates:
        a, b = (as_integer("gates", wire) for wire in gate)
        if not (0 <= a < len(wires) and 0 <= b < len(wires)):
            raise ValueError(f"gates: ({a}, {b}); expected wires 0 to {len(wires) - 1}")
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
    ValueError : if the numbers of rows differ, or an entry or label is neither 0 nor 1.
    """
    examples, labels = as_bits("examples", examples), as_bits("labels", labels)
    if examples.ndim != 2 or labels.ndim not in (1, 2) or examples.size == 0:
        found = f"{examples.shape}, {labels.shape}"
        raise ValueError(f"examples, labels: shapes {found}; expected (m, d) and (m,) or (m, r)")
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
