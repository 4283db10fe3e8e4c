r"""Matrix completion: each statement of the chapter, and each function against a second way.

The first part follows the chapter, one group a statement, named by the statement's label. The
second goes through the functions. The dense matrices S, W = (S + S^T)/2 and E = W/p - J are written
out here, never taken from the module.
"""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse, stats
from scipy.integrate import solve_ivp
from scipy.optimize import minimize_scalar, root

from lecture_code import matrix_completion as mc
from lecture_code.matrix_completion import Completion
from lecture_code.optimize import gradient_descent

EPS = np.finfo(float).eps
PROPERTY = settings(max_examples=60, deadline=None, derandomize=True, database=None)
KINDS = ("symmetric", "independent", "weighted", "weighted, independent", "noisy", "noisy, uneven")


# Instances and their dense forms


def instance(kind: str, d: int = 6, seed: int = 1) -> Completion:
    """A small instance of that kind with a truth of uneven entries."""
    rng = np.random.default_rng(seed)
    even = kind in ("symmetric", "weighted", "noisy")
    seen = rng.random((d, d)) < 0.6
    if even:
        seen = np.triu(seen) | np.triu(seen).T
    mask, noise = seen.astype(float), None
    if "weighted" in kind:
        weights = rng.uniform(0.2, 3, (d, d))
        mask *= weights + weights.T if even else weights
    if "noisy" in kind:
        bell = rng.normal(size=(d, d))
        noise = sparse.csr_array(mask * (bell + bell.T if even else bell))
    return Completion(mc.gaussian_vector(d, rng), sparse.csr_array(mask), 0.6, noise)


def truth(problem: Completion) -> np.ndarray:
    factors = problem.z.reshape(problem.d, -1)
    return factors @ factors.T


def dense_loss(problem: Completion, x: Any) -> Any:
    """f as (11.1) has it, entry by entry over the mask as given; autograd can follow it."""
    s = problem.mask.toarray()
    target = truth(problem)
    if problem.noise is not None:
        target = target + problem.noise.toarray()
    product = anp.dot(x, x.T) if x.ndim == 2 else anp.outer(x, x)
    return 0.5 * anp.sum(s * (target - product) ** 2)


def dense_weights(problem: Completion) -> np.ndarray:
    s = problem.mask.toarray()
    return (s + s.T) / 2


def dense_error(problem: Completion) -> np.ndarray:
    return dense_weights(problem) / problem.p - 1


def written(mask: np.ndarray, p: float = 1.0, z: np.ndarray | None = None) -> Completion:
    """An instance with a mask that was written down, and a flat z unless one is given."""
    d = mask.shape[0]
    z = np.ones(d) / np.sqrt(d) if z is None else z
    return Completion(z, sparse.csr_array(mask.astype(float)), p)


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


def distribution(d: int, p: float, *, symmetric: bool) -> tuple[np.ndarray, np.ndarray]:
    """All masks of a model, shape (masks, d, d), and their probabilities."""
    masks, ones, cells = zip(*all_masks(d, symmetric=symmetric), strict=True)
    k, n = np.array(ones), cells[0]
    return np.array(masks), p**k * (1 - p) ** (n - k)


def sizes(*vectors: np.ndarray) -> list[float]:
    return [float(np.linalg.norm(vector)) for vector in vectors]


def regular(d: int, offsets: tuple[int, ...]) -> np.ndarray:
    """All pairs but those at cyclic distance +-offset: a mask with equal row sums."""
    mask = np.ones((d, d))
    i = np.arange(d)
    for offset in offsets:
        mask[i, (i + offset) % d] = mask[i, (i - offset) % d] = 0
    return mask


def incoherent(d: int, rng: np.random.Generator, mu: float = 1.2) -> np.ndarray:
    """A unit vector with entries of uneven size, of incoherence at most mu."""
    z = rng.choice([-1.0, 1.0], d) * rng.uniform(1, mu, d)
    return z / np.linalg.norm(z)


entries = st.floats(-3, 3, allow_subnormal=False).map(lambda value: round(value, 6))


@st.composite
def situations(
    draw: st.DrawFn, *, weighted: bool = False
) -> tuple[Completion, np.ndarray, np.ndarray]:
    """An instance with any 0/1 mask, or any weights, symmetric or not, and two points."""
    d = draw(st.integers(1, 6))
    mask = draw(arrays(float, (d, d), elements=st.sampled_from([0.0, 1.0])))
    if weighted and draw(st.booleans()):
        mask = mask * draw(arrays(float, (d, d), elements=st.floats(0.125, 3)))
    if draw(st.booleans()):
        mask = np.maximum(mask, mask.T)
    z, x, v = (draw(arrays(float, d, elements=entries)) for _ in range(3))
    p = draw(st.floats(0.05, 1))
    return Completion(z, sparse.csr_array(mask), p), x, v


def slack(problem: Completion) -> float:
    """Rounding in the forms of a situation: d^2 products of five numbers up to 3, over p."""
    return 20 * EPS * problem.d**2 * 3**5 / problem.p


@pytest.fixture(scope="module", params=KINDS)
def problem(request: pytest.FixtureRequest) -> Completion:
    return instance(request.param)


@pytest.fixture(scope="module")
def points() -> tuple[np.ndarray, np.ndarray]:
    """Ten points and ten directions for the instances of dimension 6."""
    rng = np.random.default_rng(2)
    return rng.normal(size=(10, 6)), rng.normal(size=(10, 6))


def descend(problem: Completion, starts: np.ndarray, step: float, **options: Any) -> np.ndarray:
    options = {"max_steps": 3000, "tolerance": 1e-12} | options
    return gradient_descent(lambda x: mc.gradient(problem, x), starts, step, **options).x


# mc-plan: PCA fits the plan


@pytest.mark.parametrize("scale", [0.0, 1.0, -1.0])
def test_plan_spectrum_at_each_critical_point(scale: float) -> None:
    z = mc.gaussian_vector(7, np.random.default_rng(3))
    full = written(np.ones((7, 7)), z=z)
    spectrum = np.linalg.eigvalsh(mc.hessian(full, scale * z))
    expected = [-2, *[0] * 6] if scale == 0 else [*[2] * 6, 4]
    np.testing.assert_allclose(spectrum, expected, rtol=0, atol=1e-14)
    np.testing.assert_allclose(mc.gradient(full, scale * z), 0, atol=1e-15)


def test_plan_no_other_critical_point_is_found() -> None:
    rng = np.random.default_rng(4)
    z = mc.gaussian_vector(4, rng)
    found = [
        root(lambda x: mc.full_gradient(z, x), rng.normal(size=4), tol=1e-12) for _ in range(50)
    ]
    ends = np.array([result.x for result in found if np.linalg.norm(result.fun) < 1e-10])
    assert len(ends) > 25
    away = np.min([np.linalg.norm(ends - c * z, axis=1) for c in (-1, 0, 1)], axis=0)
    assert away.max() < 1e-3  # at 0 the Hessian is singular, and the zero of third order


def test_plan_objective_from_inner_products() -> None:
    rng = np.random.default_rng(5)
    for _ in range(10):
        z, x = 2 * rng.normal(size=(2, 5))
        direct = 0.5 * np.sum((np.outer(z, z) - np.outer(x, x)) ** 2)
        assert mc.full_objective(z, x) == pytest.approx(direct, rel=1e-12)


# mc-def-projection and mc-projection


@PROPERTY
@given(situations(), st.integers(0, 2**32 - 1))
def test_projection_is_linear_idempotent_and_self_adjoint(
    situation: tuple[Completion, np.ndarray, np.ndarray], seed: int
) -> None:
    mask = situation[0].mask
    a, b = np.random.default_rng(seed).normal(size=(2, *mask.shape))
    projected = mc.project(a, mask)
    np.testing.assert_array_equal(mc.project(projected, mask), projected)
    np.testing.assert_array_equal(mc.project(a + 2 * b, mask), projected + 2 * mc.project(b, mask))
    left, right = np.sum(projected * b), np.sum(a * mc.project(b, mask))
    assert left == pytest.approx(right, rel=1e-12, abs=1e-12)


def test_projection_keeps_what_is_observed_and_nothing_else() -> None:
    mask = sparse.csr_array(np.array([[1.0, 0, 1], [0, 0, 1], [0, 0, 0]]))
    a = np.arange(1.0, 10).reshape(3, 3)
    np.testing.assert_array_equal(mc.project(a, mask), [[1, 0, 3], [0, 0, 6], [0, 0, 0]])


@pytest.mark.parametrize(("d", "symmetric"), [(2, True), (2, False), (3, True), (3, False)])
@pytest.mark.parametrize("p", [0.2, 0.7])
def test_mean_of_the_objective_over_all_masks(d: int, symmetric: bool, p: float) -> None:
    rng = np.random.default_rng(6)
    z, x = mc.gaussian_vector(d, rng), rng.normal(size=d)
    masks, probability = distribution(d, p, symmetric=symmetric)
    assert probability.sum() == pytest.approx(1, rel=1e-13)
    values = [mc.objective(written(mask, p, z), x) for mask in masks]
    assert probability @ values == pytest.approx(p * mc.full_objective(z, x), rel=1e-12)


# mc-def-completion: incoherence


@pytest.mark.parametrize("d", [1, 2, 9])
def test_incoherence_runs_from_flat_to_coordinate_vector(d: int) -> None:
    rng = np.random.default_rng(7)
    assert mc.incoherence(mc.flat_vector(d, rng)) == pytest.approx(1, rel=1e-14)
    assert mc.incoherence(3 * np.eye(d)[0]) == pytest.approx(np.sqrt(d), rel=1e-14)
    assert 1 - 1e-14 <= mc.incoherence(rng.normal(size=d)) <= np.sqrt(d) + 1e-14


# mc-fig-values: values, gradients, Hessians


GRID = np.linspace(-1.8, 1.8, 200_001)
WELL, SLOPE, BEND = (GRID**2 - 1) ** 2 / 4, GRID**3 - GRID, 3 * GRID**2 - 1


def sign_changes(derivative: np.ndarray) -> np.ndarray:
    """Where a sampled derivative turns from negative to positive: the local minima."""
    return np.flatnonzero((derivative[:-1] < 0) & (derivative[1:] >= 0))


@pytest.mark.parametrize(("epsilon", "count"), [(0.1, 10), (0.01, 50), (0.001, 300)])
def test_close_values_allow_any_number_of_minima(epsilon: float, count: int) -> None:
    omega = max(2 * math.pi * (count + 2), 1.01 / epsilon)
    assert np.max(np.abs(epsilon * np.cos(omega * GRID))) <= epsilon
    minima = sign_changes(SLOPE - epsilon * omega * np.sin(omega * GRID))
    in_unit_interval = np.sum((GRID[minima] >= 0) & (GRID[minima] <= 1))
    assert in_unit_interval >= math.floor(omega / (2 * math.pi)) - 1 > count
    assert sign_changes(SLOPE).size == 2


@pytest.mark.parametrize("gamma", [0.01, 0.1, 0.3])
@pytest.mark.parametrize("omega", [3, 20, 200])
def test_close_gradients_locate_the_critical_points(gamma: float, omega: float) -> None:
    derivative = SLOPE + gamma * np.sin(omega * GRID)
    crossings = np.flatnonzero(np.sign(derivative[:-1]) != np.sign(derivative[1:]))
    assert crossings.size >= 2
    step = GRID[1] - GRID[0]  # |g''| <= 8.72, so g' changes by less than this within a cell
    assert np.max(np.abs(SLOPE[crossings])) <= gamma + 8.72 * step


def test_gradient_of_the_well_is_small_only_near_its_critical_points() -> None:
    near = np.min(np.abs(GRID[:, None] - [-1.0, 0.0, 1.0]), axis=1)
    assert np.max(near[np.abs(SLOPE) <= 0.05]) <= 0.0503


@pytest.mark.parametrize("omega", [3, 20, 200])
def test_close_hessians_decide_the_type(omega: float) -> None:
    eta = 0.5
    minima = sign_changes(SLOPE + eta / omega * np.sin(omega * GRID))
    assert np.min(BEND[minima]) >= -eta - 12 * (GRID[1] - GRID[0])
    for side in (GRID < 0, GRID > 0):
        convex = np.flatnonzero(side & (eta < BEND))
        assert np.isin(minima, convex).sum() <= 1


# mc-gradient and mc-hessian


def test_gradient_is_the_symmetrised_projection_times_x(
    problem: Completion, points: tuple[np.ndarray, np.ndarray]
) -> None:
    noise = 0 if problem.noise is None else problem.noise.toarray()
    for x, v in zip(*points, strict=True):
        seen = mc.project(truth(problem) + noise - np.outer(x, x), problem.mask)
        gradient = -(seen + seen.T) @ x
        np.testing.assert_allclose(mc.gradient(problem, x), gradient, rtol=1e-12, atol=1e-12)
        form = -np.sum((np.outer(v, x) + np.outer(x, v)) * seen)
        assert mc.gradient_form(problem, x, v) == pytest.approx(form, rel=1e-11, abs=1e-12)


@PROPERTY
@given(situations())
def test_printed_gradient_form_holds_times_minus_two_if_symmetric(
    situation: tuple[Completion, np.ndarray, np.ndarray],
) -> None:
    problem, x, v = situation
    mask = problem.mask.toarray()
    even = replace(problem, mask=sparse.csr_array(np.maximum(mask, mask.T)))
    printed = v @ mc.project(truth(even) - np.outer(x, x), even.mask) @ x
    assert mc.gradient_form(even, x, v) == pytest.approx(-2 * printed, abs=slack(even))


@PROPERTY
@given(situations())
def test_hessian_form_is_a_square_less_twice_the_residual(
    situation: tuple[Completion, np.ndarray, np.ndarray],
) -> None:
    problem, x, v = situation
    cross = mc.project(np.outer(v, x) + np.outer(x, v), problem.mask)
    residual = mc.project(truth(problem) - np.outer(x, x), problem.mask)
    form = np.sum(cross**2) - 2 * v @ residual @ v
    assert mc.hessian_form(problem, x, v) == pytest.approx(form, abs=slack(problem))


@PROPERTY
@given(situations(weighted=True))
def test_objective_along_a_line_is_a_quartic(
    situation: tuple[Completion, np.ndarray, np.ndarray],
) -> None:
    problem, x, v = situation
    values = mc.objective(problem, x[:, None] + v[:, None] * np.arange(-2, 4))
    first = np.array([1, -8, 0, 8, -1, 0]) / 12
    second = np.array([-1, 16, -30, 16, -1, 0]) / 12
    fifth = np.array([-1, 5, -10, 10, -5, 1])
    # The weights of each formula add up to at most 32 in absolute value.
    tolerance = 32 * slack(problem) + 32 * 50 * EPS * np.abs(values).max()
    assert first @ values == pytest.approx(mc.gradient_form(problem, x, v), abs=tolerance)
    assert second @ values == pytest.approx(mc.hessian_form(problem, x, v), abs=tolerance)
    assert fifth @ values == pytest.approx(0, abs=tolerance)


# mc-concentration-fixed


@pytest.mark.parametrize(("d", "symmetric"), [(2, True), (2, False), (3, True), (3, False)])
@pytest.mark.parametrize("p", [0.3, 0.8])
def test_mean_and_variance_of_the_error_over_all_masks(d: int, symmetric: bool, p: float) -> None:
    u, v = np.random.default_rng(8).normal(size=(2, d))
    w = u * v
    masks, probability = distribution(d, p, symmetric=symmetric)
    errors = np.array([mc.sample_error(written(mask, p), u, v) for mask in masks])
    second, fourth = np.sum(w**2), np.sum(w**4)
    variance = (1 - p) / p * (2 * second**2 - fourth if symmetric else second**2)
    assert probability @ errors == pytest.approx(0, abs=1e-12)
    assert probability @ errors**2 == pytest.approx(variance, rel=1e-12)


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize(("epsilon", "delta"), [(2.0, 0.1), (1.2, 0.25), (0.8, 0.5)])
def test_chebyshev_for_fixed_vectors(symmetric: bool, epsilon: float, delta: float) -> None:
    d, u = 3, np.array([0.6, -0.5, 0.6])
    u /= np.linalg.norm(u)
    p = 2 * mc.incoherence(u) ** 4 / (delta * d**2 * epsilon**2)
    assert p < 1, "the lemma says nothing here"
    masks, probability = distribution(d, p, symmetric=symmetric)
    errors = np.array([mc.sample_error(written(mask, p), u, u) for mask in masks])
    assert probability @ (np.abs(errors) <= epsilon) >= 1 - delta


@PROPERTY
@given(arrays(float, 5, elements=entries), arrays(float, 5, elements=entries))
def test_product_of_incoherent_vectors_is_small(u: np.ndarray, v: np.ndarray) -> None:
    largest = max(np.max(np.abs(u)), np.max(np.abs(v)))
    bound = largest**2 * min(u @ u, v @ v)
    assert np.sum((u * v) ** 2) <= bound * (1 + 10 * EPS)


# mc-concentration-uniform


@PROPERTY
@given(situations(), arrays(float, (2, 6), elements=entries))
def test_error_for_all_vectors_is_a_form_of_one_matrix(
    situation: tuple[Completion, np.ndarray, np.ndarray], more: np.ndarray
) -> None:
    problem, a, b = situation
    c, e = more[:, : problem.d]
    s, outer = problem.mask.toarray(), np.outer
    raw = s / problem.p - 1
    direct = np.sum(outer(a, b) * s * outer(c, e)) / problem.p - (a @ c) * (b @ e)
    assert direct == pytest.approx((a * c) @ raw @ (b * e), abs=slack(problem))
    bound = np.linalg.norm(raw, 2) * math.prod(sizes(a * c, b * e))
    assert abs(direct) <= bound + slack(problem)
    symmetric = mc.error_form(problem, a * c, b * e)
    assert symmetric == pytest.approx((a * c) @ dense_error(problem) @ (b * e), abs=slack(problem))
    norm = mc.mask_error(problem)[0]
    assert abs(symmetric) <= norm * math.prod(sizes(a * c, b * e)) + slack(problem)


@pytest.mark.parametrize(("d", "symmetric"), [(2, True), (2, False), (3, True), (3, False)])
@pytest.mark.parametrize("p", [0.3, 0.8])
def test_mean_of_the_squared_error_matrix(d: int, symmetric: bool, p: float) -> None:
    # The variance in Bernstein's inequality; for independent entries see mc-ex-asymmetric.
    masks, probability = distribution(d, p, symmetric=symmetric)
    squares = [np.linalg.matrix_power(dense_error(written(mask, p)), 2) for mask in masks]
    mean = np.tensordot(probability, squares, axes=1)
    odds = (1 - p) / p
    expected = odds * d if symmetric else odds * ((d - 1) / 2 + 1)
    np.testing.assert_allclose(mean, expected * np.eye(d), rtol=0, atol=1e-12 * d / p**2)


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("delta", [0.05, 0.5, 0.99])
def test_bernstein_bound_over_all_masks(symmetric: bool, p: float, delta: float) -> None:
    masks, probability = distribution(3, p, symmetric=symmetric)
    norms = np.linalg.norm((masks + masks.transpose(0, 2, 1)) / (2 * p) - 1, 2, axis=(1, 2))
    assert probability @ (norms <= mc.bernstein_norm(3, p, delta)) >= 1 - delta


@pytest.mark.parametrize(
    ("d", "p", "delta"), [(2, 0.5, 0.5), (80, 0.2, 0.05), (10**6, 1e-4, 0.01), (50, 1.0, 0.1)]
)
def test_bernstein_bound_brings_the_tail_below_delta(d: int, p: float, delta: float) -> None:
    t, variance, largest = mc.bernstein_norm(d, p, delta), d * (1 - p) / p, 1 / p
    tail = 2 * d * np.exp(-(t**2) / 2 / (variance + largest * t / 3))
    assert tail <= delta * (1 + 1e-9)
    scale = math.log(2 * d / delta)
    formula = math.sqrt(2 * scale * d * (1 - p) / p) + 2 * scale / (3 * p)
    assert t == pytest.approx(formula, rel=1e-13)


# mc-transfer


@PROPERTY
@given(situations(weighted=True))
def test_transfer_inequality(situation: tuple[Completion, np.ndarray, np.ndarray]) -> None:
    problem, x, v = situation
    norm = float(np.linalg.norm(dense_error(problem), 2))
    first, second = mc.transfer_bounds(problem, x, v, norm)
    p, z = problem.p, problem.z
    gap = mc.gradient_form(problem, x, v) / p - v @ mc.full_gradient(z, x)
    bend = mc.hessian_form(problem, x, v) / p - mc.full_hessian_form(z, x, v)
    assert abs(gap) <= first + slack(problem)
    assert abs(bend) <= second + slack(problem)


@PROPERTY
@given(situations(weighted=True))
def test_transfer_errors_are_forms_of_the_error_matrix(
    situation: tuple[Completion, np.ndarray, np.ndarray],
) -> None:
    problem, x, v = situation
    e, p, z = dense_error(problem), problem.p, problem.z
    gap = mc.gradient_form(problem, x, v) / p - v @ mc.full_gradient(z, x)
    bend = mc.hessian_form(problem, x, v) / p - mc.full_hessian_form(z, x, v)
    vx, vz = v * x, v * z
    first = -2 * (vz @ e @ (x * z) - vx @ e @ (x * x))
    second = 2 * (v * v) @ e @ (x * x) + 4 * vx @ e @ vx - 2 * vz @ e @ vz
    assert gap == pytest.approx(first, abs=slack(problem))
    assert bend == pytest.approx(second, abs=slack(problem))


@pytest.mark.parametrize(("size", "truth_size"), [(2.0, 0.0), (0.0, 1.0)])
def test_transfer_bounds_are_attained_by_flat_points(size: float, truth_size: float) -> None:
    # With p = 1/2 and everything seen E = J, and a flat vector is where its norm is attained.
    flat = np.ones(9) / 3
    problem = written(np.ones((9, 9)), p=0.5, z=truth_size * flat)
    x, v, z = size * flat, flat, problem.z
    first, second = mc.transfer_bounds(problem, x, v, 9.0)
    gap = mc.gradient_form(problem, x, v) / 0.5 - v @ mc.full_gradient(z, x)
    bend = mc.hessian_form(problem, x, v) / 0.5 - mc.full_hessian_form(z, x, v)
    assert abs(gap) == pytest.approx(first, rel=1e-12)
    assert abs(bend) == pytest.approx(second, rel=1e-12)


@PROPERTY
@given(st.integers(0, 2**32 - 1), st.floats(1, 3))
def test_entrywise_products_of_incoherent_points(seed: int, mu: float) -> None:
    rng, d = np.random.default_rng(seed), 20
    z = incoherent(d, rng, mu)
    mu = mc.incoherence(z)
    x = rng.uniform(-2, 2, d) * mu / np.sqrt(d)
    xz, xx, zz, length = sizes(x * z, x * x, z * z, x)
    unit = mu / np.sqrt(d) * (1 + 10 * EPS)
    assert xz <= unit * length
    assert xx <= 2 * unit * length
    assert zz <= unit


# The lemmas, in pairs: mc-lemma-7 to mc-lemma-11


@PROPERTY
@given(arrays(float, 5, elements=entries), st.integers(0, 2**32 - 1))
def test_three_scalars_of_the_proof(x: np.ndarray, seed: int) -> None:
    z = mc.gaussian_vector(5, np.random.default_rng(seed))
    a, b = x @ z, x @ x
    slope, size = mc.full_gradient(z, x), 100 * EPS * (1 + b) ** 2
    assert x @ slope == pytest.approx(-2 * (a**2 - b**2), abs=size)
    assert z @ slope == pytest.approx(-2 * a * (1 - b), abs=size)
    assert mc.full_hessian_form(z, x, z) == pytest.approx(2 * b + 4 * a**2 - 2, abs=size)


@pytest.mark.parametrize("scale", [0.0, 1.0, -1.0])
def test_lemma_7_at_the_critical_points_of_g(scale: float) -> None:
    z = mc.gaussian_vector(5, np.random.default_rng(9))
    x = scale * z
    np.testing.assert_allclose(mc.full_gradient(z, x), 0, atol=1e-15)
    assert (x @ z) ** 2 == pytest.approx((x @ x) ** 2, abs=1e-15)


@pytest.fixture(scope="module")
def gentle() -> Completion:
    """A random mask of dimension 60 with an epsilon of a fifth or so."""
    rng = np.random.default_rng(10)
    return mc.random_instance(60, 0.7, rng, vector=incoherent)


@pytest.fixture(scope="module")
def critical(gentle: Completion) -> np.ndarray:
    """Critical points of f with bounded entries, of all kinds, one a row."""
    rng = np.random.default_rng(11)
    d, bound = gentle.d, 2 * mc.incoherence(gentle.z) / np.sqrt(gentle.d)
    starts = rng.normal(size=(60, d)) / np.sqrt(d) * np.linspace(0.1, 1.2, 60)[:, None]
    found = [
        root(
            lambda x: mc.gradient(gentle, x),
            start,
            jac=lambda x: mc.hessian(gentle, x),
            tol=1e-13,
        ).x
        for start in starts
    ]
    kept = [
        x
        for x in found
        if np.abs(mc.gradient(gentle, x)).max() < 1e-10 and np.abs(x).max() <= bound
    ]
    return np.array([x for x in kept if np.linalg.norm(x) > 1e-3])


def test_critical_points_are_of_several_kinds(gentle: Completion, critical: np.ndarray) -> None:
    least = [np.linalg.eigvalsh(mc.hessian(gentle, x))[0] for x in critical]
    assert np.sum(np.array(least) > 0) >= 1
    assert np.sum(np.array(least) < 0) >= 3


def test_lemma_8_at_critical_points_of_f(gentle: Completion, critical: np.ndarray) -> None:
    epsilon, a, b = mc.epsilon(gentle), critical @ gentle.z, np.sum(critical**2, axis=1)
    assert np.all(np.abs(a**2 - b**2) <= 5 * epsilon * b)
    assert np.all(b <= 1 + 5 * epsilon)


@PROPERTY
@given(st.integers(0, 2**32 - 1), st.floats(0, 1), st.floats(0, 2))
def test_transfer_at_incoherent_points_costs_multiples_of_epsilon(
    gentle: Completion, seed: int, along: float, across: float
) -> None:
    """(11.12), (11.20) and (11.31): what the three scalars of f allow those of g to be."""
    mu, d, z, p = mc.incoherence(gentle.z), gentle.d, gentle.z, gentle.p
    noise = np.random.default_rng(seed).uniform(-across, across, d)
    x = np.clip(along * z + noise / np.sqrt(d), -2 * mu / np.sqrt(d), 2 * mu / np.sqrt(d))
    a, b, epsilon = x @ z, x @ x, mc.epsilon(gentle)
    rounding = 1e-13
    first = mc.gradient_form(gentle, x, x) / p + 2 * (a**2 - b**2)
    assert abs(first) <= 10 * epsilon * b + rounding
    second = mc.gradient_form(gentle, x, z) / p + 2 * a * (1 - b)
    assert abs(second) <= 2 * epsilon * (np.sqrt(b) + 2 * b) + rounding
    third = mc.hessian_form(gentle, x, z) / p - (2 * b + 4 * a**2 - 2)
    assert abs(third) <= epsilon * (4 * np.sqrt(b) + 4 * b + 2) + rounding


@PROPERTY
@given(arrays(float, 5, elements=entries), st.floats(0, 0.9999), st.integers(0, 2**32 - 1))
def test_lemma_9_below_a_third_the_hessian_of_g_is_negative_along_z(
    direction: np.ndarray, share: float, seed: int
) -> None:
    z = mc.gaussian_vector(5, np.random.default_rng(seed))
    length = np.linalg.norm(direction)
    x = direction * (np.sqrt(share / 3) / length) if length > 0 else direction
    assert mc.full_hessian_form(z, x, z) < 0


@pytest.mark.parametrize("scale", [0.0, 0.3, 0.57735, 0.6, 0.9, 1.2])
def test_lemma_9_spectrum_along_the_line_to_z(scale: float) -> None:
    z = mc.gaussian_vector(5, np.random.default_rng(12))
    spectrum = np.linalg.eigvalsh(mc.hessian(written(np.ones((5, 5)), z=z), scale * z))
    expected = np.sort([6 * scale**2 - 2, *[2 * scale**2] * 4])
    np.testing.assert_allclose(spectrum, expected, rtol=0, atol=1e-14)


def test_lemma_9_is_attained() -> None:
    z = mc.gaussian_vector(5, np.random.default_rng(13))
    hessian = mc.hessian(written(np.ones((5, 5)), z=z), z / np.sqrt(3))
    assert np.linalg.eigvalsh(hessian)[0] == pytest.approx(0, abs=1e-14)
    np.testing.assert_allclose(hessian @ z, 0, atol=1e-14)


@PROPERTY
@given(st.integers(0, 2**32 - 1), st.floats(0, 1), st.floats(0, 0.999))
def test_lemma_10_below_a_third_less_epsilon_the_hessian_of_f_is_negative_along_z(
    gentle: Completion, seed: int, mix: float, share: float
) -> None:
    d, bound = gentle.d, 2 * mc.incoherence(gentle.z) / np.sqrt(gentle.d)
    threshold = 1 / 3 - mc.epsilon(gentle)
    assert threshold > 0, "the lemma says nothing here"
    x = mix * gentle.z + (1 - mix) * np.random.default_rng(seed).uniform(-1, 1, d) / np.sqrt(d)
    x *= np.sqrt(share * threshold) / np.linalg.norm(x)
    assert np.abs(x).max() <= bound
    assert mc.hessian_form(gentle, x, gentle.z) < 0


def test_lemma_11_descent_on_g_ends_at_plus_or_minus_z() -> None:
    rng = np.random.default_rng(14)
    full = written(np.ones((6, 6)), z=mc.gaussian_vector(6, rng))
    ends = descend(full, 0.5 * rng.normal(size=(6, 200)), 0.1)
    np.testing.assert_allclose(np.abs(full.z @ ends), 1, rtol=0, atol=1e-11)
    assert mc.distance(full, ends).max() < 1e-11


# mc-theorem


def any_weights(d: int, rng: np.random.Generator) -> Completion:
    """A mask of symmetric weights around one, and a flat z."""
    weights = rng.uniform(-0.1, 0.1, (d, d))
    return written(1 + (weights + weights.T) / 2, z=mc.flat_vector(d, rng))


DENSE: dict[str, Callable[[], Completion]] = {
    "one missing diagonal": lambda: written(regular(150, (0,)), p=149 / 150),
    "cycle missing": lambda: written(
        regular(260, (1,)), 258 / 260, mc.flat_vector(260, np.random.default_rng(15))
    ),
    "random, uneven z": lambda: mc.random_instance(
        300, 0.997, np.random.default_rng(16), vector=lambda d, rng: incoherent(d, rng, 1.1)
    ),
    "weights": lambda: any_weights(300, np.random.default_rng(51)),
    "random, independent entries": lambda: mc.random_instance(
        300, 0.993, np.random.default_rng(17), symmetric=False
    ),
}


@pytest.fixture(scope="module", params=DENSE)
def dense(request: pytest.FixtureRequest) -> Completion:
    """Masks that satisfy the hypotheses of part 2."""
    problem = DENSE[request.param]()
    assert mc.epsilon(problem) <= 1 / 100
    assert mc.row_error(problem) <= 1 / 4
    return problem


@pytest.fixture(scope="module")
def sparser() -> Completion:
    """A mask that satisfies the hypothesis of part 1 but not those of part 2."""
    problem = mc.random_instance(300, 0.97, np.random.default_rng(18))
    assert 1 / 100 < mc.epsilon(problem) <= 1 / 40
    return problem


def second_order_points(problem: Completion, seed: int) -> np.ndarray:
    """Where descent ends, from random starts and from starts made with knowledge of the mask."""
    rng, d, z = np.random.default_rng(seed), problem.d, problem.z
    direction = np.sign(mc.mask_error(problem)[1])
    signs = rng.choice([-1.0, 1.0], (d, 2))
    starts = np.c_[rng.normal(size=(d, 4)) / np.sqrt(d), z * direction, signs * z[:, None]]
    return descend(problem, starts, 0.2 / problem.p)


def check_second_order(problem: Completion, x: np.ndarray) -> None:
    assert np.abs(mc.gradient(problem, x)).max() <= 1e-11
    assert np.abs(x).max() <= 2 * mc.incoherence(problem.z) / np.sqrt(problem.d)
    assert np.linalg.eigvalsh(mc.hessian(problem, x))[0] >= 0


def test_theorem_part_1_on_a_random_mask(sparser: Completion) -> None:
    ends = second_order_points(sparser, 19)
    check_second_order(sparser, ends[:, 0])
    assert np.all(mc.distance(sparser, ends) ** 2 <= 25 * mc.epsilon(sparser))


def test_theorem_part_2_second_order_points_are_the_truth(dense: Completion) -> None:
    ends = second_order_points(dense, 20)
    check_second_order(dense, ends[:, 0])
    assert mc.distance(dense, ends).max() <= 1e-10


@pytest.fixture(scope="module")
def starved() -> Completion:
    """All pairs seen but those of coordinate 7: epsilon is below 1/40, rho is 1."""
    d = 1700
    seen = np.ones(d)
    seen[7] = 0
    z = mc.flat_vector(d, np.random.default_rng(21))
    return Completion(z, sparse.csr_array(np.outer(seen, seen)), 1.0)


@pytest.mark.parametrize("share", [-1.0, 0.0, 0.5, 1.0])
def test_theorem_part_1_where_the_minimum_is_not_the_truth(
    starved: Completion, share: float
) -> None:
    d = starved.d
    x = starved.z.copy()
    x[7] = share * 2 / np.sqrt(d)  # all the hypothesis allows
    epsilon = mc.epsilon(starved)
    assert epsilon <= 1 / 40
    assert mc.row_error(starved) == pytest.approx(1, rel=1e-9)
    assert mc.objective(starved, x) == pytest.approx(0, abs=1e-25)  # so the Hessian is positive
    assert np.abs(mc.gradient(starved, x)).max() < 1e-13
    distance = mc.distance(starved, x)
    assert 0.9 / np.sqrt(d) < distance <= 5 * np.sqrt(epsilon)


def test_theorem_first_bounds_on_the_inner_product_and_norm() -> None:
    eps = np.linspace(0, 1 / 40, 101)
    lower = (1 / 3 - eps) * (1 / 3 - 6 * eps)
    assert np.all(np.diff(lower) < 0)
    assert lower[-1] > 1 / 32
    b = 1 / 3 - eps
    assert np.all(b * (b - 5 * eps) >= lower - EPS)
    assert np.max(2 + 4 * np.sqrt(b) + 4 * b) < 6  # the bracket in the proof of mc-lemma-10


def test_theorem_kappa_decreases_in_b_and_stays_below_five() -> None:
    eps = np.linspace(0, 1 / 40, 51)[:, None]
    b = (1 / 3 - eps) + np.linspace(0, 1, 501) * (2 / 3 + 6 * eps)
    kappa = (1 + 2 * np.sqrt(b)) / np.sqrt(b - 5 * eps)
    assert np.all(np.diff(kappa, axis=1) < 0)
    assert np.all(np.diff(kappa[:, 0]) > 0)
    assert 4.9 < kappa.max() < 5


def test_theorem_last_steps_of_the_chain() -> None:
    eps = np.linspace(0, 1 / 40, 101)
    assert np.all((1 - 5 * eps) * (1 - 10 * eps) >= (1 - 10 * eps) ** 2)
    np.testing.assert_allclose((1 + 5 * eps) + 1 - 2 * (1 - 10 * eps), 25 * eps, atol=4 * EPS)


@pytest.mark.parametrize("eps", [1e-3, 0.01, 1 / 40])
def test_theorem_scalar_inequalities_imply_the_distance(eps: float) -> None:
    b = np.linspace(1 / 3 - eps, 1 + 5 * eps, 1500)[:, None]
    a = np.sqrt(b) * np.linspace(0, 1, 1500)
    allowed = (np.abs(a**2 - b**2) <= 5 * eps * b) & (
        a * np.abs(1 - b) <= eps * (np.sqrt(b) + 2 * b)
    )
    assert allowed.any()
    assert np.max((b + 1 - 2 * a)[allowed]) <= 25 * eps
    assert np.max(np.abs(1 - b + 0 * a)[allowed]) <= 5 * eps
    assert np.min(a[allowed]) >= 1 - 10 * eps


def differences(problem: Completion, seed: int) -> Iterator[np.ndarray]:
    """Vectors h = x - z within the bounds of part 2, of three kinds and of several sizes."""
    rng, d = np.random.default_rng(seed), problem.d
    mu, epsilon = mc.incoherence(problem.z), mc.epsilon(problem)
    direction = mc.mask_error(problem)[1]
    for raw in (
        rng.normal(size=d),
        problem.z * np.sign(direction),
        np.where(np.arange(d) < 3, 1.0, 0),
    ):
        for scale in (0.01, 0.5, 1.0):
            largest = min(
                5 * np.sqrt(epsilon) / np.linalg.norm(raw),
                3 * mu / np.sqrt(d) / np.abs(raw).max(),
            )
            yield scale * largest * raw


def test_theorem_part_2_inequalities_of_the_proof(dense: Completion) -> None:
    w, e, p, z = dense_weights(dense), dense_error(dense), dense.p, dense.z
    norm, epsilon, rho = mc.mask_error(dense)[0], mc.epsilon(dense), mc.row_error(dense)
    mu, d = mc.incoherence(z), dense.d
    for h in differences(dense, 22):
        square, rounding = h @ h, 1e-12
        a, b = np.outer(z, h) + np.outer(h, z), np.outer(h, h)
        alpha, beta = np.sum(w * a**2), np.sum(w * b**2)  # squares of the alpha, beta of the proof
        form = mc.gradient_form(dense, z + h, h)
        assert form == pytest.approx(np.sum(w * (a + b) * (a + 2 * b)), abs=rounding)
        product = alpha - 3 * np.sqrt(alpha * beta) + 2 * beta
        assert form >= product - rounding
        hh, zh = h * h, z * h
        exact = 2 * square + 2 * (z @ h) ** 2 + 2 * hh @ e @ (z * z) + 2 * zh @ e @ zh
        assert alpha / p == pytest.approx(exact, abs=rounding)
        assert abs(hh @ e @ (z * z)) <= square * rho + rounding
        assert zh @ zh <= mu**2 / d * square * (1 + 1e-12)
        assert alpha / p >= 2 * square * (1 - rho - epsilon) - rounding
        assert beta / p == pytest.approx(square**2 + hh @ e @ hh, abs=rounding)
        assert beta / p <= square**2 + norm * np.abs(h).max() ** 2 * square + rounding
        assert beta / p <= square * 34 * epsilon + rounding
        assert alpha > 4 * beta  # so no such h is a critical direction


def test_theorem_part_2_last_line() -> None:
    assert 2 * (1 - 1 / 4 - 1 / 100) > 136 / 100


@pytest.mark.parametrize("mu", [1.0, 1.5, 4.0])
@pytest.mark.parametrize("epsilon", [1 / 40, 1 / 100])
@pytest.mark.parametrize("delta", [0.5, 0.01])
@pytest.mark.parametrize("d", [10**6, 10**9, 10**12])
def test_theorem_part_3_density_suffices(mu: float, epsilon: float, delta: float, d: int) -> None:
    scale = math.log(2 * d / delta)
    least = 8 * mu**4 * scale / (d * epsilon**2)
    for p in [p for p in (least, 2 * least, 1.0) if least <= p <= 1]:
        assert mu**2 * mc.bernstein_norm(d, p, delta) / d <= epsilon
        assert p * d >= 35 * mu**2 * scale
        assert d * 2 * math.exp(-3 * p * d / (104 * mu**2)) <= delta * (1 + 1e-9)


@pytest.mark.parametrize("p", [0.01, 0.3, 0.9])
@pytest.mark.parametrize("seen", [40, 200, 1000, 5000])
def test_theorem_part_3_tail_of_one_row(p: float, seen: int) -> None:
    """For flat z an entry of E(z o z) is a binomial variable over its mean, less one."""
    d = round(seen / p)
    low, high = math.ceil(0.75 * p * d) - 1, math.floor(1.25 * p * d)
    tail = stats.binom.cdf(low, d, p) + stats.binom.sf(high, d, p)
    assert tail <= 2 * math.exp(-3 * p * d / 104)


# mc-chain and mc-spurious


def chain(w: float) -> Completion:
    return written(np.array([[1, w, 0], [w, 0, w], [0, w, 1.0]]), p=2 / 3, z=np.ones(3))


TRAP = np.array([-1.0, 0.0, 1.0])
WEIGHTS = [0.1, 0.5, 2 / 3, 1.0, 1.7, 2.0, 2.5, 4.0]


@pytest.mark.parametrize("w", WEIGHTS)
def test_chain_point_is_critical_with_the_hessian_of_the_text(w: float) -> None:
    assert np.abs(mc.gradient(chain(w), TRAP)).max() <= 4 * EPS
    expected = [[4, -2 * w, 0], [-2 * w, 4 * w, -2 * w], [0, -2 * w, 4]]
    np.testing.assert_allclose(mc.hessian(chain(w), TRAP), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("w", WEIGHTS)
def test_chain_determinant_and_eigenvalues(w: float) -> None:
    hessian = mc.hessian(chain(w), TRAP)
    assert np.linalg.det(hessian) == pytest.approx(32 * w * (2 - w), abs=1e-12)
    assert np.linalg.det(hessian[:2, :2]) == pytest.approx(4 * w * (4 - w), abs=1e-13)
    spread = 2 * np.sqrt((1 - w) ** 2 + 2 * w**2)
    expected = np.sort([4, 2 + 2 * w - spread, 2 + 2 * w + spread])
    np.testing.assert_allclose(np.linalg.eigvalsh(hessian), expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize(("w", "sign"), [(0.01, 1), (1, 1), (1.99, 1), (2.01, -1), (5, -1)])
def test_chain_is_a_trap_below_weight_two_and_a_saddle_above(w: float, sign: int) -> None:
    assert np.sign(np.linalg.eigvalsh(mc.hessian(chain(w), TRAP))[0]) == sign


def test_chain_least_eigenvalue_is_largest_at_two_thirds() -> None:
    best = minimize_scalar(
        lambda w: -np.linalg.eigvalsh(mc.hessian(chain(w), TRAP))[0],
        bounds=(0.1, 1.9),
        method="bounded",
        options={"xatol": 1e-9},
    )
    assert best.x == pytest.approx(2 / 3, abs=1e-6)
    assert -best.fun == pytest.approx(4 / 3, rel=1e-12)


@pytest.mark.parametrize("t", [-0.03, -0.01, 0.01, 0.03])
def test_chain_is_no_minimum_at_weight_two_either(t: float) -> None:
    curve = TRAP + t * np.ones(3) + 2.5 * t**2 * np.array([1, 0, -1])
    assert mc.objective(chain(2), TRAP) == pytest.approx(4, rel=1e-15)
    assert mc.objective(chain(2), curve) == pytest.approx(4 - 20 * t**4, abs=200 * abs(t) ** 5)


def test_chain_is_far_from_the_hypothesis_on_epsilon() -> None:
    """With p = 2/3, and with the p at which epsilon is least."""
    assert mc.epsilon(chain(1)) == pytest.approx(1 / 2, rel=1e-14)
    densities = np.linspace(0.3, 2, 171)
    norms = [np.linalg.norm(chain(1).mask.toarray() / p - 1, 2) for p in densities]
    expected = np.maximum(np.abs(2 / densities - 3), 1 / densities)
    np.testing.assert_allclose(norms, expected, rtol=1e-12)
    assert densities[np.argmin(norms)] == pytest.approx(1)
    assert min(norms) / 3 == pytest.approx(1 / 3, rel=1e-12)


def test_spurious_two_triangles_have_a_trap() -> None:
    links = np.kron(np.eye(2), np.ones((3, 3)))
    links[2, 3] = links[3, 2] = 1
    problem = written(links, links.mean())
    assert mc.determines_signs(problem.mask)
    start = problem.z * np.array([1, 1, 1, -1, -1, -1])
    end = descend(problem, start, 0.2, max_steps=4000)
    assert np.abs(mc.gradient(problem, end)).max() < 1e-11
    assert np.linalg.eigvalsh(mc.hessian(problem, end))[0] > 0.3
    assert mc.distance(problem, end) > 0.5


def test_spurious_two_large_entries_with_unseen_product() -> None:
    d, share = 50, 0.45
    z = np.full(d, np.sqrt((1 - 2 * share) / (d - 2)))
    z[:2] = np.sqrt(share)
    mask = np.ones((d, d))
    mask[[0, 1], [1, 0]] = 0
    start = z * np.where(np.arange(d) == 0, -1, 1)
    problem = written(mask, p=1.0, z=z)
    end = descend(problem, start, 0.1)
    assert np.linalg.eigvalsh(mc.hessian(problem, end))[0] > 0.01
    assert mc.distance(problem, end) > 0.5
    mask[[0, 1], [1, 0]] = 1
    seen = written(mask, p=1.0, z=z)
    assert mc.distance(seen, descend(seen, start, 0.1)) < 1e-8


# mc-infinity

ENDLESS = written(np.array([[1, 1, 0], [1, 0, 1], [0, 1, 0]]), p=5 / 9, z=np.ones(3))


def test_infinity_mask_determines_the_truth() -> None:
    assert mc.determines_signs(ENDLESS.mask)


def test_infinity_critical_points_are_the_truth_and_strict_saddles() -> None:
    rng = np.random.default_rng(52)
    saddles = [np.zeros(3), np.array([1.0, 0, -1]), np.array([-1.0, 0, 1])]
    for x in saddles:
        assert np.abs(mc.gradient(ENDLESS, x)).max() <= EPS
        assert np.linalg.eigvalsh(mc.hessian(ENDLESS, x))[0] < -0.5
    found = [
        root(lambda x: mc.gradient(ENDLESS, x), start, jac=lambda x: mc.hessian(ENDLESS, x))
        for start in rng.uniform(-3, 3, (200, 3))
    ]
    ends = np.array([one.x for one in found if np.abs(one.fun).max() < 1e-10])
    ends = ends[np.abs(ends).max(axis=1) < 10]  # far out the gradient is small as well
    known = np.array([*saddles, np.ones(3), -np.ones(3)])
    gaps = np.linalg.norm(ends[:, None] - known, axis=2)
    assert gaps.min(axis=1).max() < 1e-6
    assert set(gaps.argmin(axis=1)) == set(range(5))


@PROPERTY
@given(st.floats(-50, 50), st.floats(-50, 50), st.floats(0.001, 50))
def test_infinity_walls_of_the_trap(first: float, second: float, positive: float) -> None:
    rounding = 1e-9
    assert mc.objective(ENDLESS, np.array([0.0, first, second])) >= 3 / 2 - rounding
    assert mc.objective(ENDLESS, np.array([first, 0.0, second])) >= 2 - rounding
    assert mc.objective(ENDLESS, np.array([positive, -abs(first), second])) >= 1


def test_infinity_flow_runs_away_above_one() -> None:
    start = np.array([1, -0.1, -10])
    assert mc.objective(ENDLESS, start) == pytest.approx(1.21, rel=1e-12)
    flow = solve_ivp(
        lambda t, x: -mc.gradient(ENDLESS, x),
        (0, 3000),
        start,
        method="LSODA",
        rtol=1e-8,
        atol=1e-10,
        t_eval=np.linspace(0, 3000, 31),
    )
    values = np.array([mc.objective(ENDLESS, x) for x in flow.y.T])
    assert np.all(flow.y[0] > 0)
    assert np.all(flow.y[1] < 0)
    assert np.all(np.diff(values) < 0)
    assert 1 < values[-1] < 1.1
    assert np.all(np.diff(np.abs(flow.y[2])) > 0)


def test_infinity_flow_grows_with_the_third_root_of_time() -> None:
    """The floor of the valley is 1 + 2/|x_3| to leading order, so that |x_3|^3 is about 6 t."""
    times = np.array([1e6, 1e7, 1e8])
    flow = solve_ivp(
        lambda t, x: -mc.gradient(ENDLESS, x),
        (0, times[-1]),
        [1.0, -0.2, -5.0],
        method="Radau",
        jac=lambda t, x: -mc.hessian(ENDLESS, x),
        t_eval=times,
        rtol=1e-8,
        atol=1e-10,
    )
    np.testing.assert_allclose(np.abs(flow.y[2]), np.cbrt(6 * times), rtol=0.01)


def test_infinity_descent_with_a_fixed_step_stays_bounded() -> None:
    """The growth ends where the step is unstable across the valley."""
    step = 0.02
    run = gradient_descent(
        lambda x: mc.gradient(ENDLESS, x), np.array([1.0, -0.2, -5.0]), step, max_steps=8000
    )
    assert mc.distance(ENDLESS, run.x) > 1
    assert 0.95 / math.sqrt(step) < np.abs(run.x).max() < 1.1 / math.sqrt(step)


def test_infinity_descent_with_a_larger_step_escapes() -> None:
    """Where the step is unstable the valley lies above the barrier."""
    start = np.array([1.0, -0.2, -4.0])
    assert mc.objective(ENDLESS, start) < 1.5
    small, large = (
        gradient_descent(lambda x: mc.gradient(ENDLESS, x), start, step, max_steps=20_000)
        for step in (0.02, 0.1)
    )
    assert mc.distance(ENDLESS, small.x) > 1
    assert mc.distance(ENDLESS, large.x) < 1e-6


# One pair unseen


def test_one_unseen_pair_traps_only_two_large_entries() -> None:
    """The theorem covers the flat truth and not the other; at the other's trap the Hessian is
    positive."""
    d, share = 50, 0.45
    mask = np.ones((d, d))
    mask[[0, 1], [1, 0]] = 0
    spiky = np.full(d, math.sqrt((1 - 2 * share) / (d - 2)))
    spiky[:2] = math.sqrt(share)
    flat, peaks = written(mask, z=np.full(d, 1 / math.sqrt(d))), written(mask, z=spiky)
    assert mc.epsilon(flat) == pytest.approx(1 / d)
    assert mc.epsilon(peaks) == pytest.approx(share)
    start = np.zeros(d)
    start[:2] = 0.6, -0.6
    for problem, far in ((flat, False), (peaks, True)):
        tilted = start + 0.01 * np.arange(d) / d
        run = gradient_descent(
            lambda x, problem=problem: mc.gradient(problem, x), tilted, 0.1, max_steps=3000
        )
        assert (mc.distance(problem, run.x) > 0.5) == far
        assert np.linalg.eigvalsh(mc.hessian(problem, run.x))[0] > 0.5


# mc-isolated


@pytest.mark.parametrize("d", [8, 50, 200, 201, 400])
def test_isolated_coordinate_has_the_epsilon_of_the_text(d: int) -> None:
    seen = np.ones(d)
    seen[7] = 0
    mask = np.outer(seen, seen)
    problem = written(mask, z=mc.flat_vector(d, np.random.default_rng(23)))
    assert mc.epsilon(problem) == pytest.approx((1 + np.sqrt(4 * d - 3)) / (2 * d), rel=1e-10)
    spectrum = np.linalg.eigvalsh(mask - 1)
    pair = [-(1 + np.sqrt(1 + 4 * (d - 1))) / 2, -(1 - np.sqrt(1 + 4 * (d - 1))) / 2]
    np.testing.assert_allclose(spectrum[[0, -1]], pair, rtol=1e-12)
    np.testing.assert_allclose(spectrum[1:-1], 0, atol=1e-10)


@pytest.mark.parametrize("t", [-100.0, 0.1, 3.0])
def test_isolated_coordinate_is_free(starved: Completion, t: float) -> None:
    x = starved.z.copy()
    x[7] += t
    assert mc.objective(starved, x) == pytest.approx(0, abs=1e-25)
    assert np.abs(mc.gradient(starved, x)).max() < 1e-13
    assert mc.distance(starved, x) == pytest.approx(min(abs(t), math.hypot(2, t)), rel=1e-3)


def test_part_two_fails_for_a_point_with_a_large_entry() -> None:
    """All its hypotheses hold but the bound on the entries, at a strict local minimum."""
    d, few = 800, 40
    weights = np.ones((d, d))
    weights[0, 1 : few + 1] = weights[1 : few + 1, 0] = 0
    weights[0, 0] = 1e-6
    problem = written(weights)

    def spread(u: np.ndarray) -> np.ndarray:
        return np.repeat(u, [1, few, d - 1 - few]) / math.sqrt(d)

    def slope(u: np.ndarray) -> np.ndarray:
        return mc.gradient(problem, spread(u))[[0, 1, few + 1]]

    x = spread(root(slope, [-112, 0.933, -0.0063], tol=1e-13).x)
    residual = weights * (np.ones((d, d)) / d - np.outer(x, x))
    assert np.abs(residual @ x).max() < 1e-13
    hessian = 2 * (np.diag(weights @ x**2) + weights * np.outer(x, x) - residual)
    assert np.linalg.eigvalsh(hessian)[0] > 1e-4
    assert np.linalg.norm(weights - 1, 2) / d < 1 / 100
    assert np.abs((weights - 1).mean(axis=1)).max() < 1 / 4
    assert mc.distance(problem, x) > 4


@pytest.mark.parametrize(
    ("guess", "least"),
    [
        ([1.096, 0.537, 2.239, 0.263, -0.767], 0.05),
        ([-0.805, 0.238, 2.723, 0.438, 1.48, 0.805], 0.04),
    ],
)
def test_long_chain_has_a_finite_minimum_with_a_large_entry(
    guess: list[float], least: float
) -> None:
    d = len(guess)
    links = np.eye(d, k=1) + np.eye(d, k=-1)
    links[0, 0] = links[-1, -1] = 1
    problem = written(links, z=np.ones(d))
    x = root(lambda x: mc.gradient(problem, x), guess, tol=1e-13).x
    assert np.abs(mc.gradient(problem, x)).max() < 1e-11
    assert np.linalg.eigvalsh(mc.hessian(problem, x))[0] > least
    assert np.abs(x).max() > 2
    assert mc.determines_signs(problem.mask)


# mc-penalty


def penalty(x: np.ndarray, level: float, weight: float) -> float:
    return weight * float(np.sum(np.maximum(np.abs(x) - level, 0) ** 4))


def test_penalty_gradient_is_that_of_the_penalty() -> None:
    x = np.array([-2.0, -0.7, -0.3, 0.0, 0.3, 0.9, 1.7])
    step = 1e-4  # truncation 4 weight (|x| - level) step^2 is at most 2e-7, rounding less
    for i, unit in enumerate(np.eye(x.size)):
        difference = penalty(x + step * unit, 0.5, 3) - penalty(x - step * unit, 0.5, 3)
        slope = mc.penalty_gradient(x, 0.5, 3)[i]
        assert slope == pytest.approx(difference / (2 * step), abs=1e-6)


def test_penalty_gradient_of_a_batch_is_entrywise() -> None:
    batch = np.random.default_rng(24).normal(size=(4, 3))
    columns = [mc.penalty_gradient(x, 0.5, 2.0) for x in batch.T]
    np.testing.assert_array_equal(mc.penalty_gradient(batch, 0.5, 2.0), np.transpose(columns))


def test_penalty_leaves_the_truth_and_what_is_small_alone() -> None:
    z = incoherent(20, np.random.default_rng(25))
    level = np.abs(z).max()
    for x in (z, -z, 0.9 * z):
        np.testing.assert_array_equal(mc.penalty_gradient(x, level, 5.0), np.zeros(20))


@PROPERTY
@given(situations(weighted=True), st.floats(1, 3))
def test_penalty_pushes_back_any_entry_beyond_twice_its_level(
    situation: tuple[Completion, np.ndarray, np.ndarray], excess: float
) -> None:
    """Where |x_i| > 2 alpha the i-th slope has the sign of x_i, so no critical point is there."""
    problem, x, _ = situation
    assume(np.any(problem.z) and np.any(x))
    problem = replace(problem, z=problem.z / np.linalg.norm(problem.z))
    level = mc.incoherence(problem.z) / np.sqrt(problem.d)
    x = x * (2.001 * excess * level / np.abs(x).max())
    weight = problem.p * (1 + mc.row_error(problem)) / (16 * level**2)
    slope = mc.gradient(problem, x) + mc.penalty_gradient(x, level, weight)
    beyond = np.abs(x) > 2 * level
    assert beyond.any()
    assert np.all(slope[beyond] * np.sign(x[beyond]) > 0)


def test_penalty_bounds_the_entries_of_critical_points() -> None:
    rng = np.random.default_rng(53)
    problem = mc.random_instance(40, 0.15, rng)
    level = 1 / np.sqrt(40)
    weight = problem.p * (1 + mc.row_error(problem)) / (16 * level**2)
    ends = gradient_descent(
        lambda x: mc.gradient(problem, x) + mc.penalty_gradient(x, level, weight),
        rng.uniform(-1.5, 1.5, (40, 30)),
        0.03,
        max_steps=4000,
        tolerance=1e-7,
        momentum=0.9,
    )
    assert ends.reason == "tolerance"
    assert np.abs(ends.x).max() <= 2 * level


def test_penalty_keeps_the_trap_of_the_chain() -> None:
    def penalised(x: np.ndarray) -> np.ndarray:
        return mc.gradient(chain(1), x) + mc.penalty_gradient(x, 1.5, 20)

    start = TRAP + 0.1 * np.random.default_rng(26).normal(size=3)
    end = gradient_descent(penalised, start, 0.02, max_steps=3000, tolerance=1e-10).x
    np.testing.assert_allclose(end, TRAP, atol=1e-8)


@PROPERTY
@given(st.floats(0.01, 50), arrays(float, 3, elements=st.floats(-0.2, 0.2)))
def test_penalty_keeps_a_minimum_with_entries_of_the_size_of_its_level(
    weight: float, step: np.ndarray
) -> None:
    """At level 1 the trap (-1, 0, 1) lies on the edge of where the penalty vanishes."""
    assume(np.linalg.norm(step) > 1e-3)
    assert penalty(TRAP, 1.0, weight) == 0
    x = TRAP + step
    assert mc.objective(chain(1), x) + penalty(x, 1.0, weight) > mc.objective(chain(1), TRAP)


@pytest.mark.parametrize("factor", [1.0, 10.0, 100.0])
@pytest.mark.parametrize(
    ("links", "guess", "least", "expected"),
    [
        (
            np.eye(5, k=1) + np.eye(5, k=-1) + np.diag([1.0, 0, 0, 0, 1]),
            [1.1, 0.54, 2.24, 0.26, -0.77],
            0.24,
            [1.071, 0.731, 1.570, 0.264, -0.765],
        ),
        (ENDLESS.mask.toarray(), [1.0, -0.2, -5.0], 0.14, [0.717, -0.288, -1.783]),
    ],
)
def test_penalty_leaves_a_spurious_minimum_with_large_entries(
    factor: float, links: np.ndarray, guess: list[float], least: float, expected: list[float]
) -> None:
    """On the chain of five, and on the mask whose f has no spurious minimum at all."""
    problem = written(links, p=float(links.mean()), z=np.ones(len(links)))
    weight = factor * problem.p * (problem.d + mc.row_error(problem)) / 16

    def slope(x: np.ndarray) -> np.ndarray:
        return mc.gradient(problem, x) + mc.penalty_gradient(x, 1.0, weight)

    def bend(x: np.ndarray) -> np.ndarray:
        return mc.hessian(problem, x) + np.diag(12 * weight * np.maximum(np.abs(x) - 1, 0) ** 2)

    flow = solve_ivp(
        lambda t, x: -slope(x), (0, 1e4), guess, method="Radau", jac=lambda t, x: -bend(x)
    )
    x = root(slope, flow.y[:, -1], jac=bend, tol=1e-13).x
    assert np.abs(slope(x)).max() < 1e-11
    assert np.linalg.eigvalsh(bend(x))[0] > least
    assert 1 < np.abs(x).max() <= 2
    assert mc.distance(problem, x) > 1
    if factor == 1:
        np.testing.assert_allclose(x, expected, atol=1e-3)


# mc-higher-rank and mc-ex-asymmetric


@pytest.mark.parametrize("kind", ["noisy", "noisy, uneven"])
def test_noise_changes_the_forms_by_its_own(
    kind: str, points: tuple[np.ndarray, np.ndarray]
) -> None:
    noisy = instance(kind)
    quiet, n = replace(noisy, noise=None), noisy.noise.toarray()
    for x, v in zip(*points, strict=True):
        first = mc.gradient_form(noisy, x, v) - mc.gradient_form(quiet, x, v)
        second = mc.hessian_form(noisy, x, v) - mc.hessian_form(quiet, x, v)
        assert first == pytest.approx(-(v @ n @ x + x @ n @ v), abs=1e-12)
        assert second == pytest.approx(-2 * v @ n @ v, abs=1e-12)
        size = 2 * np.linalg.norm((n + n.T) / 2, 2)
        assert abs(first) <= size * math.prod(sizes(x, v)) + 1e-12
        assert abs(second) <= size * (v @ v) + 1e-12


@pytest.mark.parametrize("rank", [2, 3])
def test_descent_recovers_a_truth_of_higher_rank(rank: int) -> None:
    rng, d, p = np.random.default_rng(27), 60, 0.6
    z = np.linalg.qr(rng.normal(size=(d, rank)))[0]
    problem = Completion(z, mc.random_mask(d, p, rng), p)
    start = 0.3 * rng.normal(size=(d, rank)) / np.sqrt(d)
    run = gradient_descent(
        lambda u: mc.factor_gradient(problem, u), start, 0.25 / p, max_steps=2000, tolerance=1e-11
    )
    assert mc.factor_distance(z, run.x) < 1e-9


@pytest.mark.parametrize("p", [0.3, 0.8])
def test_independent_entries_have_half_the_variance_off_the_diagonal(p: float) -> None:
    masks, probability = distribution(2, p, symmetric=False)
    errors = np.array([dense_error(written(mask, p)) for mask in masks])
    variance = np.tensordot(probability, errors**2, axes=1)
    odds = (1 - p) / p
    np.testing.assert_allclose(variance, odds * np.array([[1, 0.5], [0.5, 1]]), rtol=1e-12)
    crossed = probability @ (errors[:, 0, 0] * errors[:, 0, 1])
    assert crossed == pytest.approx(0, abs=1e-13)


# f and its derivatives against automatic differentiation


def test_objective_is_the_loss_up_to_a_constant(
    problem: Completion, points: tuple[np.ndarray, np.ndarray]
) -> None:
    # The constant is what noise adds that no symmetric matrix can fit, and zero without noise.
    values = [mc.objective(problem, x) - dense_loss(problem, x) for x in points[0]]
    np.testing.assert_allclose(values, values[0], rtol=0, atol=1e-11)
    if problem.noise is None or (problem.noise != problem.noise.T).nnz == 0:
        assert values[0] == pytest.approx(0, abs=1e-11)


def test_gradient_is_that_of_the_loss(
    problem: Completion, points: tuple[np.ndarray, np.ndarray]
) -> None:
    slope = autograd.grad(lambda x: dense_loss(problem, x))
    for x, v in zip(*points, strict=True):
        np.testing.assert_allclose(mc.gradient(problem, x), slope(x), rtol=1e-11, atol=1e-11)
        assert mc.gradient_form(problem, x, v) == pytest.approx(v @ slope(x), abs=1e-10)


def test_hessian_is_that_of_the_loss(
    problem: Completion, points: tuple[np.ndarray, np.ndarray]
) -> None:
    bend = autograd.hessian(lambda x: dense_loss(problem, x))
    for x, v in zip(*points, strict=True):
        expected = bend(x)
        np.testing.assert_allclose(mc.hessian(problem, x), expected, rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose(
            mc.hessian_product(problem, x, v), expected @ v, rtol=1e-11, atol=1e-10
        )
        assert mc.hessian_form(problem, x, v) == pytest.approx(v @ expected @ v, abs=1e-10)


def test_full_derivatives_are_those_of_the_full_loss() -> None:
    rng = np.random.default_rng(28)
    for z, x, v in 1.5 * rng.normal(size=(5, 3, 4)):
        full = written(np.ones((4, 4)), z=z)
        slope = autograd.grad(lambda y, full=full: dense_loss(full, y))(x)
        bend = autograd.hessian(lambda y, full=full: dense_loss(full, y))(x)
        np.testing.assert_allclose(mc.full_gradient(z, x), slope, rtol=1e-11, atol=1e-11)
        assert mc.full_hessian_form(z, x, v) == pytest.approx(v @ bend @ v, rel=1e-11, abs=1e-11)


def test_batch_is_treated_column_by_column(
    problem: Completion, points: tuple[np.ndarray, np.ndarray]
) -> None:
    batch = points[0].T
    values, slopes = mc.objective(problem, batch), mc.gradient(problem, batch)
    assert values.shape == (10,)
    assert slopes.shape == (6, 10)
    for x, value, slope in zip(batch.T, values, slopes.T, strict=True):
        assert mc.objective(problem, x) == value
        np.testing.assert_allclose(mc.gradient(problem, x), slope, rtol=1e-14, atol=1e-14)


def test_noise_on_some_entries_of_the_mask_only() -> None:
    noise = sparse.csr_array(([1.0], ([0], [0])), shape=(3, 3))
    problem = replace(written(np.ones((3, 3)), z=np.eye(3)[0]), noise=noise)
    x, v = np.array([2.0, 1.0, 0.0]), np.array([1.0, -1.0, 3.0])
    assert mc.objective(problem, x) == pytest.approx(dense_loss(problem, x), rel=1e-14)
    slope = autograd.grad(lambda y: dense_loss(problem, y))(x)
    bend = autograd.hessian(lambda y: dense_loss(problem, y))(x)
    assert mc.gradient_form(problem, x, v) == pytest.approx(v @ slope, rel=1e-14)
    assert mc.hessian_form(problem, x, v) == pytest.approx(v @ bend @ v, rel=1e-14)


def test_nothing_observed_leaves_nothing() -> None:
    problem, x = written(np.zeros((3, 3)), p=0.5), np.ones(3)
    assert mc.objective(problem, x) == 0
    np.testing.assert_array_equal(mc.gradient(problem, x), np.zeros(3))
    np.testing.assert_array_equal(mc.hessian(problem, x), np.zeros((3, 3)))
    assert mc.gradient_form(problem, x, x) == mc.hessian_form(problem, x, x) == 0


def test_inputs_are_left_alone(points: tuple[np.ndarray, np.ndarray]) -> None:
    problem = instance("noisy, uneven")
    kept = [array.copy() for array in (problem.z, problem.mask.toarray(), problem.noise.toarray())]
    x, v = points[0][0].copy(), points[1][0].copy()
    for call in (mc.gradient_form, mc.hessian_form, mc.hessian_product):
        call(problem, x, v)
    mc.objective(problem, x)
    np.testing.assert_array_equal(x, points[0][0])
    np.testing.assert_array_equal(v, points[1][0])
    for array, now in zip(kept, (problem.z, problem.mask, problem.noise), strict=True):
        np.testing.assert_array_equal(array, now if now.ndim == 1 else now.toarray())


# The instance


def test_weights_are_the_symmetric_part(problem: Completion) -> None:
    np.testing.assert_allclose(problem.weights.toarray(), dense_weights(problem), rtol=1e-15)
    rows, columns = problem.pairs
    np.testing.assert_array_equal(problem.weights.toarray()[rows, columns], problem.weights.data)
    assert rows.size == np.count_nonzero(dense_weights(problem))


def test_observed_is_the_symmetric_part_of_what_is_seen(problem: Completion) -> None:
    seen = problem.mask.toarray() * truth(problem)
    if problem.noise is not None:
        seen += problem.noise.toarray()
    np.testing.assert_allclose(problem.observed.toarray(), (seen + seen.T) / 2, atol=1e-15)


def test_observed_entries_of_a_truth_of_rank_two() -> None:
    z = np.random.default_rng(29).normal(size=(5, 2))
    mask = instance("independent", d=5).mask
    problem = Completion(z, mask, 0.5)
    expected = dense_weights(problem) * (z @ z.T)
    np.testing.assert_allclose(problem.observed.toarray(), expected, rtol=1e-14, atol=1e-14)
    assert problem.d == 5


@pytest.mark.parametrize("shape", [(3, 3), (4, 5), (5, 4)])
def test_mask_of_the_wrong_shape_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"mask: shape .*; expected \(4, 4\)"):
        Completion(np.ones(4), sparse.csr_array(shape), 0.5)


@pytest.mark.parametrize("p", [0, -0.5, 1.5, np.nan])
def test_instance_needs_a_positive_probability(p: float) -> None:
    with pytest.raises(ValueError, match=f"p: {p}; expected a probability"):
        Completion(np.ones(4), sparse.csr_array((4, 4)), p)


# Random masks


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize(("d", "p"), [(1, 0.5), (2, 0.5), (17, 0.3), (150, 0.02), (150, 0.6)])
def test_random_mask_is_zero_one_and_symmetric_if_asked(d: int, p: float, symmetric: bool) -> None:
    mask = mc.random_mask(d, p, np.random.default_rng(30), symmetric=symmetric)
    assert mask.shape == (d, d)
    dense = mask.toarray()
    assert set(np.unique(dense)) <= {0.0, 1.0}
    assert mask.nnz == dense.sum()
    if symmetric:
        np.testing.assert_array_equal(dense, dense.T)
    elif d > 2:
        assert (dense != dense.T).any()


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("d", [1, 2, 3, 64, 301])
def test_random_mask_at_the_ends(d: int, symmetric: bool) -> None:
    rng = np.random.default_rng(31)
    full = mc.random_mask(d, 1.0, rng, symmetric=symmetric)
    np.testing.assert_array_equal(full.toarray(), np.ones((d, d)))
    assert mc.random_mask(d, 0.0, rng, symmetric=symmetric).nnz == 0


@pytest.mark.parametrize("symmetric", [True, False])
def test_random_mask_of_two_has_the_exact_distribution(symmetric: bool) -> None:
    p, draws, rng = 0.4, 4000, np.random.default_rng(32)
    masks, probability = distribution(2, p, symmetric=symmetric)
    codes = {tuple(mask.ravel()): k for k, mask in enumerate(masks)}
    counts = np.zeros(len(masks))
    for _ in range(draws):
        drawn = mc.random_mask(2, p, rng, symmetric=symmetric).toarray()
        counts[codes[tuple(drawn.ravel())]] += 1
    assert stats.chisquare(counts, draws * probability).pvalue > 1e-3


@pytest.mark.parametrize("symmetric", [True, False])
def test_random_mask_keeps_each_cell_equally_often(symmetric: bool) -> None:
    d, p, draws, rng = 4, 0.3, 2000, np.random.default_rng(33)
    total = sum(mc.random_mask(d, p, rng, symmetric=symmetric).toarray() for _ in range(draws))
    cells = total[np.triu_indices(d)] if symmetric else total.ravel()
    statistic = np.sum((cells - draws * p) ** 2) / (draws * p * (1 - p))
    assert stats.chi2.sf(statistic, cells.size) > 1e-3
    assert stats.binomtest(int(cells.sum()), draws * cells.size, p).pvalue > 1e-3


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("p", [0.01, 0.4])
def test_large_random_mask_has_the_density_in_every_part(p: float, symmetric: bool) -> None:
    d, groups = 300, 50
    mask = mc.random_mask(d, p, np.random.default_rng(34), symmetric=symmetric).toarray()
    i, j = np.triu_indices(d) if symmetric else np.indices((d, d)).reshape(2, -1)
    for group in ((i * 7 + j * 11) % groups, i * groups // d, j * groups // d):
        size = np.bincount(group, minlength=groups)
        kept = np.bincount(group, weights=mask[i, j], minlength=groups)
        statistic = np.sum((kept - size * p) ** 2 / (size * p * (1 - p)))
        assert stats.chi2.sf(statistic, groups) > 1e-3
    assert stats.binomtest(int(mask[i, j].sum()), i.size, p).pvalue > 1e-3


def test_random_mask_follows_its_generator() -> None:
    first, second = (mc.random_mask(20, 0.3, np.random.default_rng(35)) for _ in range(2))
    np.testing.assert_array_equal(first.toarray(), second.toarray())


@pytest.mark.parametrize("p", [-0.1, 1.1, np.nan])
def test_random_mask_needs_a_probability(p: float) -> None:
    with pytest.raises(ValueError, match=f"p: {p}; expected a probability"):
        mc.random_mask(3, p, np.random.default_rng(0))


# Random truths and instances


@pytest.mark.parametrize("vector", [mc.flat_vector, mc.gaussian_vector])
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


def test_flat_vector_is_flat() -> None:
    np.testing.assert_allclose(np.abs(mc.flat_vector(16, np.random.default_rng(37))), 0.25)


@pytest.mark.parametrize("symmetric", [True, False])
def test_random_instance_draws_the_truth_and_then_the_mask(symmetric: bool) -> None:
    problem = mc.random_instance(
        12, 0.4, np.random.default_rng(38), vector=mc.gaussian_vector, symmetric=symmetric
    )
    rng = np.random.default_rng(38)
    np.testing.assert_array_equal(problem.z, mc.gaussian_vector(12, rng))
    mask = mc.random_mask(12, 0.4, rng, symmetric=symmetric)
    np.testing.assert_array_equal(problem.mask.toarray(), mask.toarray())
    assert (problem.p, problem.noise) == (0.4, None)


# The error of the mask


@pytest.mark.parametrize("d", [1, 2, 30, 199, 200, 201, 260])
@pytest.mark.parametrize("symmetric", [True, False])
def test_mask_error_is_the_operator_norm(d: int, symmetric: bool) -> None:
    problem = mc.random_instance(d, 0.3, np.random.default_rng(d), symmetric=symmetric)
    norm, direction = mc.mask_error(problem)
    error = dense_error(problem)
    assert norm == pytest.approx(np.linalg.norm(error, 2), rel=1e-10)
    assert np.linalg.norm(direction) == pytest.approx(1, rel=1e-12)
    assert np.linalg.norm(error @ direction) == pytest.approx(norm, rel=1e-7)
    assert abs(direction @ error @ direction) == pytest.approx(norm, rel=1e-7)


@pytest.mark.parametrize("d", [200, 201])
@pytest.mark.parametrize("p", [0.5, 1.0])
def test_mask_error_of_the_full_mask(d: int, p: float) -> None:
    norm, _ = mc.mask_error(written(np.ones((d, d)), p=p))
    assert norm == pytest.approx(d * (1 / p - 1), rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("d", [200, 202])
def test_mask_error_where_both_signs_attain_it(d: int) -> None:
    # Two groups that do not meet: d/2 for the difference of the groups, -d/2 for their sum.
    side = np.arange(d) < d // 2
    problem = written(side[:, None] == side[None, :])
    norm, direction = mc.mask_error(problem)
    assert norm == pytest.approx(d / 2, rel=1e-10)
    assert np.linalg.norm(dense_error(problem) @ direction) == pytest.approx(d / 2, rel=1e-7)


@pytest.mark.parametrize("d", [200, 201])
def test_mask_error_of_minus_the_identity(d: int) -> None:
    assert mc.mask_error(written(regular(d, (0,))))[0] == pytest.approx(1, rel=1e-10)


def test_error_forms_are_dense_forms(
    problem: Completion, points: tuple[np.ndarray, np.ndarray]
) -> None:
    error = dense_error(problem)
    for u, v in zip(*points, strict=True):
        assert mc.error_form(problem, u, v) == pytest.approx(u @ error @ v, abs=1e-12)
        w = u * v
        assert mc.sample_error(problem, u, v) == pytest.approx(w @ error @ w, abs=1e-12)
    sampled = np.sum(mc.project(np.outer(u, u), problem.mask) * np.outer(v, v)) / problem.p
    assert mc.sample_error(problem, u, v) == pytest.approx(sampled - (u @ v) ** 2, abs=1e-11)


def test_error_operator_is_the_dense_matrix(
    problem: Completion, points: tuple[np.ndarray, np.ndarray]
) -> None:
    operator, error = mc.error_operator(problem), dense_error(problem)
    assert operator.shape == (6, 6)
    np.testing.assert_allclose(operator @ np.eye(6), error, rtol=0, atol=1e-13)
    np.testing.assert_allclose(operator.H @ np.eye(6), error, rtol=0, atol=1e-13)
    np.testing.assert_allclose(operator @ points[0][0], error @ points[0][0], atol=1e-12)


def test_epsilon_and_row_error_are_their_formulas(problem: Completion) -> None:
    error, z = dense_error(problem), problem.z
    mu = np.sqrt(6) * np.abs(z).max() / np.linalg.norm(z)
    assert mc.incoherence(z) == pytest.approx(mu, rel=1e-14)
    epsilon = mu**2 * np.linalg.norm(error, 2) / 6
    assert mc.epsilon(problem) == pytest.approx(epsilon, rel=1e-12)
    assert mc.row_error(problem) == pytest.approx(np.abs(error @ (z * z)).max(), rel=1e-12)
    larger = replace(problem, z=2 * z)
    assert mc.epsilon(larger) == pytest.approx(epsilon, rel=1e-12)
    assert mc.row_error(larger) == pytest.approx(4 * mc.row_error(problem), rel=1e-12)


def test_transfer_bounds_are_their_formulas(
    problem: Completion, points: tuple[np.ndarray, np.ndarray]
) -> None:
    for x, v in zip(*points, strict=True):
        z = problem.z
        vz, xz, vx, xx, vv = sizes(v * z, x * z, v * x, x * x, v * v)
        expected = 2 * 1.7 * (vz * xz + vx * xx), 1.7 * (2 * vv * xx + 4 * vx**2 + 2 * vz**2)
        assert mc.transfer_bounds(problem, x, v, 1.7) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("delta", [0, 1, -0.5, 2.0, np.nan])
def test_bernstein_needs_a_probability_of_failure(delta: float) -> None:
    with pytest.raises(ValueError, match=f"delta: {delta}"):
        mc.bernstein_norm(5, 0.5, delta)


@pytest.mark.parametrize("p", [0.0, -0.5, 2.0, np.nan])
def test_bernstein_needs_a_density(p: float) -> None:
    with pytest.raises(ValueError, match=f"p: {p}"):
        mc.bernstein_norm(5, p, 0.1)


# Several instances at once


@pytest.fixture(scope="module")
def trio() -> list[Completion]:
    rng = np.random.default_rng(39)
    return [mc.random_instance(5, 0.6, rng, vector=mc.gaussian_vector) for _ in range(3)]


def test_side_by_side_adds_the_objectives_and_stacks_the_gradients(trio: list[Completion]) -> None:
    joint, x = mc.side_by_side(trio), np.random.default_rng(40).normal(size=(15, 4))
    parts = np.split(x, 3)
    total = sum(mc.objective(one, part) for one, part in zip(trio, parts, strict=True))
    np.testing.assert_allclose(mc.objective(joint, x), total, rtol=1e-12)
    stacked = np.concatenate([mc.gradient(*pair) for pair in zip(trio, parts, strict=True)])
    np.testing.assert_allclose(mc.gradient(joint, x), stacked, rtol=1e-12, atol=1e-13)
    assert joint.p == trio[0].p


def test_side_by_side_distances_are_those_of_each(trio: list[Completion]) -> None:
    joint, x = mc.side_by_side(trio), np.random.default_rng(41).normal(size=(15, 4))
    distances = mc.distance(joint, x, blocks=3)
    assert distances.shape == (3, 4)
    expected = [mc.distance(*pair) for pair in zip(trio, np.split(x, 3), strict=True)]
    np.testing.assert_allclose(distances, expected, rtol=1e-13)


def test_side_by_side_moves_as_each_alone(trio: list[Completion]) -> None:
    joint, starts = mc.side_by_side(trio), np.random.default_rng(42).normal(size=(15, 2))
    options: dict[str, Any] = {"max_steps": 50, "tolerance": 0.0}
    ends = np.split(descend(joint, starts, 0.05, **options), 3)
    for one, start, end in zip(trio, np.split(starts, 3), ends, strict=True):
        np.testing.assert_allclose(descend(one, start, 0.05, **options), end, atol=1e-11)


def test_side_by_side_does_not_lose_noise() -> None:
    noisy, quiet, x = instance("noisy"), instance("symmetric"), np.ones(12)
    x[6:] = np.random.default_rng(43).normal(size=6)
    for pair in ([noisy, noisy], [quiet, noisy]):
        total = sum(mc.objective(one, part) for one, part in zip(pair, np.split(x, 2), strict=True))
        assert mc.objective(mc.side_by_side(pair), x) == pytest.approx(total, rel=1e-12)


def test_side_by_side_of_unequal_instances_is_refused(trio: list[Completion]) -> None:
    others = [replace(trio[0], p=0.5), instance("symmetric", d=4)]
    for other in others:
        with pytest.raises(ValueError, match=r"problems: \(d, p\) are .*; expected one pair"):
            mc.side_by_side([trio[0], other])


def test_side_by_side_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="problems: "):
        mc.side_by_side([])


# Distances


def test_distance_is_to_the_nearer_of_both_signs() -> None:
    problem = instance("symmetric")
    x = np.random.default_rng(44).normal(size=(6, 8))
    expected = [
        min(np.linalg.norm(column - problem.z), np.linalg.norm(column + problem.z))
        for column in x.T
    ]
    np.testing.assert_allclose(mc.distance(problem, x), expected, rtol=1e-13)
    for column, value in zip(x.T, expected, strict=True):
        assert mc.distance(problem, column) == pytest.approx(value, rel=1e-13)
    assert mc.distance(problem, -problem.z) == 0


@pytest.mark.parametrize("blocks", [4, 5, 12])
def test_distance_needs_blocks_of_equal_size(blocks: int) -> None:
    with pytest.raises(ValueError, match=f"blocks: {blocks}; expected a divisor of d = 6"):
        mc.distance(instance("symmetric"), np.ones((6, 1)), blocks=blocks)


@pytest.mark.parametrize("seed", range(5))
def test_factor_distance_is_the_least_over_rotations_and_reflections(seed: int) -> None:
    z, u = np.random.default_rng(seed).normal(size=(2, 6, 2))
    if seed % 2:
        u = z @ np.array([[0.6, 0.8], [0.8, -0.6]]) + 0.1 * u  # near a reflection
    angles = np.linspace(0, 2 * np.pi, 20_001)
    c, s = np.cos(angles), np.sin(angles)
    turns = np.array([[c, -s], [s, c]])
    mirrors = np.array([[c, s], [s, -c]])
    least = min(
        np.linalg.norm(u[:, :, None] - np.einsum("ij,jkt->ikt", z, q), axis=(0, 1)).min()
        for q in (turns, mirrors)
    )
    exact = mc.factor_distance(z, u)
    assert exact <= least + 1e-12
    # Half a cell off the best angle the square differs by at most |Z|_F |U|_F (half a cell)^2.
    cell = angles[1] / 2
    assert least**2 - exact**2 <= np.linalg.norm(z) * np.linalg.norm(u) * cell**2 + 1e-12


@pytest.mark.parametrize("rank", [1, 2, 4])
def test_factor_distance_does_not_see_a_rotation(rank: int) -> None:
    rng = np.random.default_rng(45)
    z, q = rng.normal(size=(7, rank)), np.linalg.qr(rng.normal(size=(rank, rank)))[0]
    assert mc.factor_distance(z, z @ q) == pytest.approx(0, abs=1e-13)
    shifted = z @ q + 0.1 * rng.normal(size=(7, rank))
    back = mc.factor_distance(z, shifted @ q.T)
    assert mc.factor_distance(z, shifted) == pytest.approx(back, rel=1e-12)


# Higher rank


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_factor_gradient_is_that_of_the_loss(kind: str, rank: int) -> None:
    rng = np.random.default_rng(46)
    problem = replace(instance(kind), z=rng.normal(size=(6, 2)))
    u = rng.normal(size=(6, rank))
    slope = autograd.grad(lambda y: dense_loss(problem, y))(u)
    np.testing.assert_allclose(mc.factor_gradient(problem, u), slope, rtol=1e-11, atol=1e-11)


def test_factor_gradient_of_rank_one_is_the_gradient() -> None:
    problem, x = instance("independent"), np.random.default_rng(47).normal(size=6)
    expected = mc.gradient(problem, x)
    np.testing.assert_allclose(mc.factor_gradient(problem, x[:, None])[:, 0], expected, rtol=1e-12)


# Which masks determine the answer


def odd_and_connected(mask: np.ndarray) -> bool:
    """Search from vertex 0 along observed pairs, colouring by parity of the distance."""
    linked, d = (mask != 0) | (mask.T != 0), len(mask)
    parity, queue, odd = {0: 0}, deque([0]), False
    while queue:
        i = queue.popleft()
        for j in np.flatnonzero(linked[i]):
            if j not in parity:
                parity[j] = 1 - parity[i]
                queue.append(j)
            odd |= parity[j] == parity[i]
    return odd and len(parity) == d


@pytest.mark.parametrize(("d", "symmetric"), [(1, True), (2, True), (2, False), (3, True)])
def test_determines_signs_on_every_small_mask(d: int, symmetric: bool) -> None:
    for mask, _, _ in all_masks(d, symmetric=symmetric):
        assert mc.determines_signs(sparse.csr_array(mask)) == odd_and_connected(mask), mask


@pytest.mark.parametrize("symmetric", [True, False])
def test_determines_signs_on_random_masks(symmetric: bool) -> None:
    rng, answers = np.random.default_rng(48), []
    for _ in range(150):
        mask = mc.random_mask(8, rng.uniform(0.1, 0.4), rng, symmetric=symmetric)
        answers.append(mc.determines_signs(mask))
        assert answers[-1] == odd_and_connected(mask.toarray())
    assert 20 < sum(answers) < 130


def test_stored_zeros_are_not_observed() -> None:
    mask = sparse.csr_array(np.ones((2, 2)))
    mask.data[[1, 2]] = 0
    assert not mc.determines_signs(mask)


GRAPHS = {
    "path": ([(0, 1), (1, 2), (2, 3)], False),
    "path with loop": ([(0, 0), (0, 1), (1, 2), (2, 3)], True),
    "even cycle": ([(0, 1), (1, 2), (2, 3), (3, 0)], False),
    "triangle with tail": ([(0, 1), (1, 2), (2, 0), (2, 3)], True),
    "two loops, two edges": ([(0, 0), (0, 1), (2, 2), (2, 3)], False),
    "vertex never seen": ([(0, 0), (0, 1), (1, 2)], False),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_sign_vectors_that_fit_are_two_if_the_mask_determines(name: str) -> None:
    pairs, determined = GRAPHS[name]
    mask = np.zeros((4, 4))
    for i, j in pairs:
        mask[i, j] = mask[j, i] = 1
    problem = written(mask, z=np.array([0.5, -0.5, 0.5, 0.5]))
    assert mc.determines_signs(problem.mask) is determined
    # Signs on the two sides of the double cover: x_i y_j = z_i z_j for each observed pair.
    signs = np.array(list(itertools.product((-1, 1), repeat=8)))
    x, y = signs[:, :4] * problem.z, signs[:, 4:] * problem.z
    gaps = mask * (truth(problem) - x[:, :, None] * y[:, None, :])
    fitting = int(np.sum(np.abs(gaps).max(axis=(1, 2)) < 1e-15))
    assert (fitting == 2) is determined


@pytest.mark.parametrize("name", [name for name in GRAPHS if not GRAPHS[name][1]])
def test_other_global_minima_if_the_mask_does_not_determine(name: str) -> None:
    mask = np.zeros((4, 4))
    for i, j in GRAPHS[name][0]:
        mask[i, j] = mask[j, i] = 1
    problem = written(mask)
    change = {
        "path": np.array([2, 1 / 2, 2, 1 / 2]),
        "even cycle": np.array([3, 1 / 3, 3, 1 / 3]),
        "two loops, two edges": np.array([1, 1, -1, -1]),
        "vertex never seen": np.array([1, 1, 1, 5]),
    }[name]
    other = change * problem.z
    assert mc.objective(problem, other) == pytest.approx(0, abs=1e-30)
    assert mc.distance(problem, other) > 0.5


# Scale

LARGE = """
import resource, sys
import numpy as np
from lecture_code import matrix_completion as mc

rng = np.random.default_rng(50)
problem = mc.random_instance(20_000, 0.01, rng)
x = rng.standard_normal(20_000) / np.sqrt(20_000)
gradient = mc.gradient(problem, x)
row = problem.mask[[123]].toarray()[0]
direct = -2 * np.sum(row * (problem.z[123] * problem.z - x[123] * x) * x)
unit = 1 if sys.platform == "darwin" else 1024
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
print(problem.mask.nnz, peak, gradient[123], direct)
"""


def test_gradient_of_four_million_entries_fits_into_a_gigabyte() -> None:
    run = subprocess.run(
        [sys.executable, "-c", LARGE], capture_output=True, text=True, check=True, timeout=120
    )
    observed, peak, gradient, direct = map(float, run.stdout.split())
    assert observed == pytest.approx(4e6, rel=0.01)
    assert peak < 1e9
    assert gradient == pytest.approx(direct, rel=1e-9)
