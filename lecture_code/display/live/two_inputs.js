// Two inputs on the circle: which neurons tell them apart, and the least eigenvalue of the kernel.
import { shown } from "./kit.js";
import { kernel, limit, onCircle } from "./relu.js";

const FIRST = [1, 0];
export const equal = true;
export const hold = state => { // on the upper half of the circle
  const [x, y] = state.second, long = Math.hypot(x, y), up = Math.max(0, y);
  state.second = long && (up || x < 0) ? [x, up].map(v => v / Math.hypot(x, up)) : [1, 0];
};
export const angle = ({ second: [x, y] }) => Math.atan2(y, x);
export const sides = (state, { neurons }) => neurons.slice(0, state.m).map(([u, v]) =>
  [FIRST, state.second].filter(([x, y]) => u * x + v * y > 0).length);
export const least = (state, { neurons }) => {
  const both = [FIRST, state.second];
  const [[a, b], [, d]] = kernel(neurons.slice(0, state.m), both, both);
  return (a + d) / 2 - Math.hypot((a - d) / 2, b);
};
export const limiting = delta => 0.5 + 0.5 - Math.abs(limit(delta));
const degrees = Array.from({ length: 91 }, (_, i) => 2 * i);
export const draw = (pen, state, data) => {
  const delta = angle(state), turn = (delta * 180) / Math.PI, side = pen.panels[1];
  const count = sides(state, data), apart = count.filter(n => n === 1).length;
  const arc = (low, high, r) => Array.from({ length: 61 }, (_, i) =>
    onCircle(low + ((high - low) * i) / 60).map(v => r * v));
  for (const low of [90, 270])
    pen.curve([[0, 0], ...arc(low, low + turn, 1), [0, 0]], "failure", { width: 0, fill: 0.2 });
  pen.curve(arc(0, 360, 1), "bound", { width: 1 });
  data.neurons.slice(0, state.m).forEach(([u, v], r) => {
    const at = [u, v].map(c => (1.2 * c) / Math.hypot(u, v)), one = count[r] === 1;
    pen.dot(at, one ? "failure" : "bound", one ? 4 : 2);
  });
  pen.curve([[0, 0], FIRST], "data", { width: 2.5 });
  pen.curve([[0, 0], state.second], "data", { width: 2.5 });
  pen.label([0.55, 0], "x", "data", { dx: 0, dy: 16 });
  pen.label(state.second.map(v => 0.45 * v), "x′", "data", { dx: 8, dy: -6 });
  side.curve(degrees.map(t => [t, (t * Math.PI) / 180 / (2 * Math.PI)]), "bound", { dash: "5 4" });
  side.label([95, 0.264], "δ/2π", "bound", { dx: 6, dy: 22 });
  side.curve(degrees.map(t => [t, limiting((t * Math.PI) / 180)]), "truth");
  side.dot([turn, limiting(delta)], "truth", 4);
  side.dot([turn, least(state, data)], "estimate", 6);
  side.label([0, side.y[1]], "width ∞", "truth", { dy: 18 });
  side.label([0, side.y[1]], `these ${state.m} neurons`, "estimate", { dy: 36 });
  return `Two inputs ${shown(turn)} degrees apart. Of ${state.m} neurons ${apart} are active on `
    + `exactly one of them. Least eigenvalue ${shown(least(state, data))}, at infinite width `
    + `${shown(limiting(delta))}.`;
};
