// Each sample meets half of the pixels: what those never met do to a perfect fit and to SGD.
import { hash } from "./chance.js";
import { shown } from "./kit.js";
const length = w => Math.sqrt(w.reduce((sum, v) => sum + v * v, 0));
const slope = (d, pull) => 1 + (4 * pull) / Math.sqrt(d); // the largest
export const equal = true;
export const masks = (m, d, seed) => Array.from({ length: m }, (_, t) =>
  Float64Array.from({ length: d }, (_, i) => hash(t, i, seed) & 1));
// The excess of the empirical minimiser if k of d pixels were never met.
export const excess = (k, d, pull) => {
  if (!k) return 0;
  let chance = -k * Math.LN2, root = 0; // logarithm of the chance of j heads in k tosses
  for (let j = 1; j <= k; j++) {
    chance += Math.log((k - j + 1) / j);
    root += Math.exp(chance) * Math.sqrt(j / k);
  }
  return root + (pull / d) * (1 - 2 * Math.sqrt(k));
};
// The averaged point of one pass of SGD over masks, and a bound on its excess.
export const pass = (sample, pull) => {
  const m = sample.length, d = sample[0].length, total = new Float64Array(d);
  const step = 1 / (slope(d, pull) * Math.sqrt(m));
  const dual = new Float64Array(d).fill(d ** -0.5);
  for (const mask of sample) {
    const shrink = Math.max(1, length(dual)), w = dual.map(v => v / shrink);
    const met = length(w.map((v, i) => v * mask[i])) || 1;
    w.forEach((v, i) => {
      total[i] += v / m;
      dual[i] -= step * ((mask[i] * v) / met + ((2 * pull) / d) * (v - 1));
    });
  }
  return total;
};
export const atMost = (w, pull) =>
  length(w) / Math.SQRT2 + (pull / w.length) * length(w.map(v => v - 1)) ** 2 - pull;
const kept = {}, once = (drawn, pull) => atMost(pass(drawn, pull), pull); // they take a while
export const draw = (pen, { samples, size, luck }, { pull }) => {
  const side = parseInt(size), d = side * side, drawn = masks(samples, d, luck);
  const died = Array.from({ length: d }, (_, i) => drawn.findIndex(mask => mask[i]));
  const left = [-1, ...drawn.keys()].map(m => died.filter(at => at < 0 || at > m).length);
  const row = (_, i) => died.slice(i * side, (i + 1) * side).map(at => +(at < 0));
  const rows = Array.from({ length: side }, row), plot = pen.panels[1];
  const erm = left.map((k, m) => [m, excess(k, d, pull)]);
  const sgd = drawn.map((_, m) =>
    [m + 1, kept[[d, luck, m]] ??= once(drawn.slice(0, m + 1), pull)]);
  const bound = Array.from({ length: 172 }, (_, i) => [1 + i / 9, slope(d, pull) / (1 + i / 9) ** 0.5]);
  pen.rect([0, 0], [1, 1], "bound", { fill: 0.1, width: 1 });
  pen.pixels(rows, [0, 1], [1, 0], { role: "failure" });
  plot.curve(bound, "bound", { width: 1.5, dash: "5 3" });
  plot.label([20, 0.3], "bound for SGD", "bound", { dx: 0, anchor: "end" });
  const flip = samples < 15 ? {} : { dx: -6, anchor: "end" };
  const curve = (path, role, name, dy) => {
    plot.curve(path, role);
    for (const at of path) plot.dot(at, role, 3.5);
    if (path.length) plot.label(path.at(-1), name, role, { dy, ...flip });
  };
  curve(erm, "failure", "perfect fit", -8);
  curve(sgd, "estimate", "SGD", 16);
  const tail = samples ? `, SGD by at most ${shown(sgd.at(-1)[1])}` : "";
  return `After ${samples} samples ${left.at(-1)} of ${d} pixels have never been met. The empirical minimiser is off by ${shown(erm.at(-1)[1])}${tail}.`;
};
