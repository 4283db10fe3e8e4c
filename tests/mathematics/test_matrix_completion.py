r"""Matrix completion: each function against a second way to the same numbers.

The dense matrices S, W = (S + S^T)/2 and E = W/p - J and the loss (11.1) are written out here,
never taken from the module. What the chapter states is tested in the chapter.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import resources
from typing import Any

import autograd
import autograd.numpy as anp
import cvxpy as cp
import numpy as np
import pytest
from scipy import sparse, stats

from lecture_code import completion as cm
from lecture_code import matrix_completion as mc
from lecture_code import matrix_completion_limits as lim
from lecture_code.completion import Completion
from lecture_code.masks import determines_signs, project, random_mask

KINDS = (
    "plain",
    "uneven",
    "weighted",
    "weighted, uneven",
    "noisy",
    "noisy, uneven",
    "noisy in places",
    "noisy, nothing seen",
)
Points = list[tuple[np.ndarray, np.ndarray]]


# Instances and their dense forms


def instance(kind: str, d: int = 6) -> Completion:
    """A small instance of that kind with a truth of uneven entries."""
    rng = np.random.default_rng(1)

    def fold(square: np.ndarray) -> np.ndarray:
        return square if "uneven" in kind else np.triu(square) + np.triu(square, 1).T

    mask = fold(rng.random((d, d)) < (0 if "nothing" in kind else 0.6)).astype(float)
    if "weighted" in kind:
        mask *= fold(rng.uniform(0.2, 3, (d, d)))
    noise = mask * fold(rng.normal(size=(d, d)))
    if "places" in kind:
        noise *= rng.random((d, d)) < 0.5
    return Completion(
        cm.gaussian_vector(d, rng),
        sparse.csr_array(mask),
        0.6,
        sparse.csr_array(noise) if "noisy" in kind else None,
    )


def written(mask: np.ndarray, p: float = 1.0, z: np.ndarray | None = None) -> Completion:
    """An instance with a mask that was written down, and a flat z unless one is given."""
    d = mask.shape[0]
    z = np.ones(d) / np.sqrt(d) if z is None else z
    return Completion(z, sparse.csr_array(mask.astype(float)), p)


def target(problem: Completion) -> np.ndarray:
    """All of M, noise included."""
    factors = problem.z.reshape(problem.d, -1)
    noise = 0 if problem.noise is None else problem.noise.toarray()
    return factors @ factors.T + noise


def dense_loss(problem: Completion, x: Any) -> Any:
    """f as (11.1) has it, entry by entry over the mask as given; autograd can follow it."""
    product = anp.dot(x, x.T) if x.ndim == 2 else anp.outer(x, x)
    return 0.5 * anp.sum(problem.mask.toarray() * (target(problem) - product) ** 2)


def dense_weights(problem: Completion) -> np.ndarray:
    s = problem.mask.toarray()
    return (s + s.T) / 2


def dense_error(problem: Completion) -> np.ndarray:
    return dense_weights(problem) / problem.p - 1


def all_masks(d: int, *, symmetric: bool) -> Iterator[tuple[np.ndarray, int, int]]:
    """Each mask with the number of its drawn cells, and of all cells that are drawn."""
    cells = [(i, j) for i in range(d) for j in range(d) if i <= j or not symmetric]
    for bits in itertools.product((0, 1), repeat=len(cells)):
        mask = np.zeros((d, d))
        for (i, j), bit in zip(cells, bits, strict=True):
            mask[i, j] = bit
            if symmetric:
                mask[j, i] = bit
        yield mask, sum(bits), len(cells)


@pytest.fixture(scope="module", params=KINDS)
def problem(request: pytest.FixtureRequest) -> Completion:
    return instance(request.param)


@pytest.fixture(scope="module")
def points() -> Points:
    """Five points, each with a direction, for the instances of dimension 6."""
    return list(np.random.default_rng(2).normal(size=(5, 2, 6)))


# f, g and their derivatives


def test_objective_is_the_loss_up_to_a_constant(problem: Completion, points: Points) -> None:
    # The constant is what noise adds that no symmetric matrix can fit, and zero without noise.
    gaps = [cm.objective(problem, x) - dense_loss(problem, x) for x, _ in points]
    np.testing.assert_allclose(gaps, gaps[0], rtol=0, atol=1e-11)
    if problem.noise is None or (problem.noise != problem.noise.T).nnz == 0:
        assert gaps[0] == pytest.approx(0, abs=1e-11)


def test_derivatives_of_f_are_those_of_the_loss(problem: Completion, points: Points) -> None:
    first = autograd.grad(lambda x: dense_loss(problem, x))
    second = autograd.hessian(lambda x: dense_loss(problem, x))
    for x, _ in points:
        np.testing.assert_allclose(cm.gradient(problem, x), first(x), rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose(cm.hessian(problem, x), second(x), rtol=1e-11, atol=1e-11)


def test_derivatives_of_g_are_those_of_the_loss_with_everything_seen() -> None:
    for z, x, v in 1.5 * np.random.default_rng(28).normal(size=(5, 3, 4)):
        full = written(np.ones((4, 4)), z=z)
        slope = autograd.grad(lambda y, full=full: dense_loss(full, y))(x)
        bend = autograd.hessian(lambda y, full=full: dense_loss(full, y))(x)
        np.testing.assert_allclose(mc.full_gradient(z, x), slope, rtol=1e-11, atol=1e-11)
        assert mc.full_hessian_form(z, x, v) == pytest.approx(v @ bend @ v, rel=1e-11, abs=1e-11)


@pytest.mark.parametrize("rank", [1, 3])
def test_factor_gradient_is_that_of_the_loss(problem: Completion, rank: int) -> None:
    rng = np.random.default_rng(46)
    taller = replace(problem, z=rng.normal(size=(6, 2)))
    u = rng.normal(size=(6, rank))
    slope = autograd.grad(lambda y: dense_loss(taller, y))(u)
    np.testing.assert_allclose(lim.factor_gradient(taller, u), slope, rtol=1e-11, atol=1e-11)


def test_batch_is_treated_column_by_column(problem: Completion, points: Points) -> None:
    batch = np.transpose([x for x, _ in points])
    values, slopes = cm.objective(problem, batch), cm.gradient(problem, batch)
    assert values.shape == (5,)
    for x, value, slope in zip(batch.T, values, slopes.T, strict=True):
        assert cm.objective(problem, x) == value
        np.testing.assert_allclose(cm.gradient(problem, x), slope, rtol=1e-14, atol=1e-14)


def test_penalty_gradient_is_that_of_the_penalty() -> None:
    def penalty(x: np.ndarray) -> np.ndarray:
        return 3 * np.maximum(np.abs(x) - 0.5, 0) ** 4  # entry by entry

    x = np.array([[-2.0, -0.7, -0.3, 0.0], [0.3, 0.5, 0.9, 1.7]])
    step = 1e-4  # truncation 4 weight (|x| - level) step^2 is at most 2e-7, rounding less
    difference = (penalty(x + step) - penalty(x - step)) / (2 * step)
    np.testing.assert_allclose(cm.penalty_gradient(x, 0.5, 3), difference, rtol=0, atol=1e-6)


def test_penalised_derivatives_belong_to_each_other_and_to_the_least_weight() -> None:
    problem = instance("uneven")
    z, x = problem.z, 2.5 * np.random.default_rng(7).normal(size=6)
    slope, bend = cm.penalised(problem, 3)
    level, row = np.abs(z).max(), np.abs(dense_error(problem) @ z**2).max()
    weight = 3 * problem.p * (1 + row) / (16 * level**2)
    first = autograd.grad(
        lambda y: dense_loss(problem, y) + weight * anp.sum(anp.maximum(anp.abs(y) - level, 0) ** 4)
    )
    np.testing.assert_allclose(slope(x), first(x), rtol=1e-10)
    np.testing.assert_allclose(bend(x), autograd.jacobian(first)(x), rtol=1e-9, atol=1e-9)


# The instance


def test_weights_and_observed_are_symmetric_parts(problem: Completion) -> None:
    weights = dense_weights(problem)
    np.testing.assert_allclose(problem.weights.toarray(), weights, rtol=1e-15)
    rows, columns = problem.pairs
    assert rows.size == np.count_nonzero(weights)
    np.testing.assert_allclose(problem.weights.data, weights[rows, columns], rtol=1e-15)
    seen = problem.mask.toarray() * target(replace(problem, noise=None))
    if problem.noise is not None:
        seen += problem.noise.toarray()
    np.testing.assert_allclose(problem.observed.toarray(), (seen + seen.T) / 2, atol=1e-15)


def test_projection_keeps_what_is_observed_and_nothing_else() -> None:
    mask = sparse.csr_array(np.array([[1.0, 0, 1], [0, 0, 1], [0, 0, 0]]))
    a = np.arange(1.0, 10).reshape(3, 3)
    np.testing.assert_array_equal(project(a, mask), [[1, 0, 3], [0, 0, 6], [0, 0, 0]])


@pytest.mark.parametrize("shape", [(3, 3), (4, 5), (5, 4)])
def test_mask_of_the_wrong_shape_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"mask: shape .*; expected \(4, 4\)"):
        Completion(np.ones(4), sparse.csr_array(shape), 0.5)


@pytest.mark.parametrize("p", [0, -0.5, 1.5, np.nan])
def test_density_of_an_instance_is_a_positive_probability(p: float) -> None:
    with pytest.raises(ValueError, match=f"p: {float(p)}; expected a (probability|number)"):
        Completion(np.ones(4), sparse.csr_array((4, 4)), p)
    with pytest.raises(ValueError, match=f"p: {float(p)}; expected a (probability|number)"):
        mc.bernstein_norm(5, p, 0.1)


# Random masks, truths and instances


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize(("d", "p"), [(1, 0.5), (2, 0.5), (17, 0.3), (150, 0.02)])
def test_random_mask_is_zero_one_and_symmetric_if_asked(d: int, p: float, symmetric: bool) -> None:
    mask = random_mask(d, p, np.random.default_rng(30), symmetric=symmetric)
    dense = mask.toarray()
    assert dense.shape == (d, d)
    assert set(np.unique(dense)) <= {0.0, 1.0}
    assert mask.nnz == dense.sum()
    assert np.array_equal(dense, dense.T) == (symmetric or d <= 2)


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("d", [1, 2, 3, 64, 301])
def test_random_mask_at_the_ends(d: int, symmetric: bool) -> None:
    rng = np.random.default_rng(31)
    full = random_mask(d, 1.0, rng, symmetric=symmetric)
    np.testing.assert_array_equal(full.toarray(), np.ones((d, d)))
    assert random_mask(d, 0.0, rng, symmetric=symmetric).nnz == 0


@pytest.mark.parametrize("symmetric", [True, False])
def test_random_mask_of_two_has_the_exact_distribution(symmetric: bool) -> None:
    p, draws, rng = 0.4, 1000, np.random.default_rng(32)
    masks, ones, cells = zip(*all_masks(2, symmetric=symmetric), strict=True)
    probability = [p**k * (1 - p) ** (n - k) for k, n in zip(ones, cells, strict=True)]
    places = {mask.tobytes(): k for k, mask in enumerate(masks)}
    drawn = [random_mask(2, p, rng, symmetric=symmetric).toarray() for _ in range(draws)]
    counts = np.bincount([places[mask.tobytes()] for mask in drawn], minlength=len(masks))
    assert stats.chisquare(counts, draws * np.array(probability)).pvalue > 1e-3


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("p", [0.01, 0.4])
def test_large_random_mask_has_the_density_in_every_part(p: float, symmetric: bool) -> None:
    d, groups = 300, 50
    mask = random_mask(d, p, np.random.default_rng(34), symmetric=symmetric).toarray()
    i, j = np.triu_indices(d) if symmetric else np.indices((d, d)).reshape(2, -1)
    for group in ((i * 7 + j * 11) % groups, i * groups // d, j * groups // d):
        size = np.bincount(group, minlength=groups)
        kept = np.bincount(group, weights=mask[i, j], minlength=groups)
        statistic = np.sum((kept - size * p) ** 2 / (size * p * (1 - p)))
        assert stats.chi2.sf(statistic, groups) > 1e-3
    assert stats.binomtest(int(mask[i, j].sum()), i.size, p).pvalue > 1e-3


@pytest.mark.parametrize("p", [-0.1, 1.1, np.nan])
def test_random_mask_needs_a_probability(p: float) -> None:
    with pytest.raises(ValueError, match=f"p: {float(p)}; expected a (probability|number)"):
        random_mask(3, p, np.random.default_rng(0))


@pytest.mark.parametrize("vector", [cm.flat_vector, cm.gaussian_vector])
def test_random_vector_is_a_unit_vector_without_preferred_direction(
    vector: Callable[[int, np.random.Generator], np.ndarray],
) -> None:
    rng, draws, d = np.random.default_rng(36), 4000, 4
    sample = np.array([vector(d, rng) for _ in range(draws)])
    np.testing.assert_allclose(np.linalg.norm(sample, axis=1), 1, rtol=1e-14)
    # The entries have mean 0 and variance 1/d; those of the covariance at most 1/d on the sphere.
    assert np.abs(sample.mean(axis=0)).max() < 5 / np.sqrt(draws * d)
    covariance = sample.T @ sample / draws
    np.testing.assert_allclose(covariance, np.eye(d) / d, atol=5 / d / np.sqrt(draws))


@pytest.mark.parametrize("d", [1, 2, 9])
def test_incoherence_runs_from_flat_to_coordinate_vector(d: int) -> None:
    assert cm.incoherence(cm.flat_vector(d, np.random.default_rng(7))) == pytest.approx(1)
    assert cm.incoherence(-3 * np.eye(d)[0]) == pytest.approx(np.sqrt(d))


@pytest.mark.parametrize("symmetric", [True, False])
def test_random_instance_draws_the_truth_and_then_the_mask(symmetric: bool) -> None:
    problem = cm.random_instance(
        12, 0.4, np.random.default_rng(38), vector=cm.gaussian_vector, symmetric=symmetric
    )
    rng = np.random.default_rng(38)
    np.testing.assert_array_equal(problem.z, cm.gaussian_vector(12, rng))
    mask = random_mask(12, 0.4, rng, symmetric=symmetric)
    np.testing.assert_array_equal(problem.mask.toarray(), mask.toarray())
    assert (problem.p, problem.noise) == (0.4, None)


# The error of the mask


def test_sample_error_is_a_dense_sum(problem: Completion, points: Points) -> None:
    for u, v in points:
        sampled = np.sum(problem.mask.toarray() * np.outer(u, u) * np.outer(v, v)) / problem.p
        assert mc.sample_error(problem, u, v) == pytest.approx(sampled - (u @ v) ** 2, abs=1e-11)


@pytest.mark.parametrize("d", [1, 30, 200, 201])
@pytest.mark.parametrize("symmetric", [True, False])
def test_mask_error_is_the_operator_norm(d: int, symmetric: bool) -> None:
    problem = cm.random_instance(d, 0.3, np.random.default_rng(d), symmetric=symmetric)
    norm, direction = cm.mask_error(problem)
    error = dense_error(problem)
    assert norm == pytest.approx(np.linalg.norm(error, 2), rel=1e-10)
    assert np.linalg.norm(direction) == pytest.approx(1, rel=1e-12)
    assert abs(direction @ error @ direction) == pytest.approx(norm, rel=1e-7)


@pytest.mark.parametrize("d", [200, 202])
@pytest.mark.parametrize(
    ("mask", "p", "expected"),
    [
        (lambda d: np.ones((d, d)), 1.0, lambda d: 0),
        (lambda d: np.ones((d, d)), 0.5, lambda d: d),
        (lambda d: 1 - np.eye(d), 1.0, lambda d: 1),
        # d/2 for the difference of the groups, -d/2 for their sum.
        (lambda d: np.kron(np.eye(2), np.ones((d // 2, d // 2))), 1.0, lambda d: d / 2),
    ],
    ids=["all, p = 1", "all, p = 1/2", "all but the diagonal", "two groups that do not meet"],
)
def test_mask_error_where_the_spectrum_is_degenerate(
    d: int, mask: Callable[[int], np.ndarray], p: float, expected: Callable[[int], float]
) -> None:
    norm, _ = cm.mask_error(written(mask(d), p))
    assert norm == pytest.approx(expected(d), rel=1e-10, abs=1e-10)


def test_epsilon_and_row_error_are_their_formulas(problem: Completion) -> None:
    larger = replace(problem, z=2 * problem.z)
    error, z = dense_error(larger), larger.z
    mu = np.sqrt(6) * np.abs(z).max() / np.linalg.norm(z)
    assert cm.epsilon(larger) == pytest.approx(mu**2 * np.linalg.norm(error, 2) / 6, rel=1e-12)
    assert cm.row_error(larger) == pytest.approx(np.abs(error @ (z * z)).max(), rel=1e-12)


@pytest.mark.parametrize("c", [-0.5, 1.0, 3.0])
def test_transfer_bounds_are_attained(c: float) -> None:
    """On two groups that do not meet, where E has the eigenvalues d/2 and -d/2, by v = cx."""
    side = np.repeat([1.0, -1.0], 3)
    problem = written(np.kron(np.eye(2), np.ones((3, 3))), z=1.5 * side)
    x = np.full(6, 0.7)
    first, second = mc.transfer_bounds(problem, x, c * x, 3.0)
    gap = c * x @ (cm.gradient(problem, x) - mc.full_gradient(problem.z, x))
    bend = c**2 * x @ cm.hessian(problem, x) @ x - mc.full_hessian_form(problem.z, x, c * x)
    assert abs(gap) == pytest.approx(first, rel=1e-12)
    assert abs(bend) == pytest.approx(second, rel=1e-12)


def test_bernstein_norm_by_hand() -> None:
    # log(2d/delta) = 2 and (1 - p)/p = 4
    assert mc.bernstein_norm(2, 0.2, 4 * np.exp(-2)) == pytest.approx(np.sqrt(32) + 20 / 3)


@pytest.mark.parametrize(
    ("d", "p", "delta"), [(2, 0.5, 0.5), (80, 0.2, 0.05), (10**6, 1e-4, 0.01), (50, 1.0, 0.1)]
)
def test_bernstein_bound_brings_the_tail_below_delta(d: int, p: float, delta: float) -> None:
    t, variance, largest = mc.bernstein_norm(d, p, delta), d * (1 - p) / p, 1 / p
    tail = 2 * d * np.exp(-(t**2) / 2 / (variance + largest * t / 3))
    assert tail <= delta * (1 + 1e-9)


@pytest.mark.parametrize("delta", [0, 1, -0.5, 2.0, np.nan])
def test_bernstein_needs_a_probability_of_failure(delta: float) -> None:
    with pytest.raises(ValueError, match=f"delta: {delta}"):
        mc.bernstein_norm(5, 0.5, delta)


# Several instances at once


@pytest.fixture(scope="module")
def trio() -> list[Completion]:
    rng = np.random.default_rng(39)
    return [cm.random_instance(6, 0.6, rng, vector=cm.gaussian_vector) for _ in range(3)]


def test_side_by_side_adds_the_objectives_and_stacks_gradients_and_distances(
    trio: list[Completion],
) -> None:
    joint = cm.side_by_side(trio)
    assert joint.p == trio[0].p
    x = np.random.default_rng(40).normal(size=(18, 4))
    parts = list(zip(trio, np.split(x, 3), strict=True))
    total = sum(cm.objective(*part) for part in parts)
    np.testing.assert_allclose(cm.objective(joint, x), total, rtol=1e-12)
    slopes = np.concatenate([cm.gradient(*part) for part in parts])
    np.testing.assert_allclose(cm.gradient(joint, x), slopes, rtol=1e-12, atol=1e-13)
    distances = [cm.distance(*part) for part in parts]
    np.testing.assert_allclose(cm.distance(joint, x, blocks=len(parts)), distances, rtol=1e-13)


def test_side_by_side_needs_instances_of_one_size_and_density_without_noise(
    trio: list[Completion],
) -> None:
    one, noise = trio[0], sparse.csr_array((6, 6))
    for others in (
        [],
        [one, replace(one, p=0.5)],
        [one, instance("plain", d=4)],
        [one, replace(one, noise=noise)],
    ):
        with pytest.raises(ValueError, match=r"problems: \(d, p\) are .*; expected one pair"):
            cm.side_by_side(others)


# Distances


def test_distance_is_to_the_nearer_of_both_signs() -> None:
    problem = instance("plain")
    x = np.random.default_rng(44).normal(size=(6, 8))
    expected = [min(np.linalg.norm(c - problem.z), np.linalg.norm(c + problem.z)) for c in x.T]
    np.testing.assert_allclose(cm.distance(problem, x), expected, rtol=1e-13)
    assert cm.distance(problem, x[:, 0]) == pytest.approx(expected[0], rel=1e-13)
    assert cm.distance(problem, -problem.z) == 0


@pytest.mark.parametrize("blocks", [4, 5, 12])
def test_distance_needs_blocks_of_equal_size(blocks: int) -> None:
    with pytest.raises(ValueError, match=f"blocks: {blocks}; expected a divisor of d = 6"):
        cm.distance(instance("plain"), np.ones((6, 1)), blocks=blocks)


@pytest.mark.parametrize("mirrored", [False, True])
def test_factor_distance_is_the_least_over_rotations_and_reflections(mirrored: bool) -> None:
    z, u = np.random.default_rng(1).normal(size=(2, 6, 2))
    if mirrored:
        u = z @ np.array([[0.6, 0.8], [0.8, -0.6]]) + 0.1 * u
    angles = np.linspace(0, 2 * np.pi, 20_001)
    c, s = np.cos(angles), np.sin(angles)
    turns = np.array([[c, -s], [s, c]])
    mirrors = np.array([[c, s], [s, -c]])
    least = min(
        np.linalg.norm(u[:, :, None] - np.einsum("ij,jkt->ikt", z, q), axis=(0, 1)).min()
        for q in (turns, mirrors)
    )
    exact = lim.factor_distance(z, u)
    assert exact <= least + 1e-12
    # Half a cell off the best angle the square differs by at most |Z|_F |U|_F (half a cell)^2.
    cell = angles[1] / 2
    assert least**2 - exact**2 <= np.linalg.norm(z) * np.linalg.norm(u) * cell**2 + 1e-12


@pytest.mark.parametrize("rank", [1, 4])
def test_factor_distance_does_not_see_a_rotation(rank: int) -> None:
    rng = np.random.default_rng(45)
    z, q = rng.normal(size=(7, rank)), np.linalg.qr(rng.normal(size=(rank, rank)))[0]
    assert lim.factor_distance(z, z @ q) == pytest.approx(0, abs=1e-13)


# Which masks determine the answer


def fitting_signs(mask: np.ndarray) -> int:
    """How many pairs of sign vectors have x_i y_j = 1 for each observed (i, j) or (j, i)."""
    d, seen = len(mask), (mask + mask.T) > 0
    signs = np.array(list(itertools.product((-1, 1), repeat=2 * d)))
    products = signs[:, :d, None] * signs[:, None, d:]
    return int(np.sum((products[:, seen] == 1).all(axis=1)))


@pytest.mark.parametrize(("d", "symmetric"), [(1, True), (2, True), (2, False), (3, True)])
def test_mask_determines_signs_if_only_two_vectors_fit(d: int, symmetric: bool) -> None:
    for mask, _, _ in all_masks(d, symmetric=symmetric):
        assert determines_signs(sparse.csr_array(mask)) == (fitting_signs(mask) == 2), mask


@pytest.mark.parametrize("symmetric", [True, False])
def test_random_mask_determines_signs_if_only_two_vectors_fit(symmetric: bool) -> None:
    rng, answers = np.random.default_rng(48), []
    for _ in range(60):
        mask = random_mask(5, rng.uniform(0.1, 0.6), rng, symmetric=symmetric)
        answers.append(determines_signs(mask))
        assert answers[-1] == (fitting_signs(mask.toarray()) == 2)
    assert 10 < sum(answers) < 50


def test_stored_zeros_are_not_observed() -> None:
    mask = sparse.csr_array(np.ones((2, 2)))
    mask.data[[1, 2]] = 0
    assert not determines_signs(mask)
    assert Completion(np.ones(2), mask, 0.5).pairs[0].size == 2


# The adversary of the chapter: the nearest mask for which a given x is a second-order point


def stored(kind: str) -> Iterator[list[np.ndarray]]:
    """The points of that kind in the book's data, each with what certifies its value."""
    path = resources.files("lecture_code").joinpath("data/nearest_masks.npz")
    with path.open("rb") as file:
        arrays = np.load(file)
        names = [f"{kind}_{name}" for name in "xWyLr" if f"{kind}_{name}" in arrays]
        yield from zip(*(arrays[name] for name in names), strict=True)


def penalty_terms(x: np.ndarray, weight: float) -> tuple[np.ndarray, np.ndarray]:
    """Gradient, and diagonal of the Hessian, of the penalty at the level of a flat z."""
    excess = np.maximum(np.abs(x) - 1 / np.sqrt(x.size), 0)
    return 4 * weight * np.sign(x) * excess**3, 12 * weight * excess**2


def basis(d: int) -> Iterator[tuple[int, int, Completion]]:
    """The symmetric matrices that have one pair of entries 1, as masks."""
    for i, j in itertools.combinations_with_replacement(range(d), 2):
        unit = np.zeros((d, d))
        unit[i, j] = unit[j, i] = 1
        yield i, j, written(unit)


def nearest_mask(x: np.ndarray, weight: float = 0, rho: float | None = None) -> float:
    """Least |S - J|/d over masks that make x a second-order point, as a semidefinite programme.

    With the penalty of that weight, and over masks of row error at most rho, if they are given.
    """
    d = x.size
    s, t = cp.Variable((d, d), symmetric=True), cp.Variable()
    first, diagonal = penalty_terms(x, weight)
    parts = [(s[i, j], unit) for i, j, unit in basis(d)]
    slope = first + sum(w * cm.gradient(unit, x) for w, unit in parts)
    bend = np.diag(diagonal) + sum(w * cm.hessian(unit, x) for w, unit in parts)
    constraints = [s >= 0, slope == 0, bend >> 0, cp.norm(s - 1, 2) <= t]
    if rho is not None:
        constraints.append(cp.norm(cp.sum(s - 1, axis=1) / d, "inf") <= rho)
    cp.Problem(cp.Minimize(t), constraints).solve(solver=cp.CLARABEL)
    return float(t.value) / d


@pytest.mark.parametrize(
    ("kind", "weight", "rho"),
    [("six", 0, None), ("nine", 0, None), ("penalised", 5 * 6 / 64, 0.25)],
)
def test_stored_certificates_are_those_of_the_nearest_masks(
    kind: str, weight: float, rho: float | None
) -> None:
    """Each certifies, up to 1e-5, the value of the programme that it is the dual of."""
    for x, w, y, factor, *rest in stored(kind):
        d, r = x.size, rest[0] if rest else np.zeros(x.size)
        functional, semidefinite = np.zeros((d, d)), factor @ factor.T
        for i, j, unit in basis(d):
            s = unit.mask.toarray()
            total = np.sum(w * s) + y @ cm.gradient(unit, x) + r @ s.sum(axis=1) / d
            total += np.sum(semidefinite * cm.hessian(unit, x))
            functional[i, j] = functional[j, i] = total / s.sum()
        assert functional.max() < 1e-6
        first, diagonal = penalty_terms(x, weight)
        value = w.sum() + r.sum() - (rho or 0) * np.abs(r).sum()
        value -= first @ y + diagonal @ np.diag(semidefinite)
        value /= np.linalg.norm(w, "nuc") * d
        assert value == pytest.approx(nearest_mask(x, weight, rho), abs=1e-5)


def test_the_three_chain_is_the_nearest_mask_to_its_trap() -> None:
    """Its epsilon at p = 1 is 1/3, as the chapter says."""
    assert nearest_mask(np.array([-1.0, 0, 1]) / np.sqrt(3)) == pytest.approx(1 / 3, abs=1e-6)


# Scale

LARGE = """
import pathlib, re, resource
import numpy as np
from lecture_code import completion as cm

rng = np.random.default_rng(50)
problem = cm.random_instance(10_000, 0.01, rng)
x = rng.standard_normal(10_000) / 100
gradient = cm.gradient(problem, x)
row = problem.mask[[123]].toarray()[0]
direct = -2 * np.sum(row * (problem.z[123] * problem.z - x[123] * x) * x)
status = pathlib.Path("/proc/self/status")  # ru_maxrss counts what the parent had, too
if status.exists():
    peak = 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1])
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(problem.mask.nnz, peak, gradient[123], direct)
"""


def test_gradient_of_a_million_entries_needs_no_dense_matrix() -> None:
    run = subprocess.run(
        [sys.executable, "-c", LARGE], capture_output=True, text=True, check=True, timeout=120
    )
    observed, peak, gradient, direct = map(float, run.stdout.split())
    assert observed == pytest.approx(1e6, rel=0.01)
    assert peak < 4e8  # one dense matrix of that size is 8e8 bytes
    assert gradient == pytest.approx(direct, rel=1e-9)


def test_masks_of_truth_values_and_small_integers() -> None:
    seen = sparse.csr_array(np.ones((3, 3), dtype=bool))
    problem = cm.Completion(np.ones(3), seen, 1.0)
    np.testing.assert_array_equal(problem.weights.toarray(), 1)
    assert cm.objective(problem, np.zeros(3)) == pytest.approx(4.5)
    assert cm.mask_error(problem)[0] == pytest.approx(0, abs=1e-12)
    heavy = sparse.csr_array(np.full((3, 3), 200, dtype=np.uint8))
    np.testing.assert_array_equal(cm.Completion(np.ones(3), heavy, 1.0).weights.data, 200)
    assert determines_signs(sparse.csr_array(np.full((3, 3), 128, dtype=np.uint8)))


@pytest.mark.parametrize("weight", [-1.0, np.nan])
def test_weights_that_are_none_are_refused(weight: float) -> None:
    with pytest.raises(ValueError, match=r"mask: .* expected finite weights"):
        determines_signs(sparse.csr_array(np.full((2, 2), weight)))


def test_vectors_that_do_not_fit_are_refused() -> None:
    problem = cm.Completion(np.ones(3), sparse.csr_array(np.ones((3, 3))), 1.0)
    with pytest.raises(ValueError, match=r"x: shape \(2,\); expected \(3, \.\.\.\)"):
        cm.gradient(problem, np.ones(2))
    with pytest.raises(ValueError, match="x: all entries are zero"):
        cm.incoherence(np.zeros(3))
    with pytest.raises(ValueError, match=r"mask, matrix: shapes \(2, 2\), \(1, 1\)"):
        project(np.ones((1, 1)), sparse.csr_array(np.ones((2, 2))))
