// Each sample meets half of the pixels: what those never met do to a perfect fit and to SGD.
import { masks } from "./chance.js";
import { shown } from "./kit.js";
const length = w => Math.sqrt(w.reduce((sum, v) => sum + v * v, 0));
const slope = (d, pull) => 1 + (4 * pull) / Math.sqrt(d); // the largest
const NAMES = [[0.75, "perfect fit", "failure"], [0.3, "bound for SGD", "bound"],
  [0.08, "SGD", "estimate"]];
export const equal = true;
export { masks };
// The excess of the empirical minimiser if k of d pixels were never met.
export const excess = (k, d, pull) => {
  if (!k) return 0;
  let chance = -k * Math.LN2, root = 0; // logarithm of the chance of j heads in k tosses
  for (let j = 1; j <= k; j++) {
    root += Math.exp((chance += Math.log((k - j + 1) / j))) * Math.sqrt(j / k);
  }
  return root + (pull / d) * (1 - 2 * Math.sqrt(k));
};
// The averaged point of one pass of SGD, and a bound on its excess.
export const pass = (sample, pull) => {
  const m = sample.length, d = sample[0].length, step = 1 / (slope(d, pull) * Math.sqrt(m));
  const dual = new Float64Array(d).fill(d ** -0.5), total = new Float64Array(d);
  for (const mask of sample) {
    let size = 0, met = 0;
    for (let i = 0; i < d; i++) {
      size += dual[i] ** 2;
      met += mask[i] * dual[i] ** 2;
    }
    const shrink = Math.max(1, Math.sqrt(size)), norm = Math.sqrt(met) || 1;
    for (let i = 0; i < d; i++) {
      const w = dual[i] / shrink;
      total[i] += w / m;
      dual[i] -= step * ((mask[i] * dual[i]) / norm + ((2 * pull) / d) * (w - 1));
    }
  }
  return total;
};
export const atMost = (w, pull) =>
  length(w) / Math.SQRT2 + (pull / w.length) * length(w.map(v => v - 1)) ** 2 - pull;
const kept = {}, once = (drawn, pull) => atMost(pass(drawn, pull), pull); // they take a while
export const draw = (pen, { samples, size, luck }, { pull }) => {
  const side = parseInt(size), d = side ** 2, drawn = masks(samples, d, luck), top = slope(d, pull);
  const died = Array.from({ length: d }, (_, i) => drawn.findIndex(mask => mask[i]));
  const left = [-1, ...drawn.keys()].map(m => died.filter(at => at < 0 || at > m).length);
  const row = (_, i) => died.slice(i * side, (i + 1) * side).map(at => +(at < 0));
  const rows = Array.from({ length: side }, row), plot = pen.panels[1];
  const erm = left.map((k, m) => [m, excess(k, d, pull)]);
  const sgd = drawn.map((_, m) =>
    [m + 1, kept[[d, luck, m]] ??= once(drawn.slice(0, m + 1), pull)]);
  const bound = Array.from({ length: 77 }, (_, i) => 1 + i / 4).map(m => [m, top / Math.sqrt(m)]);
  pen.rect([0, 0], [1, 1], "bound", { fill: 0.1, width: 1 });
  pen.pixels(rows, [0, 1], [1, 0], { role: "failure" });
  plot.curve(bound, "bound", { width: 1.5, dash: "5 3" });
  for (const [path, role] of [[erm, "failure"], [sgd, "estimate"]]) {
    plot.curve(path, role);
    for (const at of path) plot.dot(at, role, 3.5);
  }
  for (const [y, text, role] of NAMES) plot.label([20, y], text, role, { dx: 0, anchor: "end" });
  return `After ${samples} samples ${left.at(-1)} of ${d} pixels have never been met. The empirical minimiser is off by ${shown(erm.at(-1)[1])}${samples ? `, SGD by at most ${shown(sgd.at(-1)[1])}` : ""}.`;
};
