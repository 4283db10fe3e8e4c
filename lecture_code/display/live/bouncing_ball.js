// SGD towards the point nearest to a dozen others: its path, its average, its end, and the bound.
import { hash } from "./chance.js";
import { shown } from "./kit.js";

const RUNS = 32, POINTS = 13;
const away = ([a, b], [c, d]) => Math.hypot(a - c, b - d);
export const equal = true;
export const risk = (w, { cloud }) =>
  cloud.reduce((sum, z) => sum + away(w, z), 0) / cloud.length;
export const path = (start, step, run, { cloud, steps }) => {
  const points = [start], average = [0, 0];
  for (let t = 0, w = start; t < steps; t++) {
    const z = cloud[hash(t, 0, run) % cloud.length], r = away(w, z) || 1;
    w.forEach((v, i) => (average[i] += v / steps));
    points.push((w = w.map((v, i) => v - (step * (v - z[i])) / r)));
  }
  return { points, average };
};
// The least excess that theory allows at c times the best step, and the mean of many runs.
export const sides = (start, factor, data) => {
  const unit = away(start, data.best) / Math.sqrt(data.steps), least = risk(data.best, data);
  const runs = Array.from({ length: RUNS }, (_, k) => path(start, factor * unit, k + 1, data));
  const mean = f => runs.reduce((sum, one) => sum + risk(f(one), data) - least, 0) / RUNS;
  return {
    bound: (unit * (factor + 1 / factor)) / 2,
    average: mean(one => one.average),
    last: mean(one => one.points.at(-1)),
  };
};
export const hold = (state, { best }) => { // from the goal itself there is nowhere to go
  if (away(state.start, best) < 0.3) state.start = [best[0] + 0.3, best[1]];
};
const mark = (pen, at, name, role, shift) => { // out of the panel: at its edge, with an arrow
  const edge = [pen.x, pen.y].map(([low, high], i) => Math.min(high, Math.max(low, at[i])));
  const turn = Math.round((4 * Math.atan2(at[1] - edge[1], at[0] - edge[0])) / Math.PI);
  pen.dot(edge, role, 6);
  pen.label(edge, away(at, edge) ? `${name} ${"→↗↑↖←↙↓↘"[(turn + 8) % 8]}` : name, role, shift);
};
export const draw = (pen, { start, factor, run }, data) => {
  const unit = away(start, data.best) / Math.sqrt(data.steps), plot = pen.panels[1];
  const { points, average } = path(start, factor * unit, run, data), last = points.at(-1);
  const grid = Array.from({ length: POINTS }, (_, i) => 2 ** (i - (POINTS - 1) / 2));
  const curves = grid.map(c => [c, sides(start, c, data)]), now = sides(start, factor, data);
  for (const z of data.cloud) pen.dot(z, "data", 3);
  pen.curve(points, "bound", { width: 1 });
  pen.dot(data.best, "truth", 6);
  mark(pen, last, "last", "failure", { dx: 9, dy: 14 });
  mark(pen, average, "average", "estimate", { dx: 9, dy: -7 });
  for (const [key, role] of [["bound", "bound"], ["last", "failure"], ["average", "estimate"]]) {
    const dash = key === "bound" ? "5 3" : null;
    plot.curve(curves.map(([c, at]) => [c, at[key]]), role, { dash });
    plot.dot([factor, now[key]], role, 5);
  }
  for (const [k, key, role, dy] of [[3, "bound", "bound", -14], [8, "last", "failure", -8],
    [8, "average", "estimate", 18]]) {
    plot.label([curves[k][0], curves[k][1][key]], key, role, { dx: 0, dy });
  }
  return `At ${shown(factor)} times the step of the theorem the average of ${RUNS} runs is off by ${shown(now.average)}, the last point by ${shown(now.last)}; the bound allows ${shown(now.bound)}.`;
};
