"""The language of short programs, against an interpreter, all bit strings and slow definitions."""

from fractions import Fraction
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lecture_code import description_length as dl

PROGRAMS = dl.enumerate_programs(16)
X = dl.inputs()


def interpreted(program: dl.Program, bits: list[int]) -> int:
    """The value of a program at one input, by walking its tree with Python's integers."""
    name, *arguments = program
    values = [interpreted(argument, bits) for argument in arguments]
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
            return sum(bits)
        case "int", [a]:
            return a
        case "add", [a, b]:
            return (a + b) % 256
        case "mul", [a, b]:
            return (a * b) % 256
    return bits[int(name[1:])] if name[0] == "x" else int(name)


def table_of(program: dl.Program) -> np.ndarray:
    """The truth table, input by input."""
    return np.array([bool(interpreted(program, row)) for row in X.astype(int).tolist()])


def test_inputs_and_packing():
    assert (X @ 2 ** np.arange(8) == np.arange(256)).all()
    values = np.random.default_rng(0).random((3, 256)) < 0.5
    words = dl.pack(values)
    assert words.shape == (3, 4)
    assert (dl.unpack(words) == values).all()
    assert words[1, 2] >> np.uint64(5) & np.uint64(1) == values[1, 2 * 64 + 5]


def test_all_bit_strings_of_up_to_eleven_bits():
    """Which strings are programs, and what they compute: decoded one by one."""
    found = {}
    for length in range(1, 12):
        for bits in product("01", repeat=length):
            try:
                program = dl.decode("".join(bits))
            except ValueError:
                continue
            found.setdefault(length, []).append(program)
    counted = dl.counts(11)
    assert {n: len(p) for n, p in found.items()} == {n: c for n, c in enumerate(counted) if c}
    for length, programs in found.items():
        slow = sorted(table_of(program).tobytes() for program in programs)
        block = dl.unpack(PROGRAMS.booleans[length].T)
        assert sorted(row.tobytes() for row in block) == slow


def test_no_program_begins_another():
    codes = [dl.encode(PROGRAMS.program(i)) for i in range(int(np.sum(PROGRAMS.length <= 14)))]
    ordered = sorted(codes)
    assert len(set(codes)) == len(codes)
    assert not any(b.startswith(a) for a, b in pairwise(ordered))


@settings(max_examples=60, deadline=None)
@given(index=st.integers(0, PROGRAMS.length.size - 1), row=st.integers(0, 255))
def test_unranking_encoding_and_evaluation_agree(index, row):
    program = PROGRAMS.program(index)
    code = dl.encode(program)
    assert len(code) == PROGRAMS.length[index]
    assert dl.decode(code) == program
    table = table_of(program)
    assert (dl.unpack(PROGRAMS.tables[:, index]) == table).all()
    assert dl.evaluate(program, X[row].astype(int).tolist()) == table[row]


def test_enumeration_and_recursion_count_the_same():
    counted = dl.counts(16)
    assert {n: PROGRAMS.booleans[n].shape[1] for n in PROGRAMS.lengths} == {
        n: c for n, c in enumerate(counted) if c
    }
    integers = dl.counts(12, "i")
    assert {n: block.shape[1] for n, block in PROGRAMS.integers.items() if n <= 12} == {
        n: c for n, c in enumerate(integers) if c
    }


def test_an_integer_may_be_as_long_as_the_limit_allows():
    """odd(...) is the shortest node around an integer: four bits."""
    program = ("odd", ("add", ("int", ("x0",)), ("ones",)))
    assert len(dl.encode(program)) == 17 > PROGRAMS.limit
    longest = dl.enumerate_programs(17).booleans[17]
    assert (longest == dl.pack(table_of(program))[:, None]).all(axis=0).any()


def test_kraft():
    sums = [dl.kraft_sum(limit) for limit in (4, 8, 20, 60)]
    assert sums[0] == Fraction(8, 16)
    assert sums == sorted(sums)
    assert sums[-1] < 1
    assert float(dl.kraft_sum(400)) > 0.99


def test_show_and_evaluate():
    program = ("mux", ("x0",), ("le", ("4",), ("ones",)), ("not", ("eq", ("0",), ("1",))))
    assert dl.show(program) == "if(x0, (4 <= ones), not (0 == 1))"
    assert dl.evaluate(program, [1, 0, 0, 0, 0, 0, 0, 0]) == 0
    assert dl.evaluate(program, [0] * 8) == 1
    big = ("mul", ("4",), ("mul", ("4",), ("mul", ("4",), ("4",))))
    assert dl.evaluate(big, [0] * 8) == 0  # 256 modulo 256
    assert dl.evaluate(("or", ("and", ("x1",), ("x2",)), ("xor", ("x3",), ("x4",))), [0] * 8) == 0


def test_first_of_each_function():
    everything = [column.tobytes() for column in PROGRAMS.tables.T]
    rows = [everything[i] for i in PROGRAMS.first]
    assert len(set(rows)) == len(rows)
    assert set(everything) == set(rows)
    assert all(everything.index(row) == i for row, i in zip(rows, PROGRAMS.first, strict=True))


def test_index_of_named_functions():
    for name, target in (
        ("odd(ones)", X.sum(axis=1) % 2 == 1),
        ("(4 <= ones)", X.sum(axis=1) >= 4),
    ):
        assert dl.show(PROGRAMS.program(PROGRAMS.index(dl.pack(target)))) == name
    assert PROGRAMS.index(dl.pack(np.random.default_rng(1).random(256) < 0.5)) is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: dl.decode("100"), "ends with '100'"),
        (lambda: dl.decode("00001"), "1 bits too many"),
        (lambda: dl.pack(np.zeros(8)), r"values: shape \(8,\)"),
        (lambda: dl.enumerate_programs(3), "limit: 3"),
        (lambda: dl.enumerate_programs(30), "limit: 30"),
        (lambda: PROGRAMS.program(-1), "index: -1"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: dl.decode("00a0"), "code: '00a0'; expected zeros and ones"),
        (lambda: dl.evaluate(("x0",), [2] + [0] * 7), "bits: holds 2"),
        (lambda: dl.evaluate(("x0",), [0] * 7), r"bits: shape \(7,\); expected \(8,\)"),
        (lambda: dl.show(("nand", ("x0",))), "program: .* expected a production"),
        (lambda: dl.encode(("and", ("x0",), ("1",))), "program: .* expected a production"),
        (lambda: dl.pack(np.full(256, 2)), "values: holds 2"),
        (lambda: dl.unpack(np.full(4, -1)), "words: .* expected four words"),
        (lambda: dl.counts(5, "c"), "kind: 'c'; expected 'b' or 'i'"),
    ],
)
def test_what_is_no_program_or_table_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
