// Separable data in the plane: the directions to which descent in three geometries turns.
import { best, margin, norms, run } from "./directions.js";
import { shown } from "./kit.js";

const [MOST, SHORTEST, REACH] = [1000, 0.3, 2];
const names = ["first", "second", "third"];
const corners = { "ℓ₁": [4, 0], "ℓ₂": [72, 0], "ℓ∞": [4, Math.PI / 4] };
const long = (v, length) => v.map(u => (u * length) / Math.hypot(...v));
const data = state => names.map(name => state[name]);

export const equal = true;
export const hold = state => { // no example is zero
  for (const name of names)
    if (Math.hypot(...state[name]) < SHORTEST)
      state[name] = long(Math.hypot(...state[name]) ? state[name] : [0, 1], SHORTEST);
};
export const all = state => Object.fromEntries(Object.keys(norms)
  .map(kind => [kind, { best: best(data(state), kind), seen: run(data(state), kind, MOST) }]));

export const draw = (pen, state) => {
  const Z = data(state), found = all(state), second = pen.panels[1], { geometry } = state;
  const at = Math.min(MOST, Math.max(1, Math.round(state.steps))) - 1;
  const [count, first] = corners[geometry], chosen = found[geometry];
  const edge = Array.from({ length: count + 1 }, (_, i) => first + (2 * Math.PI * i) / count)
    .map(t => [Math.cos(t), Math.sin(t)]).map(v => v.map(u => u / norms[geometry](v)));
  pen.curve(edge, "bound", { width: 1, fill: 0.1 });
  for (const [kind, { best: most, seen }] of Object.entries(found)) {
    const mine = kind === geometry, end = long(seen[at].w, REACH);
    if (mine) pen.curve([[0, 0], long(most, REACH + 0.4)], "bound", { dash: "6 4" });
    pen.curve([[0, 0], end], "estimate", { width: mine ? 4 : 1.5 });
    pen.label(end, kind, "estimate", { dx: 4, dy: mine ? -6 : 4 });
    const lacks = seen.map(({ share }, t) => [t + 1, Math.max(1e-6, 1 - share)]);
    if (margin(Z, most) > 0) second.curve(lacks, "estimate", { width: mine ? 3 : 1 });
  }
  for (const z of Z) pen.dot(z, "data", 5);
  const gamma = margin(Z, chosen.best), words = `the direction of ${geometry} is (${
    long(chosen.seen[at].w, 1).map(shown).join(", ")})`;
  second.label([1, 1.3e-3], "share that is missing", "estimate");
  if (gamma <= 1e-9) {
    pen.label([pen.x[0], pen.y[1]], "no direction has a margin", "failure", { dy: 16 });
    return `No direction has a positive margin on these three examples. After ${at + 1} steps `
      + `${words}.`;
  }
  second.curve(chosen.seen.map(({ bound }, t) => [t + 1, 1 - bound / gamma]), "bound",
    { dash: "6 4" });
  const share = chosen.seen[at].share;
  second.dot([at + 1, Math.max(1e-6, 1 - share)], "estimate", 6);
  second.label([at + 1, Math.max(1e-6, 1 - share)], `has ${shown(share)}`, "estimate");
  return `Three examples and the directions of three geometries. After ${at + 1} steps ${words}; `
    + `its margin is ${shown(share)} of the largest one, which is at (${
      long(chosen.best, 1).map(shown).join(", ")}).`;
};
