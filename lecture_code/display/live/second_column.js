// A ball rolls down the loss of a 2 x 2 factorization: one column has a trap, two have none.
import { shown } from "./kit.js";

const [STEPS, PACE, ACROSS, ALONG] = [400, 0.02, 52, 44];
const [UPPER, LOWER] = [{ dx: 8, dy: -26 }, { dx: 8, dy: -10 }]; // lines in the corner
const ARM = 0.06; // of a cross
const at = place => `(${place.map(shown).join(", ")})`;
const wall = ({ w, columns }) => (columns === "1" ? w : 0);

export const equal = true;
export const value = (state, { s, lam }, [a, b]) =>
  ((1 - a * a) ** 2 + (s - b * b) ** 2) / 2 + wall(state) * a * a * b * b + lam * (a * a + b * b);
export const slope = (state, { s, lam }, [a, b]) => [
  2 * a * (a * a - 1 + wall(state) * b * b + lam),
  2 * b * (b * b - s + wall(state) * a * a + lam),
];
export const path = (state, data) => {
  const points = [state.start];
  for (let t = 0, z = state.start; t < STEPS; t++) {
    const way = slope(state, data, z);
    points.push((z = z.map((v, i) => v - PACE * way[i])));
  }
  return points;
};
export const threshold = ({ s, lam }) => (1 - lam) / (s - lam);
export const draw = (pen, state, data) => {
  const { s, lam } = data, one = state.columns === "1";
  const points = path(state, data), end = points.at(-1);
  const [[left, right], [low, high]] = [pen.x, pen.y];
  const heights = Array.from({ length: ALONG }, (_, i) => Array.from({ length: ACROSS }, (_, j) =>
    Math.log(value(state, data, [
      left + ((right - left) * (j + 0.5)) / ACROSS, high - ((high - low) * (i + 0.5)) / ALONG,
    ]))));
  pen.pixels(heights, [left, high], [right, low], { low: -2, high: 3.5 });
  const [far, near] = [Math.sqrt(1 - lam), Math.sqrt(s - lam)];
  for (const sign of [-1, 1]) {
    for (const b of one ? [0] : [-near, near]) pen.dot([sign * far, b], "truth", 6);
    if (one && state.w > threshold(data))
      for (const tilt of [-ARM, ARM])
        pen.curve([-1, 1].map(k => [ARM * k, sign * near + tilt * k]), "failure", { width: 3 });
  }
  pen.curve(points, "estimate", { width: 2.5 });
  pen.dot(end, "estimate", 6);
  pen.label(state.start, "start", "data", { dx: 16, dy: -10 });
  const best = one ? value(state, data, [far, 0]) : value(state, data, [far, near]);
  const fitted = end[0] ** 2, done = value(state, data, end) - best < 0.01;
  const caught = one && fitted < 0.1 && state.w > threshold(data);
  const top = end.every(v => v === 0), verdict = done ? "at the best product" : top ? "on the top"
    : caught ? "in the trap" : end.includes(0) ? "at a saddle" : "before it rests";
  const advice = top || verdict === "at a saddle" ? ". Nudge the start." : "";
  const role = done ? "estimate" : "failure";
  const losses = `loss ${shown(value(state, data, end))}, least ${shown(best)}`;
  pen.label([left, low], `ends ${verdict}${advice}`, role, UPPER);
  pen.label([left, low], losses, role, LOWER);
  const count = one ? "one column" : "two columns";
  return `Loss over the plane, ${count}, w = ${shown(state.w)}. From ${at(state.start)} the ball`
    + ` ends at ${at(end)}: ${verdict}. The 1 is fitted by ${shown(fitted)}.`;
};
