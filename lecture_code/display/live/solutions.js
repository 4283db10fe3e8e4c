// Three unknowns and one equation <a, w> = y: least steps to it, and where five methods go.
import { shown } from "./kit.js";
export const ZERO = [0, 0, 0];
const [STEPS, BETA] = [120, 0.8];
export const dot = (v, w) => v.reduce((total, u, i) => total + u * w[i], 0);
export const add = (v, ...moves) => // a vector and multiples of others
  v.map((u, i) => moves.reduce((total, [k, move]) => total + k * move[i], u));
const spread = v => v.reduce((total, u) => total + Math.abs(u), 0);
const largest = v => Math.max(...v.map(Math.abs));
export const norms = { "ℓ₁": spread, "ℓ₂": v => Math.hypot(...v), "ℓ∞": largest };
export const steepest = { // the least step, in each norm, along which <a, w> rises by 1
  "ℓ₁": a => {
    const first = a.findIndex(v => Math.abs(v) === largest(a));
    return a.map((v, i) => (i === first ? 1 / v : 0));
  },
  "ℓ₂": a => a.map(v => v / dot(a, a)),
  "ℓ∞": a => a.map(v => Math.sign(v) / spread(a)),
};
const ALL = 5, SHORT = {
  "gradient descent": "gradient", "coordinate descent": "coordinate", "sign descent": "sign",
};
export const together = names => // of the methods that end at one place
  names.length === ALL ? "all five" : names.map(name => names[1] ? SHORT[name] ?? name : name).join(", ");
export const equation = (a, target) =>
  `${a.map((v, i) => `${shown(v)} w${"₁₂₃"[i]}`).join(" + ").replaceAll("+ -", "- ")} = ${shown(target)}`;
const geometry = { "coordinate descent": "ℓ₁", "sign descent": "ℓ∞" };

export const nearest = (a, target, start, ball) =>
  add(start, [target - dot(a, start), steepest[ball](a)]);
export const run = (a, target, start, method) => {
  const pace = (0.3 * Math.abs(target - dot(a, start))) / spread(a); // of AdaGrad
  const along = steepest[geometry[method] ?? "ℓ₂"](a), points = [start], sums = a.map(() => 0);
  for (let t = 0, w = start, velocity = a.map(() => 0); t < STEPS; t++) {
    const r = dot(a, w) - target;
    a.forEach((v, i) => (sums[i] += (r * v) ** 2));
    const step = method === "AdaGrad"
      ? a.map((v, i) => (pace * r * v) / (Math.sqrt(sums[i]) + 1e-12))
      : along.map(v => 0.1 * r * v);
    velocity = velocity.map((v, i) => (method === "momentum" ? BETA * v : 0) - step[i]);
    points.push((w = add(w, [1, velocity])));
  }
  return points;
};

export const ends = (given, methods) => { // where they end, and which of them meet there
  const found = [];
  for (const method of methods) {
    const at = run(...given, method).at(-1);
    const met = found.find(one => norms["ℓ∞"](add(at, [-1, one.at])) < 0.01);
    if (met) met.names.push(method); else found.push({ at, names: [method] });
  }
  return found;
};
