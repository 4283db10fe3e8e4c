r"""Learning rules on finite domains, judged exactly: averages, adversaries, priors.

A point is a tuple of bits. A sample is a tuple of pairs ``(point, label)``. A learning rule maps a
sample to a predictor, and a predictor maps a point to the probability with which it says 1: an
integer for a deterministic rule, a ``Fraction`` for a randomised one. All averages over labelings,
samples and coin tosses are rational numbers, and are computed as such, in arrays of Python numbers.
A labeling of n points is a row of ``cubes.bits(n)``; the points of the cube are in the order of
``cubes.points(d)``.

Source: talk, "Free Lunches" and "No Free Lunch After All"; Wolpert (1996).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import combinations, product
from math import comb

import numpy as np

from lecture_code import cubes
from lecture_code.checks import as_fraction, as_integer, takes

Point = tuple[int, ...]
Sample = tuple[tuple[Point, int], ...]
Predictor = Callable[[Point], int | Fraction]
Rule = Callable[[Sample], Predictor]

HALF = Fraction(1, 2)

# --- learning rules ---------------------------------------------------------------------------


def memorizer(sample: Sample) -> Predictor:
    """Repeats the labels it has seen and says 0 elsewhere."""
    seen = dict(as_sample(sample))
    return lambda x: seen.get(x, 0)


def coin(sample: Sample) -> Predictor:
    """Repeats the labels it has seen and tosses a fair coin elsewhere."""
    seen = dict(as_sample(sample))
    return lambda x: seen.get(x, HALF)


def majority(sample: Sample) -> Predictor:
    """Says the more frequent label everywhere; a fair coin if there is none."""
    vote = _vote([label for _, label in as_sample(sample)])
    return lambda x: vote


def nearest_neighbour(sample: Sample) -> Predictor:
    """The label of the nearest seen point (Hamming distance); among several, of one at random."""
    sample = as_sample(sample, least=1)

    def predict(x: Point) -> Fraction:
        distances = [sum(a != b for a, b in zip(x, z, strict=True)) for z, _ in sample]
        least = min(distances)
        nearest = [y for d, (_, y) in zip(distances, sample, strict=True) if d == least]
        return Fraction(sum(nearest), len(nearest))

    return predict


def opposite_neighbour(sample: Sample) -> Predictor:
    """The opposite of the nearest neighbour's label, even on the sample."""
    neighbour = nearest_neighbour(sample)
    return lambda x: 1 - neighbour(x)


def decision_tree(sample: Sample) -> Predictor:
    """Splits on the bit that leaves fewest errors (the first such), until every leaf is pure."""
    sample = as_sample(sample, least=1)
    labels = [label for _, label in sample]
    splits = []
    for i in range(len(sample[0][0])):
        sides = [tuple(pair for pair in sample if pair[0][i] == bit) for bit in (0, 1)]
        if len(set(labels)) > 1 and all(sides):
            errors = sum(min(s.count(0), s.count(1)) for s in ([y for _, y in z] for z in sides))
            splits.append((errors, i, sides))
    if not splits:
        leaf = _vote(labels)
        return lambda x: leaf
    _, bit, sides = min(splits, key=lambda split: split[:2])
    branches = [decision_tree(side) for side in sides]
    return lambda x: branches[x[bit]](x)


def empirical_risk_minimizer(hypotheses: Sequence[Callable[[Point], int]]) -> Rule:
    """The rule that draws a hypothesis at random among those with fewest errors on the sample."""

    if not hypotheses:
        raise ValueError(f"hypotheses: {hypotheses!r}; expected at least one")

    def rule(sample: Sample) -> Predictor:
        sample = as_sample(sample)
        errors = [sum(h(x) != y for x, y in sample) for h in hypotheses]
        least = min(errors)
        best = [h for h, e in zip(hypotheses, errors, strict=True) if e == least]
        return lambda x: Fraction(sum(int(h(x)) for h in best), len(best))

    return rule


@takes()
def stumps(d: int) -> list[Callable[[Point], int]]:
    """The two constants, and each bit and its negation."""
    return [
        *(lambda x, c=c: c for c in (0, 1)),
        *(lambda x, i=i, c=c: x[i] ^ c for i in range(d) for c in (0, 1)),
    ]


@takes()
def parities(d: int) -> list[Callable[[Point], int]]:
    """The 2**(d + 1) affine parities: the sum modulo 2 of a subset of the bits, or its negation."""
    return [
        lambda x, k=k, c=c: (sum(a * b for a, b in zip(k, x, strict=True)) + c) % 2
        for k in cubes.points(d)
        for c in (0, 1)
    ]


def as_sample(sample: Sample, least: int = 0) -> Sample:
    """The sample in Python integers 0 and 1; ``ValueError`` for others or fewer than ``least``."""
    plain = tuple(
        (tuple(as_integer("sample", bit) for bit in x), as_integer("sample", y)) for x, y in sample
    )
    if len(plain) < least or not {bit for x, y in plain for bit in (*x, y)} <= {0, 1}:
        raise ValueError(f"sample: {sample!r}; expected {least} or more pairs of bits and a label")
    return plain


def _vote(labels: Sequence[int]) -> int | Fraction:
    ones = sum(labels)
    return HALF if 2 * ones == len(labels) else int(2 * ones > len(labels))


# --- exact averages ---------------------------------------------------------------------------


@takes()
def off_sample_errors(rule: Rule, d: int, size: int) -> list[Fraction]:
    r"""Off-training-set error of a rule on each labeling of {0, 1}^d, averaged over the samples.

    .. math:: \mathrm{err}(f)=\frac1{\binom{n}{m}(n-m)}\sum_{|S|=m}\ \sum_{x\notin S}
        \Pr[A(S,f|_S)(x)\ne f(x)], \qquad n=2^d

    Parameters
    ----------
    rule : the learning rule A.
    d : number of bits, 1 to 3 (there are :math:`2^{2^d}` labelings).
    size : m, the number of distinct points in a sample, from 1 to n - 1.

    Returns
    -------
    One fraction for each row of ``cubes.bits(2**d)``.

    Raises
    ------
    ValueError : if an argument is out of range, or an answer of the rule is no probability.

    Source: Wolpert (1996); talk, "Free Lunches".
    """
    if not 1 <= d <= 3:
        raise ValueError(f"d: {d}; expected 1 to 3 bits")
    points, n = cubes.points(d), 2**d
    if not 1 <= size < n:
        raise ValueError(f"size: {size}; expected 1 to {n - 1} of the {n} points")
    total = np.zeros(2**n, dtype=object)
    for seen in combinations(range(n), size):
        total += np.delete(_mistakes(rule, points, seen), seen, axis=1).sum(axis=1)
    return list(total * Fraction(1, comb(n, size) * (n - size)))


@takes()
def full_errors(rule: Rule, points: Sequence[Point], draws: int) -> np.ndarray:
    r"""Error on the uniform distribution over some points, for each labeling and each iid sample.

    Seen points count. Shape ``(2**n, n**m)``, object array of fractions: one row for each row of
    ``cubes.bits(n)``, one column for each sequence of m = ``draws`` points. Raises ``ValueError``
    for more than 8 points, no draws, or an answer that is no probability.
    """
    sequences = _sequences(len(points), draws)
    total = [_mistakes(rule, points, drawn).sum(axis=1) for drawn in sequences]
    return np.stack(total, axis=1) * Fraction(1, len(points))


@takes()
def expected_errors(
    rule: Rule, points: Sequence[Point], draws: int, chances: Sequence[Fraction]
) -> list[Fraction]:
    r"""Expected error of a rule on each labeling, where points have the given probabilities.

    .. math:: \sum_{x_1,\dots,x_m} p_{x_1}\cdots p_{x_m}
        \sum_x p_x \Pr[A(x_1,\dots,x_m;f)(x)\ne f(x)]

    All sequences of m = ``draws`` points are run through the rule. One fraction for each row of
    ``cubes.bits(n)``. Raises ``ValueError`` as :func:`full_errors` does, and if ``chances`` are not
    n probabilities with sum one.
    """
    p = np.array([as_fraction("chances", chance) for chance in chances])
    if len(p) != len(points) or min(p) < 0 or p.sum() != 1:
        raise ValueError(f"chances: {chances!r}; expected {len(points)} that add to one")
    sequences = _sequences(len(points), draws)
    return list(
        sum(p[list(drawn)].prod() * (_mistakes(rule, points, drawn) @ p) for drawn in sequences)
    )


def _sequences(n: int, draws: int) -> list[tuple[int, ...]]:
    """All sequences of so many of n points."""
    if not 1 <= n <= 8 or draws < 1:
        raise ValueError(f"points, draws: {n}, {draws}; expected 1 to 8 points and 1 draw or more")
    return list(product(range(n), repeat=draws))


def _mistakes(rule: Rule, points: Sequence[Point], drawn: Sequence[int]) -> np.ndarray:
    """For each labeling (row) and point, the chance of a mistake after those points were drawn."""
    f = cubes.bits(len(points))
    samples = f[:, drawn] @ 2 ** np.arange(len(drawn))
    _, rows, places = np.unique(samples, return_index=True, return_inverse=True)
    said = []
    for labels in f[rows][:, drawn].tolist():
        predict = rule(tuple((points[i], y) for i, y in zip(drawn, labels, strict=True)))
        said.append([_probability(predict(x)) for x in points])
    ones = np.array(said, dtype=object)
    return np.where(f == 1, (1 - ones)[places], ones[places])


def _probability(value: int | Fraction) -> int | Fraction:
    if isinstance(value, int | np.integer | Fraction) and 0 <= value <= 1:
        return value if isinstance(value, Fraction) else int(value)
    raise ValueError(
        f"rule: predicted {value!r}; expected 0, 1 or a Fraction between them, the probability of 1"
    )


# --- a prior on labelings ---------------------------------------------------------------------


@takes()
def disagreements(d: int) -> np.ndarray:
    """For each labeling of {0, 1}^d, the number of edges of the cube whose ends differ.

    Raises ``ValueError`` unless d is at least 1.
    """
    if d < 1:
        raise ValueError(f"d: {d}; expected at least 1 bit")
    f = cubes.bits(2**d).reshape(-1, *[2] * d)
    ends = [np.diff(f, axis=axis).reshape(len(f), -1) for axis in range(1, d + 1)]
    return np.abs(np.hstack(ends)).sum(axis=1)


def prior_weights(d: int, t: Fraction) -> np.ndarray:
    r"""For each labeling f of {0, 1}^d its weight :math:`t^{e(f)}`, an object array of fractions.

    ``e(f)`` counts the disagreeing edges, so t < 1 favours labelings in which neighbours agree.
    Raises ``ValueError`` unless t is positive.
    """
    t = as_fraction("t", t)
    if t <= 0:
        raise ValueError(f"t: {t}; expected t > 0")
    return np.array([t ** int(e) for e in disagreements(d)])


def prior_average(errors: Sequence[Fraction], d: int, t: Fraction) -> Fraction:
    r"""The average of ``errors`` over labelings with the weights :func:`prior_weights`.

    Raises ``ValueError`` unless t is positive and there is one error for each labeling.
    """
    weights = prior_weights(d, t)
    if len(errors) != len(weights):
        raise ValueError(f"errors: {len(errors)}; expected {len(weights)}, one for each labeling")
    exact = np.array([as_fraction("errors", error) for error in errors])
    return weights @ exact / weights.sum()


@takes()
def bayes_error(d: int, size: int, t: Fraction) -> Fraction:
    r"""The least average off-training-set error that any rule can have under the prior.

    For each sample and each unseen point the best answer is the likelier label given the sample:

    .. math:: \frac1{\binom nm(n-m)}\sum_S\sum_y\sum_{x\notin S}\min_{b}P_t(f|_S=y,\,f(x)=b)

    The sample and the unseen point are m + 1 points, of which each may be the unseen one. Raises
    ``ValueError`` as :func:`prior_average` does, and unless ``size`` is 0 to n - 1.
    """
    n, weights = 2**d, prior_weights(d, t)
    if not 0 <= size < n:
        raise ValueError(f"size: {size}; expected 0 to {n - 1} of the {n} points")
    joint, total = weights.reshape([2] * n), Fraction(0)  # one axis for each point
    for others in combinations(range(n), n - size - 1):
        marginal = joint.sum(axis=others)
        total += sum(marginal.min(axis=unseen).sum() for unseen in range(size + 1))
    return total / (weights.sum() * comb(n, size) * (n - size))
