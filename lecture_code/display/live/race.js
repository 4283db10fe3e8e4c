// Eigenvalues of matrices that commute: a race of exponentials, and the line that a run certifies.
import { power, shown } from "./kit.js";
import { best, dot, end, lanes, NAMES, path } from "./race_lanes.js";

const SEEN = 0.05; // of an eigenvalue at the end

export const equal = true;
export const hold = state => { // y has a direction
  if (Math.hypot(...state.y) < 0.1) state.y = [0.1, 0];
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
    pen.dot(a, role, 3 + 9 * Math.sqrt(Math.min(1, x[i])));
    pen.label(a, i + 1, role, { dx: 15, dy: -9 });
    side.curve(rows.map(row => [row[0], Math.max(low, row[i + 1])]), role, look);
    side.label([side.x[1], Math.max(low, rows.at(-1)[i + 1])], i + 1, role,
      { dx: -2, dy: -7, anchor: "end" });
  });
  pen.label(state.y, "y", "data", { dx: 15, dy: 18 });
  const start = `Two numbers are known, and five eigenvalues start at α = ${power(state.alpha)}. `;
  if (!fits) return `${start}No X ⪰ 0 fits: no sum of the five points with weights ≥ 0 is y.`;
  const bound = top > 0 ? shown(dot(nu, state.y)) : "nothing";
  return `${start}Above 0.05 end: ${seen.join(", ")}. The trace is ${shown(trace)}, the least is `
    + `${shown(least)}, and the run certifies ${bound}.`;
};
