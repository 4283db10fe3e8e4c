// A half-hidden digit as it is filled in, for the number of columns and the penalty chosen.
import { shown } from "./kit.js";

const ROWS = 8, HIDDEN = 0.22;
const FRAMES = [ // filled in, seen, whole
  [[0, 3.2], [2, 1.2]],
  [[0, 1.05], [0.95, 0.1]],
  [[1.05, 1.05], [2, 0.1]],
];
const CORNER = { dx: -6, dy: 16, anchor: "end" };
const nearest = (values, wanted, gap) =>
  values.reduce((best, v, i) => (gap(v, wanted) < gap(values[best], wanted) ? i : best), 0);
const ratio = (one, other) => Math.abs(Math.log(one / other));

// Where the dials stand among the fits that were computed: penalty, columns.
export const chosen = ({ lam, columns }, data) => [
  nearest(data.lams, lam, ratio),
  nearest(data.columns, columns, (one, other) => Math.abs(one - other)),
];
export const equal = true;
export const hold = (state, data) => {
  const [i, j] = chosen(state, data);
  [state.lam, state.columns] = [data.lams[i], data.columns[j]];
};
export const draw = (pen, state, data) => {
  const [i, j] = chosen(state, data), image = data.images[state.digit];
  const { truth, hidden, filled } = image, grey = { low: 0, high: 100 };
  const seen = truth.map((row, r) =>
    row.map((ink, c) => (hidden.includes(ROWS * r + c) ? 0 : ink)));
  [filled[i][j], seen, truth].forEach((rows, k) => pen.pixels(rows, ...FRAMES[k], grey));
  for (const k of hidden) {
    const side = 0.95 / ROWS, [x, y] = [(k % ROWS) * side, 1.05 - Math.floor(k / ROWS) * side];
    pen.rect([x, y], [x + side, y - side], "data", { fill: HIDDEN });
  }
  for (const [one, other] of FRAMES) pen.rect(one, other, "bound", { fill: 0, width: 1 });
  const [, left, right] = pen.panels;
  for (const [panel, values] of [[left, data.errors], [right, data.norms]]) {
    const line = k => values[k].map((value, l) => [data.columns[l], value]);
    values.forEach((_, k) => panel.curve(line(k), "bound", { width: 0.8 }));
    panel.curve(line(i), "estimate");
    panel.dot([data.columns[j], values[i][j]], "estimate", 6);
  }
  left.curve(left.x.map(x => [x, data.means]), "failure", { width: 1.5, dash: "5 4" });
  const error = data.errors[i][j], norm = data.norms[i][j];
  left.label([left.x[1], left.y[1]], `${error.toFixed(1)} %`, "estimate", CORNER);
  right.label([right.x[1], right.y[1]], norm.toFixed(0), "estimate", CORNER);
  const least = data.errors[i].indexOf(Math.min(...data.errors[i]));
  const best = j === least ? " No other number of columns does better at this penalty." : "";
  return `A half-hidden ${state.digit.split(" ")[1]}, filled in with ${data.columns[j]} columns`
    + ` and penalty ${shown(state.lam)}: the error on all hidden pixels is ${error.toFixed(1)} %`
    + ` of full ink, the trace norm ${norm.toFixed(0)}. Column means alone:`
    + ` ${data.means.toFixed(1)} %.${best}`;
};
