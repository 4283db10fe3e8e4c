"""The live figures on local minima compute in the browser what Python does."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from visits import Open, address

from lecture_code import completion as cm
from lecture_code import local_search as ls
from lecture_code import sensing as sn
from lecture_code.optimize import gradient_descent


class Told:
    """Draws the normal numbers that a browser has told, a row a step."""

    def __init__(self, rows: np.ndarray) -> None:
        self.rows = iter(rows)

    def standard_normal(self, shape: tuple[int, ...]) -> np.ndarray:
        """The next row, as far as there are units."""
        return next(self.rows)[: shape[0]]


def test_the_browser_descends_a_chain_of_saddles_as_python_does(opened: Open) -> None:
    page = opened(address("book/local_search.html")).page
    told = np.array(page.evaluate("() => live.programs.saddle_chain.normals(2500 * 6)"))
    assert abs(told.mean()) < 0.03
    assert abs(told.std() - 1) < 0.03
    rng = np.random.default_rng(0)
    tried = [
        {
            "start": rng.uniform(-0.1, 2.3, 2).tolist(),
            "units": int(rng.integers(2, 7)),
            "noise": ["off", "on"][k % 2],
            "level": float(10 ** rng.uniform(-12, -0.6)),
        }
        for k in range(20)
    ]
    script = """all => all.map(one => {
      const { points, left } = live.programs.saddle_chain.run(one);
      return { left, first: points[100], height: live.programs.saddle_chain.height(points[100]) };
    })"""
    for one, drawn in zip(tried, page.evaluate(script, tried), strict=True):
        run = gradient_descent(
            ls.chain_gradient,
            [one["start"][min(i, 1)] for i in range(one["units"])],
            0.1,
            max_steps=2500,
            noise=one["level"] if one["noise"] == "on" else 0,
            rng=Told(told.reshape(2500, 6)),
            record_every=1,
        ).trajectory
        np.testing.assert_allclose(drawn["first"], run[100], rtol=1e-9, atol=1e-300)
        np.testing.assert_allclose(drawn["height"], ls.chain(run[100]), rtol=1e-9)
        assert drawn["left"] == ls.leaving_times(run).tolist(), one


def test_the_browser_climbs_the_quartic_as_python_does(opened: Open) -> None:
    page = opened(address("book/local_search.html")).page
    rng = np.random.default_rng(1)
    turns, weights = rng.uniform(0.4, 2.7, (2, 20)), rng.uniform(0.3, 1.6, 20)
    heads = np.stack([np.cos(turns), np.sin(turns)], -1)
    tried = [
        {"second": (w * a).tolist(), "start": x.tolist()}
        for a, x, w in zip(*heads, weights, strict=True)
    ]
    script = """all => all.map(one => {
      const { ascend, maxima, value } = live.programs.quartic, end = ascend(one).at(-1);
      return { end, height: value(one, end), tops: maxima(one) };
    })"""
    grid = np.radians(np.linspace(0, 180, 20_000, endpoint=False))
    for a, x, w, drawn in zip(*heads, weights, page.evaluate(script, tried), strict=True):
        pair, both = np.stack([[1, 0], a], axis=1), np.array([1, w])
        np.testing.assert_allclose(
            drawn["end"], ls.ascend_quartic(pair, both, x, 0.02, 400), atol=1e-9
        )
        np.testing.assert_allclose(drawn["height"], ls.quartic(pair, both, drawn["end"]))
        form = ls.quartic(pair, both, np.stack([np.cos(grid), np.sin(grid)], -1))
        tops = (form > np.roll(form, 1)) & (form >= np.roll(form, -1))
        found = sorted(top["height"] for top in drawn["tops"])
        assert found == pytest.approx(sorted(form[tops]), abs=1e-6)


def test_the_browser_climbs_the_sphere_as_python_does(opened: Open) -> None:
    page = opened(address("book/local_search.html")).page
    rng, camera = np.random.default_rng(2), np.linalg.qr(np.arange(9).reshape(3, 3) ** 2 + 1.0)[0]
    places = rng.uniform(-0.6, 0.6, (20, 2))
    tried = [
        {"start": place.tolist(), "second": rng.uniform(0.5, 2), "third": rng.uniform(0.5, 2)}
        for place in places
    ]
    script = """([all, data]) => all.map(one => {
      const { climb, critical } = live.programs.globe, path = climb(one, data);
      return [path[0], path.at(-1), critical(one).map(({ point, height }) => [...point, height])];
    })"""
    found = page.evaluate(script, [tried, {"camera": camera.tolist()}])
    for one, place, (first, last, points) in zip(tried, places, found, strict=True):
        weights = np.array([1, one["second"], one["third"]])
        start = np.r_[place, np.sqrt(1 - place @ place)] @ camera
        np.testing.assert_allclose(first, start, atol=1e-12)
        end = ls.ascend_quartic(np.eye(3), weights, start, 0.02, 400)
        np.testing.assert_allclose(last, end, atol=1e-9)
        expected = np.column_stack(ls.quartic_critical_points(weights))
        np.testing.assert_allclose(sorted(points), sorted(expected.tolist()), atol=1e-12)


def test_the_pass_is_that_of_the_example(opened: Open) -> None:
    """Value, slope, curvature and the end of a run; its contours have the values they say."""
    page = opened(address("book/sensing.html")).page
    rng = np.random.default_rng(0)
    points, deltas = rng.uniform(-1.5, 1.5, (30, 2)), rng.uniform(0, 0.49, 30)
    script = """([points, deltas]) => points.map((p, i) => {
      const { value, slope, curvature, worst, path } = live.programs.pass, d = deltas[i];
      return [value(p, d), ...slope(p, d), curvature(d), worst(d), ...path(p, d).at(-1)];
    })"""
    for point, delta, drawn in zip(
        points, deltas, page.evaluate(script, [points.tolist(), deltas.tolist()]), strict=True
    ):
        V, lake = np.diag([1.0, -1.0]), np.array([[0.0], [np.sqrt(delta)]])
        problem = sn.weak_direction(V, float(delta), np.array([[1.0], [0.0]]))
        bend = sn.hessian(problem, lake)[0, 0]
        value, slope = sn.sharp(point, delta), sn.sharp_gradient(point, delta)
        expected = [value, *slope, bend, -sn.least_escape(float(delta))]
        np.testing.assert_allclose(drawn[:5], expected, rtol=1e-9, atol=1e-9)
        end = gradient_descent(
            lambda q, d=delta: clipped(sn.sharp_gradient(q, d)), point, 0.05, max_steps=799
        )
        np.testing.assert_allclose(drawn[5:], end.x, atol=1e-6)
    script = """([levels, deltas]) => levels.map((c, i) => live.programs.pass
      .rings(c, deltas[i]).flat().map(p => live.programs.pass.value(p, deltas[i])))"""
    levels, deltas = rng.uniform(0.02, 3, 20), rng.uniform(0, 0.95, 20)
    for level, values in zip(
        levels, page.evaluate(script, [levels.tolist(), deltas.tolist()]), strict=True
    ):
        np.testing.assert_allclose(values, level, atol=1e-9)


def clipped(slope: np.ndarray) -> np.ndarray:
    """The slope, cut to length 2."""
    return slope / max(1.0, float(np.linalg.norm(slope)) / 2)


def test_the_two_conditions_touch_where_the_theorem_says(opened: Open) -> None:
    page = opened(address("book/sensing.html")).page
    rng = np.random.default_rng(1)
    settings = [
        {"delta": float(delta), "columns": int(k)}
        for delta, k in zip(rng.uniform(0.01, 0.9, 20), rng.integers(1, 7, 20), strict=True)
    ]
    script = """all => all.map(s => {
      const { touching, escape, limit } = live.programs.touch;
      return [...touching(s), escape(s), limit(s)];
    })"""
    for one, (p, g, escape, limit) in zip(settings, page.evaluate(script, settings), strict=True):
        delta, k = one["delta"], one["columns"]
        assert (g - 1) ** 2 + (1 - delta**2) * k * p**2 == pytest.approx(delta**2)
        assert escape == pytest.approx(4 * (g - (1 + delta) * p))
        assert limit == pytest.approx(sn.threshold(1, k))
        assert (escape > 0) == (delta < limit)
        if k == 1:
            assert escape == pytest.approx(sn.least_escape(delta))


def test_the_browser_fills_the_holes_as_python_does(opened: Open) -> None:
    """And the height of the slice, and where a run lies above it, are those of the error."""
    page = opened(address("book/matrix_completion.html")).page
    data = page.evaluate(
        "() => JSON.parse(document.querySelector('figure.live#holes script').textContent).data"
    )
    signs, halves, levels = (np.array(data[name]) for name in ("signs", "halves", "levels"))
    rng = np.random.default_rng(3)
    tried = [(rng.uniform(-1.5, 1.5, 2).tolist(), rng.uniform(0.12, 1)) for _ in range(20)]
    script = """([tried, data]) => tried.map(([start, p]) => {
      const { holes, slice } = live.programs, run = holes.descend(start, p, data);
      const [u, v] = [run[50], run.at(-1)];
      return [u, v, holes.errors(u, p, data), slice.height(start, p, data),
        slice.seenFrom(u, data)];
    })"""
    drawn = page.evaluate(script, [tried, data])
    for (start, p), (early, last, errors, height, seen) in zip(tried, drawn, strict=True):
        mask = levels <= p
        problem = cm.Completion(signs / np.sqrt(24), sparse.csr_array(mask * 1.0), p)
        first = (start[0] + start[1] * halves) * signs / np.sqrt(24)
        assert height == pytest.approx(float(cm.objective(problem, first)) / p)
        run = gradient_descent(
            lambda x, problem=problem: cm.gradient(problem, x) / problem.p,
            first,
            0.02,
            max_steps=600,
            record_every=1,
        ).trajectory * np.sqrt(24)
        np.testing.assert_allclose(early, run[50], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(last, run[-1], rtol=1e-6, atol=1e-9)
        squares = (np.outer(run[50], run[50]) - np.outer(signs, signs)) ** 2
        expected = [np.sqrt(squares[cells].mean()) for cells in (mask, ~mask)]
        np.testing.assert_allclose(errors, expected, rtol=1e-9)
        turned = run[50] * signs
        plane = np.array([turned.mean(), (turned * halves).mean()])
        rest = np.sqrt(np.mean((turned - plane[0] - plane[1] * halves) ** 2))
        away = cm.distance(problem, run[50] / np.sqrt(24))
        np.testing.assert_allclose(seen["at"], plane, rtol=1e-9)
        assert [seen["rest"], seen["away"]] == pytest.approx([rest, away], abs=1e-7)


def test_the_browser_counts_the_minima_of_a_ripple(opened: Open) -> None:
    """As the roots of its derivative at which it rises, found between points of another grid."""
    page = opened(address("book/matrix_completion.html")).page
    rng = np.random.default_rng(4)
    tried = [
        {"amplitude": 10 ** rng.uniform(-4, -1), "frequency": rng.uniform(1, 100)}
        for _ in range(20)
    ]
    found = page.evaluate("all => all.map(one => live.programs.ripples.minima(one))", tried)
    x = np.linspace(-1.8, 1.8, 40_001)
    for one, at in zip(tried, found, strict=True):
        speed = one["amplitude"] * one["frequency"]
        slope = x**3 - x - speed * np.sin(one["frequency"] * x)
        turns = np.flatnonzero((slope[:-1] < 0) & (slope[1:] >= 0))
        assert len(at) == turns.size
        np.testing.assert_allclose(at, x[turns], atol=4e-4)


def test_the_browser_descends_on_three_items_as_python_does(opened: Open) -> None:
    page = opened(address("book/matrix_completion_limits.html")).page
    rng = np.random.default_rng(5)
    tried = [
        {
            "start": rng.uniform([-5, -1.2], [2, 1.4]).tolist(),
            "loop": (0.0, rng.uniform(0, 1))[k % 2],
            "edge": rng.uniform(0.3, 2),
        }
        for k in range(20)
    ]
    script = """all => all.map(one => {
      const { descend, fate, height } = live.programs.three_items, run = descend(one);
      return [run[80], run.at(-1), height(run[80], one), fate(run)];
    })"""
    fates = set()
    for one, drawn in zip(tried, page.evaluate(script, tried), strict=True):
        early, last, height, fate = drawn
        weights = np.array([[1, one["edge"], 0], [one["edge"], 0, one["edge"]], [0] * 3])
        weights[2] = [0, one["edge"], one["loop"]]
        problem = cm.Completion(np.ones(3), sparse.csr_array(weights), 1.0)
        run = gradient_descent(
            lambda x, problem=problem: cm.gradient(problem, x),
            np.array([1.0, one["start"][1], one["start"][0]]),
            0.004,
            max_steps=8000,
            record_every=10,
        ).trajectory
        np.testing.assert_allclose(early, run[80], rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(last, run[-1], rtol=1e-5, atol=1e-6)
        assert height == pytest.approx(float(cm.objective(problem, run[80])), rel=1e-7)
        assert (fate == "at the truth") == (cm.distance(problem, run[-1]) < 0.17)
        fates.add(fate)
    assert len(fates) == 3
