// A slope and a unit ball: the steepest step goes to where the ball reaches furthest down.
import { shown } from "./kit.js";

const SNAP = 0.06, TURNS = Array.from({ length: 361 }, (_, k) => (2 * Math.PI * k) / 360);
const sign = v => (v > 0 ? 1 : v < 0 ? -1 : 0);

export const equal = true;
export const idle = state => (state.ball === "paths" ? [] : ["c"]);
export const hold = state => { // the axes are easily met, and the slope never vanishes
  const [p, q] = state.slope.map(v => (Math.abs(v) < SNAP ? 0 : v));
  state.slope = p || q ? [p, q] : [SNAP, 0];
};
// The weights of a chain of two, (c, 1/c): kappa of each is the square of the other.
const axes = ({ c }) => [c, 1 / c];
export const size = (state, [p, q]) => {
  const [a, b] = axes(state);
  return { "ℓ₁": Math.abs(p) + Math.abs(q), "ℓ₂": Math.hypot(p, q),
    "ℓ∞": Math.max(Math.abs(p), Math.abs(q)), paths: Math.hypot(p / a, q / b) }[state.ball];
};
// The move of size one that goes down fastest.
export const step = state => {
  const [p, q] = state.slope, [a, b] = axes(state), round = Math.hypot(p, q);
  const long = Math.hypot(a * p, b * q);
  return { "ℓ₁": Math.abs(p) >= Math.abs(q) ? [-sign(p), 0] : [0, -sign(q)],
    "ℓ₂": [-p / round, -q / round], "ℓ∞": [-sign(p), -sign(q)],
    paths: [(-a * a * p) / long, (-b * b * q) / long] }[state.ball];
};
export const draw = (pen, state) => {
  const [p, q] = state.slope, move = step(state), down = -(p * move[0] + q * move[1]);
  const ball = TURNS.map(turn => {
    const way = [Math.cos(turn), Math.sin(turn)], long = size(state, way);
    return way.map(v => v / long);
  });
  const long = Math.hypot(p, q);
  for (const k of [-3, -2, -1, 0, 1, 2, 3]) { // level lines of the linear model
    const at = [(k * p) / long / 1.2, (k * q) / long / 1.2];
    pen.curve([-9, 9].map(s => [at[0] - (s * q) / long, at[1] + (s * p) / long]), null,
      { width: 0.6, dash: "2 4" });
  }
  pen.curve(ball, "bound", { width: 2, fill: 0.15 });
  pen.curve([-9, 9].map(s => [move[0] - (s * q) / long, move[1] + (s * p) / long]), "estimate",
    { width: 1.4, dash: "6 3" });
  pen.curve([[0, 0], [-p, -q]], "data", { width: 1.6, dash: "3 3" });
  pen.curve([[0, 0], state.slope], "data", { width: 2.2 });
  pen.curve([[0, 0], move], "estimate", { width: 4 });
  pen.dot(move, "estimate", 6);
  pen.label(state.slope, "slope", "data", { dx: 16 });
  // The corner highest on the slope is free of the step; where the slope itself is, the next one.
  const corners = pen.y.flatMap(v => pen.x.map(u => [u, v]))
    .sort((one, two) => p * (two[0] - one[0]) + q * (two[1] - one[1]));
  const [u, v] = corners[Number(Math.abs(q) > pen.y[1] - 0.7)];
  pen.label([u, v], `step: down by ${shown(down)}`, "estimate",
    { dx: u > 0 ? -6 : 6, dy: v > 0 ? 16 : -8, anchor: u > 0 ? "end" : "start" });
  return `The slope is (${state.slope.map(shown).join(", ")}). In the ball ${state.ball} the `
    + `steepest step is (${move.map(shown).join(", ")}); it goes down by ${shown(down)}.`;
};
