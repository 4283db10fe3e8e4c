"""Training from zero output against autograd, and learned shares against plain steps."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad

from lecture_code import kernels, wide
from lecture_code.lazy_training import shares_learned, train_from_zero
from lecture_code.nets import Layered


@pytest.fixture
def task():
    rng = np.random.default_rng(3)
    x, far = rng.normal(size=(6, 3)), rng.normal(size=(4, 3))
    return x, rng.normal(size=(6, 2)), far, rng.standard_normal(Layered((3, 5, 2)).size)


def outputs(w, points):
    """The network of width 5 with two outputs as the formula of the chapter has it."""
    first, second = w[:15].reshape(5, 3), w[15:].reshape(2, 5)
    return anp.maximum(points @ first.T, 0) @ second.T / np.sqrt(5)


@pytest.mark.parametrize("scale", [0.3, 1.0, 20.0])
def test_training_from_zero_is_descent_on_the_scaled_loss(task, scale):
    x, targets, far, start = task

    def loss(w):
        model = scale * (outputs(w, x) - outputs(start, x))
        return anp.sum((model - targets) ** 2) / (2 * scale**2)

    w = start
    for _ in range(5):
        w = w - 0.05 * grad(loss)(w)
    found = train_from_zero(
        Layered((3, 5, 2)), start, x, targets, far, step=0.05, steps=5, scale=scale
    )
    np.testing.assert_allclose(found, scale * (outputs(w, far) - outputs(start, far)), rtol=1e-9)


def test_before_the_first_step_the_model_is_zero(task):
    x, targets, far, start = task
    found = train_from_zero(Layered((3, 5, 2)), start, x, targets, far, step=0.1, steps=0)
    assert np.array_equal(found, np.zeros((4, 2)))


def test_a_scale_is_positive(task):
    x, targets, far, start = task
    with pytest.raises(ValueError, match="scale: 0"):
        train_from_zero(Layered((3, 5, 2)), start, x, targets, far, step=0.1, steps=1, scale=0)


def test_shares_are_those_of_the_steps_themselves():
    turns = 2 * np.pi * np.arange(16) / 16
    x = np.c_[np.cos(turns), np.sin(turns)]
    waves = np.cos(np.outer([1, 2, 3], turns))
    K = wide.empirical_ntk(wide.initialize(40, 2, np.random.default_rng(1)), x)
    step, g, seen = 0.5 / np.linalg.eigvalsh(K)[-1], np.zeros(16), []
    for _ in range(8):
        seen.append(2 / 16 * waves @ g)
        g = g + step * K @ (waves.sum(axis=0) - g)
    np.testing.assert_allclose(shares_learned(K, waves, step, range(8)), seen, atol=1e-12)


def test_on_the_circle_a_share_is_one_minus_the_power_of_its_eigenvalue():
    turns = 2 * np.pi * np.arange(256) / 256
    x, tones = np.c_[np.cos(turns), np.sin(turns)], np.array([1, 2, 3])
    step = 0.002
    rates = step * 256 * kernels.circle_eigenvalues(tones)
    found = shares_learned(kernels.analytic_ntk(x), np.cos(np.outer(tones, turns)), step, [10])
    np.testing.assert_allclose(found[0], 1 - (1 - rates) ** 10, atol=1e-3)
