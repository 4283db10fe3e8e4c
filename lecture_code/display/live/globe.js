// Three orthogonal components on the sphere: all critical points of the form, and where a climb ends.
import { shown } from "./kit.js";

const [STEP, STEPS, FINE, EDGE, FRONT, LOW, HIGH] = [0.02, 400, 56, 0.97, 0.05, 0.2, 2];
const RIM = Array.from({ length: 91 }, (_, k) => [Math.cos(k * Math.PI / 45), Math.sin(k * Math.PI / 45)]);
const KINDS = [null, ["truth", 7], ["failure", 4.5], ["bound", 4.5]]; // tops, saddles, bottoms
const dot = (u, v) => u.reduce((sum, c, i) => sum + c * v[i], 0);
const weights = ({ second, third }) => [1, second, third];
const facing = ([p, q]) => [p, q, Math.sqrt(Math.max(0, 1 - p * p - q * q))];
const seen = (x, { camera }) => camera.map(row => dot(row, x)); // to the right, up, towards us
const lies = (place, { camera }) => // the point of the sphere that is seen there
  [0, 1, 2].map(i => dot(facing(place), camera.map(row => row[i])));

export const equal = true;
export const hold = state => { // the start stays on the half that is seen
  const far = Math.hypot(...state.start);
  if (far > EDGE) state.start = state.start.map(v => (v * EDGE) / far);
};
export const value = (state, x) => dot(weights(state), x.map(c => c ** 4));
export const climb = (state, data) => {
  const w = weights(state), points = [lies(state.start, data)];
  for (let t = 0; t < STEPS; t++) {
    const x = points.at(-1).map((c, i) => c + 4 * STEP * w[i] * c ** 3), size = Math.hypot(...x);
    points.push(x.map(c => c / size));
  }
  return points;
};
export const critical = state => { // points, with how many coordinates they have, and heights
  const w = weights(state), three = [-1, 0, 1];
  const all = three.flatMap(a => three.flatMap(b => three.map(c => [a, b, c])));
  return all.filter(signs => signs.some(Boolean)).map(signs => {
    const height = 1 / dot(signs.map(Math.abs), w.map(one => 1 / one));
    const point = signs.map((sign, i) => sign * Math.sqrt(height / w[i]));
    return { point, height, size: signs.filter(Boolean).length };
  });
};
export const draw = (pen, state, data) => {
  const graph = pen.panels[1], w = weights(state), path = climb(state, data);
  const heights = path.map(x => value(state, x)), last = heights.at(-1);
  const lost = last < Math.max(...w) - 0.005;
  const role = lost ? "failure" : "estimate", middle = k => (2 * k + 1) / FINE - 1;
  pen.pixels(Array.from({ length: FINE }, (_, i) => Array.from({ length: FINE }, (_, j) => {
    const place = [middle(j), -middle(i)];
    return Math.hypot(...place) > 1 ? 0 : value(state, lies(place, data));
  })), [-1, -1], [1, 1], { low: LOW, high: HIGH, role: "data" });
  pen.curve(RIM, "bound", { width: 1.5 });
  for (const { point, height, size } of critical(state)) {
    const [p, q, towards] = seen(point, data);
    if (towards < FRONT) continue;
    pen.dot([p, q], ...KINDS[size]);
    if (size === 1) pen.label([p, q], shown(height), "truth", { dx: 10 });
  }
  const there = path.map(x => seen(x, data)), hidden = there.findIndex(([, , t]) => t < 0);
  pen.curve(there.slice(0, hidden < 0 ? undefined : hidden), "estimate", { width: 3 });
  for (const one of w) graph.curve([[0, one], [STEPS, one]], "truth", { width: 1, dash: "4 3" });
  graph.curve(heights.map((height, t) => [t, height]), role, { width: 2.5 });
  graph.label([STEPS, last], shown(last), role, { dx: -4, dy: -8, anchor: "end" });
  return `Weights ${w.map(shown).join(", ")}: tops of these heights, 26 critical points in all. The `
    + `climb ends at ${shown(last)}, ${lost ? "not the highest" : "the highest"}.`;
};
