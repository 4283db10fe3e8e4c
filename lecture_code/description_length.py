r"""Short programs: a prefix-free language, and all its programs in order of length.

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

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from itertools import combinations, pairwise
from typing import NamedTuple

import numpy as np

from lecture_code.checks import as_integers, as_words, takes
from lecture_code.truth_tables import INPUTS, POINTS, inputs, unpack, words
from lecture_code.truth_tables import pack as pack

#: A program as a tree: the name of a production, then its arguments.
Program = tuple


def _input(i: int) -> Callable[[], np.ndarray]:
    return lambda: words(inputs()[:, [i]])


def _constant(value: int) -> Callable[[], np.ndarray]:
    return lambda: np.full((POINTS, 1), value, dtype=np.uint8)


class Production(NamedTuple):
    """Types of result and arguments, "b" or "i" a letter; the notation; the meaning.

    The meaning maps what arguments compute to what the node computes, both along the first axis:
    Booleans as four words, integers as 256 values of eight bits (so that they wrap).
    """

    kind: str
    arguments: str
    text: str
    meaning: Callable[..., np.ndarray]


#: The place of a production among those of its type is its code.
PRODUCTIONS: dict[str, Production] = {
    **{f"x{i}": Production("b", "", f"x{i}", _input(i)) for i in range(INPUTS)},
    "not": Production("b", "b", "not {}", np.invert),
    "and": Production("b", "bb", "({} and {})", np.bitwise_and),
    "or": Production("b", "bb", "({} or {})", np.bitwise_or),
    "xor": Production("b", "bb", "({} xor {})", np.bitwise_xor),
    "mux": Production("b", "bbb", "if({}, {}, {})", lambda a, b, c: (a & b) | (~a & c)),
    "le": Production("b", "ii", "({} <= {})", lambda a, b: words(a <= b)),
    "eq": Production("b", "ii", "({} == {})", lambda a, b: words(a == b)),
    "odd": Production("b", "i", "odd({})", lambda a: words(a % 2 == 1)),
    **{str(n): Production("i", "", str(n), _constant(n)) for n in (0, 1, 2, 4)},
    "ones": Production("i", "", "ones", lambda: inputs().sum(1, np.uint8, keepdims=True)),
    "int": Production("i", "b", "int({})", lambda a: unpack(a.T).T.astype(np.uint8)),
    "add": Production("i", "ii", "({} + {})", np.add),
    "mul": Production("i", "ii", "({} * {})", np.multiply),
}
BITS = {"b": 4, "i": 3}
NAMES = {kind: [name for name, p in PRODUCTIONS.items() if p.kind == kind] for kind in BITS}


@takes()
def counts(limit: int, kind: str = "b") -> list[int]:
    """How many programs of each length 0, 1, ..., limit there are, by recursion on the length.

    The first node takes a fixed number of bits; its arguments share the rest. No program is written
    down, so the recursion reaches lengths that no enumeration does. Raises ``ValueError`` for
    another kind than "b" and "i".
    """
    if kind not in BITS:
        raise ValueError(f"kind: {kind!r}; expected 'b' or 'i'")

    @cache
    def ways(arguments: str, bits: int) -> int:
        """In how many ways so many bits are programs of these types, one after the other."""
        if not arguments or bits <= 0:
            return int(not arguments and bits == 0)
        if len(arguments) > 1:
            first, others = arguments[0], arguments[1:]
            return sum(ways(first, n) * ways(others, bits - n) for n in range(1, bits))
        rest = bits - BITS[arguments]
        return sum(ways(PRODUCTIONS[name].arguments, rest) for name in NAMES[arguments])

    return [ways(kind, length) for length in range(limit + 1)]


def kraft_sum(limit: int) -> Fraction:
    r""":math:`\sum_p 2^{-|p|}` over the programs of up to ``limit`` bits, exactly."""
    return sum(
        (Fraction(n, 2**length) for length, n in enumerate(counts(limit))), start=Fraction(0)
    )


def encode(program: Program) -> str:
    """The code of a program, a text of zeros and ones."""
    kind = _production(program).kind
    head = format(NAMES[kind].index(program[0]), f"0{BITS[kind]}b")
    return head + "".join(encode(argument) for argument in program[1:])


def decode(code: str) -> Program:
    """The program of a code; ``ValueError`` if it ends too early or too late, or is no code."""
    if not set(code) <= set("01"):
        raise ValueError(f"code: {code!r}; expected zeros and ones")
    program, rest = _decode(code, "b")
    if rest:
        raise ValueError(f"code: {code!r} has {len(rest)} bits too many; expected one program")
    return program


def _decode(code: str, kind: str) -> tuple[Program, str]:
    width = BITS[kind]
    if len(code) < width:
        raise ValueError(f"code: ends with {code!r}; expected a node of {width} bits")
    name, rest, arguments = NAMES[kind][int(code[:width], 2)], code[width:], []
    for argument_kind in PRODUCTIONS[name].arguments:
        argument, rest = _decode(rest, argument_kind)
        arguments.append(argument)
    return (name, *arguments), rest


def _production(program: Program) -> Production:
    """That of the first node; ``ValueError`` if it is unknown or has not the arguments it takes."""
    found = PRODUCTIONS.get(program[0]) if program else None
    arguments = [PRODUCTIONS[a[0]].kind if a and a[0] in PRODUCTIONS else "?" for a in program[1:]]
    if found is None or "".join(arguments) != found.arguments:
        raise ValueError(f"program: {program!r}; expected a production with its arguments")
    return found


def show(program: Program) -> str:
    """The program in the usual notation, such as ``(4 <= ones)`` or ``if(x0, x1, x2)``."""
    return _production(program).text.format(*(show(argument) for argument in program[1:]))


def evaluate(program: Program, bits: Sequence[int]) -> int:
    """The value of a program at one input of eight bits."""
    bits = as_integers("bits", bits, 0, 1, (INPUTS,))

    def run(node: Program) -> np.ndarray:
        return _production(node).meaning(*(run(argument) for argument in node[1:]))

    values = run(program)[:, 0]
    every = unpack(values) if PRODUCTIONS[program[0]].kind == "b" else values
    return int(every[np.dot(bits, 2 ** np.arange(INPUTS))])


@dataclass(frozen=True)
class Programs:
    """All programs of up to ``limit`` bits, shortest first.

    Both dictionaries map a length to what the programs of that length compute: ``booleans`` to
    truth tables of shape (4, count), ``integers``, for those short enough to be an argument, to
    values of shape (256, count). Programs of equal length follow the order of ``PRODUCTIONS``, and
    for equal productions that of their arguments, the shortest first argument first.
    """

    limit: int
    booleans: dict[int, np.ndarray]
    integers: dict[int, np.ndarray]

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

    @takes()
    def program(self, index: int) -> Program:
        """The program of that index, found by counting rather than stored."""
        if not 0 <= index < self.length.size:
            raise ValueError(f"index: {index}; expected 0 to {self.length.size - 1}")
        length = int(self.length[index])
        return self._unrank("b", length, index - int(np.searchsorted(self.length, length)))

    def index(self, table: np.ndarray) -> int | None:
        """The index of the first program with that truth table (four words), or None."""
        table = as_words("table", table)
        hits = np.flatnonzero((self.tables == table[:, None]).all(axis=0))
        return int(hits[0]) if hits.size else None

    def arguments(
        self, name: str, length: int
    ) -> Iterator[tuple[tuple[int, ...], list[np.ndarray]]]:
        """All ways to share the bits of a node among its arguments: their lengths and blocks."""
        kind, arguments, *_ = PRODUCTIONS[name]
        blocks = {"b": self.booleans, "i": self.integers}
        for lengths in _splits(length - BITS[kind], len(arguments)):
            parts = [blocks[k].get(n) for k, n in zip(arguments, lengths, strict=True)]
            if all(part is not None for part in parts):
                yield lengths, parts

    def _unrank(self, kind: str, length: int, rank: int) -> Program:
        for name in NAMES[kind]:
            for lengths, parts in self.arguments(name, length):
                sizes = [part.shape[1] for part in parts]
                size = int(np.prod(sizes, dtype=np.int64))
                if rank < size:
                    ranks = np.unravel_index(rank, sizes) if sizes else ()
                    places = zip(PRODUCTIONS[name].arguments, lengths, ranks, strict=True)
                    return (name, *(self._unrank(k, n, int(r)) for k, n, r in places))
                rank -= size
        raise AssertionError("the rank is beyond the programs of this length")


def _splits(rest: int, parts: int) -> Iterator[tuple[int, ...]]:
    """All ways to share ``rest`` bits among so many arguments, a bit or more for each."""
    if parts == 0:
        yield from [()] * (rest == 0)
    else:
        for cuts in combinations(range(1, rest), parts - 1):
            yield tuple(end - start for start, end in pairwise((0, *cuts, rest)))


@takes()
def enumerate_programs(limit: int) -> Programs:
    """All programs of up to ``limit`` bits with what they compute, built up by length.

    A program of a given length is a production and shorter arguments, so each block is made of
    outer combinations of earlier ones: one vector operation for many programs on all 256 inputs.
    Raises ``ValueError`` for a limit outside 4 ... 26 (memory grows almost as fast as 2**limit).
    """
    if not 4 <= limit <= 26:
        raise ValueError(f"limit: {limit}; expected 4 to 26 bits")
    found = Programs(limit, {}, {})
    for length in range(1, limit + 1):
        for kind, blocks in (("b", found.booleans), ("i", found.integers)):
            if kind == "i" and length > limit - BITS["b"]:
                continue  # too long to be an argument
            made = [
                _combined(PRODUCTIONS[name].meaning, parts)
                for name in NAMES[kind]
                for _, parts in found.arguments(name, length)
            ]
            if made:
                blocks[length] = np.concatenate(made, axis=1)
    return found


def _combined(meaning: Callable[..., np.ndarray], parts: Sequence[np.ndarray]) -> np.ndarray:
    """What a production computes from all combinations of arguments, the last running fastest."""
    places = np.eye(len(parts), dtype=bool)
    outer = [
        part.reshape(len(part), *np.where(own, part.shape[1], 1))
        for part, own in zip(parts, places, strict=True)
    ]
    values = meaning(*outer)
    return values.reshape(len(values), -1)
