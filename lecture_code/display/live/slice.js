// The plane of all starts of the matrix with holes, with the height of the error on it.
import { descend } from "./fill.js";
import { shown } from "./kit.js";

const [CELLS, TOP] = [56, 1]; // of the image of heights
const mean = values => values.reduce((sum, v) => sum + v, 0) / values.length;

// The error of the seen cells over p at the point (a, b) of the plane.
export const height = ([a, b], p, { halves, levels }) => {
  const squares = [(a + b) ** 2, (a - b) ** 2, (a + b) * (a - b)].map(v => (1 - v) ** 2);
  const counts = [0, 0, 0];
  levels.forEach((row, i) => row.forEach((level, j) => {
    if (level <= p) counts[halves[i] !== halves[j] ? 2 : halves[i] > 0 ? 0 : 1] += 1;
  }));
  const total = counts.reduce((sum, count, k) => sum + count * squares[k], 0);
  return total / (2 * p * halves.length ** 2);
};
// Where a point lies above the plane, how far it is out of it, and how far from the truth.
export const seenFrom = (u, { signs, halves }) => {
  const v = u.map((value, i) => value * signs[i]);
  const [a, b] = [mean(v), mean(v.map((value, i) => value * halves[i]))];
  const rest = Math.sqrt(Math.max(0, mean(v.map(value => value ** 2)) - a * a - b * b));
  const near = side => Math.sqrt(mean(v.map(value => (value - side) ** 2)));
  return { at: [a, b], rest, away: Math.min(near(1), near(-1)) };
};
export const equal = true;
export const draw = (pen, { start, p }, data) => {
  const [[left, right], [low, high], graph] = [pen.x, pen.y, pen.panels[1]];
  const rows = Array.from({ length: CELLS }, (_, i) => Array.from({ length: CELLS }, (__, j) =>
    height([left + ((right - left) * (j + 0.5)) / CELLS,
      high - ((high - low) * (i + 0.5)) / CELLS], p, data)));
  pen.pixels(rows, [left, high], [right, low], { low: 0, high: TOP, role: "bound" });
  const course = descend(start, p, data).map(u => seenFrom(u, data)), end = course.at(-1);
  const lost = end.away > 0.5, role = lost ? "failure" : "estimate";
  for (const [side, name] of [[1, "z"], [-1, "−z"]]) {
    pen.dot([side, 0], "truth", 6);
    pen.label([side, 0], name, "truth", { dx: 8, dy: 14 });
  }
  pen.curve(course.map(({ at }) => at), role, { width: 3 });
  pen.dot(end.at, role, 6);
  for (const [key, name, colour, dash] of [["away", "from ±z", role], ["rest", "out of the slice",
    "measured", "6 3"]]) {
    graph.curve(course.map((one, t) => [t, one[key]]), colour, { width: 2.5, dash });
    graph.label([graph.x[1], end[key]], name, colour, { dx: -6, dy: -8, anchor: "end" });
  }
  return `At p = ${shown(p)} descent from (${start.map(shown).join(", ")}) ends ${lost ? "in a false well" : "at the truth"}: ${shown(end.away)} from ±z and ${shown(end.rest)} out of the slice.`;
};
