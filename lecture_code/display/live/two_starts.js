// A 1-4-1 ReLU network trained from a start and from the same function with its units rescaled.
import { power, shown } from "./kit.js";

const UNITS = 4, FAR = 1e6, NAMES = ["left", "middle", "right"];

export const drop = (state, name, [, y]) => { state[name] = [state[name][0], y]; };
export const hold = (state, { places }) => NAMES.forEach((name, i) => {
  state[name] = [places[i], state[name][1]];
});
const into = w => Array.from({ length: UNITS }, (_, j) => [w[2 * j], w[2 * j + 1]]);
const out = w => w.slice(2 * UNITS, 3 * UNITS);
export const output = (w, x) => into(w)
  .reduce((sum, [a, b], j) => sum + out(w)[j] * Math.max(0, a * x + b), w[3 * UNITS]);
export const loss = (w, data) =>
  data.reduce((sum, [x, y]) => sum + (output(w, x) - y) ** 2 / 2, 0) / data.length;
export const rescaled = (w, c) => // units in turn by c and by 1/c
  w.map((value, i) => i < 2 * UNITS ? value * (i % 4 < 2 ? c : 1 / c)
    : i < 3 * UNITS ? value * (i % 2 ? c : 1 / c) : value);
export const gradient = (w, data) => {
  const found = w.map(() => 0);
  for (const [x, y] of data) {
    const slope = (output(w, x) - y) / data.length;
    found[3 * UNITS] += slope;
    into(w).forEach(([a, b], j) => {
      const on = a * x + b > 0 ? slope : 0, back = on * w[2 * UNITS + j];
      found[2 * UNITS + j] += on * (a * x + b);
      found[2 * j] += back * x;
      found[2 * j + 1] += back;
    });
  }
  return found;
};
export const kappa = w =>
  [...out(w).flatMap(v => [v * v, v * v]), ...into(w).map(([a, b]) => a * a + b * b), 1];
export const run = (start, data, { method, eta, t }) => {
  const ends = [start];
  for (let k = 0; k < t; k++) {
    const w = ends.at(-1), slope = gradient(w, data);
    const scale = method === "SGD" ? w.map(() => 1) : kappa(w);
    const next = w.map((v, i) => (scale[i] > 0 ? v - (eta * slope[i]) / scale[i] : v));
    ends.push(next.every(v => Math.abs(v) < FAR) ? next : w);
  }
  return ends;
};
export const draw = (pen, state, { start }) => {
  const data = NAMES.map(name => state[name]), other = pen.panels[1];
  const said = [["estimate", null, start, 4.5], ["failure", "6 4", rescaled(start, state.c), 2]]
    .map(([role, dash, first, width], k) => {
      const ends = run(first, data, state), w = ends.at(-1), name = k ? "rescaled" : "balanced";
      const line = Array.from({ length: 101 }, (_, i) => (i - 50) / 25);
      pen.curve(line.map(x => [x, output(w, x)]), role, { width, dash });
      const losses = ends.map(one => Math.min(1e3, Math.max(1e-6, loss(one, data))));
      other.curve(losses.map((value, i) => [i, value]), role, { width, dash });
      other.dot([state.t, losses.at(-1)], role, 5);
      other.label([2, 1e-4 * 0.3 ** k], `${name}: ${power(loss(w, data))}`, role, { dx: 4 });
      return `from the ${name} start to the loss ${power(loss(w, data))}`;
    });
  return `${state.t} steps of ${state.method} with step size ${power(state.eta)} and c = `
    + `${shown(state.c)}: ${said.join(", ")}.`;
};
