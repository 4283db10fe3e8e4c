"""Constructions against what they are to compute: integers, sorted rows, automata, solvers."""

import re

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.path import Path

from lecture_code import cubes, kernels, networks
from lecture_code import universal_learning as ul
from lecture_code.networks import Circuit, compile_circuit
from lecture_code.wiring import Wiring

KINDS = ("step", "relu", "sigmoid")


def automaton(rule, rows, steps):
    """The automaton by its table."""
    for _ in range(steps):
        rows = rule >> (4 * np.roll(rows, 1, -1) + 2 * rows + np.roll(rows, -1, -1)) & 1
    return rows


def random_circuit(rng, inputs, gates):
    """Gates of up to four wires with weights up to 3."""
    circuit = Circuit(inputs)
    for _ in range(gates):
        near = rng.choice(circuit.inputs + len(circuit.gates), min(4, inputs), replace=False)
        weights = rng.integers(-3, 4, len(near))
        circuit.gate(dict(zip(near.tolist(), weights, strict=True)), int(rng.integers(-3, 5)))
    circuit.outs = list(range(inputs, inputs + gates))
    return circuit


def simulated(circuit, rows):
    """All gates of a circuit on rows of bits, in integers."""
    wires = list(rows.T)
    for weights, least in circuit.gates:
        total = sum((w * wires[wire] for wire, w in weights.items()), np.zeros(len(rows), int))
        wires.append((total >= least).astype(int))
    return np.transpose([wires[wire] for wire in circuit.outs])


def test_a_wiring_by_hand():
    wiring = Wiring(2)
    unit = wiring.unit({0: 1.0, 1: -2.0}, 0.5)
    built = wiring.network([{unit: 3.0, 0: 1.0, wiring.on: -1.0}, {}], "relu")
    assert built(np.array([[1, 0], [0, 1], [2, 0.5]])).tolist() == [[4.5, 0], [-1, 0], [5.5, 0]]
    assert built.size == (1, 6, 1)
    assert wiring.network([{0: 2.0}])([[1, 5]]).tolist() == [[2.0]]


@pytest.mark.parametrize("seed", range(8))
def test_a_compiled_circuit_is_the_circuit(seed):
    rng = np.random.default_rng(seed)
    circuit = random_circuit(rng, 5, 12)
    rows = cubes.bits(5)
    bits = simulated(circuit, rows)
    fan_in = sum(len(weights) + 1 for weights, _ in circuit.gates)
    for kind in KINDS:
        built = compile_circuit(circuit, kind)
        found = built(rows)
        off = 1 / (4 * circuit.weight) if kind == "sigmoid" else 1e-12
        assert np.max(np.abs(found - bits)) <= off
        hidden, edges, _ = built.size
        times = {"step": 1, "relu": 4, "sigmoid": 1}[kind]
        assert hidden == len(circuit.gates) * (2 if kind == "relu" else 1)
        assert edges <= times * fan_in + len(circuit.outs) * (2 if kind == "relu" else 1)


def test_nand_gates_compile_to_three_edges_a_gate():
    rng = np.random.default_rng(1)
    pairs = [tuple(int(wire) for wire in rng.integers(0, 4 + k, 2)) for k in range(30)]
    circuit = Circuit(4)
    circuit.outs = [circuit.nand(a, b) for a, b in pairs]
    rows = cubes.bits(4)
    built = compile_circuit(circuit)
    assert (built(rows) == ul.run_circuit(pairs, rows)[:, 4:]).all()
    assert built.size[1] <= 3 * 30 + 30


@pytest.mark.parametrize("n", [1, 3])
def test_an_adder_adds(n):
    rows = cubes.bits(2 * n)
    powers = 2 ** np.arange(n + 1)
    for kind in KINDS:
        sums = (compile_circuit(networks.adder(n), kind)(rows) > 0.5) @ powers
        assert (sums == rows[:, :n] @ powers[:n] + rows[:, n:] @ powers[:n]).all()


@pytest.mark.parametrize("rule", sorted({*range(0, 256, 8), 30, 90, 110, 54}))
def test_elementary_automata(rule):
    rows = np.random.default_rng(rule).integers(0, 2, (6, 11))
    built = compile_circuit(networks.elementary(rule, 11, 4))
    assert (built(rows) == automaton(rule, rows, 4)).all()
    assert built.size[0] == 3 * 11 * 4


def test_rows_of_sigmoids_are_those_of_the_compiled_network():
    first = np.random.default_rng(2).integers(0, 2, 12)
    circuit = networks.elementary(110, 12, 5)
    assert circuit.weight == 3
    for gain in (5.0, circuit.gain):
        row = networks.sigmoid_rows(110, first, 5, gain)[-1]
        assert np.allclose(compile_circuit(circuit, "sigmoid", gain)([first])[0], row, rtol=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 5).flatmap(lambda d: st.lists(st.booleans(), min_size=2**d, max_size=2**d)))
def test_truth_tables(values):
    d = len(values).bit_length() - 1
    built = networks.truth_table(np.array(values))
    assert (built(cubes.bits(d))[:, 0] == values).all()
    assert built.size[0] == min(sum(values), len(values) - sum(values))


@pytest.mark.parametrize("d", [1, 2, 5, 7])
def test_four_designs_of_parity(d):
    rows, k = cubes.bits(d), d.bit_length()
    sizes = {"table": (2 ** (d - 1), 1), "layer": (d, 1), "counter": (k, k)}
    sizes["tree"] = (2 * (d - 1), int(np.ceil(np.log2(d))))
    for design, (units, layers) in sizes.items():
        built = networks.parity(d, design)
        assert (built(rows)[:, 0] == rows.sum(axis=1) % 2).all()
        assert (built.size[0], built.size[2]) == (units, layers)


def test_a_union_of_polygons_agrees_with_matplotlib():
    rng = np.random.default_rng(3)
    polytopes, paths = [], []
    for sides in (3, 5):
        turns = np.sort(rng.uniform(0, 2 * np.pi, sides)) + 2 * np.pi * np.arange(sides) / sides
        corners = rng.uniform(-1, 1, 2) + np.column_stack([np.cos(turns / 2), np.sin(turns / 2)])
        edges = np.roll(corners, -1, axis=0) - corners
        A = np.column_stack([-edges[:, 1], edges[:, 0]])
        polytopes.append((A, -np.sum(A * corners, axis=1)))
        paths.append(Path(corners))
    points = rng.uniform(-2, 2, (3000, 2))
    inside = np.any([path.contains_points(points) for path in paths], axis=0)
    built = networks.union(polytopes)
    assert ((built(points)[:, 0] > 0.5) == inside).all()
    assert 0 < inside.sum() < 3000
    assert built.size == (10, 3 * 8 + 8 + 2 + 2, 2)


@pytest.mark.parametrize("n", [1, 2, 8, 16])
def test_sorting(n):
    k = n.bit_length() - 1
    built = networks.sorter(n)
    rows = np.random.default_rng(n).integers(-99, 99, (200, n))
    assert (built(rows) == np.sort(rows)).all()
    assert built.size[0] == n * (k * k - k + 4) // 4 - 1
    assert built.size[2] == k * (k + 1) // 2
    assert (networks.sorter(3, [(0, 1), (1, 2), (0, 1)])([[3, 1, 2]]) == [[1, 2, 3]]).all()


def test_the_broken_line():
    rng = np.random.default_rng(4)
    knots, values = np.sort(rng.uniform(-1, 1, 6)), rng.normal(size=6)
    x = rng.uniform(knots[0], knots[-1], 200)
    built = networks.interpolant(knots, values)
    assert np.allclose(built(x[:, None])[:, 0], np.interp(x, knots, values))
    assert built.size == (5, 3 * 5 + 1, 1)


@pytest.mark.parametrize("norm", [0.3, 2.0, 6.0])
def test_the_best_function_of_a_kernel_norm_agrees_with_cvxpy(norm):
    x = np.linspace(-1, 1, 12)
    K = np.exp(-((x[:, None] - x) ** 2) / 0.08)
    target = np.abs(x) + x**3
    root = np.linalg.cholesky(K + 1e-12 * np.eye(12))
    v = cp.Variable(12)
    cp.Problem(cp.Minimize(cp.sum_squares(root @ v - target)), [cp.norm(v) <= norm]).solve()
    alpha = kernels.best_of_norm(K, target, norm)
    assert np.allclose(K @ alpha, root @ v.value, atol=1e-5)
    assert np.sqrt(alpha @ K @ alpha) <= norm * (1 + 1e-9)


def test_the_rules_of_three_gates_are_all_but_two():
    refused = []
    for rule in range(256):
        try:
            networks.cell_gates(rule)
        except ValueError:
            refused.append(rule)
    assert refused == [105, 150]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Wiring(1).unit({3: 1.0}), "terms: wires [3]; expected 0 to 1"),
        (lambda: Circuit(1).gate({0: 0.5}, 1), "weights: 0.5; expected an integer"),
        (lambda: networks.cell_gates(150), "rule: 150; expected 0 to 255 but 105 and 150"),
        (lambda: networks.cell_gates(256), "rule: 256; expected"),
        (lambda: networks.elementary(110, 2, 1), "n: 2; expected at least 3 cells"),
        (lambda: networks.adder(0), "n: 0; expected at least 1 bit"),
        (lambda: networks.truth_table(np.ones(3)), "values: shape (3,); expected (2**d,)"),
        (lambda: networks.batcher(6), "n: 6; expected a power of two"),
        (lambda: Circuit(1).gate({1: 1}, 1), "weights: wires [1]; expected earlier ones"),
        (lambda: networks.parity(3, "xor"), "d, design: 3, 'xor'; expected bits, and one of four"),
        (lambda: networks.interpolant([0, 0], [1, 2]), "knots: [0. 0.]; expected increasing"),
    ],
)
def test_errors_name_argument_value_and_what_was_expected(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()
