"""Least norms and margins on the inputs that solvers get wrong: certified values, or a refusal."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import OptimizeResult

from lecture_code import implicit_bias as ib
from lecture_code import norms

A = np.array([[1.0, 2, 3, 1], [2, 1, 0, 1]])
#: scipy's nnls gives 1.4546 here; the third row, of norm 1, bounds the margin by 1.
TRAP = np.array([[2.0, 0, 2, 1], [1, 2, 2, 0], [1, 0, 0, 0], [1, 0, 1, 2], [1, 1, 0, 1]])


def test_margin_where_least_squares_stops_early():
    assert norms.maximal_margin(TRAP, "l2") == pytest.approx(1, rel=1e-12)
    run = ib.logistic_descent(TRAP, "l2", 2000)
    assert run.bound <= np.min(TRAP @ run.w) / np.linalg.norm(run.w)


def test_an_answer_without_certificate_is_refused(monkeypatch):
    far = OptimizeResult(x=np.array([1.0, 0, 0, 0, 0]))
    monkeypatch.setattr(norms, "nnls", lambda *_: (far.x, 0.0))
    monkeypatch.setattr(norms, "lsq_linear", lambda *_, **__: far)
    with pytest.raises(ValueError, match="Z: the solver's answer lies in"):
        norms.maximal_margin(TRAP, "l2")


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=100)
def test_margins_of_small_integers_are_attained_and_bounded(seed):
    rng = np.random.default_rng(seed)
    Z = rng.integers(-1, 4, (rng.integers(2, 8), rng.integers(2, 6)))
    margins = [norms.maximal_margin(Z, kind) for kind in ("l1", "l2", "linf")]
    assert margins[0] <= margins[1] + 1e-9 <= margins[2] + 2e-9
    shortest = [min(norms.norm(z, norms.DUAL[kind]) for z in Z) for kind in ("l1", "l2", "linf")]
    assert np.all(np.array(margins) <= np.array(shortest) + 1e-9)


@pytest.mark.parametrize("scale", [1e-200, 1e-12, 1e-9, 1e-7, 1, 1e9, 1e200])
@pytest.mark.parametrize(("kind", "least"), [("l1", 2 / 3), ("l2", 0.4113766756), ("linf", 1 / 4)])
def test_values_follow_the_scale_of_the_data(kind, least, scale):
    ones = np.ones(2)
    assert norms.minimal_norm(A, scale * ones, kind) == pytest.approx(scale * least)
    if kind != "l2" or 1e-100 < scale < 1e100:
        assert norms.minimal_norm(scale * A, ones, kind) == pytest.approx(least / scale)
    assert norms.maximal_margin(scale * TRAP, kind) == pytest.approx(scale)


def test_problems_at_the_edge():
    twice = [[1, 1, 0], [1, 1, 0]]
    assert norms.minimal_norm(twice, [1, 2], "l1") == np.inf
    assert norms.minimal_norm(A, [0, 0], "l1") == 0
    for kind in ("l1", "l2", "linf"):
        assert norms.maximal_margin(np.zeros((2, 3)), kind) == pytest.approx(0)
        assert norms.maximal_margin([[1, 0], [-1, 0]], kind) == pytest.approx(0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: norms.maximal_margin(np.zeros((0, 3)), "l2"), r"Z: shape \(0, 3\)"),
        (lambda: norms.maximal_margin(np.zeros((0, 3)), "l1"), r"Z: shape \(0, 3\)"),
        (lambda: norms.maximal_margin(TRAP, "L2"), "kind: 'L2'; expected"),
        (lambda: norms.minimal_norm(A, np.ones(2), "l3"), "kind: 'l3'; expected"),
        (lambda: norms.minimal_norm([[1, 1, 0], [1, 1, 0]], [1, 2], "l2"), "A: condition"),
        (lambda: norms.least_norm(A, np.ones((2, 1))), r"y: shape \(2, 1\); expected \(2,\)"),
        (lambda: norms.least_norm(A, [1, np.nan]), r"y: \[1, nan\]; expected finite"),
        (lambda: ib.steepest_descent(A, np.ones(2), "l3", 1), "kind: 'l3'; expected"),
        (lambda: ib.steepest_descent(0 * A, np.ones(2), "l2", 1), "A: all entries are zero"),
        (lambda: ib.kernel_projection([[1, 1, 0], [1, 1, 0]]), "A: rank below 2"),
        (lambda: ib.logistic_descent([[1], [-1]], "l2", 2), "Z: the gradient vanishes at step 0"),
        (lambda: ib.logistic_descent(TRAP, "l2", 0), "steps: 0; expected at least 1"),
        (lambda: ib.off_manifold(A, [1, 1, 0, 1], np.ones(4)), "x: smallest entry 0.0"),
        (lambda: ib.square_flow([[1.0, 2]], [np.inf], [1, 1], 1.0), r"y: \[inf\]; expected finite"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
