// A broken line with corners to drag, and its least-squares fit by a Gaussian kernel of some norm.
import { shown } from "./kit.js";
const NAMES = ["first", "second", "third"], APART = 0.05, LIFT = 0.22, HIGHEST = 1, TINY = 1e-9;
const places = (state, [from, to]) =>
  [from, ...NAMES.map(name => state[name]), to].sort((a, b) => a[0] - b[0]);
const slopes = at => at.slice(1).map(([x, y], k) => (y - at[k][1]) / (x - at[k][0]));

// A handle hangs above its corner, which stays in sight.
export const where = (state, name) => [state[name][0], state[name][1] + LIFT];
export const drop = (state, name, [x, y]) => (state[name] = [x, y - LIFT]);
export const hold = (state, { ends: [from, to] }) => { // no two corners above each other
  const sorted = NAMES.map(name => state[name]).sort((a, b) => a[0] - b[0]);
  sorted.reduce((last, at, k) => (at[1] = Math.min(HIGHEST, at[1]),
    at[0] = Math.min(to[0] - (3 - k) * APART, Math.max(at[0], last + APART))), from[0]);
};
// The outer weights of the ReLUs, in size: the first slope and the jumps of the slope.
export const weight = (state, { ends }) => slopes(places(state, ends))
  .reduce(([sum, last], s) => [sum + Math.abs(s - last), s], [0, 0])[0];
export const problem = (state, { grid, width, ends }) => {
  const at = places(state, ends), slope = slopes(at);
  const piece = x => at.slice(1).findIndex(corner => corner[0] >= x);
  const f = x => at[piece(x)][1] + slope[piece(x)] * (x - at[piece(x)][0]);
  const near = (a, b) => Math.exp(-(((a - b) / width) ** 2) / 2);
  return { y: grid.map(f), K: grid.map(a => grid.map(b => near(a, b))) };
};
// (K + mu I) a = y by elimination, then the fit K a, its norm and root mean square error, not 0.
const ridge = ({ K, y }, mu) => {
  const n = y.length, rows = K.map((row, i) => [...row, y[i]]), a = y.slice();
  rows.forEach((row, i) => {
    row[i] += mu;
    for (let j = i + 1; j < n; j++) {
      const factor = rows[j][i] / row[i];
      for (let k = i; k <= n; k++) rows[j][k] -= factor * row[k];
    }
  });
  const known = i => rows[i].reduce((sum, v, k) => (k > i && k < n ? sum + v * a[k] : sum), 0);
  for (let i = n; i--;) a[i] = (rows[i][n] - known(i)) / rows[i][i];
  const g = y.map((v, i) => v - mu * a[i]), sum = of => a.reduce((s, v, i) => s + v * of[i], 0);
  return { g, norm: sum(g) ** 0.5 || TINY, error: mu * (sum(a) / n) ** 0.5 || TINY };
};
export const best = (task, norm) => { // as kernels.best_of_norm
  let [low, high] = [-10, 6];
  for (let step = 0; step < 40; step++) {
    const middle = (low + high) / 2;
    [low, high] = ridge(task, 10 ** middle).norm > norm ? [middle, high] : [low, middle];
  }
  return ridge(task, 10 ** high);
};
export const draw = (pen, state, data) => {
  const task = problem(state, data), same = weight(state, data) || TINY, cost = pen.panels[1];
  const found = best(task, same * state.times);
  const path = Array.from({ length: 25 }, (_, k) => ridge(task, 10 ** (-10 + k / 2)));
  pen.curve(places(state, data.ends), "truth", { width: 2.5 });
  pen.curve(data.grid.map((x, i) => [x, found.g[i]]), "estimate", { dash: "6 3" });
  cost.curve(path.map(({ norm, error }) => [norm, error]), "estimate");
  cost.curve([[same, cost.y[0]], [same, cost.y[1]]], "truth", { width: 1.5, dash: "4 3" });
  cost.dot([found.norm, found.error], "estimate", 6);
  return `Four ReLUs of norm ${shown(same)} draw the broken line exactly. The least-squares `
    + `fit of norm ${shown(found.norm)} is off by ${found.error.toFixed(4)} in root mean square.`;
};
