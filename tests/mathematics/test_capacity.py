"""Labelings against linear programs, sines in fractions and floats, networks against tables."""

from fractions import Fraction
from itertools import combinations, product
from math import comb

import numpy as np
import pytest
from scipy.optimize import linprog

from lecture_code import capacity as cap
from lecture_code import cubes
from lecture_code.experiments import capacity as study

POINTS = np.random.default_rng(5).normal(size=(6, 2))


def separable(x: np.ndarray, labels: np.ndarray) -> bool:
    """Whether a halfspace has these labels, by a linear program."""
    signs = np.where(labels, 1.0, -1.0)[:, None]
    rows = -signs * np.column_stack([x, np.ones(len(x))])
    free = [(None, None)] * rows.shape[1]
    return linprog(np.zeros(rows.shape[1]), rows, -np.ones(len(x)), bounds=free).status == 0


def separated(x: np.ndarray) -> list[int]:
    """The numbers of all labelings by halfspaces."""
    return [k for k, labels in enumerate(cubes.bits(len(x))) if separable(x, labels)]


def test_half_planes_are_the_labelings_that_a_linear_program_finds() -> None:
    assert cap.half_planes(POINTS).tolist() == separated(POINTS)
    assert cap.half_planes(POINTS[:2]).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("k", [1, 2, 3])
def test_threshold_functions_are_the_halfspaces_of_the_cube(k: int) -> None:
    tables = cap.threshold_functions(k) @ 2 ** np.arange(2**k)
    assert sorted(tables.tolist()) == separated(cubes.bits(k))


def test_labelings_are_those_of_random_networks_and_no_others() -> None:
    """A hundred thousand 2-2-1 networks find most labelings, and each is on the list."""
    rng, listed = np.random.default_rng(1), cap.labelings(POINTS, 2)
    x = np.column_stack([POINTS, np.ones(6)])
    hidden = np.einsum("tij,mj->tim", rng.normal(size=(100_000, 2, 3)), x) > 0
    into = rng.normal(size=(100_000, 1, 3))
    out = (into[..., :2] @ hidden + into[..., 2:] > 0)[:, 0]
    found = np.unique(out @ 2 ** np.arange(6))
    assert set(found.tolist()) <= set(listed.tolist())
    assert found.size > 0.8 * listed.size


def test_one_hidden_unit_adds_nothing_and_three_more_than_two() -> None:
    one, two, three = (set(cap.labelings(POINTS, k).tolist()) for k in (1, 2, 3))
    assert one == set(cap.half_planes(POINTS).tolist())
    assert one < two <= three


def test_sauer_counts_small_sets() -> None:
    for m, v in product(range(6), range(8)):
        sets = [s for size in range(v + 1) for s in combinations(range(m), size)]
        assert cap.sauer(m, v) == len(sets)
    assert cap.sauer(60, 30) == sum(comb(60, i) for i in range(31))


@pytest.mark.parametrize("n", [1, 5, 40, 200])
def test_the_sine_says_its_labels_in_fractions(n: int) -> None:
    bits = np.random.default_rng(n).integers(0, 2, n)
    weight = cap.sine_weight(bits)
    turns = [Fraction(weight, 2**j) % 2 for j in range(1, n + 1)]
    assert [int(turn > 1) for turn in turns] == bits.tolist()
    assert cap.sine_signs(weight, n).tolist() == (1 - 2 * bits).tolist()


def test_signs_of_any_weight_are_those_of_the_sine() -> None:
    for weight in range(200):
        heights = np.sin(np.pi * weight * 0.5 ** np.arange(1, 9))
        expected = np.where(np.abs(heights) < 1e-9, 0, np.sign(heights))
        assert cap.sine_signs(weight, 8).tolist() == expected.tolist()


@pytest.mark.parametrize(("k", "n"), [(1, 1), (1, 26), (5, 3), (3, 9)])
def test_a_table_comes_out_of_its_network(k: int, n: int) -> None:
    bits = np.random.default_rng(k * n).integers(0, 2, (k, n))
    net, w = cap.bit_extractor(bits)
    x = np.array([(a, i, 1) for a in range(k) for i in range(1, n + 1)], dtype=float)
    assert np.array_equal(net.outputs(w, x)[:, 0], bits.ravel())
    assert net.size == 3 * k + 16 * n + 5
    assert np.sum(w != cap.bit_extractor(1 - bits)[1]) <= k + 2


def test_hidden_layers_are_those_of_the_longest_path() -> None:
    net = cap.bit_extractor(np.ones((2, 3)))[0]
    assert cap.hidden_layers(net) == max(map(len, net.paths())) - 1 == 8


def test_lines_of_the_plane_meet_in_one_point() -> None:
    sets = [set(line) for line in cap.FANO]
    assert all(len(a & b) == 1 for a, b in combinations(sets, 2))
    assert set().union(*sets) == set(range(7))


def test_networks_exist_exactly_where_a_graph_has_a_colouring() -> None:
    """Sets of two points are edges: two colours if all cycles are even."""
    for n, colourings in ((4, 2), (5, 0), (6, 2)):
        cycle = [(i, (i + 1) % n) for i in range(n)]
        found = cap.consistent(n, cycle)
        assert len(found) == colourings
        assert all(cap.one_coloured(np.array(colours), cycle) == 0 for colours in found)
    assert len(cap.consistent(3, [(0, 1), (1, 2), (0, 2)], 3)) == 6


def test_a_proper_colouring_fits_its_sample_and_another_errs_once_a_set() -> None:
    x, labels = cap.colouring_sample(4, [(0, 1, 2), (2, 3)])
    assert x.tolist()[:3] == [[0, 0, 0, 0], [1, 1, 1, 0], [0, 0, 1, 1]]
    for colours in cubes.bits(4):
        said = cap.fires(cap.colouring_network(colours), x)
        assert np.sum(said != labels) == cap.one_coloured(colours, [(0, 1, 2), (2, 3)])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cap.half_planes([[0, 0], [1, 1], [2, 2]]), "no third on their line"),
        (lambda: cap.labelings(POINTS, 4), "k: 4; expected 1, 2 or 3"),
        (lambda: cap.bit_extractor(np.ones((1, 27))), "n: 27; expected at most 26"),
        (lambda: cap.sine_weight([0, 2]), "bits: holds 2"),
        (lambda: cap.colouring_sample(3, [(0, 1), ()]), "expected none empty"),
        (lambda: cap.colouring_network([0, 1, 2]), "colours: holds 2"),
    ],
)
def test_bad_input_is_refused(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_fits_with_a_ridge_are_those_of_the_normal_equations() -> None:
    rng = np.random.default_rng(3)
    for width in (5, 12, 30):
        features, target = rng.normal(size=(12, width)), rng.normal(size=(12, 2))
        fits = list(study.ridge_fits(features, target))
        assert np.allclose(fits[0], np.linalg.lstsq(features, target)[0])
        for ridge, fit in zip(study.RIDGES[1:], fits[1:], strict=True):
            grown = features.T @ features + ridge * features.size * np.eye(width)
            assert np.allclose(fit, np.linalg.solve(grown, features.T @ target), atol=1e-6)


def test_a_share_of_the_labels_is_drawn_anew() -> None:
    labels = np.arange(10).repeat(2000)
    rng = np.random.default_rng(0)
    assert np.array_equal(study.with_noise(labels, 0, rng), labels)
    wrong = np.mean(study.with_noise(labels, 0.4, rng) != labels)
    assert wrong == pytest.approx(0.36, abs=0.01)
