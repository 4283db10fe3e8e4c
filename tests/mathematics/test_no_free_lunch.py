"""Learning rules and exact averages, against the definitions, one labeling at a time."""

from fractions import Fraction
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lecture_code import cubes
from lecture_code import no_free_lunch as nfl

HALF = Fraction(1, 2)
SAMPLE = (((0, 0, 0), 1), ((0, 1, 1), 0), ((1, 1, 0), 0), ((1, 1, 1), 0))
RULES = {
    "memorizer": nfl.memorizer,
    "coin": nfl.coin,
    "majority": nfl.majority,
    "nearest": nfl.nearest_neighbour,
    "opposite": nfl.opposite_neighbour,
    "tree": nfl.decision_tree,
    "stump": nfl.empirical_risk_minimizer(nfl.stumps(2)),
    "parity": nfl.empirical_risk_minimizer(nfl.parities(2)),
}


def arbitrary_rule(seed: int) -> nfl.Rule:
    """A randomised rule with no sense at all: its answers are drawn once for each question."""
    answers = {}

    def rule(sample):
        def predict(x):
            key = (sample, x)
            if key not in answers:
                drawn = np.random.default_rng([seed, abs(hash(key))]).integers(0, 8)
                answers[key] = Fraction(int(drawn), 7)
            return answers[key]

        return predict

    return rule


def slow_off_sample(rule: nfl.Rule, d: int, size: int, labels: tuple[int, ...]) -> Fraction:
    """The definition, one labeling at a time."""
    points, wrong = cubes.points(d), []
    for seen in combinations(range(len(points)), size):
        predict = rule(tuple((points[i], labels[i]) for i in seen))
        for i in set(range(len(points))) - set(seen):
            p = Fraction(predict(points[i]))
            wrong.append(1 - p if labels[i] else p)
    return sum(wrong) / len(wrong)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (nfl.memorizer, 0),
        (nfl.coin, HALF),
        (nfl.majority, 0),
        (nfl.nearest_neighbour, HALF),
        (nfl.opposite_neighbour, HALF),
        (nfl.decision_tree, 1),
        (nfl.empirical_risk_minimizer(nfl.stumps(3)), 1),
        (nfl.empirical_risk_minimizer(nfl.parities(3)), 1),
    ],
)
def test_rules_by_hand(rule, expected):
    assert rule(SAMPLE)((0, 0, 1)) == expected


def test_a_tie_is_a_coin():
    assert nfl.majority((((0,), 1), ((1,), 0)))((0,)) == HALF


@pytest.mark.parametrize("name", ["memorizer", "coin", "nearest", "tree"])
def test_these_rules_repeat_what_they_saw(name):
    for labels in product((0, 1), repeat=3):
        sample = tuple(zip(cubes.points(2)[:3], labels, strict=True))
        predict = RULES[name](sample)
        assert [predict(x) for x, _ in sample] == list(labels)


def test_the_tree_takes_the_split_with_fewest_errors():
    sample = (((0, 0), 0), ((0, 1), 1), ((1, 1), 1))  # bit 1 separates, bit 0 does not
    predict = nfl.decision_tree(sample)
    assert [predict(x) for x in cubes.points(2)] == [0, 1, 0, 1]


def test_classes_have_the_right_size():
    for d in (1, 2, 3):
        tables = {tuple(h(x) for x in cubes.points(d)) for h in nfl.parities(d)}
        assert len(tables) == len(nfl.parities(d)) == 2 ** (d + 1)
        assert len({tuple(h(x) for x in cubes.points(d)) for h in nfl.stumps(d)}) == 2 * d + 2


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("size", [1, 2, 3])
def test_off_sample_errors_are_the_definition(name, size):
    fast = nfl.off_sample_errors(RULES[name], 2, size)
    slow = [slow_off_sample(RULES[name], 2, size, tuple(f)) for f in cubes.bits(4).tolist()]
    assert fast == slow


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.integers(1, 3))
def test_no_free_lunch_for_any_rule(seed, size):
    errors = nfl.off_sample_errors(arbitrary_rule(seed), 2, size)
    assert sum(errors) / len(errors) == HALF


@pytest.mark.parametrize("name", RULES)
def test_full_errors_are_the_definition(name):
    points, table = cubes.points(2), nfl.full_errors(RULES[name], cubes.points(2), 2)
    for row, f in zip(table, cubes.bits(4).tolist(), strict=True):
        for value, drawn in zip(row, product(range(4), repeat=2), strict=True):
            predict = RULES[name](tuple((points[i], f[i]) for i in drawn))
            assert value == sum(abs(predict(x) - y) for x, y in zip(points, f, strict=True)) / 4


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), weights=st.tuples(*[st.integers(0, 9)] * 4).filter(any))
def test_expected_errors_are_the_definition(seed, weights):
    rule, points = arbitrary_rule(seed), cubes.points(2)
    p = [Fraction(w, sum(weights)) for w in weights]
    fast = nfl.expected_errors(rule, points, 2, p)
    for value, f in zip(fast[::5], cubes.bits(4).tolist()[::5], strict=True):
        slow = Fraction(0)
        for i, j in product(range(4), repeat=2):
            predict = rule(((points[i], f[i]), (points[j], f[j])))
            wrong = sum(q * abs(predict(x) - y) for q, x, y in zip(p, points, f, strict=True))
            slow += p[i] * p[j] * wrong
        assert value == slow


def test_disagreements():
    edges, points = nfl.disagreements(3), cubes.points(3)
    table = {tuple(f): e for f, e in zip(cubes.bits(8).tolist(), edges.tolist(), strict=True)}
    assert table[(0,) * 8] == table[(1,) * 8] == 0
    assert table[tuple(sum(x) % 2 for x in points)] == 12
    assert table[tuple(x[1] for x in points)] == 4
    assert edges.mean() == 6


@pytest.mark.parametrize("t", [Fraction(1, 3), Fraction(1), Fraction(5, 2)])
def test_prior_average_and_bayes_error(t):
    size, points = 2, cubes.points(2)
    weights = [t ** int(e) for e in nfl.disagreements(2)]
    total = sum(weights)
    for rule in RULES.values():
        errors = nfl.off_sample_errors(rule, 2, size)
        expected = sum(w * e for w, e in zip(weights, errors, strict=True)) / total
        assert nfl.prior_average(errors, 2, t) == expected
        assert expected >= nfl.bayes_error(2, size, t)

    def bayes(sample):
        def predict(x):
            score = [Fraction(0), Fraction(0)]
            for f, w in zip(cubes.bits(4).tolist(), weights, strict=True):
                values = dict(zip(points, f, strict=True))
                if all(values[z] == y for z, y in sample):
                    score[values[x]] += w
            return int(score[1] > score[0])

        return predict

    attained = nfl.prior_average(nfl.off_sample_errors(bayes, 2, size), 2, t)
    assert attained == nfl.bayes_error(2, size, t) == nfl.bayes_error(2, size, 1 / t)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nfl.off_sample_errors(nfl.coin, 4, 2), "d: 4"),
        (lambda: nfl.off_sample_errors(nfl.coin, 2, 4), "size: 4"),
        (lambda: nfl.off_sample_errors(lambda s: lambda x: 0.5, 2, 2), "predicted 0.5"),
        (lambda: nfl.off_sample_errors(lambda s: lambda x: 2, 2, 2), "predicted 2"),
        (lambda: nfl.full_errors(nfl.coin, cubes.points(4), 2), "points, draws: 16, 2"),
        (lambda: nfl.full_errors(nfl.coin, cubes.points(2), 0), "points, draws: 4, 0"),
        (lambda: nfl.expected_errors(nfl.coin, cubes.points(1), 2, [HALF, 1]), "that add to one"),
        (lambda: nfl.expected_errors(nfl.coin, cubes.points(1), 2, [1]), "expected 2 that add"),
        (lambda: nfl.prior_average([HALF] * 3, 2, Fraction(1)), "errors: 3; expected 16"),
        (lambda: nfl.prior_average([HALF] * 16, 2, Fraction(0)), "t: 0; expected t > 0"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nfl.majority((((0,), -1),)), "sample: .* expected 0 or more pairs"),
        (lambda: nfl.nearest_neighbour(()), r"sample: \(\); expected 1 or more pairs"),
        (lambda: nfl.decision_tree(()), r"sample: \(\); expected 1 or more pairs"),
        (lambda: nfl.empirical_risk_minimizer([]), r"hypotheses: \[\]; expected"),
        (lambda: nfl.bayes_error(1, 2, 1), "size: 2; expected 0 to 1"),
        (lambda: nfl.disagreements(0), "d: 0; expected at least 1"),
        (lambda: nfl.prior_weights(1, float("nan")), "t: nan; expected a finite number"),
        (lambda: nfl.parities(-1), "d: -1; expected at least 0"),
    ],
)
def test_samples_and_sizes_off_the_documented_sets_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_votes_in_small_integers_do_not_wrap():
    label = np.uint8(1)
    assert nfl.majority([((0,), label)] * 300)((1,)) == 1
