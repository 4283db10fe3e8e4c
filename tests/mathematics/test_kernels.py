"""Kernels of infinite width, against quadrature, Monte Carlo, brute force and each other."""

import tracemalloc
from itertools import combinations
from math import comb

import numpy as np
import pytest
from scipy.integrate import dblquad, quad
from scipy.stats import norm

from lecture_code import cubes, digits, kernels, wide


@pytest.fixture
def rng():
    return np.random.default_rng(5)


@pytest.mark.parametrize("degrees", [0, 5, 60, 90, 150, 180])
def test_arc_cosine_against_quadrature(degrees):
    t = np.radians(degrees)
    zero, one = kernels.arc_cosine(np.cos(t))
    low, high = t - np.pi / 2, np.pi / 2
    radial = quad(lambda r: r**3 * np.exp(-(r**2) / 2), 0, np.inf)[0] / (2 * np.pi)
    angular = quad(lambda p: np.cos(p) * np.cos(p - t), low, high)[0]
    assert np.isclose(one, radial * angular, atol=1e-12)
    assert np.isclose(zero, (high - low) / (2 * np.pi), atol=1e-7)


def test_arc_cosine_against_the_gaussian_integral():
    rho, relu = 0.4, lambda u: max(u, 0.0)

    def density(v, u):
        return norm.pdf(u) * norm.pdf((v - rho * u) / np.sqrt(1 - rho**2)) / np.sqrt(1 - rho**2)

    value = dblquad(lambda v, u: relu(u) * relu(v) * density(v, u), 0, 8, 0, 8)[0]
    sign = dblquad(density, 0, 8, 0, 8)[0]
    zero, one = kernels.arc_cosine(rho)
    assert np.isclose(one, value, rtol=1e-6)
    assert np.isclose(zero, sign, rtol=1e-6)


def test_arc_cosine_of_a_cosine_that_rounding_has_put_outside():
    zero, one = kernels.arc_cosine(np.array([-1.0 - 4e-16, 1.0 + 4e-16]))
    assert zero.tolist() == [0.0, 0.5]
    assert one.tolist() == [0.0, 0.5]


@pytest.mark.parametrize("layers", ["both", "first"])
def test_analytic_kernel_is_the_mean_of_the_empirical_one(layers, rng):
    x = rng.normal(size=(4, 3))
    nets = wide.initialize(400_000, 3, rng)
    assert np.allclose(
        wide.empirical_ntk(nets, x, layers=layers),
        kernels.analytic_ntk(x, layers=layers),
        atol=0.02 * np.max(np.sum(x**2, axis=1)),
    )


def test_depth_one_is_arc_cosine(rng):
    x, z = rng.normal(size=(6, 3)), rng.normal(size=(5, 3))
    size = np.outer(np.linalg.norm(x, axis=1), np.linalg.norm(z, axis=1))
    zero, one = kernels.arc_cosine(x @ z.T / size)
    assert np.allclose(kernels.analytic_ntk(x, z, layers="first"), x @ z.T * zero, rtol=1e-12)
    assert np.allclose(kernels.analytic_ntk(x, z, gain=3), 9 * (x @ z.T * zero + size * one))


@pytest.mark.parametrize("depth", [1, 2, 3, 6])
@pytest.mark.parametrize("gain", [1.0, np.sqrt(2), 2.0])
def test_recursion_with_explicit_covariances(depth, gain, rng):
    """The recursion as printed, with covariances that are not normalised in between."""
    x = rng.normal(size=(5, 3))
    sigma = tangent = x @ x.T
    for _ in range(depth):
        size = np.sqrt(np.outer(np.diag(sigma), np.diag(sigma)))
        zero, one = kernels.arc_cosine(sigma / size)
        sigma = gain**2 * size * one
        tangent = sigma + tangent * gain**2 * zero
    assert np.allclose(kernels.analytic_ntk(x, depth=depth, gain=gain), tangent, rtol=1e-6)


def test_blocks_do_not_matter(rng, monkeypatch):
    x, z = rng.normal(size=(30, 3)), rng.normal(size=(7, 3))
    whole = kernels.analytic_ntk(x, depth=2), kernels.analytic_ntk(x, z, depth=2)
    monkeypatch.setattr(kernels, "ROWS", 4)
    blocks = kernels.analytic_ntk(x, depth=2), kernels.analytic_ntk(x, z, depth=2)
    assert all(np.allclose(a, b, rtol=1e-9, atol=1e-12) for a, b in zip(whole, blocks, strict=True))


@pytest.mark.timeout(60)
def test_large_gram_matrix_in_little_memory(rng):
    x = rng.normal(size=(2000, 10))
    tracemalloc.start()
    kernel = kernels.analytic_ntk(x, depth=8, gain=np.sqrt(2))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert kernel.shape == (2000, 2000)
    assert peak < 200e6
    assert np.allclose(
        kernel[1990:, :5], kernels.analytic_ntk(x[1990:], x[:5], depth=8, gain=np.sqrt(2))
    )


def test_analytic_kernel_rejects():
    x = np.ones((2, 3))
    with pytest.raises(ValueError, match="depth: 0; expected at least 1"):
        kernels.analytic_ntk(x, depth=0)
    with pytest.raises(ValueError, match=r"z: shape \(2, 2\); expected \(k, 3\)"):
        kernels.analytic_ntk(x, np.ones((2, 2)))
    with pytest.raises(ValueError, match="an input is zero"):
        kernels.analytic_ntk(np.zeros((1, 3)), x)


def test_unknown_layers():
    for call in (
        lambda: kernels.analytic_ntk(np.eye(2), layers="last"),
        lambda: kernels.circle_eigenvalues(np.arange(3), layers="last"),
    ):
        with pytest.raises(ValueError, match="layers: 'last'; expected 'both' or 'first'"):
            call()


@pytest.mark.parametrize("layers", ["both", "first"])
def test_circle_eigenvalues_by_quadrature(layers):
    one = np.array([[1.0, 0.0]])

    def kernel(t):
        return kernels.analytic_ntk(one, np.array([[np.cos(t), np.sin(t)]]), layers=layers)[0, 0]

    values = kernels.circle_eigenvalues(np.arange(8), layers)
    for k, value in enumerate(values):
        integral = quad(lambda t, k=k: kernel(t) * np.cos(k * t), 0, np.pi)[0] / np.pi
        assert np.isclose(value, integral, atol=1e-7)


@pytest.mark.parametrize("shape", [(6,), (6, 2)])
def test_kernel_descent_is_gradient_descent(shape, rng):
    J, y = rng.normal(size=(6, 20)), rng.normal(size=shape)
    K = J @ J.T
    step = 0.9 / np.linalg.eigvalsh(K)[-1]
    dual = kernels.kernel_descent(K, y, step, [0, 1, 7, 300_000])
    change = np.zeros((20, *shape[1:]))
    for t in range(8):
        if t in (0, 1, 7):
            assert np.allclose(J.T @ dual[[0, 1, 7].index(t)], change, atol=1e-12)
        change -= step * J.T @ (J @ change - y)
    assert np.allclose(dual[3], np.linalg.solve(K, y), rtol=1e-6)


def test_kernel_descent_on_a_singular_kernel():
    K, y = np.diag([2.0, 0.0]), np.array([1.0, 1.0])
    dual = kernels.kernel_descent(K, y, 0.25, [3])[0]
    assert np.allclose(dual, [(1 - 0.5**3) / 2, 0.75])


@pytest.mark.parametrize("step", [0.0, -1.0, 1.0, 2.0])
def test_kernel_descent_rejects(step):
    with pytest.raises(ValueError, match=r"step: .*expected a number in"):
        kernels.kernel_descent(np.eye(2), np.ones(2), step, [1])


@pytest.mark.parametrize(("n", "d", "k"), [(5, 6, 2), (12, 6, 3), (20, 6, 3), (30, 6, 2)])
def test_fixed_features_bound_by_brute_force(n, d, k, rng):
    cube = cubes.signs(d)
    features = rng.normal(size=(2**d, n))
    missed = []
    for subset in combinations(range(d), k):
        parity = cube[:, subset].prod(axis=1)
        fit = features @ np.linalg.lstsq(features, parity)[0]
        missed.append(np.mean((parity - fit) ** 2))
    assert np.mean(missed) >= kernels.fixed_features_error(n, d, k) - 1e-12


def test_fixed_features_bound_is_sharp():
    assert kernels.fixed_features_error(comb(5, 2), 5, 2) == 0
    assert kernels.fixed_features_error(0, 5, 2) == 1


def test_kernels_of_images_in_small_integers():
    images, _ = digits.load()
    small = (images[:20] * 16).astype(np.uint8)
    assert kernels.analytic_ntk(small)[0, 1] == pytest.approx(1746.18, abs=0.005)
    assert kernels.limit_deviation(small, 100) == pytest.approx(2615, abs=0.5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kernels.analytic_ntk(np.ones((0, 2))), r"x: shape \(0, 2\)"),
        (lambda: kernels.arc_cosine(np.array([1.1])), "cosine: 1.1 in absolute value"),
        (lambda: kernels.circle_eigenvalues(np.array([0.5])), r"k: \[0.5\]; expected"),
        (lambda: kernels.limit_deviation(np.eye(2), 0), "m: 0; expected at least 1"),
        (lambda: kernels.limit_deviation(np.zeros((1, 2)), 3), "an input is zero"),
        (
            lambda: kernels.kernel_descent([[1, 1], [0, 1]], [1, 1], 0.1, [1]),
            "expected a symmetric",
        ),
        (lambda: kernels.kernel_descent(-np.eye(2), [1, 1], 0.1, [1]), "kernel: eigenvalue -1"),
        (lambda: kernels.kernel_descent(np.eye(2), [1, 1], 0.1, [-1]), "steps: -1; expected"),
        (lambda: kernels.kernel_descent(np.eye(2), [1, 1, 1], 0.1, [1]), "target: shape"),
        (lambda: kernels.fixed_features_error(3, 2, 4), "n, d, k: 3, 2, 4; expected"),
    ],
)
def test_what_is_no_kernel_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
