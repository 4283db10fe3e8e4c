// Forty neurons in the plane, trained at a scale of the model: from rich to lazy.
import { solve, times, train } from "./descent.js";
import { power, shown } from "./kit.js";
import { apart, kernel, onCircle, outputs, RING } from "./relu.js";

const EVERY = 30, LABELLED = ["network", "linear model, fully trained"];
export const run = ({ alpha, steps }, { net, degrees, y, step }) => {
  const X = degrees.map(onCircle), all = RING.map(onCircle), K = kernel(net, X, X);
  const how = { step: step * Math.min(1, alpha), scale: alpha, momentum: 0.5, every: EVERY };
  const path = train(net, X, y, { ...how, steps }), end = path.at(-1);
  const linear = times(kernel(net, all, X), solve(K, y));
  return { path, network: outputs(end, all).map(v => alpha * v), linear };
};
const size = rows => Math.sqrt(rows.flat().reduce((total, v) => total + v * v, 0));
export const moved = (net, end) =>
  size(end.map((row, r) => row.map((v, k) => v - net[r][k]))) / size(net);
const seat = ([u, v, a]) => { // its direction, and its strength |a| |w| on a logarithmic scale
  const long = Math.hypot(u, v) || 1, far = Math.log2(1 + Math.abs(a) * long);
  return [(far * u) / long, (far * v) / long];
};
export const equal = true;
export const draw = (pen, state, data) => {
  const { path, network, linear } = run(state, data), end = path.at(-1), side = pen.panels[1];
  for (const t of data.degrees)
    pen.curve([[0, 0], onCircle(t).map(v => 9 * v)], "data", { width: 1, dash: "2 5" });
  data.net.forEach((row, r) => {
    const role = end[r][2] > 0 ? "estimate" : "failure";
    pen.curve(path.map(net => seat(net[r])), role, { width: 1 });
    pen.dot(seat(row), "bound", 2);
    pen.dot(seat(end[r]), role, 4.5);
  });
  pen.label([pen.x[0], pen.y[1]], "a > 0", "estimate", { dy: 16 });
  pen.label([pen.x[0], pen.y[1]], "a < 0", "failure", { dy: 32 });
  const on = values => values.map((v, i) => [RING[i], v]);
  side.curve(on(network), "estimate", { width: 2.5 });
  side.curve(on(linear), "measured", { dash: "7 4" });
  data.degrees.forEach((t, i) => side.dot([t, data.y[i]], "data", 5.5));
  LABELLED.forEach((text, i) =>
    side.label([0, side.y[1]], text, ["estimate", "measured"][i], { dy: 11 + 14 * i }));
  const gap = apart(network, linear), fit = apart(
    outputs(end, data.degrees.map(onCircle)).map(v => v * state.alpha), data.y);
  return `Scale ${power(state.alpha)}, ${state.steps} steps: the neurons have moved by `
    + `${shown(moved(data.net, end))} times their first length. The network misses its labels by `
    + `up to ${shown(fit)} and differs from its fully trained linear model by up to ${shown(gap)}.`;
};
