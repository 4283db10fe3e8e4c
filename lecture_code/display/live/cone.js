// The cone of positive semidefinite 2 × 2 matrices, and the flow on X = U Uᵀ to what is known.
import { best, both, entry, path, split } from "./cone_flow.js";
import { power, shown } from "./kit.js";

const [TILT, EDGE, TOP, THIN] = [0.36, 0.95, 1.6, 4];
const turns = Array.from({ length: 73 }, (_, i) => (Math.PI * i) / 36);
const angle = ({ turn }) => [Math.cos((turn * Math.PI) / 180), Math.sin((turn * Math.PI) / 180)];
const seen = (state, [p, q, h]) => { // to the right and upwards, the cone turned
  const [c, s] = angle(state);
  return [p * c + q * s, h * Math.cos(TILT) + (q * c - p * s) * Math.sin(TILT) - 1];
};
const rim = (a, h) => [h * Math.cos(a), h * Math.sin(a), h];

export const equal = true;
export const idle = state => (both(state) ? [] : ["entry"]);
export const hold = state => { // the start stays positive definite
  const shrink = Math.min(1, EDGE / Math.hypot(...state.start));
  state.start = state.start.map(v => v * shrink);
};
export const where = state => seen(state, [...state.start, 1]);
export const drop = (state, name, [x, y]) => {
  const [c, s] = angle(state), up = (y + 1 - Math.cos(TILT)) / Math.sin(TILT);
  state.start = [x * c - up * s, x * s + up * c];
};
export { best, path };

export const draw = (pen, state) => {
  const run = path(state), last = run.at(-1), least = best(state), second = pen.panels[1];
  const flat = point => seen(state, point), trace = row => row[1] + row[3], two = both(state);
  const rings = [0.4, 0.8, 1.2, TOP].map(h => turns.map(a => flat(rim(a, h))));
  rings.forEach((ring, i) => pen.curve(ring, "bound", { width: i < 3 ? 0.7 : 1.5 }));
  for (const a of turns.filter((_, i) => i % 6 === 0))
    pen.curve([[0, 0, 0], rim(a, TOP)].map(flat), "bound", { width: 0.5 });
  const cut = turns.map(a => rim(a, 3 / (3 - Math.cos(a))));
  pen.curve(cut.map(flat), "data", { width: two ? 0.8 : 2, fill: two ? 0.05 : 0.15 });
  const far = 0.75 - least[0]; // the other end of the segment
  if (two) pen.curve([least, [far, least[1], 1 + far / 3]].map(flat), "data", { width: 3 });
  pen.curve([[0, 0, 0], [...state.start, 1]].map(flat), "truth", { width: 1, dash: "2 3" });
  pen.curve(run.map(row => flat(split(row.slice(1, 4)))), "estimate", { width: 2.5 });
  pen.dot(flat(least), "bound", 8);
  pen.dot(flat(split(last.slice(1, 4))), "estimate", 5.5);
  pen.label(flat([...state.start, 1]), "start", "truth", { dx: 0, dy: 28, anchor: "middle" });
  pen.label(flat(least), "least trace", "bound", { dx: 0, dy: 22, anchor: "middle" });
  const low = 2 * least[2], rows = run.filter((_, i) => i && (i < 40 || i % THIN === 0));
  const line = f => rows.map(row => [row[0], Math.max(second.y[0], f(row))]);
  second.curve([[second.x[0], low], [second.x[1], low]], "bound", { dash: "5 3", width: 1.5 });
  second.curve(line(trace), "estimate", { width: 2.5 });
  second.curve(line(row => row[4]), "failure", { dash: "7 3" });
  const right = second.x[1], at = y => [right, Math.max(second.y[0], y)];
  second.label(at(low), `trace ${shown(trace(last))}, least ${shown(low)}`, "estimate",
    { dx: -4, dy: -12, anchor: "end" });
  second.label(at(last[4]), `second eigenvalue ${power(last[4])}`, "failure",
    { dx: -4, dy: last[4] < 1e-6 ? -10 : 20, anchor: "end" });
  const known = two ? ` and X₁₂ = ${shown(entry(state))}` : "";
  return `Known: X₁₁ + 2 X₂₂ = 3${known}. From α = ${power(state.alpha)} the flow ends with the `
    + `trace ${shown(trace(last))}, the least is ${shown(low)}; `
    + `its second eigenvalue is ${power(last[4])}.`;
};
