// A matrix of signs with holes, and gradient descent that fills them in.
import { descend, errors } from "./fill.js";
import { shown } from "./kit.js";

export { descend, errors };
const SIDE = 1.5; // of the plane in which the start lies
const PLACES = { seen: [-5.1, 2.1], truth: [-1.5, 2.1], estimate: [-5.1, -1.5] };
const shade = value => 0.55 + 0.4 * Math.max(-1, Math.min(1, value)); // a hole has none

export const equal = true;
export const hold = state => {
  state.start = state.start.map(v => Math.min(SIDE, Math.max(-SIDE, v)));
};
export const draw = (pen, state, data) => {
  const { signs, levels, order } = data, { p, t } = state, graph = pen.panels[1];
  const points = descend(state.start, p, data), u = points[Math.round(t)];
  const grid = tell => order.map(i => order.map(j => tell(i, j)));
  const image = (name, role, tell) => {
    const [x, y] = PLACES[name];
    pen.pixels(grid(tell), [x, y], [x + 3, y + 3], { role });
    pen.rect([x, y], [x + 3, y + 3], "bound", { fill: 0, width: 1 });
    pen.label([x, y + 3], name, null, { dx: 0, dy: -4 });
  };
  const wrong = (i, j) => u[i] * u[j] * signs[i] * signs[j] < 0;
  image("truth", "truth", (i, j) => shade(signs[i] * signs[j]));
  image("seen", "truth", (i, j) => (levels[i][j] <= p ? shade(signs[i] * signs[j]) : 0));
  image("estimate", "truth", (i, j) => (levels[i][j] <= p ? shade(u[i] * u[j]) : 0));
  for (const [role, bad] of [["estimate", false], ["failure", true]])
    image("estimate", role, (i, j) =>
      (levels[i][j] > p && wrong(i, j) === bad ? shade(u[i] * u[j]) : 0));
  pen.rect([-SIDE, -SIDE], [SIDE, SIDE], "bound", { fill: 0.08, width: 1 });
  for (const side of [-1, 1]) pen.dot([side, 0], "truth", 5);
  pen.label([-SIDE, SIDE], "start", null, { dx: 0, dy: -4 });
  const course = points.slice(0, Math.round(t) + 1).map(v => errors(v, p, data));
  const [seen, hidden] = course.at(-1).map(shown);
  const holes = levels.flat().filter(level => level > p).length;
  const lines = [[0, "truth", "error, seen"], [1, "estimate", "error, never seen"]];
  for (const [k, role, name] of lines.slice(0, holes ? 2 : 1)) {
    const line = course.map((pair, i) => [i, Math.max(pair[k], graph.y[0])]);
    graph.curve(line, role, { width: 2.5 });
    graph.label(line.at(-1), name, role, t > 300 ? { dx: -6, dy: -8, anchor: "end" } : { dy: -8 });
  }
  const bad = signs.flatMap((_, i) => signs.map((__, j) => levels[i][j] > p && wrong(i, j)));
  const rest = holes ? ` and ${hidden} on those never seen; ${bad.filter(Boolean).length} of these `
    + "have the wrong sign." : "; no cell is unseen.";
  return `${576 - holes} of 576 cells are seen. From the start (${state.start.map(shown).join(", ")}),`
    + ` after ${Math.round(t)} steps, the error is ${seen} on the cells seen${rest}`;
};
