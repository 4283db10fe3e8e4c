"""The curvature of the loss and the kernels of deep networks, against autograd."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import hessian, jacobian

from lecture_code import ntk, wide
from lecture_code.nets import Layered


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def test_curvature_blocks_complete_the_hessian(rng):
    x, y = wide.sphere(5, 3, rng), rng.normal(size=5)
    net = wide.initialize(8, 3, rng) * [1, 1, 1, 1.5]

    def loss(w):
        theta = anp.concatenate([w.reshape(8, 3), net[:, -1:]], axis=1)
        outputs = anp.tanh(x @ theta[:, :-1].T) @ theta[:, -1] / np.sqrt(8)
        return 0.5 * anp.sum((outputs - y) ** 2)

    H = hessian(loss)(net[:, :-1].ravel())
    J = ntk.jacobian(net, x, wide.TANH, "first").reshape(5, 8, 4)[:, :, :3].reshape(5, -1)
    rest = (H - J.T @ J).reshape(8, 3, 8, 3)
    blocks = ntk.curvature_blocks(net, x, wide.predict(net, x, wide.TANH) - y)
    for r in range(8):
        assert np.allclose(rest[r, :, r], blocks[r], atol=1e-12)
        rest[r, :, r] = 0
    assert np.allclose(rest, 0, atol=1e-12)


@pytest.mark.parametrize("widths", [(3, 6, 1), (3, 6, 5, 1), (3, 4, 5, 6, 1)])
def test_layered_networks_with_scaled_weights_against_autograd(widths, rng):
    """The formula as printed, with a factor behind each hidden layer; its kernel by autograd."""
    net, gain, x = Layered(widths), 1.3, rng.normal(size=(4, 3))
    w = rng.standard_normal(net.size)

    def outputs(w):
        signal, at = x, 0
        for layer, (rows, columns) in enumerate(net.shapes):
            signal = signal @ w[at : at + rows * columns].reshape(rows, columns).T
            at += rows * columns
            if layer + 1 < len(net.shapes):
                signal = gain * anp.maximum(signal, 0.0) / np.sqrt(rows)
        return signal[:, 0]

    J = jacobian(outputs)(w)
    assert np.allclose(net.outputs(wide.weight_scales(net, gain) * w, x)[:, 0], outputs(w))
    assert np.allclose(ntk.deep_ntk(net, w, x, gain), J @ J.T, rtol=1e-10)
