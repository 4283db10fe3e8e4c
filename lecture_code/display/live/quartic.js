// Two components on the circle: the quartic form, its maxima, and where an ascent ends.
import { shown } from "./kit.js";

const [STEP, STEPS, TURNS, LIFT, LIGHT, HEAVY] = [0.02, 400, 720, 0.45, 0.3, 1];
const unit = ([p, q]) => { const r = Math.hypot(p, q); return r ? [p / r, q / r] : [1, 0]; };
const degrees = ([p, q]) => ((Math.atan2(q, p) * 180) / Math.PI + 405) % 180 - 45; // of an axis
const round = angle => `${Math.round(angle)}°`;
const axis = turn => [Math.cos(turn), Math.sin(turn)];

export const equal = true;
export const hold = state => { // a weight within its range, and a start on the circle
  const weight = Math.min(HEAVY, Math.max(LIGHT, Math.hypot(...state.second)));
  state.second = unit(state.second).map(v => weight * v);
  state.start = unit(state.start);
};
const along = ({ second }, x) => // the product of x with the second component
  (second[0] * x[0] + second[1] * x[1]) / Math.hypot(...second);
export const value = (state, x) => x[0] ** 4 + Math.hypot(...state.second) * along(state, x) ** 4;
export const ascend = state => {
  const points = [state.start], [p, q] = state.second; // the weight times the component
  for (let t = 0, x = state.start; t < STEPS; t++) {
    const first = 4 * STEP * x[0] ** 3, other = 4 * STEP * along(state, x) ** 3;
    points.push((x = unit([x[0] + first + p * other, x[1] + q * other])));
  }
  return points;
};
export const maxima = state => { // angles in degrees, each an axis, with their values
  const turns = Array.from({ length: TURNS }, (_, k) => (Math.PI * k) / TURNS);
  const heights = turns.map(turn => value(state, axis(turn)));
  return turns.flatMap((turn, k) => {
    const [before, here, after] = [k - 1, k, k + 1].map(i => heights[(i + TURNS) % TURNS]);
    if (here <= before || here < after) return [];
    const shift = (before - after) / (before - 2 * here + after) / 2; // top of the parabola
    const top = axis(turn + (shift * Math.PI) / TURNS);
    return [{ angle: degrees(top), height: value(state, top) }];
  });
};
export const draw = (pen, state) => {
  const [ring, graph] = pen.panels, path = ascend(state), end = path.at(-1), tops = maxima(state);
  const lifted = x => x.map(v => v * (1 + LIFT * value(state, x)));
  const round360 = Array.from({ length: 181 }, (_, k) => axis((k * Math.PI) / 90));
  const best = Math.max(...tops.map(top => top.height)), last = value(state, end);
  const lost = last < best - 1e-6;
  ring.curve(round360, "bound", { width: 1, dash: "4 3" });
  ring.curve(round360.map(lifted), "data", { width: 2.5 });
  ring.label([1, 0], "a₁", "truth", { dx: -16, dy: -6 });
  ring.curve(path.map(lifted), "estimate", { width: 4 });
  ring.dot(lifted(end), lost ? "failure" : "estimate", 6);
  const spread = Array.from({ length: 180 }, (_, k) => k - 44.5);
  graph.curve(spread.map(k => [k, value(state, axis((k * Math.PI) / 180))]), "data");
  for (const a of [[1, 0], state.second]) {
    ring.curve([[0, 0], a], "truth", { width: 2.5 });
    graph.curve([[degrees(a), -9], [degrees(a), 9]], "truth", { width: 1, dash: "4 3" });
  }
  for (const { angle, height } of tops) graph.dot([angle, height], "data", 4);
  graph.dot([degrees(end), last], lost ? "failure" : "estimate", 6);
  graph.label([degrees(end), last], shown(last), lost ? "failure" : "estimate", { dx: 8, dy: -8 });
  const where = tops.map(({ angle, height }) => `${round(angle)} (height ${shown(height)})`);
  return `Components at 0° and ${round(degrees(state.second))}, of weights 1.00 and ${shown(Math.hypot(...state.second))}. Maxima at ${where.join(" and ")}. The ascent from ${round(degrees(state.start))} ends at ${round(degrees(end))}, ${lost ? "not the highest" : "the highest"}.`;
};
