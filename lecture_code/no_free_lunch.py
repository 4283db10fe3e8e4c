r"""Learning rules on finite domains, judged exactly; parities, elimination and a small network.

A point is a tuple of bits. A sample is a tuple of pairs ``(point, label)``. A learning rule maps a
sample to a predictor, and a predictor maps a point to the probability with which it says 1: an
integer for a deterministic rule, a ``Fraction`` for a randomised one. All averages over labelings,
samples and coin tosses are rational numbers, and are computed as such.

Source: talk, "Free Lunches" and "No Free Lunch After All"; Wolpert (1996); Shalev-Shwartz, Shamir &
Shammah (2017) for the parities.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import combinations, combinations_with_replacement, product
from math import lcm

import numpy as np

Point = tuple[int, ...]
Sample = tuple[tuple[Point, int], ...]
Predictor = Callable[[Point], int | Fraction]
Rule = Callable[[Sample], Predictor]

HALF = Fraction(1, 2)


def cube(d: int) -> list[Point]:
    """The points of {0, 1}^d, the last bit running fastest."""
    return list(product((0, 1), repeat=d))


def labelings(n: int) -> np.ndarray:
    """All labelings of n points, shape (2**n, n), entries 0 and 1."""
    return (np.arange(2**n)[:, None] >> np.arange(n)) & 1


# --- learning rules ---------------------------------------------------------------------------


def memorizer(sample: Sample) -> Predictor:
    """Repeats the labels it has seen and says 0 elsewhere."""
    seen = dict(sample)
    return lambda x: seen.get(x, 0)


def coin(sample: Sample) -> Predictor:
    """Repeats the labels it has seen and tosses a fair coin elsewhere."""
    seen = dict(sample)
    return lambda x: seen.get(x, HALF)


def majority(sample: Sample) -> Predictor:
    """Says the more frequent label everywhere; a fair coin if there is none."""
    vote = _vote([label for _, label in sample])
    return lambda x: vote


def nearest_neighbour(sample: Sample) -> Predictor:
    """The label of the nearest seen point (Hamming distance); among several, of one at random."""

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

    def rule(sample: Sample) -> Predictor:
        errors = [sum(h(x) != y for x, y in sample) for h in hypotheses]
        least = min(errors)
        best = [h for h, e in zip(hypotheses, errors, strict=True) if e == least]
        return lambda x: Fraction(sum(h(x) for h in best), len(best))

    return rule


def stumps(d: int) -> list[Callable[[Point], int]]:
    """The two constants, and each bit and its negation."""
    return [
        *(lambda x, c=c: c for c in (0, 1)),
        *(lambda x, i=i, c=c: x[i] ^ c for i in range(d) for c in (0, 1)),
    ]


def parities(d: int) -> list[Callable[[Point], int]]:
    """The 2**(d + 1) affine parities: the sum modulo 2 of a subset of the bits, or its negation."""
    return [
        lambda x, k=k, c=c: (sum(a * b for a, b in zip(k, x, strict=True)) + c) % 2
        for k in product((0, 1), repeat=d)
        for c in (0, 1)
    ]


def _vote(labels: Sequence[int]) -> int | Fraction:
    ones = sum(labels)
    return HALF if 2 * ones == len(labels) else int(2 * ones > len(labels))


# --- exact averages ---------------------------------------------------------------------------


def off_sample_errors(rule: Rule, d: int, size: int) -> list[Fraction]:
    r"""Off-training-set error of a rule on each labeling of {0, 1}^d, averaged over the samples.

    .. math:: \mathrm{err}(f)=\frac1{\binom{n}{m}(n-m)}\sum_{|S|=m}\ \sum_{x\notin S}
        \Pr[A(S,f|_S)(x)\ne f(x)], \qquad n=2^d

    Parameters
    ----------
    rule : the learning rule A.
    d : number of bits, 1 to 4 (there are :math:`2^{2^d}` labelings).
    size : m, the number of distinct points in a sample, from 1 to n - 1.

    Returns
    -------
    One fraction for each row of ``labelings(2**d)``.

    Raises
    ------
    ValueError : if an argument is out of range, or an answer of the rule is no probability.

    Source: Wolpert (1996); talk, "Free Lunches".
    """
    if not 1 <= d <= 4:
        raise ValueError(f"d: {d}; expected 1 to 4 bits")
    points, f = cube(d), labelings(2**d)
    n = len(points)
    if not 1 <= size < n:
        raise ValueError(f"size: {size}; expected 1 to {n - 1} of the {n} points")
    answers, columns, samples = labelings(size), [], list(combinations(range(n), size))
    for seen in samples:
        unseen = [i for i in range(n) if i not in seen]
        for labels in answers:
            predict = rule(tuple((points[i], int(y)) for i, y in zip(seen, labels, strict=True)))
            columns.append([_probability(predict(points[i])) for i in unseen])
    numerators, denominator = _common(columns)
    numerators = numerators.reshape(len(samples), len(answers), n - size)
    total = np.zeros(len(f), dtype=np.int64)
    for seen, said in zip(samples, numerators, strict=True):
        unseen = [i for i in range(n) if i not in seen]
        ones = said[f[:, seen] @ 2 ** np.arange(size)]
        total += np.where(f[:, unseen] == 1, denominator - ones, ones).sum(axis=1)
    whole = denominator * len(samples) * (n - size)
    return [Fraction(int(t), whole) for t in total]


def full_errors(rule: Rule, points: Sequence[Point], draws: int) -> np.ndarray:
    r"""Error on the uniform distribution over some points, for each labeling and each iid sample.

    Seen points count. Shape ``(2**n, n**m)``, object array of fractions: one row for each row of
    ``labelings(n)``, one column for each sequence of m = ``draws`` points. Raises ``ValueError``
    for more than 8 points, no draws, or an answer that is no probability.
    """
    _, wrong, denominator = _mistakes(rule, points, draws)
    total = wrong.sum(axis=2)
    values = {int(w): Fraction(int(w), denominator * len(points)) for w in np.unique(total)}
    return np.vectorize(values.get, otypes=[object])(total)


def expected_errors(
    rule: Rule, points: Sequence[Point], draws: int, chances: Sequence[Fraction]
) -> list[Fraction]:
    r"""Expected error of a rule on each labeling, where points have the given probabilities.

    .. math:: \sum_{x_1,\dots,x_m} p_{x_1}\cdots p_{x_m}
        \sum_x p_x \Pr[A(x_1,\dots,x_m;f)(x)\ne f(x)]

    All sequences of m = ``draws`` points are run through the rule. One fraction for each row of
    ``labelings(n)``. Raises ``ValueError`` as :func:`full_errors` does, and if ``chances`` are not
    n probabilities with sum one, or have a common denominator too large for 64 bits.
    """
    if len(chances) != len(points) or min(chances) < 0 or sum(chances) != 1:
        raise ValueError(f"chances: {chances!r}; expected {len(points)} that add to one")
    sequences, wrong, denominator = _mistakes(rule, points, draws)
    weights, whole = _common([[Fraction(p) for p in chances]])
    if denominator * whole ** (draws + 1) > 2**62:
        raise ValueError(f"chances: denominator {whole} is too large; expected a smaller one")
    drawn = weights[0][np.array(sequences)].prod(axis=1)
    total = drawn @ (wrong @ weights[0]).T
    return [Fraction(int(t), denominator * whole ** (draws + 1)) for t in total]


def _mistakes(
    rule: Rule, points: Sequence[Point], draws: int
) -> tuple[list[tuple[int, ...]], np.ndarray, int]:
    """The sequences of drawn points, and chances of a mistake (labeling, sequence, point)."""
    n = len(points)
    if not 1 <= n <= 8 or draws < 1:
        raise ValueError(f"points, draws: {n}, {draws}; expected 1 to 8 points and 1 draw or more")
    f, sequences, said = labelings(n), list(product(range(n), repeat=draws)), []
    place = np.zeros((len(f), len(sequences)), dtype=np.int64)
    for column, drawn in enumerate(sequences):
        known: dict[tuple[int, ...], int] = {}
        for row, labels in enumerate(f[:, drawn].tolist()):
            key = tuple(labels)
            if key not in known:
                known[key] = len(said)
                predict = rule(tuple((points[i], y) for i, y in zip(drawn, key, strict=True)))
                said.append([_probability(predict(x)) for x in points])
            place[row, column] = known[key]
    numerators, denominator = _common(said)
    ones = numerators[place]
    return sequences, np.where(f[:, None, :] == 1, denominator - ones, ones), denominator


def _probability(value: int | Fraction) -> int | Fraction:
    if isinstance(value, int | np.integer | Fraction) and 0 <= value <= 1:
        return value if isinstance(value, Fraction) else int(value)
    raise ValueError(
        f"rule: predicted {value!r}; expected 0, 1 or a Fraction between them, the probability of 1"
    )


def _common(rows: Sequence[Sequence[int | Fraction]]) -> tuple[np.ndarray, int]:
    """The numbers as integers over their common denominator."""
    denominator = lcm(*{value.denominator for row in rows for value in row})
    if denominator > 2**32:
        raise ValueError(
            f"rule: the common denominator {denominator} is too large; expected 2**32 at most"
        )
    numerators = [[v.numerator * (denominator // v.denominator) for v in row] for row in rows]
    return np.array(numerators), denominator


# --- a prior on labelings ---------------------------------------------------------------------


def disagreements(d: int) -> np.ndarray:
    """For each labeling of {0, 1}^d, the number of edges of the cube whose ends differ."""
    points, f = cube(d), labelings(2**d)
    edges = [
        (i, j)
        for (i, x), (j, y) in combinations(enumerate(points), 2)
        if sum(a != b for a, b in zip(x, y, strict=True)) == 1
    ]
    return sum((f[:, i] ^ f[:, j] for i, j in edges), start=np.zeros(len(f), dtype=np.int64))


def prior_average(errors: Sequence[Fraction], d: int, t: Fraction) -> Fraction:
    r"""The average of ``errors`` over labelings with weights :math:`t^{e(f)}`.

    ``e(f)`` counts the disagreeing edges, so t < 1 favours labelings in which neighbours agree.
    Raises ``ValueError`` unless t is positive and there is one error for each labeling.
    """
    edges = disagreements(d)
    if len(errors) != len(edges) or t <= 0:
        raise ValueError(f"errors, t: {len(errors)}, {t}; expected {len(edges)} errors and t > 0")
    weights = [Fraction(t) ** e for e in range(int(edges.max()) + 1)]
    total = sum((weights[e] * error for e, error in zip(edges, errors, strict=True)), Fraction(0))
    return total / sum(weights[e] for e in edges)


def bayes_error(d: int, size: int, t: Fraction) -> Fraction:
    r"""The least average off-training-set error that any rule can have under the prior.

    For each sample and each unseen point the best answer is the likelier label given the sample:

    .. math:: \frac1{\binom nm(n-m)}\sum_S\sum_y\sum_{x\notin S}\min_{b}P_t(f|_S=y,\,f(x)=b)
    """
    f, edges = labelings(2**d), disagreements(d)
    n, t = f.shape[1], Fraction(t)
    top = int(edges.max())
    powers = [t.numerator**e * t.denominator ** (top - e) for e in range(top + 1)]
    weights = np.array([powers[e] for e in edges], dtype=object)  # Python integers: no overflow
    total = 0
    samples = list(combinations(range(n), size))
    for seen in samples:
        unseen = [i for i in range(n) if i not in seen]
        group = f[:, seen] @ 2 ** np.arange(size)
        ones = np.zeros((2**size, n - size), dtype=object)
        both = np.zeros(2**size, dtype=object)
        np.add.at(ones, group, weights[:, None] * f[:, unseen])
        np.add.at(both, group, weights)
        total += np.minimum(ones, both[:, None] - ones).sum()
    return Fraction(int(total), int(weights.sum()) * len(samples) * (n - size))


# --- counting programs that run fast ----------------------------------------------------------


def nand_functions(inputs: int, gates: int) -> tuple[list[int], list[int]]:
    """Distinct functions, and circuits, of up to 0, 1, ..., ``gates`` NAND gates on so many inputs.

    A circuit is a list of gates, each fed by two earlier wires; its value is that of its last wire.
    Raises ``ValueError`` outside 1 to 4 inputs and 0 to 5 gates.
    """
    if not (1 <= inputs <= 4 and 0 <= gates <= 5):
        raise ValueError(f"inputs, gates: {inputs}, {gates}; expected 1 to 4 and 0 to 5")
    ones, table = np.uint16(2 ** (2**inputs) - 1), np.array(cube(inputs)).T
    wires = (table @ 2 ** np.arange(2**inputs)).astype(np.uint16)[None, :]
    known, circuits = set(wires[0].tolist()), [inputs]
    functions = [len(known)]
    for _ in range(gates):
        pairs = combinations_with_replacement(range(wires.shape[1]), 2)
        grown = [np.c_[wires, ~(wires[:, a] & wires[:, b]) & ones] for a, b in pairs]
        wires = np.concatenate(grown)
        known |= set(np.unique(wires[:, -1]).tolist())
        functions.append(len(known))
        circuits.append(circuits[-1] + len(wires))
    return functions, circuits


def selection_circuit(values: Sequence[int]) -> tuple[list[tuple[int, int]], int]:
    """NAND gates for a function of k bits: a tree of selections that builds no subfunction twice.

    Parameters
    ----------
    values : the 2**k values, in the order of ``cube(k)``, k >= 1.

    Returns
    -------
    gates : the two wires that feed each gate; wires 0 to k - 1 are the inputs, then the gates.
    output : the wire that carries the value.
    """
    k = len(values).bit_length() - 1
    if k < 1 or len(values) != 2**k:
        raise ValueError(f"values: {len(values)}; expected a power of two, 2 or more")
    gates: list[tuple[int, int]] = []

    def nand(a: int, b: int) -> int:
        gates.append((a, b))
        return k + len(gates) - 1

    negated = [nand(i, i) for i in range(k)]
    one = nand(0, negated[0])
    built = {(0,): nand(one, one), (1,): one}

    def build(part: tuple[int, ...], bit: int) -> int:
        if part not in built:
            half = len(part) // 2
            if part == part[:1] * len(part):
                built[part] = built[part[:1]]
            else:
                low, high = build(part[:half], bit + 1), build(part[half:], bit + 1)
                built[part] = nand(nand(bit, high), nand(negated[bit], low))
        return built[part]

    output = build(tuple(int(v) for v in values), 0)
    return gates, output


def run_circuit(gates: Sequence[tuple[int, int]], inputs: np.ndarray) -> np.ndarray:
    """The values of all wires, shape (rows, wires), on rows of input bits."""
    wires = [np.asarray(column, dtype=bool) for column in inputs.T]
    for a, b in gates:
        wires.append(~(wires[a] & wires[b]))
    return np.stack(wires, axis=1)


# --- parities ---------------------------------------------------------------------------------


def eliminate(examples: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The parity that Gaussian elimination modulo 2 reads off the examples.

    Parameters
    ----------
    examples : shape (m, d), entries 0 and 1.
    labels : shape (m,), or (m, r) for r sets of labels of the same examples.

    Returns
    -------
    k of shape (d,) or (d, r) with <k, x> = y modulo 2 on the rows that elimination uses; free
    coordinates are 0. If the labels are those of a parity and the examples have rank d, it is k.

    Raises
    ------
    ValueError : if the numbers of rows differ.
    """
    if len(examples) != len(labels):
        raise ValueError(f"labels: {len(labels)} rows; expected {len(examples)}, as examples has")
    d = examples.shape[1]
    rows = np.c_[examples, labels.reshape(len(labels), -1)].astype(np.uint8)
    pivots: list[int] = []
    for column in range(d):
        candidates = np.flatnonzero(rows[len(pivots) :, column])
        if candidates.size == 0:
            continue
        here, there = len(pivots), len(pivots) + int(candidates[0])
        rows[[here, there]] = rows[[there, here]]
        others = rows[:, column].copy()
        others[here] = 0
        rows ^= others[:, None] * rows[here]
        pivots.append(column)
        if len(pivots) == len(rows):
            break
    parity = np.zeros((d, rows.shape[1] - d), dtype=np.uint8)
    parity[pivots] = rows[: len(pivots), d:]
    return parity.reshape(d, *labels.shape[1:])


def signs(d: int) -> np.ndarray:
    """All points of {-1, 1}^d, shape (2**d, d); bit j of the row's number gives the sign -1."""
    return 1.0 - 2.0 * ((np.arange(2**d)[:, None] >> np.arange(d)) & 1)


def walsh(values: np.ndarray) -> np.ndarray:
    r"""Correlations with all parities: row k is :math:`2^{-d}\sum_x\chi_k(x)\,v(x)`.

    ``values`` has shape (2**d, ...), rows ordered as in :func:`signs`; parity k is the product of
    the signs at the set bits of k. Raises ``ValueError`` if the number of rows is no power of two.
    """
    rows = len(values)
    if rows == 0 or rows & (rows - 1):
        raise ValueError(f"values: {rows} rows; expected a power of two")
    result, step = np.array(values, dtype=float), 1
    while step < rows:
        blocks = result.reshape(rows // (2 * step), 2, step, *result.shape[1:])
        low, high = blocks[:, 0], blocks[:, 1]
        result = np.stack([low + high, low - high], axis=1).reshape(result.shape)
        step *= 2
    return result / rows


def initial_network(d: int, width: int, rng: np.random.Generator) -> np.ndarray:
    r"""Parameters of :math:`h(x)=\sum_j v_j(\langle w_j,x\rangle+b_j)_+ + c` in one vector.

    Order: w (d, width), b, v, c. Weights are normal with variances 1/d and 1/width, offsets zero.
    """
    w = rng.standard_normal((d, width)) / np.sqrt(d)
    v = rng.standard_normal(width) / np.sqrt(width)
    return np.concatenate([w.ravel(), np.zeros(width), v, [0.0]])


def _layers(
    theta: np.ndarray, d: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | float]:
    width = (theta.shape[-1] - 1) // (d + 2)
    w, b, v = np.split(theta[..., :-1], [d * width, (d + 1) * width], axis=-1)
    return w.reshape(*theta.shape[:-1], d, width), b, v, theta[..., -1]


def network(theta: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The network's outputs, one for each row of x.

    ``theta`` may hold several networks, one a row, and x then one set of points for all of them or
    one for each; the outputs have a row for each network.
    """
    w, b, v, c = _layers(theta, x.shape[-1])
    hidden = np.maximum(x @ w + b[..., None, :], 0.0)
    return (hidden @ v[..., :, None])[..., 0] + c[..., None]


def network_jacobian(theta: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Derivatives of the outputs by the parameters, shape (rows of x, number of parameters)."""
    w, b, v, _ = _layers(theta, x.shape[1])
    hidden = x @ w + b
    active = (hidden > 0) * v
    by_w = (x[:, :, None] * active[:, None, :]).reshape(len(x), -1)
    return np.concatenate([by_w, active, np.maximum(hidden, 0.0), np.ones((len(x), 1))], axis=1)


def logistic_gradient(theta: np.ndarray, batch: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    r"""Gradient of the mean of :math:`\log(1+e^{-y\,h(x)})` over a batch (x, y), y = -1 or 1.

    Several networks, one a row of ``theta``, may be trained at once: then x has shape
    (networks, examples, d), y has shape (networks, examples), and so has the gradient a row each.
    """
    x, y = batch
    w, b, v, c = _layers(theta, x.shape[-1])
    hidden = np.maximum(x @ w + b[..., None, :], 0.0)
    out = (hidden @ v[..., :, None])[..., 0] + c[..., None]
    slope = -y / (1.0 + np.exp(y * out)) / y.shape[-1]
    back = slope[..., :, None] * v[..., None, :] * (hidden > 0)
    by_w = (np.swapaxes(x, -1, -2) @ back).reshape(*theta.shape[:-1], -1)
    by_v = (slope[..., None, :] @ hidden)[..., 0, :]
    parts = [by_w, back.sum(axis=-2), by_v, slope.sum(axis=-1, keepdims=True)]
    return np.concatenate(parts, axis=-1)
