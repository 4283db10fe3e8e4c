"""The language and its learners, against an interpreter, all bit strings, and slow definitions."""

from fractions import Fraction
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lecture_code import description_length as dl

PROGRAMS = dl.enumerate_programs(16)
TABLES = np.ascontiguousarray(PROGRAMS.tables[:, PROGRAMS.first])
LENGTH = PROGRAMS.length[PROGRAMS.first]
X = dl.inputs()


def table_of(program: dl.Program) -> np.ndarray:
    """The truth table by walking the tree at each input."""
    return np.array([bool(dl.evaluate(program, row)) for row in X.astype(int).tolist()])


# --- the language -----------------------------------------------------------------------------


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
@given(index=st.integers(0, PROGRAMS.length.size - 1))
def test_unranking_encoding_and_evaluation_agree(index):
    program = PROGRAMS.program(index)
    code = dl.encode(program)
    assert len(code) == PROGRAMS.length[index]
    assert dl.decode(code) == program
    assert (dl.unpack(PROGRAMS.tables[:, index]) == table_of(program)).all()


def test_enumeration_and_recursion_count_the_same():
    counted = dl.counts(16)
    assert {n: PROGRAMS.booleans[n].shape[1] for n in PROGRAMS.lengths} == {
        n: c for n, c in enumerate(counted) if c
    }
    integers = dl.counts(12, "i")
    assert {n: block.shape[1] for n, block in PROGRAMS.low_bits.items() if n <= 12} == {
        n: c for n, c in enumerate(integers) if c
    }


def test_long_integers_keep_their_last_bits():
    """odd(...) of an integer too long to be compared is still among the programs."""
    program = ("odd", ("int", ("not", ("x0",))))
    table = dl.pack(table_of(program))
    block = PROGRAMS.booleans[len(dl.encode(program))]
    assert (block == table[:, None]).all(axis=0).any()


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
    rows = [TABLES[:, j].tobytes() for j in range(TABLES.shape[1])]
    assert len(set(rows)) == len(rows)
    everything = [column.tobytes() for column in PROGRAMS.tables.T]
    assert set(everything) == set(rows)
    assert all(everything.index(row) == i for row, i in zip(rows, PROGRAMS.first, strict=True))


def test_index_of_named_functions():
    for name, target in (
        ("odd(ones)", X.sum(axis=1) % 2 == 1),
        ("(4 <= ones)", X.sum(axis=1) >= 4),
    ):
        assert dl.show(PROGRAMS.program(PROGRAMS.index(dl.pack(target)))) == name
    assert PROGRAMS.index(dl.pack(np.random.default_rng(1).random(256) < 0.5)) is None


# --- the learners -----------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), m=st.integers(1, 20))
def test_first_consistent_is_the_first(seed, m):
    rng = np.random.default_rng(seed)
    points = rng.integers(256, size=m)
    target = dl.unpack(TABLES[:, rng.integers(TABLES.shape[1])])
    agree = (dl.unpack(TABLES.T)[:, points] == target[points]).all(axis=1)
    assert dl.first_consistent(TABLES, *dl.sample_tables(points, target[points])) == agree.argmax()


def test_nothing_is_consistent():
    labels = np.random.default_rng(2).random(256) < 0.5
    assert dl.first_consistent(TABLES, *dl.sample_tables(np.arange(256), labels)) is None


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), m=st.integers(1, 60))
def test_training_errors_are_counted(seed, m):
    rng = np.random.default_rng(seed)
    points, labels = rng.integers(20, size=m), rng.random(m) < 0.5  # repeats and contradictions
    slow = (dl.unpack(TABLES.T)[:, points] != labels).sum(axis=1)
    assert (dl.training_errors(TABLES, points, labels) == slow).all()


def test_best_by_length():
    errors = np.array([3, 2, 2, 5, 1, 1])
    length = np.array([4, 4, 7, 7, 8, 8])
    assert dl.best_by_length(np.zeros((4, 6)), length, errors, [4, 7, 9]).tolist() == [1, 1, 4]


def test_occam_bound():
    assert dl.occam_bound(10, 100, 0.05) == pytest.approx((10 * np.log(2) + np.log(20)) / 100)


@pytest.mark.parametrize("bits", [10, 14, 16])
def test_examples_needed_is_when_the_learner_is_right_for_good(bits):
    early = 0
    for seed in range(12):
        target = int(np.random.default_rng(seed).choice(np.flatnonzero(LENGTH == bits)))
        truth = dl.unpack(TABLES[:, target])
        needed = dl.examples_needed(TABLES, target, 0.05, np.random.default_rng(seed))
        draws = np.random.default_rng(seed)
        points = np.array([int(draws.integers(256)) for _ in range(needed + 40)])

        def wrong(m, points=points, truth=truth):
            found = dl.first_consistent(TABLES, *dl.sample_tables(points[:m], truth[points[:m]]))
            return (dl.unpack(TABLES[:, found]) != truth).mean() > 0.05

        assert needed == 0 or wrong(needed - 1)
        assert not any(wrong(m) for m in range(needed, needed + 40))
        earlier = dl.unpack(TABLES[:, :target].T)
        consistent = (earlier == truth)[:, points[:needed]].all(axis=1)
        early += bool((consistent & ((earlier != truth).mean(axis=1) > 0.05)).any())
    assert bits != 14 or early > 0  # far rivals may survive behind a near one


def test_union_bound_examples():
    targets = [int(np.flatnonzero(LENGTH == 14)[i]) for i in (3, 7, 12)]

    def failure(m):
        total = 0.0
        for target in targets:
            different = dl.unpack(TABLES[:, :target].T) != dl.unpack(TABLES[:, target])
            share = different.mean(axis=1)
            total += min(1.0, np.sum((1 - share[share > 0.05]) ** m)) / 3
        return total

    m = dl.union_bound_examples(TABLES, targets, 0.05, 0.05)
    assert failure(m) <= 0.05 < failure(m - 1)


def test_occam_holds_for_all_consistent_programs():
    rng, held = np.random.default_rng(3), 0
    for _ in range(60):
        truth = dl.unpack(TABLES[:, int(rng.integers(TABLES.shape[1]))])
        points = rng.integers(256, size=40)
        consistent = dl.training_errors(TABLES, points, truth[points]) == 0
        error = (dl.unpack(TABLES[:, consistent].T) != truth).mean(axis=1)
        bounds = [dl.occam_bound(bits, 40, 0.05) for bits in LENGTH[consistent]]
        held += bool((error <= bounds).all())
    assert held >= 57


# --- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: dl.decode("100"), "ends with '100'"),
        (lambda: dl.decode("00001"), "1 bits too many"),
        (lambda: dl.pack(np.zeros(8)), r"values: shape \(8,\)"),
        (lambda: dl.enumerate_programs(3), "limit: 3"),
        (lambda: dl.enumerate_programs(30), "limit: 30"),
        (lambda: PROGRAMS.program(-1), "index: -1"),
        (lambda: dl.sample_tables(np.array([1, 2]), np.array([True])), "points, labels: shapes"),
        (lambda: dl.sample_tables(np.array([1, 1]), np.array([True, False])), "two labels"),
        (
            lambda: dl.best_by_length(TABLES, LENGTH, np.zeros(LENGTH.size), [3]),
            "grid: starts at 3 bits",
        ),
        (lambda: dl.occam_bound(3, 4, 1.5), "delta: 1.5"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
