"""Learners on truth tables, circuits and elimination, against slow definitions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lecture_code import cubes
from lecture_code import description_length as dl
from lecture_code import universal_learning as ul

PROGRAMS = dl.enumerate_programs(16)
TABLES = np.ascontiguousarray(PROGRAMS.tables[:, PROGRAMS.first])
LENGTH = PROGRAMS.length[PROGRAMS.first]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), m=st.integers(1, 20))
def test_a_sample_as_two_tables(seed, m):
    rng = np.random.default_rng(seed)
    points = rng.integers(256, size=m)
    truth = rng.random(256) < 0.5
    values, mask = map(dl.unpack, ul.sample_tables(points, truth[points]))
    assert set(np.flatnonzero(mask)) == set(points)
    assert (values == (truth & np.isin(np.arange(256), points))).all()


@pytest.mark.parametrize("m", [0, 3, 8, 60])
def test_the_first_consistent_function_is_the_first(m):
    rng = np.random.default_rng(m)
    points, truth = rng.integers(256, size=m), rng.random(256) < 0.5
    fits = [i for i, f in enumerate(dl.unpack(TABLES.T)) if (f[points] == truth[points]).all()]
    assert ul.first_consistent(TABLES, points, truth[points]) == (fits[0] if fits else None)
    assert bool(fits) == (m < 60)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), m=st.integers(1, 60))
def test_training_errors_are_counted(seed, m):
    rng = np.random.default_rng(seed)
    points, labels = rng.integers(20, size=m), rng.random(m) < 0.5  # repeats and contradictions
    slow = (dl.unpack(TABLES.T)[:, points] != labels).sum(axis=1)
    assert (ul.training_errors(TABLES, points, labels) == slow).all()


def test_best_by_length():
    errors = np.array([3, 2, 2, 5, 1, 1])
    length = np.array([4, 4, 7, 7, 8, 8])
    assert ul.best_by_length(np.zeros((4, 6)), length, errors, [4, 7, 9]).tolist() == [1, 1, 4]


@pytest.mark.parametrize("bits", [10, 14, 16])
def test_examples_needed_is_when_the_learner_is_right_for_good(bits):
    early = 0
    for seed in range(12):
        target = int(np.random.default_rng(seed).choice(np.flatnonzero(LENGTH == bits)))
        truth = dl.unpack(TABLES[:, target])
        needed = ul.examples_needed(TABLES, target, 0.05, np.random.default_rng(seed))
        draws = np.random.default_rng(seed)
        points = np.array([int(draws.integers(256)) for _ in range(needed + 40)])

        def wrong(m, points=points, truth=truth):
            errors = ul.training_errors(TABLES, points[:m], truth[points[:m]])
            found = int(np.argmin(errors))  # the target itself makes none
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

    m = ul.union_bound_examples(TABLES, targets, 0.05, 0.05)
    assert failure(m) <= 0.05 < failure(m - 1)


def test_nand_functions_by_hand():
    functions, circuits = ul.nand_functions(2, 3)
    # 0 gates: x, y. 1 gate: nand(x,x), nand(y,y), nand(x,y) more. circuits: 2, 3, 3*6, 3*6*10.
    assert functions[:2] == [2, 5]
    assert circuits == [2, 5, 23, 203]
    assert ul.nand_functions(2, 5)[0][-1] == 16
    assert ul.nand_functions(1, 3)[0] == [1, 2, 3, 4]


def test_nand_functions_by_brute_force():
    def reachable(gates):
        x = cubes.bits(2).T.tolist()
        level = [[tuple(row) for row in x]]
        for _ in range(gates):
            level = [
                [*wires, tuple(1 - p * q for p, q in zip(a, b, strict=True))]
                for wires in level
                for a in wires
                for b in wires
            ]
        return {wires[-1] for wires in level}

    inputs = {(0, 0, 1, 1), (0, 1, 0, 1)}
    counted = [len(inputs.union(*map(reachable, range(1, s + 1)))) for s in range(5)]
    assert ul.nand_functions(2, 4)[0] == counted


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), k=st.integers(1, 8), rare=st.booleans())
def test_selection_circuits_compute_and_are_small(seed, k, rare):
    rng = np.random.default_rng(seed)
    values = (rng.random(2**k) < (0.1 if rare else 0.5)).astype(int)
    gates, output = ul.selection_circuit(values.tolist())
    assert all(max(pair) < k + i for i, pair in enumerate(gates))
    assert (ul.run_circuit(gates, np.array(cubes.points(k)))[:, output] == values).all()
    assert k == 1 or len(gates) <= 21 * 2**k / k


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), d=st.integers(1, 12), m=st.integers(1, 30))
def test_elimination_solves_consistent_systems(seed, d, m):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 2, (m, d))
    k = rng.integers(0, 2, (d, 3))
    found = ul.eliminate(x, x @ k % 2)
    assert found.shape == (d, 3)
    assert (x @ found % 2 == x @ k % 2).all()
    assert (ul.eliminate(x, x @ k[:, 0] % 2) == found[:, 0]).all()


def test_elimination_succeeds_exactly_if_its_rows_are_clean():
    rng, d = np.random.default_rng(1), 10
    x, k = rng.integers(0, 2, (40, d)), rng.integers(0, 2, d)
    y = x @ k % 2
    harmful = [(ul.eliminate(x, y ^ (np.arange(40) == i)) != k).any() for i in range(40)]
    assert sum(harmful) == d  # one wrong label does harm in exactly d of the rows


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ul.sample_tables(np.array([1, 2]), np.array([True])), "points, labels: shapes"),
        (lambda: ul.sample_tables(np.array([1, 1]), np.array([True, False])), "two labels"),
        (
            lambda: ul.best_by_length(TABLES, LENGTH, np.zeros(LENGTH.size), [3]),
            "grid: starts at 3 bits",
        ),
        (lambda: ul.occam_bound(3, 4, 1.5), "delta: 1.5"),
        (lambda: ul.selection_circuit([0, 1, 1]), "values: 3"),
        (lambda: ul.nand_functions(5, 1), "inputs, gates: 5, 1"),
        (lambda: ul.eliminate(np.zeros((3, 2)), np.zeros(2)), "labels: 2 rows"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ul.eliminate([[1, 0], [1, 1]], [1, -1]), "labels: holds -1"),
        (lambda: ul.eliminate([[2, 0], [1, 1]], [1, 0]), "examples: holds 2"),
        (lambda: ul.eliminate(np.zeros((0, 2)), np.zeros(0)), "examples, labels: shapes"),
        (lambda: ul.sample_tables([3, 4], [1, -1]), "labels: holds -1"),
        (lambda: ul.sample_tables([3, -1], [1, 1]), "points: holds -1"),
        (lambda: ul.sample_tables([3, 256], [1, 1]), "points: holds 256"),
        (lambda: ul.training_errors(PROGRAMS.tables, [-1], [1]), "points: holds -1"),
        (lambda: ul.examples_needed(PROGRAMS.tables, -1, 0.1, None), "target: -1; expected"),
        (lambda: ul.union_bound_examples(PROGRAMS.tables, [1], 0.1, 0), "delta: 0"),
        (lambda: ul.union_bound_examples(PROGRAMS.tables, [1], -1, 0.1), "epsilon: -1"),
        (lambda: ul.run_circuit([(0, -1)], np.eye(2)), r"gates: \(0, -1\); expected"),
        (lambda: ul.selection_circuit([0, 2]), "values: holds 2"),
        (lambda: ul.occam_bound(10, 0, 0.1), "length, examples: 10.0, 0.0"),
    ],
)
def test_labels_and_indices_off_the_documented_sets_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
