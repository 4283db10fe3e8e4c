// One equation <a, w> = y: where five methods go, and where balls touch the line or the plane.
import { shown } from "./kit.js";
import { add, dot, ends, equation, nearest, norms, run, together, ZERO } from "./solutions.js";
import { frame as seen, outlines, plane, UNITS } from "./space.js";

const [SHORTEST, SNAP, DOTS, WEIGHT] = [0.7, 0.08, 50, 1]; // of the third unknown
const three = state => state.unknowns === "three", frame = state => seen(three(state), state.turn);
const all = (state, name) => // what can be dragged are the first two
  [...state[name], three(state) ? (name === "start" ? state.third : WEIGHT) : 0];
const tried = new WeakMap(); // of the states of figures: the algorithms chosen so far
const given = (state, { target }) => [all(state, "example"), target, all(state, "start")];

export const equal = true;
export const idle = state => (three(state) ? [] : ["turn", "third"]);
export const hold = state => { // an axis is easily met, and the line stays in sight
  const [p, q] = state.example.map(v => (Math.abs(v) < SNAP ? 0 : v));
  const longer = Math.max(1, SHORTEST / Math.hypot(p, q));
  state.example = p || q ? [p * longer, q * longer] : [SHORTEST, 0];
};
export const where = (state, name) => frame(state).map(e => dot(e, all(state, name)));
export const drop = (state, name, [x, y]) => { // the third unknown stays
  const [u, v] = frame(state), r = all(state, name)[2], p = (x - u[2] * r) / u[0];
  state[name] = [p, (y - v[0] * p - v[2] * r) / v[1]];
};
export const path = (state, data) => run(...given(state, data), state.method);
export const touching = (state, data) => nearest(...given(state, data), state.ball);
export const draw = (pen, state, data) => {
  const [a, target, start] = given(state, data), flat = w => frame(state).map(e => dot(e, w));
  const points = path(state, data), touch = touching(state, data);
  tried.set(state, (tried.get(state) ?? new Set()).add(state.method));
  const full = norms[state.ball](add(touch, [-1, start])), radius = Math.min(state.radius, full);
  const space = three(state), at = w => `(${w.slice(0, space ? 3 : 2).map(shown).join(", ")})`;
  UNITS.slice(0, space ? 3 : 2).forEach((e, i) => {
    pen.curve([-2, 2].map(k => flat(add(ZERO, [k, e]))), "bound", { width: 1 });
    for (const k of [-2, -1, 1, 2]) pen.dot(flat(add(ZERO, [k, e])), "bound", 2);
    pen.label(flat(e), "1", "bound", { dx: 4, dy: 14 });
    pen.label(flat(add(ZERO, [2, e])), "w" + "₁₂₃"[i], "bound", { dx: 5, dy: i ? 4 : -7 });
  });
  for (const shell of outlines(state.ball, space, frame(state)))
    pen.curve(shell.map(v => flat(add(start, [radius, v]))), "bound",
      { width: 1.5, dash: "5 3", fill: space ? 0.05 : 0.12 });
  pen.curve(plane(a, target, space).map(flat), "data", { width: 2.5, fill: space ? 0.12 : 0 });
  pen.curve([ZERO, a].map(flat), "data", { width: 1.5 });
  pen.curve(points.map(flat), "estimate");
  for (const point of points.slice(1, DOTS)) pen.dot(flat(point), "estimate", 2.5);
  if (radius === full) pen.dot(flat(touch), "bound", 8);
  for (const { at: w, names } of ends(given(state, data), tried.get(state))) {
    const mine = names.includes(state.method), high = flat(w)[1] > flat(points.at(-1))[1];
    pen.dot(flat(w), "estimate", mine ? 5.5 : 4);
    [together(names), mine ? at(w) : ""].forEach((text, i) => pen.label(flat(w), text, "estimate",
      mine ? { dx: 10, dy: 16 * i - 24 } : { dx: -10, dy: high ? -6 : 18, anchor: "end" }));
  }
  pen.label(flat(start), "start", "truth", { dx: 0, dy: 28, anchor: "middle" });
  const kind = space ? "plane" : "line", sum = equation(a.slice(0, space ? 3 : 2), target);
  pen.label(flat(a), "data", "data", { dx: 16 });
  pen.label([pen.x[0], pen.y[0]], sum, "data", { dx: 6, dy: -8 });
  const m = radius === full ? `touches the ${kind} at ${at(touch)}` : `does not reach the ${kind}`;
  return `The solutions of ${sum} form a ${kind}. From the start ${at(start)}, ${
    state.method} ends at ${at(points.at(-1))}. The ${state.ball} ball around the start ${m}.`;
};
