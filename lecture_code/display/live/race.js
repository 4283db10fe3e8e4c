// Eigenvalues of matrices that commute: a race of exponentials, and the line that a run certifies.
import { power, shown } from "./kit.js";
import { best, dot, end, lanes, NAMES, path } from "./race_lanes.js";

const [SEEN, NEAR, APART] = [0.05, 0.4, 14]; // an eigenvalue, the least size of y, rows

export const equal = true;
export const hold = state => { // y has a direction, is not out of time, and not all points lie on it
  const size = Math.hypot(...state.y);
  if (size < NEAR) state.y = size ? state.y.map(v => (v * NEAR) / size) : [NEAR, 0];
  const [p, q] = state.y, flat = lanes(state).every(([a, b]) => Math.abs(a * q - b * p) < 1e-6);
  if (flat) state.five = [state.five[0] - NEAR * q, state.five[1] + NEAR * p];
};
export { best, end, path };

export const draw = (pen, state) => {
  const all = lanes(state), { least, pair } = best(state), fits = pair.length > 0;
  const rows = path(state), side = pen.panels[1], low = side.y[0];
  const { s, x } = fits ? end(state) : { s: [0, 0], x: rows.at(-1).slice(1) };
  const far = 9 / Math.hypot(...state.y), top = Math.max(...all.map(a => dot(a, s)));
  const nu = s.map(v => v / top), trace = x.reduce((sum, v) => sum + v, 0);
  pen.curve([[0, 0], state.y.map(v => far * v)], "data", { width: 1.2, dash: "2 3" });
  pen.curve(pair, "truth", { width: 3.5 });
  const along = k => [nu[0] / dot(nu, nu) - k * nu[1], nu[1] / dot(nu, nu) + k * nu[0]];
  if (top > 0) pen.curve([along(-9), along(9)], "holds", { width: 2, dash: "7 4" });
  const won = x.map(v => v > SEEN), seen = NAMES.flatMap((_, i) => (won[i] ? [i + 1] : []));
  all.forEach((a, i) => {
    const role = won[i] ? "estimate" : "bound", look = won[i] ? { width: 2.8 } : { dash: "6 3" };
    pen.dot(a, role, 5 + 13 * Math.sqrt(Math.min(1, x[i])));
    pen.label(a, i + 1, role, { dx: 15, dy: -9 });
    side.curve(rows.map(row => [row[0], Math.max(low, row[i + 1])]), role, look);
    const row = rows.at(-2 - APART * i);
    side.label([row[0], Math.max(low, row[i + 1])], i + 1, role, { dx: 0, dy: -7, anchor: "end" });
  });
  pen.label(state.y, "y", "data", { dx: 15, dy: 18 });
  const start = `Two numbers are known, and five eigenvalues start at α = ${power(state.alpha)}. `;
  const corner = (text, role, dy) => side.label([0, side.y[1]], text, role, { dx: 8, dy });
  pen.label([pen.x[0], pen.y[1]], "eigenvalue of A₂", null, { dx: 6, dy: 14 });
  if (!fits) corner("no X ⪰ 0 fits", "failure", 14);
  if (!fits) return `${start}No X ⪰ 0 fits: no sum of the five points with weights ≥ 0 is y.`;
  const bound = top > 0 ? shown(dot(nu, state.y)) : "nothing";
  corner(`trace ${shown(trace)}, least ${shown(least)}`, "estimate", 14);
  corner(`certified ${bound}`, "holds", 31);
  return `${start}Above 0.05 end: ${seen.join(", ") || "none"}. The trace is ${shown(trace)}, `
    + `the least is ${shown(least)}, and the run certifies ${bound}.`;
};
