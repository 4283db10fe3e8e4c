// One equation <a, w> = y in two unknowns: where five methods go, and where balls touch the line.
import { shown } from "./kit.js";

const [STEPS, BETA, SHORTEST, SNAP] = [120, 0.8, 0.7, 0.08];
const spread = ([p, q]) => Math.abs(p) + Math.abs(q);
const residual = (a, y, w) => a[0] * w[0] + a[1] * w[1] - y;
const at = ([p, q]) => `(${shown(p)}, ${shown(q)})`;
const norms = { "ℓ₁": spread, "ℓ₂": v => Math.hypot(...v), "ℓ∞": v => Math.max(...v.map(Math.abs)) };
const steepest = { // the least step, in each norm, along which <a, w> rises by 1
  "ℓ₁": a => (Math.abs(a[0]) >= Math.abs(a[1]) ? [1 / a[0], 0] : [0, 1 / a[1]]),
  "ℓ₂": a => a.map(v => v / (a[0] ** 2 + a[1] ** 2)),
  "ℓ∞": a => a.map(v => Math.sign(v) / spread(a)),
};
const geometry = { "coordinate descent": "ℓ₁", "sign descent": "ℓ∞" };
const turns = { "ℓ₁": [4, 0], "ℓ₂": [90, 0], "ℓ∞": [4, Math.PI / 4] };

export const equal = true;
export const hold = state => { // an axis is easily met, and the line stays in sight
  const [p, q] = state.example.map(v => (Math.abs(v) < SNAP ? 0 : v));
  const longer = Math.max(1, SHORTEST / Math.hypot(p, q));
  state.example = p || q ? [p * longer, q * longer] : [SHORTEST, 0];
};
export const touching = ({ example: a, start, ball }, { target }) =>
  start.map((v, i) => v - residual(a, target, start) * steepest[ball](a)[i]);
export const path = ({ example: a, start, method }, { target }) => {
  const pace = (0.3 * Math.abs(residual(a, target, start))) / spread(a); // of AdaGrad
  const along = steepest[geometry[method] ?? "ℓ₂"](a), points = [start], sums = [0, 0];
  for (let t = 0, w = start, velocity = [0, 0]; t < STEPS; t++) {
    const r = residual(a, target, w);
    a.forEach((v, i) => (sums[i] += (r * v) ** 2));
    const step = method === "AdaGrad"
      ? a.map((v, i) => (pace * r * v) / (Math.sqrt(sums[i]) + 1e-12))
      : along.map(v => 0.1 * r * v);
    velocity = velocity.map((v, i) => (method === "momentum" ? BETA * v : 0) - step[i]);
    points.push((w = w.map((v, i) => v + velocity[i])));
  }
  return points;
};
export const draw = (pen, state, data) => {
  const { example: a, start, method, ball } = state, points = path(state, data), end = points.at(-1);
  const touch = touching(state, data), [count, first] = turns[ball];
  const full = norms[ball](touch.map((v, i) => v - start[i])), radius = Math.min(state.radius, full);
  const edge = Array.from({ length: count + 1 }, (_, i) => first + (2 * Math.PI * i) / count)
    .map(angle => [Math.cos(angle), Math.sin(angle)])
    .map(v => v.map((u, i) => start[i] + (radius * u) / norms[ball](v)));
  const line = [-9, 9].map(k => a.map((v, i) => steepest["ℓ₂"](a)[i] * data.target + k * [-a[1], a[0]][i]));
  pen.curve(edge, "bound", { width: 1.5, dash: "5 3", fill: 0.12 });
  pen.curve(line, "data", { width: 2.5 });
  pen.curve([[0, 0], a], "data", { width: 1.5 });
  pen.curve(points, "estimate");
  for (const point of points.slice(1)) pen.dot(point, "estimate", 2.5);
  if (radius === full) pen.dot(touch, "bound", 8);
  pen.dot(end, "estimate", 5.5);
  pen.label(end, at(end), "estimate", { dx: 10, dy: -8 });
  pen.label(start, "start", "truth", { dx: 0, dy: 28, anchor: "middle" });
  pen.label(a, "data", "data", { dx: 16 });
  const meets = radius === full ? `touches the line at ${at(touch)}` : "does not reach the line";
  return `The solutions of ${shown(a[0])} w₁ + ${shown(a[1])} w₂ = ${shown(data.target)} form a line. From the start ${at(start)}, ${method} ends at ${at(end)}. The ${ball} ball around the start ${meets}.`;
};
