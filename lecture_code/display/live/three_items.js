// Three items in a chain: the error over the last two entries, and where descent goes.
import { shown } from "./kit.js";

const [STEP, STEPS, SPARE, WIDE, HIGH, TOP] = [0.004, 8000, 10, 88, 44, 3];

// The truth is (1, 1, 1); the pairs 12 and 23 weigh `edge`, the square 11 one, 33 `loop`.
export const height = ([x, y, z], { edge, loop }) => (1 - x * x) ** 2 / 2
  + edge * ((1 - x * y) ** 2 + (1 - y * z) ** 2) + (loop * (1 - z * z) ** 2) / 2;
export const slope = ([x, y, z], { edge, loop }) => [
  -2 * (x * (1 - x * x) + edge * y * (1 - x * y)),
  -2 * edge * (x * (1 - x * y) + z * (1 - y * z)),
  -2 * (edge * y * (1 - y * z) + loop * z * (1 - z * z)),
];
export const descend = state => { // each SPARE-th point
  let at = [1, state.start[1], state.start[0]];
  const points = [at];
  for (let t = 1; t <= STEPS; t++) {
    const down = slope(at, state);
    at = at.map((v, i) => v - STEP * down[i]);
    if (t % SPARE === 0) points.push(at);
  }
  return points;
};
export const fate = points => {
  const end = points.at(-1), far = Math.max(...end.map(Math.abs));
  const near = side => Math.max(...end.map(v => Math.abs(v - side)));
  if (Math.min(near(1), near(-1)) < 0.1) return "at the truth";
  const grows = far > 1.001 * Math.max(...points.at(-80).map(Math.abs));
  return grows && far > 3 ? "nowhere: it runs away" : "in a trap";
};
export const draw = (pen, state) => {
  const [[left, right], [low, high], graph] = [pen.x, pen.y, pen.panels[1]];
  const rows = Array.from({ length: HIGH }, (_, i) => Array.from({ length: WIDE }, (__, j) =>
    Math.log1p(height([1, high - ((high - low) * (i + 0.5)) / HIGH,
      left + ((right - left) * (j + 0.5)) / WIDE], state))));
  pen.pixels(rows, [left, high], [right, low], { low: 0, high: TOP, role: "bound" });
  const points = descend(state), said = fate(points), end = points.at(-1);
  const role = said === "at the truth" ? "estimate" : "failure";
  for (const [at, name] of [[1, "z"], [-1, "−z"]]) { // the second lies off the plane: a ring
    const mark = pen.dot([at, at], "truth", at > 0 ? 6 : 9);
    if (at < 0) mark.style("fill-opacity", 0).style("stroke", "var(--role-truth)");
    pen.label([at, at], name, "truth", { dx: 14, dy: 4 });
  }
  pen.curve(points.map(([, y, z]) => [z, y]), role, { width: 3 });
  const inside = (value, [from, to]) => Math.max(from, Math.min(to, value));
  pen.dot([inside(end[2], pen.x), inside(end[1], pen.y)], role, 6); // on the edge if it has left
  const clipped = value => Math.max(value, graph.y[0]);
  graph.curve(points.map((x, i) => [i * SPARE * STEP, clipped(height(x, state))]), role,
    { width: 2.5 });
  graph.curve(points.map((x, i) => [i * SPARE * STEP, Math.max(...x.map(Math.abs))]), "measured",
    { width: 2, dash: "6 3" });
  const error = clipped(height(end, state)), entry = Math.max(...end.map(Math.abs));
  const beside = above => ({ dx: -6, dy: above ? -8 : 16, anchor: "end" });
  graph.label([graph.x[1], error], "error f", role, beside(error > entry));
  graph.label([graph.x[1], entry], "largest entry", "measured", beside(error <= entry));
  return `Edges of weight ${shown(state.edge)}, last square of weight ${shown(state.loop)}. Descent from x₃ = ${shown(state.start[0])}, x₂ = ${shown(state.start[1])} ends ${said}; x₃ is then ${shown(end[2])} and the error ${shown(height(end, state))}.`;
};
