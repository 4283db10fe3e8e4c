r"""Short programs: a prefix-free language, all its programs in order of length, two learners.

A program takes eight bits ``x0 ... x7`` and returns one. It is written in Polish notation: every
node is a fixed number of bits that name a production, followed by the code of its arguments. The
type of each node is known from its place, so no separators are needed and no program is the
beginning of another. A Boolean node takes four bits, an integer node three; integers are taken
modulo 256.

All 256 inputs are evaluated at once: a Boolean function is its truth table, four words of 64 bits.
That makes the search for the shortest program that fits a sample a matter of a few vector
operations.

Source: talk, "Free Lunches" and "Minimum Description Length Learner".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

INPUTS, POINTS, WORDS, MODULUS = 8, 256, 4, 256

#: name, type of the result, types of the arguments; the place in its type's list is the code.
PRODUCTIONS: tuple[tuple[str, str, str], ...] = (
    *((f"x{i}", "b", "") for i in range(INPUTS)),
    ("not", "b", "b"),
    ("and", "b", "bb"),
    ("or", "b", "bb"),
    ("xor", "b", "bb"),
    ("mux", "b", "bbb"),
    ("le", "b", "ii"),
    ("eq", "b", "ii"),
    ("odd", "b", "i"),
    *((str(value), "i", "") for value in (0, 1, 2, 4)),
    ("ones", "i", ""),
    ("int", "i", "b"),
    ("add", "i", "ii"),
    ("mul", "i", "ii"),
)
BITS = {"b": 4, "i": 3}
TYPES = {name: (kind, arguments) for name, kind, arguments in PRODUCTIONS}
NAMES = {kind: [name for name, k, _ in PRODUCTIONS if k == kind] for kind in BITS}
SHAPES = {
    "not": "not {}",
    "and": "({} and {})",
    "or": "({} or {})",
    "xor": "({} xor {})",
    "mux": "if({}, {}, {})",
    "le": "({} <= {})",
    "eq": "({} == {})",
    "odd": "odd({})",
    "int": "int({})",
    "add": "({} + {})",
    "mul": "({} * {})",
}

#: A program as a tree: the name of a production, then its arguments.
Program = tuple


def inputs() -> np.ndarray:
    """All inputs, shape (256, 8), Boolean; row r holds the bits of the number r, lowest first."""
    return ((np.arange(POINTS)[:, None] >> np.arange(INPUTS)) & 1).astype(bool)


def pack(values: np.ndarray) -> np.ndarray:
    """Truth values of shape (..., 256) as words of shape (..., 4)."""
    if values.shape[-1:] != (POINTS,):
        raise ValueError(f"values: shape {values.shape}; expected (..., {POINTS})")
    octets = np.packbits(np.ascontiguousarray(values, dtype=bool), axis=-1, bitorder="little")
    return octets.view("<u8")


def unpack(words: np.ndarray) -> np.ndarray:
    """Words of shape (..., 4) as truth values of shape (..., 256)."""
    octets = np.ascontiguousarray(words, dtype="<u8").view(np.uint8)
    return np.unpackbits(octets, axis=-1, bitorder="little").astype(bool)


def counts(limit: int, kind: str = "b") -> list[int]:
    """How many programs of each length 0, 1, ..., limit there are, by recursion on the length.

    The first node takes a fixed number of bits; its arguments share the rest. No program is written
    down, so the recursion reaches lengths that no enumeration does.
    """
    table: dict[str, list[int]] = {"b": [0], "i": [0]}
    pairs: dict[str, list[int]] = {"b": [0], "i": [0]}
    for length in range(1, limit + 1):
        for which in ("b", "i"):
            rest = length - BITS[which]
            total = 0
            for _, kind_of, arguments in PRODUCTIONS:
                if kind_of != which or rest < 0:
                    continue
                total += _ways(arguments, rest, table, pairs)
            table[which].append(total)
        for which in ("b", "i"):
            row = table[which]
            pairs[which].append(sum(row[a] * row[length - a] for a in range(1, length)))
    return table[kind]


def _ways(
    arguments: str, rest: int, table: dict[str, list[int]], pairs: dict[str, list[int]]
) -> int:
    if not arguments:
        return int(rest == 0)
    row = table[arguments[0]]
    if len(arguments) == 1:
        return row[rest]
    if len(arguments) == 2:
        return pairs[arguments[0]][rest]
    return sum(row[a] * pairs[arguments[0]][rest - a] for a in range(1, rest))


def kraft_sum(limit: int) -> Fraction:
    r""":math:`\sum_p 2^{-|p|}` over the programs of up to ``limit`` bits, exactly."""
    return sum(
        (Fraction(n, 2**length) for length, n in enumerate(counts(limit))), start=Fraction(0)
    )


def encode(program: Program) -> str:
    """The code of a program, a text of zeros and ones."""
    kind, _ = TYPES[program[0]]
    head = format(NAMES[kind].index(program[0]), f"0{BITS[kind]}b")
    return head + "".join(encode(argument) for argument in program[1:])


def decode(code: str) -> Program:
    """The program of a code; ``ValueError`` if it ends too early or too late."""
    program, rest = _decode(code, "b")
    if rest:
        raise ValueError(f"code: {code!r} has {len(rest)} bits too many; expected one program")
    return program


def _decode(code: str, kind: str) -> tuple[Program, str]:
    width = BITS[kind]
    if len(code) < width:
        raise ValueError(f"code: ends with {code!r}; expected a node of {width} bits")
    name, rest, arguments = NAMES[kind][int(code[:width], 2)], code[width:], []
    for argument_kind in TYPES[name][1]:
        argument, rest = _decode(rest, argument_kind)
        arguments.append(argument)
    return (name, *arguments), rest


def show(program: Program) -> str:
    """The program in the usual notation, such as ``(4 <= ones)`` or ``if(x0, x1, x2)``."""
    shape = SHAPES.get(program[0], program[0])
    return shape.format(*(show(argument) for argument in program[1:]))


def evaluate(program: Program, bits: Sequence[int]) -> int:
    """The value of a program at one input, by walking its tree."""
    name, *arguments = program
    values = [evaluate(argument, bits) for argument in arguments]
    match name, values:
        case "not", [a]:
            return 1 - a
        case "and", [a, b]:
            return a & b
        case "or", [a, b]:
            return a | b
        case "xor", [a, b]:
            return a ^ b
        case "mux", [a, b, c]:
            return b if a else c
        case "le", [a, b]:
            return int(a <= b)
        case "eq", [a, b]:
            return int(a == b)
        case "odd", [a]:
            return a % 2
        case "ones", _:
            return int(sum(bits))
        case "int", [a]:
            return a
        case "add", [a, b]:
            return (a + b) % MODULUS
        case "mul", [a, b]:
            return (a * b) % MODULUS
    return int(bits[int(name[1:])]) if name[0] == "x" else int(name)


@dataclass(frozen=True)
class Programs:
    """All programs of up to ``limit`` bits, shortest first.

    Each dictionary maps a length to what the programs of that length compute: ``booleans`` to truth
    tables of shape (4, count); ``integers`` to values of shape (count, 256), for those short enough
    to be compared; ``low_bits`` to truth tables of the integers' last bits. Programs of equal
    length follow the order of ``PRODUCTIONS``, and for equal productions that of their arguments,
    the shortest first argument first.
    """

    limit: int
    booleans: dict[int, np.ndarray]
    integers: dict[int, np.ndarray]
    low_bits: dict[int, np.ndarray]

    @property
    def lengths(self) -> list[int]:
        """The lengths at which there are programs."""
        return sorted(self.booleans)

    @cached_property
    def length(self) -> np.ndarray:
        """The length of each program, in bits."""
        return np.repeat(self.lengths, [self.booleans[n].shape[1] for n in self.lengths])

    @cached_property
    def tables(self) -> np.ndarray:
        """The truth table of each program, shape (4, number of programs)."""
        return np.concatenate([self.booleans[n] for n in self.lengths], axis=1)

    @cached_property
    def first(self) -> np.ndarray:
        """For each function, the index of the first program that computes it, increasing."""
        order = np.lexsort(self.tables)  # stable: within a function the first program comes first
        ordered = self.tables[:, order]
        new = np.r_[True, (ordered[:, 1:] != ordered[:, :-1]).any(axis=0)]
        return np.sort(order[new])

    def program(self, index: int) -> Program:
        """The program of that index, found by counting rather than stored."""
        if not 0 <= index < self.length.size:
            raise ValueError(f"index: {index}; expected 0 to {self.length.size - 1}")
        length = int(self.length[index])
        return self._unrank("b", length, index - int(np.searchsorted(self.length, length)))

    def index(self, table: np.ndarray) -> int | None:
        """The index of the first program with that truth table (four words), or None."""
        return first_consistent(self.tables, table, np.full(WORDS, 2**64 - 1, dtype=np.uint64))

    def _count(self, kind: str, length: int) -> int:
        block = (self.booleans if kind == "b" else self.low_bits).get(length)
        return 0 if block is None else block.shape[1]

    def _unrank(self, kind: str, length: int, rank: int) -> Program:
        for name in NAMES[kind]:
            arguments = TYPES[name][1]
            for lengths in _splits(length - BITS[kind], len(arguments)):
                sizes = [self._count(k, n) for k, n in zip(arguments, lengths, strict=True)]
                size = int(np.prod(sizes, dtype=np.int64))
                if rank < size:
                    ranks = np.unravel_index(rank, sizes) if sizes else ()
                    parts = zip(arguments, lengths, ranks, strict=True)
                    return (name, *(self._unrank(k, n, int(r)) for k, n, r in parts))
                rank -= size
        raise AssertionError("the rank is beyond the programs of this length")


def _splits(rest: int, parts: int) -> Iterator[tuple[int, ...]]:
    """All ways to share ``rest`` bits among so many arguments."""
    if parts == 0:
        if rest == 0:
            yield ()
    elif parts == 1:
        if rest > 0:
            yield (rest,)
    else:
        for first in range(1, rest):
            for others in _splits(rest - first, parts - 1):
                yield (first, *others)


def enumerate_programs(limit: int) -> Programs:
    """All programs of up to ``limit`` bits with what they compute, built up by length.

    A program of a given length is a production and shorter arguments, so each block is made of
    outer combinations of earlier ones: one vector operation for many programs on all 256 inputs.
    Raises ``ValueError`` for a limit outside 4 ... 26 (memory grows almost as fast as 2**limit).
    """
    if not 4 <= limit <= 26:
        raise ValueError(f"limit: {limit}; expected 4 to 26 bits")
    found = Programs(limit, {}, {}, {})
    for length in range(1, limit + 1):
        for block, parts in (
            (found.booleans, _boolean_parts(found, length)),
            (found.low_bits, _low_bit_parts(found, length)),
        ):
            joined = [part for part in parts if part.size]
            if joined:
                block[length] = np.concatenate(joined, axis=1)
        # Comparisons need whole values, of two integers that fit beside a node of four bits.
        if length <= limit - BITS["b"] - BITS["i"]:
            values = [part for part in _integer_parts(found, length) if part.size]
            if values:
                found.integers[length] = np.concatenate(values)
    return found


def _boolean_parts(found: Programs, length: int) -> Iterator[np.ndarray]:
    rest, bools, ints = length - BITS["b"], found.booleans, found.integers
    if rest == 0:
        yield np.ascontiguousarray(pack(inputs().T).T)
        return
    if rest in bools:
        yield ~bools[rest]
    for operation in (np.bitwise_and, np.bitwise_or, np.bitwise_xor):
        for a, b in _splits(rest, 2):
            if a in bools and b in bools:
                yield operation(bools[a][:, :, None], bools[b][:, None, :]).reshape(WORDS, -1)
    for a, b, c in _splits(rest, 3):
        if a in bools and b in bools and c in bools:
            test, then = bools[a][:, :, None, None], bools[b][:, None, :, None]
            other = bools[c][:, None, None, :]
            yield ((test & then) | (~test & other)).reshape(WORDS, -1)
    for compare in (np.less_equal, np.equal):
        for a, b in _splits(rest, 2):
            if a in ints and b in ints:
                truth = compare(ints[a][:, None], ints[b][None, :]).reshape(-1, POINTS)
                yield pack(truth).T
    if rest in found.low_bits:
        yield found.low_bits[rest]


def _integer_parts(found: Programs, length: int) -> Iterator[np.ndarray]:
    rest, bools, ints = length - BITS["i"], found.booleans, found.integers
    if rest == 0:
        constants = np.repeat(np.array([0, 1, 2, 4], dtype=np.uint8), POINTS).reshape(-1, POINTS)
        yield np.vstack([constants, inputs().sum(axis=1, dtype=np.uint8)])
        return
    if rest in bools:
        yield unpack(bools[rest].T).astype(np.uint8)
    for operation in (np.add, np.multiply):  # on uint8, hence modulo 256
        for a, b in _splits(rest, 2):
            if a in ints and b in ints:
                yield operation(ints[a][:, None], ints[b][None, :]).reshape(-1, POINTS)


def _low_bit_parts(found: Programs, length: int) -> Iterator[np.ndarray]:
    """Last bits of the integer programs: of a sum the xor, of a product the and."""
    rest, bools, low = length - BITS["i"], found.booleans, found.low_bits
    if rest == 0:
        yield pack(next(_integer_parts(found, length)) % 2).T
        return
    if rest in bools:
        yield bools[rest]
    for operation in (np.bitwise_xor, np.bitwise_and):
        for a, b in _splits(rest, 2):
            if a in low and b in low:
                yield operation(low[a][:, :, None], low[b][:, None, :]).reshape(WORDS, -1)


def first_consistent(tables: np.ndarray, labels: np.ndarray, mask: np.ndarray) -> int | None:
    """The first column of ``tables`` that agrees with ``labels`` wherever ``mask`` is set, or None.

    ``tables`` has shape (4, count), the other two are truth tables of four words.
    """
    alive = np.flatnonzero(((tables[0] ^ labels[0]) & mask[0]) == 0)
    for word in range(1, WORDS):
        alive = alive[((tables[word, alive] ^ labels[word]) & mask[word]) == 0]
    return int(alive[0]) if alive.size else None


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
    wrong_if_one = np.bincount(points, weights=~np.asarray(labels, bool), minlength=POINTS)
    wrong_if_zero = np.bincount(points, weights=np.asarray(labels, bool), minlength=POINTS)
    planes = _bit_planes((wrong_if_one - wrong_if_zero).astype(np.int64))
    total = np.full(tables.shape[1], int(wrong_if_zero.sum()), dtype=np.int64)
    for weight, plane in planes:
        total += weight * np.bitwise_count(tables & plane[:, None]).sum(axis=0, dtype=np.int64)
    return total


def _bit_planes(costs: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Integer costs of the points as a few truth tables with weights 1, -1, 2, -2, ..."""
    for sign in (1, -1):
        size, weight = np.maximum(sign * costs, 0), 1
        while size.any():
            yield sign * weight, pack(size % 2 == 1)
            size, weight = size // 2, 2 * weight


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
