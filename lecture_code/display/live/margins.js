// Separable data in the plane: the directions to which descent in three geometries turns.
import { best, margin, norms, run } from "./directions.js";
import { shown } from "./kit.js";

const [MOST, EARLY, SHORTEST, BEST] = [1000, 29, 0.3, 2.5];
const REACH = { "ℓ₁": 1.4, "ℓ₂": 1.8, "ℓ∞": 2.2 }; // so that labels stay apart
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
  const [count, first] = corners[geometry], { best: most, seen } = found[geometry];
  const edge = Array.from({ length: count + 1 }, (_, i) => first + (2 * Math.PI * i) / count)
    .map(t => [Math.cos(t), Math.sin(t)]).map(v => v.map(u => u / norms[geometry](v)));
  pen.curve(edge, "bound", { width: 1, fill: 0.1 });
  for (const z of Z) pen.dot(z, "data", 5);
  const gamma = margin(Z, most), floor = second.y[0];
  if (gamma <= 1e-9) {
    pen.label([pen.x[0], pen.y[1]], "no direction has a margin", "failure", { dy: 16 });
    second.label([1, 0.1], "nothing to reach", "failure");
    return "No direction has a positive margin on these three examples.";
  }
  pen.curve([[0, 0], long(most, BEST)], "bound", { dash: "6 4" });
  for (const [kind, { seen: own }] of Object.entries(found)) {
    const end = long(own[at].w, REACH[kind]);
    pen.curve([[0, 0], end], "estimate", { width: kind === geometry ? 4 : 1.5 });
    pen.label(end, kind, "estimate", { dx: 5 });
  }
  const promised = seen.map(({ bound }, t) => [t + 1, 1 - bound / gamma]);
  second.curve(promised, "bound", { dash: "6 4" });
  second.label(promised[EARLY], "guaranteed", "bound", { dy: -10 });
  const lacks = seen.map(({ share }, t) => [t + 1, Math.max(floor, 1 - share)]);
  second.curve(lacks, "estimate", { width: 3 });
  second.dot(lacks[at], "estimate", 6);
  const { w, share } = seen[at], reached = lacks[at][1] > floor
    ? `${(100 * share).toFixed(1)} % of the largest` : "less than 0.001 is missing";
  second.label(lacks[at], reached, "estimate", { dy: -12 });
  const [now, goal] = [w, most].map(v => `(${long(v, 1).map(shown).join(", ")})`);
  return `Three examples and the directions of three geometries. After ${at + 1} steps the `
    + `direction of ${geometry} is ${now}; its margin is ${shown(share)} of the largest one, `
    + `which is at ${goal}.`;
};
