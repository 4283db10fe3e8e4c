// Two ReLU units on the plane: the function, and three norms as one unit is rescaled.
import { power, shown } from "./kit.js";

const GRID = 44, HIGH = 3, SNAP = 0.12, FLAT = 1e-9, UNITS = ["first", "second"];
const over = (low, high, count) => Array.from({ length: count }, (_, i) =>
  low + ((i + 0.5) * (high - low)) / count);

export const equal = true;
export const hold = state => { // equal units and opposite weights are easily met
  const [p, q] = UNITS.map(name => state[name]);
  if (Math.hypot(p[0] - q[0], p[1] - q[1]) < SNAP) state.second = [...p];
  if (Math.abs(state.v1 + state.v2) < SNAP) state.v2 = -state.v1;
};
// The weights of a 2-2-1 network, the first unit rescaled by c; input layer first.
export const weights = ({ first, second, v1, v2, c }) =>
  [c * first[0], c * first[1], ...second, v1 / c, v2];
export const output = (w, [x, y]) => w[4] * Math.max(0, w[0] * x + w[1] * y)
  + w[5] * Math.max(0, w[2] * x + w[3] * y);
export const norms = w => {
  const paths = [w[0] * w[4], w[1] * w[4], w[2] * w[5], w[3] * w[5]];
  const sum = paths.reduce((total, value) => total + Math.abs(value), 0);
  return [Math.hypot(...w), sum, Math.hypot(...paths)];
};
export const draw = (pen, state) => {
  const w = weights(state), [left, right] = pen.x, [low, high] = pen.y;
  const rows = over(high, low, GRID).map(y => over(left, right, GRID).map(x => output(w, [x, y])));
  pen.pixels(rows, [left, high], [right, low], { high: HIGH, role: "estimate" });
  pen.pixels(rows.map(row => row.map(v => -v)), [left, high], [right, low],
    { high: HIGH, role: "failure" });
  UNITS.forEach((name, j) => {
    const [p, q] = state[name], far = 9 / Math.max(0.1, Math.hypot(p, q));
    pen.curve([[-q * far, p * far], [q * far, -p * far]], null, { width: 1, dash: "4 3" });
    pen.curve([[0, 0], [p, q]], "truth", { width: 2.5 });
    pen.label([p, q], `unit ${j + 1}`, "truth", { dx: 16, dy: j ? 16 : -8 });
  });
  const side = pen.panels[1], at = norms(w), turns = over(-2, 2, 80).map(e => 10 ** e);
  const all = turns.map(c => [c, norms(weights({ ...state, c }))]);
  const name = ["‖W‖₂", "φ₁", "φ₂"], role = ["failure", "bound", "estimate"];
  [0, 1, 2].forEach(k => {
    side.curve(all.map(([c, found]) => [c, Math.max(found[k], 0.01)]), role[k],
      { width: 2.2, dash: [null, "7 3", "2 3"][k] });
    side.dot([state.c, Math.max(at[k], 0.01)], role[k], 5);
    side.label([0.01, 10 ** (2.72 - 0.25 * k)], `${name[k]} = ${power(at[k])}`, role[k],
      { dx: 28 });
  });
  const dead = rows.flat().every(v => Math.abs(v) < FLAT);
  if (dead)
    pen.label([0, high], "f = 0 everywhere", null, { dx: 0, dy: 16, anchor: "middle" });
  const [one, two] = UNITS.map(unit => `(${state[unit].map(shown).join(", ")})`);
  return `Unit 1 is ${one} and its outgoing weight ${shown(state.v1)}, rescaled by `
    + `${power(state.c)}; unit 2 is ${two} with ${shown(state.v2)}. The size of the weights is `
    + `${power(at[0])}, φ₁ is ${power(at[1])}, φ₂ is ${power(at[2])}.`
    + (dead ? " The function is zero everywhere." : "");
};
