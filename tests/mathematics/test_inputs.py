"""Whatever holds the numbers, the result is that of float64: every public function has its entry.

An entry is a call in which ``a(...)`` stands around the numbers that come in. It is made with
arrays of many kinds, and with float64 of the same values.
"""

import pkgutil
from dataclasses import fields, is_dataclass
from fractions import Fraction
from functools import partial
from importlib import import_module
from inspect import isclass, isfunction

import numpy as np
import pytest
from scipy import sparse

import lecture_code
from lecture_code import (
    alternating,
    capacity,
    checks,
    cubes,
    digits,
    flows,
    graphs,
    kernels,
    losses,
    masks,
    mirrors,
    norms,
    ntk,
    optimize,
    paths,
    traces,
    truth_tables,
    wide,
)
from lecture_code import completion as cm
from lecture_code import description_length as dl
from lecture_code import entropy as en
from lecture_code import factorization as fz
from lecture_code import generalized_learning as gl
from lecture_code import implicit_bias as ib
from lecture_code import implicit_bias_matrices as ibm
from lecture_code import lazy_training as lt
from lecture_code import local_search as ls
from lecture_code import matrix_completion as mc
from lecture_code import matrix_completion_limits as lim
from lecture_code import measurements as ms
from lecture_code import nets as nt
from lecture_code import networks as nw
from lecture_code import no_free_lunch as nfl
from lecture_code import path_norm as pn
from lecture_code import path_sgd as ps
from lecture_code import sensing as sn
from lecture_code import stochastic_optimization as so
from lecture_code import universal_learning as ul

A, Y, X0, Z = [[1, 2, 3], [2, 1, 0]], [6, 3], [1, 2, 1], [[1, 0, 1], [1, 1, 0]]
W2, W3 = [3, -1, 2, 2, 1, 1], [1, 2, 1, 1]  # weights of the networks below
POINTS, THETA = [[120, 50], [-100, 60], [0, 127]], [[1, 2, 1], [-1, 1, -1]]
SAMPLE = [[[0, 1], 1], [[1, 1], 0], [[1, 0], 1]]
PROGRAMS = dl.enumerate_programs(12)
WORDS = PROGRAMS.tables[:, 1]


def rng():
    return np.random.default_rng(0)


def layered(a):
    return nt.Layered((a(2), a(2), a(1)))


def recurrent(a):
    return nt.Recurrent(a(1), a(1), a(1), a(2))


def dag(a):
    return graphs.Dag(a(1), ((a(0), a(1)), (a(1), a(2)), (a(0), a(2))), (a(2),))


def run(net, w, x):
    outputs, backward = net.forward(w, x)
    return outputs, backward(np.ones(outputs.shape))


def weights(array):
    """Sparse, which neither float16 nor another byte order can be."""
    array = np.asarray(array)
    kind = np.float32 if array.dtype == np.float16 else array.dtype.newbyteorder("=")
    return sparse.csr_array(array.astype(kind))


def instance(a):
    return cm.Completion(a([1, 2, 1]), weights(a([[100, 1, 0], [90, 0, 1], [0, 1, 1]])), 1)


def sensing(a):
    return ms.Sensing(a([[[1, 0], [0, 1]], [[0, 1], [1, 0]]]), a([4, 2]))


def gate(a):
    circuit = nw.Circuit(a(2))
    circuit.gate({0: a(1), 1: a(-2)}, a(1))
    return circuit.gates


def holes(a):
    return alternating.Table(a([0, 0, 1]), a([0, 2, 1]), a([100, 2, 3]), (2, 3), a([1, 2]))


def sample(a):
    return tuple((tuple(a(bit) for bit in x), a(y)) for x, y in SAMPLE)


def judged(rule, a):
    return [rule(sample(a))(x) for x in cubes.points(2)]


CALLS = {
    "alternating.Table.on_entries": lambda a: holes(a).on_entries(a([1, 2, 3])).toarray(),
    "alternating.alternate": lambda a: alternating.alternate(
        holes(a), a([[1], [2]]), a([[1], [2], [1]]), a(0.5), a(3)
    ),
    "alternating.duality_gap": lambda a: alternating.duality_gap(
        holes(a), a([[1], [2]]), a([[1], [2], [1]]), a(0.5)
    ),
    "alternating.entries": lambda a: alternating.entries(
        holes(a), a([[100], [2]]), a([[1], [2], [100]])
    ),
    "alternating.objective": lambda a: alternating.objective(
        holes(a), a([[100], [2]]), a([[1], [2], [100]]), a(0.5)
    ),
    "alternating.rank_path": lambda a: (
        alternating.rank_path(holes(a), (1, 2), a(0.5), rng(), sweeps=a(3))[-1].W
    ),
    "alternating.table": lambda a: alternating.table(a(POINTS), a([[1, 0], [1, 1], [0, 1]])).values,
    "capacity.bit_extractor": lambda a: run(
        *capacity.bit_extractor(a([[1, 0], [0, 1]])), a([[1, 2, 1], [0, 1, 1]])
    ),
    "capacity.colouring_network": lambda a: capacity.colouring_network(a([0, 1, 1]), a(2)),
    "capacity.colouring_sample": lambda a: capacity.colouring_sample(a(3), [a([0, 1]), a([2, 1])]),
    "capacity.consistent": lambda a: sorted(capacity.consistent(a(3), [a([0, 1])], a(2))),
    "capacity.fires": lambda a: capacity.fires(a([[2, -1], [-1, 2]]), a([[1, 1], [1, 0]])),
    "capacity.half_planes": lambda a: capacity.half_planes(a([[0, 0], [1, 0], [0, 100]])),
    "capacity.labelings": lambda a: capacity.labelings(a([[0, 0], [1, 0], [0, 100]]), a(2)),
    "capacity.one_coloured": lambda a: capacity.one_coloured(a([0, 1, 1]), [a([0, 1]), a([2, 1])]),
    "capacity.sauer": lambda a: capacity.sauer(a(100), a(3)),
    "capacity.sine_signs": lambda a: capacity.sine_signs(a(101), a(6)),
    "capacity.sine_weight": lambda a: capacity.sine_weight(a([1, 0, 1])),
    "capacity.threshold_functions": lambda a: capacity.threshold_functions(a(2)),
    "checks.as_bits": lambda a: checks.as_bits("x", a([0, 1])),
    "checks.as_floats": lambda a: checks.as_floats("x", a([100, 2])),
    "checks.as_fraction": lambda a: checks.as_fraction("x", a(3)),
    "checks.as_integer": lambda a: checks.as_integer("x", a(3)),
    "checks.as_integers": lambda a: checks.as_integers("x", a([1, 2]), 0, 2),
    "checks.as_number": lambda a: checks.as_number("x", a(3)),
    "checks.as_signs": lambda a: checks.as_signs("x", a([1, -1])),
    "cubes.bits": lambda a: cubes.bits(a(8)),
    "cubes.points": lambda a: cubes.points(a(3)),
    "cubes.signs": lambda a: cubes.signs(a(3)),
    "description_length.Programs.index": lambda a: PROGRAMS.index(
        truth_tables.pack(a([0, 1] * 128))
    ),
    "description_length.Programs.program": lambda a: PROGRAMS.program(a(100)),
    "description_length.counts": lambda a: dl.counts(a(12)),
    "description_length.enumerate_programs": lambda a: dl.enumerate_programs(a(8)).tables,
    "description_length.evaluate": lambda a: dl.evaluate(("ones",), a([1, 0, 1, 1, 0, 0, 1, 1])),
    "description_length.kraft_sum": lambda a: dl.kraft_sum(a(12)),
    "digits.split": lambda a: [
        part.astype(float) for part in digits.split(a(POINTS), a([1, 0, 1]), a(2), rng())
    ],
    "entropy.certificate": lambda a: en.certificate(a(A), a(Y), a([1, 1])),
    "entropy.check_positive": lambda a: en.check_positive(a(X0)),
    "entropy.entropy": lambda a: en.entropy(a([0, 100, 3]), a(X0)),
    "entropy.entropy_minimiser": lambda a: en.entropy_minimiser(a(A), a(Y), a(X0), a([0, 0])),
    "entropy.minimal_l1": lambda a: en.minimal_l1(a(A), a(Y)),
    "entropy.on_manifold": lambda a: en.on_manifold(a(A), a(X0), a([1, 0])),
    "factorization.balanced": lambda a: fz.balanced(a(POINTS), a(1))[0] @ [[1]],
    "factorization.block_law": lambda a: fz.block_law(a(4), a(2), a(0.5)),
    "factorization.differential": lambda a: fz.differential(a([[1], [2]]), a([[1], [3]])),
    "factorization.hessian": lambda a: fz.hessian(
        a([[100, 2], [3, 4]]), a([[1, 2], [3, 1]]), a([[1], [2]]), a([[1], [1]]), a(0.5)
    ),
    "factorization.max_norm": lambda a: fz.max_norm(a([[100, 2], [3, 4]]), a(0.25), a(9)).upper,
    "factorization.power_spectrum": lambda a: fz.power_spectrum(a(4), a(0.5), rng(), rank=a(2)),
    "factorization.rademacher": lambda a: fz.rademacher(
        a([[0.5, 0.25], [0.125, 0.125]]), a(4), a(3), rng(), weighted=True
    ),
    "factorization.trace_norm": lambda a: fz.trace_norm(a([[100, 2], [3, 4]])),
    "factorization.weighted_trace_norm": lambda a: fz.weighted_trace_norm(
        a([[100, 2], [3, 4]]), a([0.5, 0.25]), a([1, 2])
    ),
    "flows.integrate": lambda a: flows.integrate(
        lambda z: -z, a([1, 2]), a([1, 2]), rtol=1e-8, atol=1e-8
    ),
    "generalized_learning.density": lambda a: gl.density(a([0.25, 0.75])).excess(np.zeros(2)),
    "generalized_learning.lloyd": lambda a: gl.lloyd(a(POINTS), a([[100, 50], [0, 100]])),
    "generalized_learning.logistic_minimiser": lambda a: gl.logistic_minimiser(
        a(POINTS), a([1, -1, 1]), ridge=a(1), radius=a(2)
    ),
    "generalized_learning.newsvendor": lambda a: gl.newsvendor(a(3)).excess(1.0),
    "generalized_learning.odd_even": lambda a: gl.odd_even(a(2)).excess(np.zeros(65)),
    "generalized_learning.routes": lambda a: gl.routes(a(3), rng()).excess(np.full(6, 1 / 6)),
    "generalized_learning.squared_distances": lambda a: gl.squared_distances(
        a(POINTS), a([[100, 50], [0, 100]])
    ),
    "graphs.Dag.edge_factors": lambda a: dag(a).edge_factors(a([2])),
    "graphs.Dag.forward": lambda a: run(dag(a), a([3, -2, 2]), a([[100], [2]])),
    "graphs.Network.outputs": lambda a: dag(a).outputs(a([3, 2, 2]), a([[100], [2]])),
    "implicit_bias.adaptive_descent": lambda a: ib.adaptive_descent(
        a(A), a(Y), a(X0), a(0.5), a(3), rule="adam"
    ),
    "implicit_bias.drift": lambda a: ib.drift(a(A), a(Y), a(X0), a(0.5)),
    "implicit_bias.drift_bound": lambda a: ib.drift_bound(a(A), a([0, 3, 0]), a(X0)),
    "implicit_bias.inertial_flow": lambda a: ib.inertial_flow(a(A), a(Y), a(X0), a(2), a(0.5)),
    "implicit_bias.kernel_projection": lambda a: ib.kernel_projection(a(A)),
    "implicit_bias.logistic_descent": lambda a: ib.logistic_descent(a(Z), "l1", a(3)),
    "implicit_bias.off_manifold": lambda a: ib.off_manifold(a(A), a([2, 3, 100]), a(X0)),
    "implicit_bias.square_flow": lambda a: ib.square_flow(a(A), a(Y), a(X0), a(0.5)),
    "implicit_bias.square_gradient": lambda a: ib.square_gradient(a(A), a(Y), a([50, 2, 1])),
    "implicit_bias.steepest_descent": lambda a: ib.steepest_descent(a(A), a(Y), "l1", a(3), a(1)),
    "implicit_bias_matrices.certificate": lambda a: ibm.certificate(sensing(a), a([1, 1])),
    "implicit_bias_matrices.commutator": lambda a: ibm.commutator(
        a([[100, 1], [1, 0]]), a([[50, 3], [1, 0]])
    ),
    "implicit_bias_matrices.example_flow": lambda a: ibm.example_flow(a(0.5), a(2)),
    "implicit_bias_matrices.example_path": lambda a: ibm.example_path(a(0.5), a(2), a(np.ones(1))),
    "implicit_bias_matrices.exponential_descent": lambda a: ibm.exponential_descent(
        sensing(a), a([[1, 0], [0, 1]]), a(0.25), a(3), a(2)
    ),
    "implicit_bias_matrices.flow": lambda a: ibm.flow(sensing(a), a([[1, 0], [0, 1]]), a(1)),
    "implicit_bias_matrices.lie_dimension": lambda a: ibm.lie_dimension(
        a([[[1, 0], [0, 2]], [[0, 1], [1, 0]]])
    ),
    "traces.minimal_trace": lambda a: traces.minimal_trace(sensing(a)),
    "implicit_bias_matrices.ordered_product": lambda a: ibm.ordered_product(
        sensing(a), a([[1, 0], [0, 1]]), a(1), a(3), a(1)
    ),
    "implicit_bias_matrices.path": lambda a: ibm.path(sensing(a), a([[1, 0], [0, 1]]), a([1, 2])),
    "implicit_bias_matrices.single_observation": lambda a: ibm.single_observation(
        a([[1, 0], [0, 2]]), a(3), a([[1, 0], [0, 1]])
    ),
    "implicit_bias_matrices.steer": lambda a: ibm.steer(
        a([[[1, 0], [0, 1]]]), a([[1], [0]]), a([[1], [0]])
    ),
    "kernels.analytic_ntk": lambda a: kernels.analytic_ntk(a(POINTS), a(POINTS), depth=a(2)),
    "kernels.arc_cosine": lambda a: kernels.arc_cosine(a([[1, 0], [0, 1]])),
    "kernels.check_width": lambda a: kernels.check_width(a(3)),
    "kernels.best_of_norm": lambda a: kernels.best_of_norm(a([[2, 1], [1, 2]]), a([1, 3]), a(1)),
    "kernels.circle_eigenvalues": lambda a: kernels.circle_eigenvalues(a([0, 1, 100])),
    "kernels.fixed_features_error": lambda a: kernels.fixed_features_error(a(5), a(12), a(6)),
    "kernels.kernel_descent": lambda a: kernels.kernel_descent(
        a([[2, 1], [1, 2]]), a([1, -1]), a(0.25), a([0, 1, 100])
    ),
    "kernels.least_eigenvalue": lambda a: kernels.least_eigenvalue(a([[2, 1], [1, 2]])),
    "kernels.limit_deviation": lambda a: kernels.limit_deviation(a(POINTS), a(3)),
    "losses.cross_entropy": lambda a: losses.cross_entropy(a([[100, -100], [1, 0]]), a([1, 0])),
    "losses.logistic": lambda a: losses.logistic(a([[100], [-2]]), a([1, -1])),
    "losses.squared_error": lambda a: losses.squared_error(a([[100], [2]]), a([[-100], [1]])),
    "losses.squared_hinge": lambda a: losses.squared_hinge(a([[-100], [2]]), a([1, -1])),
    "masks.as_mask": lambda a: masks.as_mask(weights(a([[1, 0], [1, 1]]))),
    "masks.determines_signs": lambda a: masks.determines_signs(weights(a([[0, 100], [0, 90]]))),
    "masks.project": lambda a: masks.project(a([[100, 2], [3, 4]]), weights(a([[2, 0], [1, 1]]))),
    "masks.random_mask": lambda a: masks.random_mask(a(30), a(0.25), rng()),
    "lazy_training.shares_learned": lambda a: lt.shares_learned(
        a([[2, 1], [1, 2]]), a([[1, 1], [1, -1]]), a(0.25), [a(3)]
    ),
    "lazy_training.train_from_zero": lambda a: lt.train_from_zero(
        layered(a), a(W2), a(POINTS), a([[1], [2], [3]]), a(POINTS), step=a(2.0**-20), steps=a(1)
    ),
    "local_search.ascend_quartic": lambda a: ls.ascend_quartic(
        a([[1, 0], [0, 1]]), a([1, 2]), a([[100, 1], [1, 2]]), a(0.25), a(2)
    ),
    "local_search.chain": lambda a: ls.chain(a([100, 1, -2])),
    "local_search.chain_gradient": lambda a: ls.chain_gradient(a([100, 1, -2])),
    "local_search.half_time": lambda a: ls.half_time(a(3), a(0.25), a(2)),
    "local_search.learning_curve": lambda a: ls.learning_curve(a(2), a(0.25), a([1, 2]), a([1, 3])),
    "local_search.leaving_times": lambda a: ls.leaving_times(a([[0, 0], [2, 0], [2, 100]])),
    "local_search.net_derivatives": lambda a: ls.net_derivatives(
        [a(Z), a([[100, 2]])], a([[1, 2, 3]])
    )[1],
    "local_search.quartic": lambda a: ls.quartic(a([[1, 0], [0, 1]]), a([1, 2]), a([100, 2])),
    "local_search.quartic_critical_points": lambda a: ls.quartic_critical_points(a([1, 2]))[0],
    "local_search.sphere_hessian": lambda a: ls.sphere_hessian(
        a([[1, 0], [0, 1]]), a([1, 2]), a([0, 1])
    ),
    "local_search.synchronize": lambda a: ls.synchronize(
        a([[0, 1], [1, 0]]), a([[100, 1], [1, 2]]), a(0.25), a(2)
    ),
    "local_search.synchrony": lambda a: ls.synchrony(a([[0, 1], [1, 0]]), a([[100, 1], [1, 2]])),
    "local_search.synchrony_hessian": lambda a: ls.synchrony_hessian(
        a([[0, 1], [1, 0]]), a([[1, 0], [0, 1]])
    ),
    "local_search.two_layer_critical_point": lambda a: ls.two_layer_critical_point(
        a(A), a([1]), a(2), a(2)
    ),
    "completion.Completion.on_mask": lambda a: instance(a).on_mask(a([1, 2, 3, 4, 5, 6])),
    "completion.Completion.products": lambda a: instance(a).products(a([100, 2, 3])),
    "completion.Completion.residual": lambda a: instance(a).residual(a([100, 2, 3])),
    "matrix_completion.bernstein_norm": lambda a: mc.bernstein_norm(a(120), a(0.5), a(0.25)),
    "completion.distance": lambda a: cm.distance(instance(a), a([100, -2, 3]), blocks=a(3)),
    "completion.epsilon": lambda a: cm.epsilon(instance(a)),
    "matrix_completion_limits.factor_distance": lambda a: lim.factor_distance(
        a(POINTS), a(POINTS[::-1])
    ),
    "matrix_completion_limits.factor_gradient": lambda a: lim.factor_gradient(
        instance(a), a(POINTS)
    ),
    "completion.flat_vector": lambda a: cm.flat_vector(a(5), rng()),
    "matrix_completion.full_gradient": lambda a: mc.full_gradient(a(X0), a([100, -2, 3])),
    "matrix_completion.full_hessian_form": lambda a: mc.full_hessian_form(
        a(X0), a([100, -2, 3]), a(X0)
    ),
    "completion.gaussian_vector": lambda a: cm.gaussian_vector(a(5), rng()),
    "completion.gradient": lambda a: cm.gradient(instance(a), a([100, -2, 3])),
    "completion.hessian": lambda a: cm.hessian(instance(a), a([100, -2, 3])),
    "completion.incoherence": lambda a: cm.incoherence(a([100, -2, 3])),
    "completion.mask_error": lambda a: cm.mask_error(instance(a))[0],
    "completion.objective": lambda a: cm.objective(instance(a), a([100, -2, 3])),
    "completion.penalised": lambda a: cm.penalised(instance(a), a(2))[0](a([100.0, -2, 3])),
    "completion.penalty_gradient": lambda a: cm.penalty_gradient(a([100, -2, 3]), a(1), a(2)),
    "completion.random_instance": lambda a: cm.random_instance(a(30), a(0.25), rng()).observed,
    "completion.row_error": lambda a: cm.row_error(instance(a)),
    "matrix_completion.sample_error": lambda a: mc.sample_error(
        instance(a), a([100, -2, 3]), a([100, 2, 3])
    ),
    "completion.side_by_side": lambda a: cm.side_by_side([instance(a)] * 2).observed,
    "matrix_completion.transfer_bounds": lambda a: mc.transfer_bounds(
        instance(a), a([100, -2, 3]), a([100, 2, 3]), a(2)
    ),
    "measurements.adjoint": lambda a: ms.adjoint(sensing(a), a([100, 100])),
    "measurements.completion": lambda a: ms.completion(a(2), {(0, 1): a(100)}),
    "measurements.factor_gradient": lambda a: ms.factor_gradient(sensing(a), a([[100], [3]])),
    "measurements.gaussian_sensing": lambda a: ms.gaussian_sensing(a(3), a(2), a(1), rng()),
    "measurements.measure": lambda a: ms.measure(sensing(a), a([[100, 2], [2, 100]])),
    "measurements.minimal_frobenius": lambda a: ms.minimal_frobenius(sensing(a)),
    "measurements.residual_matrix": lambda a: ms.residual_matrix(sensing(a), a([[9, 2], [2, 9]])),
    "mirrors.ball": lambda a: mirrors.ball(a(2))(np.array([3.0, 4.0])),
    "mirrors.l1_ball": lambda a: mirrors.l1_ball(a(2))(np.array([3.0, -4.0])),
    "mirrors.p_norm": lambda a: mirrors.p_norm(a(1.5))(np.array([3.0, -4.0])),
    "mirrors.softmax": lambda a: mirrors.softmax(a([100, 99, 0])),
    "networks.Circuit.gate": gate,
    "networks.adder": lambda a: nw.adder(a(2)).gates,
    "networks.batcher": lambda a: nw.batcher(a(8)),
    "networks.elementary": lambda a: nw.elementary(a(110), a(4), a(2)).gates,
    "networks.interpolant": lambda a: nw.interpolant(a([1, 2, 4]), a([3, 0, 100])).w,
    "networks.parity": lambda a: nw.parity(a(3), "layer").w,
    "networks.sigmoid_rows": lambda a: nw.sigmoid_rows(a(110), a([0, 1, 0, 1]), a(3), a(7)),
    "networks.sorter": lambda a: nw.sorter(a(4)).w,
    "networks.truth_table": lambda a: nw.truth_table(a([0, 1, 1, 0])).w,
    "networks.union": lambda a: nw.union([(a([[1, 0], [0, 1]]), a([2, 1]))]).w,
    "nets.Layered.edge_factors": lambda a: layered(a).edge_factors(a([2, 3])),
    "nets.Layered.forward": lambda a: run(layered(a), a(W2), a(POINTS)),
    "nets.Layered.initial": lambda a: layered(a).initial(rng()),
    "nets.Layered.matrices": lambda a: layered(a).matrices(a(W2)),
    "nets.Recurrent.edge_factors": lambda a: recurrent(a).edge_factors(a([3])),
    "nets.Recurrent.forward": lambda a: run(recurrent(a), a(W3[:3]), a([[[100], [2]]])),
    "nets.Recurrent.initial": lambda a: recurrent(a).initial(rng()),
    "nets.Recurrent.matrices": lambda a: recurrent(a).matrices(a(W3[:3])),
    "nets.Recurrent.states": lambda a: recurrent(a).states(a(W3[:3]), a([[[100], [2]]])),
    "nets.jacobian": lambda a: nt.jacobian(layered(a), a(W2), a(POINTS)),
    "nets.value_and_gradient": lambda a: nt.value_and_gradient(
        layered(a), a(W2), a(POINTS), a([[1], [2], [3]]), losses.squared_error
    ),
    "no_free_lunch.as_sample": lambda a: nfl.as_sample(sample(a)),
    "no_free_lunch.bayes_error": lambda a: nfl.bayes_error(a(2), a(1), a(2)),
    "no_free_lunch.coin": partial(judged, nfl.coin),
    "no_free_lunch.decision_tree": partial(judged, nfl.decision_tree),
    "no_free_lunch.disagreements": lambda a: nfl.disagreements(a(3)),
    "no_free_lunch.empirical_risk_minimizer": lambda a: judged(
        nfl.empirical_risk_minimizer(nfl.stumps(2)), a
    ),
    "no_free_lunch.expected_errors": lambda a: nfl.expected_errors(
        nfl.majority, cubes.points(1), a(2), a([0.25, 0.75])
    ),
    "no_free_lunch.full_errors": lambda a: nfl.full_errors(nfl.majority, cubes.points(1), a(2)),
    "no_free_lunch.majority": partial(judged, nfl.majority),
    "no_free_lunch.memorizer": partial(judged, nfl.memorizer),
    "no_free_lunch.nearest_neighbour": partial(judged, nfl.nearest_neighbour),
    "no_free_lunch.off_sample_errors": lambda a: nfl.off_sample_errors(nfl.coin, a(2), a(2)),
    "no_free_lunch.opposite_neighbour": partial(judged, nfl.opposite_neighbour),
    "no_free_lunch.parities": lambda a: [h((1, 0)) for h in nfl.parities(a(2))],
    "no_free_lunch.prior_average": lambda a: nfl.prior_average(a([1, 0, 0, 1]), a(1), a(2)),
    "no_free_lunch.prior_weights": lambda a: nfl.prior_weights(a(3), a(2)),
    "no_free_lunch.stumps": lambda a: [h((1, 0)) for h in nfl.stumps(a(2))],
    "norms.least_norm": lambda a: norms.least_norm(
        a(A), a(Y), a(X0), a([[2, 0, 0], [0, 1, 0], [0, 0, 1]])
    ),
    "norms.maximal_margin": lambda a: norms.maximal_margin(a(Z), "l2"),
    "norms.minimal_norm": lambda a: norms.minimal_norm(a(A), a(Y), "l1"),
    "norms.norm": lambda a: norms.norm(a([100, -100, 3]), "l2"),
    "ntk.curvature_blocks": lambda a: ntk.curvature_blocks(a(THETA), a(POINTS), a([1, 2, 3])),
    "ntk.deep_ntk": lambda a: ntk.deep_ntk(layered(a), a(W2), a(POINTS), a(2)),
    "ntk.jacobian": lambda a: ntk.jacobian(a(THETA), a(POINTS)),
    "optimize.adagrad": lambda a: optimize.adagrad(a([100, 2]), a([1, 0])),
    "optimize.gradient_descent": lambda a: optimize.gradient_descent(
        lambda x: a([100, 2]), a([1, 2]), a(0.25), max_steps=a(3), record_every=a(2)
    ),
    "optimize.steepest_step": lambda a: optimize.steepest_step(a([3, -1]), a(0.25), "l1"),
    "optimize.stochastic_gradient_descent": lambda a: optimize.stochastic_gradient_descent(
        lambda x, z: a([100, 2]), a([1, 2]), range(3), a(0.25)
    ),
    "path_norm.best_unit": lambda a: pn.best_unit(a(POINTS), a([1, -1, 1]), a(2)),
    "paths.check_order": lambda a: paths.check_order(a(2)),
    "path_sgd.kappa": lambda a: ps.kappa(layered(a), a(W2)),
    "path_sgd.path_jacobian": lambda a: ps.path_jacobian(dag(a), a([100, 100, 1])),
    "paths.path_norm": lambda a: paths.path_norm(layered(a), a(W2), a(3)),
    "path_sgd.path_sgd_direction": lambda a: ps.path_sgd_direction(layered(a), a(W2), a(W2)),
    "paths.path_values": lambda a: paths.path_values(dag(a), a([100, 100, 1])),
    "path_sgd.repeated_kappa": lambda a: ps.repeated_kappa(recurrent(a), a(W3[:3])),
    "path_norm.unit_norms": lambda a: pn.unit_norms(layered(a), a(W2), a(3)),
    "stochastic_optimization.coordinate_excess": lambda a: so.coordinate_excess(a(3)),
    "stochastic_optimization.first_maximiser": lambda a: so.first_maximiser(a(POINTS), a([1, 2])),
    "stochastic_optimization.hashed": lambda a: so.hashed(a(2), a(3), a(1)).astype(float),
    "stochastic_optimization.masked_excess": lambda a: so.masked_excess(a(3), a(100), a(0.25)),
    "stochastic_optimization.masked_pass": lambda a: so.masked_pass(a([[1, 0], [1, 1]]), a(0.25)),
    "stochastic_optimization.masked_slope": lambda a: so.masked_slope(a([1, 2]), a([1, 0]), a(1)),
    "stochastic_optimization.masks": lambda a: so.masks(a(2), a(3), a(1)),
    "stochastic_optimization.passes": lambda a: so.passes(a(2), a(2)),
    "stochastic_optimization.some_unseen": lambda a: so.some_unseen(a(2), a(3)),
    "stochastic_optimization.staircase": lambda a: so.staircase(a(3)),
    "sensing.align": lambda a: sn.align(a(POINTS), a([[1], [2], [2]])),
    "sensing.critical_point": lambda a: sn.critical_point(sensing(a), a([[2], [1]]), a(2)),
    "sensing.descend": lambda a: sn.descend([sensing(a)], a([[[1], [2]]]), a(0.25), a(2)),
    "sensing.gaussian_width": lambda a: sn.gaussian_width(a(3), a(2), rng(), a(5)),
    "sensing.gradient": lambda a: sn.gradient(sensing(a), a([[2], [1]])),
    "sensing.hessian": lambda a: sn.hessian(sensing(a), a([[2], [1]])),
    "sensing.isometry_bound": lambda a: sn.isometry_bound(a(4), a(100), a(0.25)),
    "sensing.isometry_search": lambda a: sn.isometry_search(sensing(a), a(1), rng(), a(2), a(3)),
    "sensing.least_escape": lambda a: sn.least_escape(a(0.25)),
    "sensing.objective": lambda a: sn.objective(sensing(a), a([[2], [1]])),
    "sensing.sharp": lambda a: sn.sharp(a([[2, 1]]), a(0.25)),
    "sensing.sharp_gradient": lambda a: sn.sharp_gradient(a([[2, 1]]), a(0.25)),
    "sensing.spectral_start": lambda a: sn.spectral_start(sensing(a), a(1)),
    "sensing.threshold": lambda a: sn.threshold(a(1), a(2)),
    "sensing.weak_direction": lambda a: sn.weak_direction(
        a([[1, 0], [0, 2]]), a(0.25), a([[1], [2]])
    ),
    "truth_tables.pack": lambda a: truth_tables.pack(a([0, 1] * 128)),
    "truth_tables.words": lambda a: truth_tables.words(a([[0], [1]] * 128)),
    "universal_learning.best_by_length": lambda a: ul.best_by_length(
        WORDS[:, None] ^ np.arange(3, dtype=np.uint64), a([4, 5, 6]), a([2, 1, 0]), a([4, 6])
    ),
    "universal_learning.eliminate": lambda a: ul.eliminate(a([[1, 0], [1, 1]]), a([1, 0])),
    "universal_learning.examples_needed": lambda a: ul.examples_needed(
        PROGRAMS.tables[:, :3], a(2), a(0.25), rng()
    ),
    "universal_learning.first_consistent": lambda a: ul.first_consistent(
        PROGRAMS.tables[:, :3], a([3, 4]), a([1, 0])
    ),
    "universal_learning.nand_functions": lambda a: ul.nand_functions(a(3), a(2)),
    "universal_learning.occam_bound": lambda a: ul.occam_bound(a(100), a(120), a(0.25)),
    "universal_learning.run_circuit": lambda a: ul.run_circuit(
        [(a(0), a(1)), (a(2), a(2))], a([[1, 0], [1, 1]])
    ),
    "universal_learning.sample_tables": lambda a: ul.sample_tables(a([3, 4]), a([1, 0])),
    "universal_learning.selection_circuit": lambda a: ul.selection_circuit(a([1, 0, 0, 1])),
    "universal_learning.training_errors": lambda a: ul.training_errors(
        PROGRAMS.tables[:, :3], a([3, 3, 4]), a([1, 1, 0])
    ),
    "universal_learning.union_bound_examples": lambda a: ul.union_bound_examples(
        PROGRAMS.tables[:, :3], a([1, 2]), a(0.25), a(0.25)
    ),
    "wide.empirical_ntk": lambda a: wide.empirical_ntk(a(THETA), a(POINTS), a(POINTS)),
    "wide.forward": lambda a: wide.forward(a(THETA), a(POINTS))[1](a([1, 2, 3])),
    "wide.gradient": lambda a: wide.gradient(a(THETA), a(POINTS), a([1, 2, 3])),
    "wide.initialize": lambda a: wide.initialize(a(4), a(2), rng(), symmetric=True),
    "wide.jacobian_lipschitz": lambda a: wide.jacobian_lipschitz(a(POINTS), a(3)),
    "wide.linear_model": lambda a: wide.linear_model(a(THETA), a(THETA), a(POINTS)),
    "wide.near_theorem": lambda a: wide.near_theorem(a([[2, 1], [1, 2]]), a([100, 1]), a(1)),
    "wide.predict": lambda a: wide.predict(a(THETA), a(POINTS)),
    "wide.sphere": lambda a: wide.sphere(a(3), a(2), rng()),
    "wide.split": lambda a: wide.split(a(THETA), a(POINTS)),
    "wide.train": lambda a: wide.train(a(THETA), a(POINTS), a([1, 2, 3]), a(2.0**-20), a(3)),
    "wide.weight_scales": lambda a: wide.weight_scales(layered(a), a(2)),
}

#: Words of 64 bits, names, texts, programs, networks, tasks and plain values of a grid come in
#: here, or floats that have been checked.
WITHOUT_NUMBERS = {
    *("checks.as_symmetric", "checks.as_words", "checks.bracketed", "checks.check_semidefinite"),
    *("checks.same_shape", "checks.solve", "checks.takes", "graphs.check_activation"),
    *("description_length.Programs.arguments", "description_length.decode"),
    *("description_length.encode", "description_length.show", "digits.load"),
    *("generalized_learning.Problem.one_pass", "generalized_learning.clusters"),
    *("generalized_learning.logistic_slope", "generalized_learning.odd_even_digits"),
    *("stochastic_optimization.golay", "stochastic_optimization.orbits"),
    *("graphs.Dag.paths", "graphs.Network.forward", "graphs.Network.linear"),
    *("kernels.check_layers", "nets.Layered.dag", "nets.Recurrent.dag", "norms.check_norm"),
    "factorization.sea_temperatures",
    *("truth_tables.inputs", "truth_tables.unpack"),
    *("limited.alone", "limited.attempt", "limited.call", "limited.held", "limited.worker"),
    *("sweep.points", "sweep.recheck", "sweep.sweep"),
    *("networks.Circuit.nand", "networks.compile_circuit"),
    *("wiring.Wiring.network", "wiring.Wiring.unit", "wiring.combined"),
    *("experiments.again", "experiments.load", "capacity.hidden_layers"),
    *("experiments.capacity.feature_width", "experiments.capacity.ridge_fits"),
    *("experiments.capacity.trained_width", "experiments.capacity.with_momentum"),
    "experiments.capacity.with_noise",
    *("experiments.matrix_completion.completion", "experiments.ntk.kernel_regime"),
    "experiments.ntk.beside_linear_model",
    *("experiments.ntk.lazy_scale", "experiments.ntk.root_mean_square"),
    *("experiments.path_norm.gap", "experiments.path_sgd.grammar_text"),
    *("experiments.path_sgd.recurrent", "experiments.path_sgd.training"),
}


def public():
    """The public functions and methods of the modules of mathematics."""
    prefix = lecture_code.__name__ + "."
    for info in pkgutil.walk_packages(lecture_code.__path__, prefix):
        if info.name.startswith(prefix + "display"):
            continue
        module = import_module(info.name)
        own = [v for v in vars(module).values() if getattr(v, "__module__", None) == info.name]
        methods = [v for c in own if isclass(c) for v in vars(c).values()]
        for function in filter(isfunction, [*own, *methods]):
            parts = function.__qualname__.split(".")
            if not any(part.startswith(("_", "<")) for part in parts):
                yield f"{info.name.removeprefix(prefix)}.{function.__qualname__}"


def test_every_public_function_has_an_entry():
    found = set(public())
    assert found - CALLS.keys() - WITHOUT_NUMBERS == set()
    assert CALLS.keys() | WITHOUT_NUMBERS == found
    assert not CALLS.keys() & WITHOUT_NUMBERS


def fitting(array, *kinds):
    """The array in the first of these types that holds its values, else as it is."""
    for kind in kinds:
        with np.errstate(invalid="ignore"):
            if np.array_equal(array.astype(kind), array):
                return array.astype(kind)
    return array


def strided(array):
    """Every second entry of an array in the order of Fortran."""
    wide = np.asfortranarray(np.zeros([2 * size for size in array.shape]))
    view = wide[(slice(None, None, 2),) * array.ndim + (...,)]
    np.copyto(view, array)
    return view


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


KINDS = {
    "bool": lambda array: fitting(array, bool, np.uint8, np.int8),
    "uint8": lambda array: fitting(array, np.uint8, np.int8),
    "int8": lambda array: fitting(array, np.int8),
    "int64": lambda array: fitting(array, np.int64),
    "float16": lambda array: fitting(array, np.float16),
    "float32": lambda array: array.astype(np.float32),
    "other byte order": lambda array: array.astype(array.dtype.newbyteorder()),
    "read-only": read_only,
    "non-contiguous": strided,
    "list": lambda array: fitting(array, np.int64).tolist(),
}


def held(kind, value):
    """Numbers in a holder of that kind; a single number is one of the type, or 0-d."""
    array = KINDS[kind](np.array(value, dtype=float))
    scalar = np.ndim(array) == 0 and kind not in ("read-only", "non-contiguous")
    return array[()] if scalar and isinstance(array, np.ndarray) else array


def plain(kind, value):
    """The same numbers in float64."""
    array = np.array(held(kind, value), dtype=float)
    return array if array.ndim else float(array)


def same(found, expected):
    """Compare results of any make: to rounding, and exactly where they are no floats."""
    if is_dataclass(expected):
        for field in fields(expected):
            same(getattr(found, field.name), getattr(expected, field.name))
    elif sparse.issparse(expected):
        same(found.toarray(), expected.toarray())
    elif isinstance(expected, tuple | list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            same(one, other)
    elif isinstance(expected, np.ndarray | np.generic | float) and not isinstance(
        expected, Fraction
    ):
        found, expected = np.asarray(found), np.asarray(expected)
        assert found.shape == expected.shape
        if expected.dtype.kind == "f":
            assert found.dtype == float
            np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-10)
        else:
            np.testing.assert_array_equal(found, expected)
    else:
        assert found == expected


@pytest.mark.parametrize("name", CALLS)
def test_the_result_is_that_of_float64(name):
    for kind in KINDS:
        try:
            found = CALLS[name](partial(held, kind))
        except Exception as problem:
            problem.add_note(f"for {kind}")
            raise
        same(found, CALLS[name](partial(plain, kind)))
