"""Networks against autograd, against each other, and against closed forms."""

import re
from dataclasses import replace
from typing import ClassVar

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from hypothesis import given, settings
from hypothesis import strategies as st

from lecture_code import nets
from lecture_code.nets import Dag, Layered, Recurrent, value_and_gradient

ACTIVATIONS = {
    "relu": lambda z: anp.maximum(z, 0),
    "linear": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + anp.exp(-z)),
}


def layered_by_autograd(net, w, x, reduce):
    """The layered network written a second time, in autograd."""

    def outputs(w):
        at, signal = 0, x
        for layer, (rows, columns) in enumerate(net.shapes):
            if net.bias:
                signal = anp.concatenate([signal, anp.ones((len(x), 1))], axis=1)
            signal = signal @ w[at : at + rows * columns].reshape(rows, columns).T
            at += rows * columns
            if layer + 1 < len(net.shapes):
                signal = ACTIVATIONS[net.activation](signal)
        return signal

    return outputs(w), grad(lambda w: reduce(outputs(w)))(w)


@settings(max_examples=30, deadline=None)
@given(
    widths=st.lists(st.integers(1, 6), min_size=2, max_size=5),
    bias=st.booleans(),
    activation=st.sampled_from(["relu", "linear", "sigmoid"]),
    seed=st.integers(0, 1000),
)
def test_layered_agrees_with_autograd_and_with_its_graph(widths, bias, activation, seed):
    rng = np.random.default_rng(seed)
    net = Layered(tuple(widths), bias, activation)
    w, x = rng.normal(size=net.size), rng.normal(size=(4, widths[0]))
    slope = rng.normal(size=(4, widths[-1]))
    outputs, backward = net.forward(w, x)
    expected, gradient = layered_by_autograd(net, w, x, lambda out: anp.sum(out * slope))
    assert np.allclose(outputs, expected, rtol=1e-10, atol=1e-12)
    assert np.allclose(backward(slope), gradient, rtol=1e-10, atol=1e-12)

    graph = net.dag()
    fed = np.column_stack([x, np.ones(4)]) if bias else x
    again, backward_again = graph.forward(w, fed)
    assert np.allclose(again, expected, rtol=1e-10, atol=1e-12)
    assert np.allclose(backward_again(slope), gradient, rtol=1e-10, atol=1e-12)
    assert (graph.size, graph.hidden) == (net.size, net.hidden)


def test_recurrent_agrees_with_autograd_and_with_its_graph():
    rng = np.random.default_rng(0)
    net = Recurrent(inputs=3, hidden=4, outs=2, length=5)
    w, x = rng.normal(size=net.size), rng.normal(size=(6, 5, 3))
    slope = rng.normal(size=(6, 5, 2))

    def total(w):
        into, across, out = w[:12].reshape(4, 3), w[12:28].reshape(4, 4), w[28:].reshape(2, 4)
        state, value = anp.zeros((6, 4)), 0.0
        for t in range(5):
            state = anp.maximum(x[:, t] @ into.T + state @ across.T, 0)
            value = value + anp.sum(slope[:, t] * (state @ out.T))
        return value

    outputs, backward = net.forward(w, x)
    assert np.isclose(np.sum(outputs * slope), total(w))
    assert np.allclose(backward(slope), grad(total)(w), rtol=1e-10)

    graph, copies = net.dag()
    again, backward_again = graph.forward(w[copies], x.reshape(6, -1))
    assert np.allclose(again, outputs.reshape(6, -1))
    shared = np.zeros(net.size)
    np.add.at(shared, copies, backward_again(slope.reshape(6, -1)))
    assert np.allclose(shared, backward(slope))


def test_dag_by_hand():
    graph = Dag(2, ((0, 2), (1, 2), (0, 3), (2, 3), (2, 4), (3, 4)), outs=(4,))
    w = np.array([1.0, 2.0, -1.0, 3.0, 0.5, 4.0])
    assert graph.outputs(w, np.array([[1.0, 1.0]])).tolist() == [[0.5 * 3 + 4 * (3 * 3 - 1)]]
    assert sorted(graph.paths()) == [(0, 3, 5), (0, 4), (1, 3, 5), (1, 4), (2, 5)]
    assert (graph.hidden_units, graph.hidden, graph.units) == ((2, 3), 2, 5)


def test_dag_outputs_of_one_layer_and_several():
    graph = Dag(1, ((0, 1), (0, 2), (1, 3)), outs=(2, 3))
    assert graph.outputs(np.array([2.0, -3.0, 5.0]), np.ones((1, 1))).tolist() == [[-3.0, 10.0]]


def test_an_output_without_edges_is_zero_and_a_hidden_unit_without_edges_is_at_rest():
    graph = Dag(1, ((0, 3), (2, 3)), outs=(3, 4), activation="sigmoid")
    outputs, backward = graph.forward(np.array([5.0, 8.0]), np.array([[1.0], [2.0]]))
    assert outputs.tolist() == [[9.0, 0.0], [14.0, 0.0]]
    assert backward(np.ones((2, 2))).tolist() == [3.0, 1.0]
    assert Dag(2, (), (2,)).outputs(np.zeros(0), np.ones((3, 2))).tolist() == [[0.0]] * 3


class Counted:
    """A number that counts what is done with it."""

    done: ClassVar = {"times": 0, "plus": 0}

    def __init__(self, value):
        self.value = value

    def __mul__(self, other):
        self.done["times"] += 1
        return Counted(self.value * other.value)

    def __add__(self, other):
        self.done["plus"] += 1
        return Counted(self.value + getattr(other, "value", other))

    def __gt__(self, other):
        return self.value > other


def test_a_forward_pass_multiplies_once_an_edge_and_visits_each_layer_once():
    rng = np.random.default_rng(5)
    edges = [(u, v) for v in range(5, 40) for u in range(v - 4, v) if rng.random() < 0.7]
    outs = sorted(set(range(5, 40)) - {u for u, _ in edges})
    graph = Dag(5, tuple(e for k in rng.permutation(len(edges)) for e in [edges[k]]), tuple(outs))
    w, x = rng.integers(-3, 4, graph.size), rng.integers(-3, 4, (2, 5))
    expected = replace(graph, activation="linear").outputs(w, x)
    counted = [np.vectorize(Counted, otypes=[object])(numbers) for numbers in (w, x)]
    outputs = replace(graph, activation="linear").outputs(*counted)
    assert np.vectorize(lambda number: number.value)(outputs).tolist() == expected.tolist()
    entered = len({v for _, v in edges})
    assert Counted.done == {"times": 2 * graph.size, "plus": 2 * (graph.size - entered)}
    assert sorted(np.concatenate([layer.edges for layer in graph.layers])) == [*range(graph.size)]
    for layer in graph.layers:
        assert not set(layer.sources) & set(layer.targets)
    assert len(Layered((3, 4, 5, 2)).dag().layers) == 3


def test_a_step_unit_has_no_slope_and_a_sigmoid_unit_has():
    step = Layered((1, 1, 1), activation="step")
    outputs, backward = step.forward(np.array([1.0, 3.0]), np.array([[0.0], [0.1]]))
    assert outputs.tolist() == [[0.0], [3.0]]
    with pytest.raises(
        ValueError, match=re.escape("activation: 'step'; expected one with a slope")
    ):
        backward(np.ones((2, 1)))


@pytest.mark.parametrize(
    "net",
    [Layered((3, 4, 5, 2)), Layered((3, 4, 5, 2), bias=True), Recurrent(3, 5, 2, 4)],
    ids=["layers", "biases", "recurrent"],
)
def test_edge_factors_leave_outputs_and_are_a_group(net):
    rng = np.random.default_rng(1)
    w, x = rng.normal(size=net.size), rng.normal(size=(5, *net.input_shape))
    c, d = np.exp(rng.normal(size=(2, net.hidden)))
    assert np.allclose(net.outputs(w * net.edge_factors(c), x), net.outputs(w, x))
    assert np.allclose(net.edge_factors(c) * net.edge_factors(d), net.edge_factors(c * d))
    if isinstance(net, Recurrent):
        graph, copies = net.dag()
        assert np.allclose(net.edge_factors(c)[copies], graph.edge_factors(np.tile(c, 4)))


def test_one_layer_is_linear_regression():
    net = Layered((3, 2), bias=True)
    rng = np.random.default_rng(2)
    w, x = rng.normal(size=8), rng.normal(size=(4, 3))
    matrix = w.reshape(2, 4)
    assert np.allclose(net.outputs(w, x), x @ matrix[:, :3].T + matrix[:, 3])
    assert net.hidden == 0
    assert np.array_equal(net.edge_factors(np.ones(0)), np.ones(8))


def test_initial_weights():
    net = Layered((400, 300, 200), bias=True)
    first, second = net.matrices(net.initial(np.random.default_rng(3)))
    assert np.isclose(first[:, :400].std(), np.sqrt(2 / 400), rtol=0.01)
    assert np.isclose(second[:, :300].std(), np.sqrt(2 / 300), rtol=0.02)
    assert not first[:, 400].any()
    assert not second[:, 300].any()
    rnn = Recurrent(50, 100, 60, 2)
    into, across, out = rnn.matrices(rnn.initial(np.random.default_rng(4)))
    assert np.array_equal(across, np.eye(100))
    assert np.isclose(into.std(), np.sqrt(1 / 50), rtol=0.05)
    assert np.isclose(out.std(), np.sqrt(1 / 100), rtol=0.05)


def test_matrices_are_views():
    net = Layered((2, 3, 1))
    w = np.zeros(net.size)
    net.matrices(w)[1][:] = 7
    assert w.tolist() == [0] * 6 + [7] * 3


LOSSES = {
    "squared_error": (
        nets.squared_error,
        np.random.default_rng(5).normal(size=(6, 3)),
        lambda out, target: 0.5 * anp.mean(anp.sum((out - target) ** 2, axis=1)),
    ),
    "logistic": (
        nets.logistic,
        np.array([1.0, -1.0, 1.0, 1.0, -1.0, -1.0]),
        lambda out, signs: anp.mean(anp.log(1 + anp.exp(-signs * out[:, 0]))),
    ),
    "cross_entropy": (
        nets.cross_entropy,
        np.array([0, 2, 1, 1, 0, 2]),
        lambda out, labels: (
            -anp.mean(anp.log(anp.exp(out)[np.arange(6), labels] / anp.sum(anp.exp(out), axis=1)))
        ),
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses_and_their_slopes(name):
    loss, target, oracle = LOSSES[name]
    outputs = np.random.default_rng(6).normal(size=(6, 1 if name == "logistic" else 3))
    value, slope = loss(outputs, target)
    assert np.isclose(value, oracle(outputs, target))
    assert np.allclose(slope, grad(oracle)(outputs, target))


def test_squared_hinge():
    signs = np.array([1.0, -1.0, 1.0, -1.0])
    outputs = np.array([[3.0], [0.5], [0.2], [-1.0]])
    value, slope = nets.squared_hinge(outputs, signs)
    assert np.isclose(value, (1.5**2 + 0.8**2) / 8)
    assert np.allclose(slope[:, 0], [0, 1.5 / 4, -0.8 / 4, 0])


def test_cross_entropy_of_sequences_and_of_large_outputs():
    rng = np.random.default_rng(7)
    outputs, labels = rng.normal(size=(4, 5, 3)), rng.integers(3, size=(4, 5))
    value, slope = nets.cross_entropy(outputs, labels)
    flat_value, flat = nets.cross_entropy(outputs.reshape(20, 3), labels.ravel())
    assert np.isclose(value, flat_value)
    assert np.allclose(slope.reshape(20, 3), flat)
    assert nets.cross_entropy(np.array([[1e4, 0.0]]), np.array([0]))[0] == 0


def test_a_batch_of_networks_is_run_as_each_alone():
    """With examples of its own for each network, and with the same ones for all."""
    rng = np.random.default_rng(9)
    net = Layered((4, 5, 3, 1), bias=True)
    w, x, signs = (
        rng.normal(size=(2, 3, net.size)),
        rng.normal(size=(2, 3, 7, 4)),
        rng.choice([-1.0, 1.0], size=(2, 3, 7)),
    )
    for own in (True, False):
        examples, labels = (x, signs) if own else (x[1, 2], signs[1, 2])
        values, gradients = value_and_gradient(net, w, examples, labels, nets.logistic)
        for k in np.ndindex(2, 3):
            one = (x[k], signs[k]) if own else (examples, labels)
            value, gradient = value_and_gradient(net, w[k], *one, nets.logistic)
            assert np.isclose(values[k], value, rtol=1e-12)
            assert np.allclose(gradients[k], gradient, rtol=1e-10, atol=1e-14)
            outputs = net.outputs(w, examples)[k]
            assert np.allclose(outputs, net.outputs(w[k], one[0]), rtol=1e-12)


def test_jacobian_by_differences():
    rng = np.random.default_rng(10)
    net = Layered((3, 4, 5, 1), bias=True)
    w, x, steps = rng.normal(size=net.size), rng.normal(size=(6, 3)), 1e-6 * np.eye(net.size)
    numeric = [(net.outputs(w + e, x) - net.outputs(w - e, x))[:, 0] / 2e-6 for e in steps]
    assert np.allclose(nets.jacobian(net, w, x), np.transpose(numeric), atol=1e-7)


def test_value_and_gradient_by_differences():
    rng = np.random.default_rng(8)
    net = Layered((3, 5, 2), bias=True)
    w, x, y = rng.normal(size=net.size), rng.normal(size=(7, 3)), rng.normal(size=(7, 2))

    def value(w):
        return value_and_gradient(net, w, x, y, nets.squared_error)[0]

    steps = 1e-6 * np.eye(net.size)
    slopes = [(value(w + e) - value(w - e)) / 2e-6 for e in steps]
    assert np.allclose(slopes, value_and_gradient(net, w, x, y, nets.squared_error)[1], atol=1e-7)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Layered((3,)), "widths: (3,); expected two or more"),
        (lambda: Layered((3, 0, 1)), "widths: (3, 0, 1); expected two or more positive"),
        (lambda: Layered((2, 1)).matrices(np.ones(3)), "w: shape (3,); expected (2,)"),
        (lambda: Layered((2, 1)).outputs(np.ones(2), np.ones((1, 3))), "x: shape (1, 3)"),
        (lambda: Layered((2, 2, 1)).edge_factors(np.ones(3)), "factors: shape (3,)"),
        (lambda: Layered((2, 2, 1)).edge_factors(np.array([1.0, 0.0])), "least 0.0; expected 2"),
        (lambda: Layered((2, 1)).outputs(np.ones(2), np.ones(2)), "x: shape (2,); expected (n, 2)"),
        (
            lambda: nets.jacobian(Layered((2, 2)), np.ones(4), np.eye(2)),
            "net: 2 outputs; expected 1",
        ),
        (lambda: Dag(1, ((0, 1), (2, 1)), (1,)), "edges: (2, 1); expected u < v"),
        (lambda: Dag(2, ((0, 1),), (1,)), "edges: (0, 1); expected u < v, v no input (below 2)"),
        (lambda: Dag(1, ((0, 1), (1, 2)), (1, 2)), "u no output (1, 2)"),
        (lambda: Dag(1, ((0, 1),), (1,)).outputs(np.ones(2), np.ones((1, 1))), "w: shape (2,)"),
        (lambda: Dag(1, ((0, 1),), (1,)).outputs(np.ones(1), np.ones((1, 2))), "x: shape (1, 2)"),
        (lambda: Recurrent(1, 1, 1, 2).outputs(np.ones(4), np.ones((1, 2, 1))), "w: shape (4,)"),
        (lambda: Recurrent(1, 1, 1, 2).outputs(np.ones(3), np.ones((1, 3, 1))), "x: shape (1, 3"),
    ],
)
def test_errors_name_argument_value_and_what_was_expected(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: nets.squared_error(np.zeros((3, 1)), np.array([1.0, 2, 3])),
            "outputs, target: shapes (3, 1), (3,); expected equal",
        ),
        (lambda: nets.squared_hinge(np.zeros((2, 1)), np.array([0, 1])), "signs: holds 0"),
        (lambda: nets.logistic(np.zeros((2, 1)), np.array([2, 1])), "signs: holds 2"),
        (lambda: nets.logistic(np.zeros((2, 3, 1)), np.ones((1, 3))), "signs: shape (1, 3)"),
        (lambda: nets.cross_entropy(np.zeros((2, 3)), np.array([0, -1])), "labels: holds -1"),
        (lambda: nets.cross_entropy(np.zeros((2, 3)), np.array([3, 0])), "labels: holds 3"),
        (lambda: nets.cross_entropy(np.zeros((2, 3)), np.array([[0]])), "labels: shape (1, 1)"),
        (lambda: Layered((2, 1), activation="tanh"), "activation: 'tanh'; expected"),
        (lambda: Recurrent(1, 0, 1, 2), "hidden: 0; expected at least 1"),
        (lambda: Dag(1, ((0, 1),), ()), "outs: (); expected units that are no inputs"),
        (lambda: Dag(1, ((0, 1),), (-1,)), "outs: (-1,); expected units that are no inputs"),
    ],
)
def test_labels_signs_and_shapes_off_the_documented_sets_are_refused(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


@pytest.mark.parametrize("net", [Layered((2, 2, 1)), Layered((2, 2, 1)).dag()])
def test_a_slope_that_would_broadcast_is_refused(net):
    _, backward = net.forward(np.ones(6), np.ones((3, 2)))
    with pytest.raises(ValueError, match=re.escape("slope: shape (3, 3); expected (3, 1)")):
        backward(np.ones((3, 3)))


def test_widths_of_eight_bits_do_not_wrap():
    assert Layered((np.uint8(16), np.uint8(16), 1)).size == 272
