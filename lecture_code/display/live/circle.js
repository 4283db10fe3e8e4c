// Points on the circle, unrolled: a network trained on them, its linear model, and the limit.
import { dual, pace, solve, times, train } from "./descent.js";
import { shown } from "./kit.js";
import { apart, kernel, limits, onCircle, outputs, RING } from "./relu.js";

const NAMES = ["first", "second", "third", "fourth", "fifth"];
const HOW = { steps: 300, momentum: 0.9 };

export const start = ({ width }, { half }) => { // neurons in pairs that cancel
  const some = half.slice(0, Number(width) / 2);
  return [...some, ...some.map(([u, v, a]) => [u, v, -a])];
};
export const run = (state, data) => {
  const X = NAMES.map(name => onCircle(state[name][0])), y = NAMES.map(name => state[name][1]);
  const net = start(state, data), K = kernel(net, X, X), how = { ...HOW, step: pace(K) };
  const end = train(net, X, y, how).at(-1), all = RING.map(onCircle);
  const network = outputs(end, all), linear = times(kernel(net, all, X), dual(K, y, how));
  const regression = times(limits(all, X), solve(limits(X, X), y));
  const turned = RING.map(t => onCircle(state.first[0] + t - 180));
  const [before, after] = [net, end].map(at => kernel(at, X.slice(0, 1), turned)[0]);
  return { network, linear, regression, before, after, limit: limits(X.slice(0, 1), turned)[0] };
};
export const draw = (pen, state, data) => {
  const { network, linear, regression, before, after, limit } = run(state, data);
  const side = pen.panels[1], on = values => values.map((v, i) => [RING[i], v]);
  const from = values => values.map((v, i) => [RING[i] - 180, v]);
  pen.curve(on(regression), "truth", { width: 1.5, dash: "2 4" });
  pen.curve(on(linear), "measured", { dash: "7 4" });
  pen.curve(on(network), "estimate", { width: 2.5 });
  const [x, y] = [pen.x[0], pen.y[1]], [left, top] = [side.x[0], side.y[1]];
  pen.label([x, y], "network", "estimate", { dy: 16 });
  pen.label([x, y], "its linear model", "measured", { dy: 32 });
  pen.label([x, y], "kernel regression", "truth", { dy: 48 });
  side.curve(from(limit), "truth", { width: 1.5, dash: "2 4" });
  side.curve(from(before), "measured", { dash: "7 4" });
  side.curve(from(after), "estimate", { width: 2.5 });
  side.label([left, top], "after training", "estimate", { dy: 16 });
  side.label([left, top], "at the start", "measured", { dy: 32 });
  side.label([left, top], "width ∞", "truth", { dy: 48 });
  return `Width ${state.width}: on the circle, network and linear model differ by up to `
    + `${shown(apart(network, linear))}, linear model and kernel regression by up to `
    + `${shown(apart(linear, regression))}. Training changes the kernel by up to `
    + `${shown(apart(before, after))}.`;
};
