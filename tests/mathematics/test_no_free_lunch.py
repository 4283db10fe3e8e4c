"""Learning rules, exact averages and parities, against brute force and closed forms."""

from fractions import Fraction
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import hadamard

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
    points, wrong = nfl.cube(d), []
    for seen in combinations(range(len(points)), size):
        predict = rule(tuple((points[i], labels[i]) for i in seen))
        for i in set(range(len(points))) - set(seen):
            p = Fraction(predict(points[i]))
            wrong.append(1 - p if labels[i] else p)
    return sum(wrong) / len(wrong)


# --- rules ------------------------------------------------------------------------------------


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
        sample = tuple(zip(nfl.cube(2)[:3], labels, strict=True))
        predict = RULES[name](sample)
        assert [predict(x) for x, _ in sample] == list(labels)


def test_the_tree_takes_the_split_with_fewest_errors():
    sample = (((0, 0), 0), ((0, 1), 1), ((1, 1), 1))  # bit 1 separates, bit 0 does not
    predict = nfl.decision_tree(sample)
    assert [predict(x) for x in nfl.cube(2)] == [0, 1, 0, 1]


def test_classes_have_the_right_size():
    for d in (1, 2, 3):
        tables = {tuple(h(x) for x in nfl.cube(d)) for h in nfl.parities(d)}
        assert len(tables) == len(nfl.parities(d)) == 2 ** (d + 1)
        assert len({tuple(h(x) for x in nfl.cube(d)) for h in nfl.stumps(d)}) == 2 * d + 2


# --- exact averages ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("size", [1, 2, 3])
def test_off_sample_errors_are_the_definition(name, size):
    fast = nfl.off_sample_errors(RULES[name], 2, size)
    slow = [slow_off_sample(RULES[name], 2, size, tuple(f)) for f in nfl.labelings(4).tolist()]
    assert fast == slow


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.integers(1, 3))
def test_no_free_lunch_for_any_rule(seed, size):
    errors = nfl.off_sample_errors(arbitrary_rule(seed), 2, size)
    assert sum(errors) / len(errors) == HALF


def test_opposite_neighbour_complements_nearest():
    near, far = (nfl.off_sample_errors(RULES[name], 2, 2) for name in ("nearest", "opposite"))
    assert [a + b for a, b in zip(near, far, strict=True)] == [1] * 16


@pytest.mark.parametrize("name", RULES)
def test_full_errors_are_the_definition(name):
    points, table = nfl.cube(2), nfl.full_errors(RULES[name], nfl.cube(2), 2)
    for row, f in zip(table, nfl.labelings(4).tolist(), strict=True):
        for value, drawn in zip(row, product(range(4), repeat=2), strict=True):
            predict = RULES[name](tuple((points[i], f[i]) for i in drawn))
            assert value == sum(abs(predict(x) - y) for x, y in zip(points, f, strict=True)) / 4


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_value_of_the_game_bounds_every_rule(seed):
    means = nfl.full_errors(arbitrary_rule(seed), nfl.cube(2), 2).mean(axis=1)
    assert max(means) >= HALF * Fraction(3, 4) ** 2


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), weights=st.tuples(*[st.integers(0, 9)] * 4).filter(any))
def test_expected_errors_are_the_definition(seed, weights):
    rule, points = arbitrary_rule(seed), nfl.cube(2)
    p = [Fraction(w, sum(weights)) for w in weights]
    fast = nfl.expected_errors(rule, points, 2, p)
    for value, f in zip(fast[::5], nfl.labelings(4).tolist()[::5], strict=True):
        slow = Fraction(0)
        for i, j in product(range(4), repeat=2):
            predict = rule(((points[i], f[i]), (points[j], f[j])))
            wrong = sum(q * abs(predict(x) - y) for q, x, y in zip(p, points, f, strict=True))
            slow += p[i] * p[j] * wrong
        assert value == slow
    assert max(fast) >= sum(q * (1 - q) ** 2 for q in p) / 2  # part 1, for every rule and D


@pytest.mark.parametrize("weights", [(1, 1, 1), (5, 2, 1), (4, 0, 1), (1, 10, 0)])
@pytest.mark.parametrize("draws", [1, 2, 4])
def test_coin_and_memorizer_on_every_distribution(weights, draws):
    p = [Fraction(w, sum(weights)) for w in weights]
    missed = sum(q * (1 - q) ** draws for q in p)
    points = nfl.cube(2)[:3]
    assert set(nfl.expected_errors(nfl.coin, points, draws, p)) == {missed / 2}
    recalled = nfl.expected_errors(nfl.memorizer, points, draws, p)
    assert max(recalled) == recalled[-1] == missed


def test_uniform_expected_errors_are_the_mean_of_full_errors():
    for name in ("majority", "nearest", "tree"):
        means = nfl.full_errors(RULES[name], nfl.cube(2), 2).mean(axis=1)
        assert nfl.expected_errors(RULES[name], nfl.cube(2), 2, [Fraction(1, 4)] * 4) == list(means)


def test_the_value_needs_fewer_examples_than_points():
    p = [Fraction(1, 11), Fraction(10, 11)]
    assert max(nfl.expected_errors(nfl.coin, nfl.cube(1), 10, p)) > HALF * HALF**10


@settings(max_examples=60, deadline=None)
@given(
    weights=st.lists(st.integers(0, 50), min_size=2, max_size=9).filter(lambda w: sum(w) > 0),
    data=st.data(),
)
def test_coin_never_exceeds_the_value(weights, data):
    n, m = len(weights), data.draw(st.integers(1, len(weights) - 1))
    p = [Fraction(w, sum(weights)) for w in weights]
    assert sum(q * (1 - q) ** m for q in p) <= Fraction(n - 1, n) ** m


def test_coin_is_exactly_the_value_on_the_uniform_distribution():
    table = nfl.full_errors(nfl.coin, nfl.cube(3)[:5], 3)
    assert set(table.mean(axis=1)) == {HALF * Fraction(4, 5) ** 3}


def test_one_seventh():
    for name in RULES:
        table = nfl.full_errors(RULES[name], nfl.cube(2), 2)
        assert max((table >= Fraction(1, 8)).mean(axis=1)) >= 1 / 7


# --- the prior --------------------------------------------------------------------------------


def test_disagreements():
    edges, points = nfl.disagreements(3), nfl.cube(3)
    table = {tuple(f): e for f, e in zip(nfl.labelings(8).tolist(), edges.tolist(), strict=True)}
    assert table[(0,) * 8] == table[(1,) * 8] == 0
    assert table[tuple(sum(x) % 2 for x in points)] == 12
    assert table[tuple(x[1] for x in points)] == 4
    assert edges.mean() == 6


@pytest.mark.parametrize("t", [Fraction(1, 3), Fraction(1), Fraction(5, 2)])
def test_prior_average_and_bayes_error(t):
    size, points = 2, nfl.cube(2)
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
            for f, w in zip(nfl.labelings(4).tolist(), weights, strict=True):
                values = dict(zip(points, f, strict=True))
                if all(values[z] == y for z, y in sample):
                    score[values[x]] += w
            return int(score[1] > score[0])

        return predict

    attained = nfl.prior_average(nfl.off_sample_errors(bayes, 2, size), 2, t)
    assert attained == nfl.bayes_error(2, size, t) == nfl.bayes_error(2, size, 1 / t)


def test_rules_that_ignore_a_flip_stay_at_one_half():
    for rule in (nfl.memorizer, nfl.coin):
        assert nfl.prior_average(nfl.off_sample_errors(rule, 2, 2), 2, Fraction(1, 7)) == HALF


# --- circuits ---------------------------------------------------------------------------------


def test_nand_functions_by_hand():
    functions, circuits = nfl.nand_functions(2, 3)
    # 0 gates: x, y. 1 gate: nand(x,x), nand(y,y), nand(x,y) more. circuits: 2, 3, 3*6, 3*6*10.
    assert functions[:2] == [2, 5]
    assert circuits == [2, 5, 23, 203]
    assert nfl.nand_functions(2, 5)[0][-1] == 16
    assert nfl.nand_functions(1, 3)[0] == [1, 2, 3, 4]


def test_four_gates_make_xor_and_three_do_not():
    def reachable(gates):
        x = np.array(nfl.cube(2)).T.tolist()
        level = [[tuple(row) for row in x]]
        for _ in range(gates):
            level = [
                [*wires, tuple(1 - p * q for p, q in zip(a, b, strict=True))]
                for wires in level
                for a in wires
                for b in wires
            ]
        return {wires[-1] for wires in level}

    assert (0, 1, 1, 0) not in reachable(3)
    assert (0, 1, 1, 0) in reachable(4)
    assert (
        len(set().union(*(reachable(s) for s in range(1, 5)), {(0, 0, 1, 1), (0, 1, 0, 1)}))
        == (nfl.nand_functions(2, 4)[0][-1])
    )


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), k=st.integers(1, 8), rare=st.booleans())
def test_selection_circuits_compute_and_are_small(seed, k, rare):
    rng = np.random.default_rng(seed)
    values = (rng.random(2**k) < (0.1 if rare else 0.5)).astype(int)
    gates, output = nfl.selection_circuit(values.tolist())
    assert all(max(pair) < k + i for i, pair in enumerate(gates))
    assert (nfl.run_circuit(gates, np.array(nfl.cube(k)))[:, output] == values).all()
    assert k == 1 or len(gates) <= 21 * 2**k / k


def test_every_function_of_three_bits_has_a_selection_circuit():
    x = np.array(nfl.cube(3))
    for values in nfl.labelings(8):
        gates, output = nfl.selection_circuit(values)
        assert (nfl.run_circuit(gates, x)[:, output] == values).all()
        assert len(gates) <= 56


def test_the_count_of_gates_in_the_proof():
    for k in range(2, 65):
        j = int(np.log2(k / 2))
        levels = 3 * 2 ** (k - j) + 3 * sum(2 ** (2**i) for i in range(j + 1)) + k + 2
        assert levels <= 21 * 2**k / k


# --- parities ---------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), d=st.integers(1, 12), m=st.integers(1, 30))
def test_elimination_solves_consistent_systems(seed, d, m):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 2, (m, d))
    k = rng.integers(0, 2, (d, 3))
    found = nfl.eliminate(x, x @ k % 2)
    assert found.shape == (d, 3)
    assert (x @ found % 2 == x @ k % 2).all()
    assert (nfl.eliminate(x, x @ k[:, 0] % 2) == found[:, 0]).all()


def test_elimination_finds_the_parity():
    rng = np.random.default_rng(0)
    x, k = rng.integers(0, 2, (60, 40), dtype=np.uint8), rng.integers(0, 2, 40)
    assert (nfl.eliminate(x, x @ k % 2) == k).all()


def test_elimination_succeeds_exactly_if_its_rows_are_clean():
    rng, d = np.random.default_rng(1), 10
    x, k = rng.integers(0, 2, (40, d)), rng.integers(0, 2, d)
    y = x @ k % 2
    harmful = [(nfl.eliminate(x, y ^ (np.arange(40) == i)) != k).any() for i in range(40)]
    assert sum(harmful) == d  # one wrong label does harm in exactly d of the rows


def test_walsh_is_the_hadamard_transform():
    values = np.random.default_rng(2).normal(size=(16, 3))
    np.testing.assert_allclose(nfl.walsh(values), hadamard(16) @ values / 16, atol=1e-14)


def test_walsh_orders_parities_as_signs_does():
    x = nfl.signs(4)
    for k in range(16):
        chi = np.prod(x[:, [j for j in range(4) if k >> j & 1]], axis=1)
        np.testing.assert_allclose(nfl.walsh(chi), np.arange(16) == k, atol=1e-15)


def test_gradient_identity():
    d, rng = 6, np.random.default_rng(3)
    x, theta = nfl.signs(d), nfl.initial_network(d, 5, rng)
    jacobian = nfl.network_jacobian(theta, x)
    parts = np.sum(nfl.walsh(jacobian) ** 2, axis=1)
    assert np.mean(parts) == pytest.approx(np.mean(np.sum(jacobian**2, axis=1)) / 2**d, rel=1e-12)


def _generic(d=3, width=4, seed=4):
    rng = np.random.default_rng(seed)
    theta = nfl.initial_network(d, width, rng)
    return theta + 0.1 * rng.normal(size=theta.size), rng.choice([-1.0, 1.0], size=(7, d)), rng


def test_network_by_hand():
    theta = np.array([1.0, -1.0, 0.5, 0.0, 2.0, 3.0, -1.0])  # d = 1, width = 2
    assert nfl.network(theta, np.array([[1.0], [-1.0]])) == pytest.approx([2 * 1.5 - 1, 3 * 1 - 1])


def test_jacobian_against_differences():
    theta, x, _ = _generic()
    step = 1e-6
    shifts = step * np.eye(theta.size)
    numeric = [(nfl.network(theta + s, x) - nfl.network(theta - s, x)) / (2 * step) for s in shifts]
    np.testing.assert_allclose(nfl.network_jacobian(theta, x), np.transpose(numeric), atol=1e-8)


def test_logistic_gradient_is_the_chain_rule():
    theta, x, rng = _generic()
    y = rng.choice([-1.0, 1.0], size=len(x))
    slope = -y / (1 + np.exp(y * nfl.network(theta, x)))
    expected = slope @ nfl.network_jacobian(theta, x) / len(x)
    np.testing.assert_allclose(nfl.logistic_gradient(theta, (x, y)), expected, atol=1e-14)


def test_several_networks_are_trained_as_each_alone():
    rng = np.random.default_rng(5)
    theta = np.stack([nfl.initial_network(6, 4, rng) for _ in range(3)])
    theta += 0.1 * rng.normal(size=theta.shape)
    x = rng.choice([-1.0, 1.0], size=(3, 9, 6))
    y = rng.choice([-1.0, 1.0], size=(3, 9))
    together = nfl.logistic_gradient(theta, (x, y))
    for i in range(3):
        alone = nfl.logistic_gradient(theta[i], (x[i], y[i]))
        np.testing.assert_allclose(together[i], alone, atol=1e-14)
        outputs = nfl.network(theta[i], x[0])
        np.testing.assert_allclose(nfl.network(theta, x[0])[i], outputs, atol=1e-14)
        np.testing.assert_allclose(nfl.network(theta, x)[i], nfl.network(theta[i], x[i]))


def test_the_logistic_gradient_depends_on_the_target_as_the_chapter_says():
    theta, x, rng = _generic()
    y = rng.choice([-1.0, 1.0], size=len(x))
    factor = (np.tanh(nfl.network(theta, x) / 2) - y) / 2
    expected = factor @ nfl.network_jacobian(theta, x) / len(x)
    np.testing.assert_allclose(nfl.logistic_gradient(theta, (x, y)), expected, atol=1e-14)


# --- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nfl.off_sample_errors(nfl.coin, 5, 2), "d: 5"),
        (lambda: nfl.off_sample_errors(nfl.coin, 2, 4), "size: 4"),
        (lambda: nfl.off_sample_errors(lambda s: lambda x: 0.5, 2, 2), "predicted 0.5"),
        (lambda: nfl.off_sample_errors(lambda s: lambda x: 2, 2, 2), "predicted 2"),
        (
            lambda: nfl.off_sample_errors(lambda s: lambda x: Fraction(1, 2**33), 2, 2),
            "common denominator",
        ),
        (lambda: nfl.full_errors(nfl.coin, nfl.cube(4), 2), "points, draws: 16, 2"),
        (lambda: nfl.full_errors(nfl.coin, nfl.cube(2), 0), "points, draws: 4, 0"),
        (lambda: nfl.expected_errors(nfl.coin, nfl.cube(1), 2, [HALF, 1]), "that add to one"),
        (lambda: nfl.expected_errors(nfl.coin, nfl.cube(1), 2, [1]), "expected 2 that add"),
        (
            lambda: nfl.expected_errors(
                nfl.coin, nfl.cube(1), 9, [Fraction(1, 257), Fraction(256, 257)]
            ),
            "denominator 257 is too large",
        ),
        (lambda: nfl.selection_circuit([0, 1, 1]), "values: 3"),
        (lambda: nfl.prior_average([HALF] * 3, 2, Fraction(1)), "errors, t: 3"),
        (lambda: nfl.prior_average([HALF] * 16, 2, Fraction(0)), "expected 16 errors and t > 0"),
        (lambda: nfl.nand_functions(5, 1), "inputs, gates: 5, 1"),
        (lambda: nfl.eliminate(np.zeros((3, 2)), np.zeros(2)), "labels: 2 rows"),
        (lambda: nfl.walsh(np.zeros(6)), "values: 6 rows"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
