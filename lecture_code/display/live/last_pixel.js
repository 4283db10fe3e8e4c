// Each sample meets half of the pixels: what those never met do to the empirical minimiser, and SGD.
import { hash } from "./chance.js";
import { shown } from "./kit.js";

const length = w => Math.sqrt(w.reduce((sum, v) => sum + v * v, 0));
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
// The averaged point of one pass of SGD over the first m masks, and a bound on its excess.
export const pass = (sample, pull) => {
  const m = sample.length, d = sample[0].length, total = new Float64Array(d);
  const step = 1 / ((1 + (4 * pull) / Math.sqrt(d)) * Math.sqrt(m));
  const dual = new Float64Array(d).fill(d ** -0.5);
  for (const mask of sample) {
    const shrink = Math.max(1, length(dual)), w = dual.map(v => v / shrink);
    const met = length(w.map((v, i) => v * mask[i])) || 1;
    for (let i = 0; i < d; i++) {
      total[i] += w[i] / m;
      dual[i] -= step * ((mask[i] * w[i]) / met + ((2 * pull) / d) * (w[i] - 1));
    }
  }
  return total;
};
export const atMost = (w, pull) =>
  length(w) / Math.SQRT2 + (pull / w.length) * length(w.map(v => v - 1)) ** 2 - pull;

export const draw = (pen, { samples, size, luck }, { pull }) => {
  const side = parseInt(size), d = side * side, drawn = masks(samples, d, luck);
  const alive = new Array(d).fill(1), left = [d], plot = pen.panels[1];
  for (const mask of drawn) {
    mask.forEach((bit, i) => bit && (alive[i] = 0));
    left.push(alive.reduce((sum, v) => sum + v, 0));
  }
  const rows = Array.from({ length: side }, (_, i) => alive.slice(i * side, (i + 1) * side));
  const erm = left.map((k, m) => [m, excess(k, d, pull)]);
  const sgd = drawn.map((_, m) => [m + 1, atMost(pass(drawn.slice(0, m + 1), pull), pull)]);
  const bound = Array.from({ length: 191 }, (_, i) => 1 + i / 10)
    .map(m => [m, (1 + (4 * pull) / side) / Math.sqrt(m)]);
  pen.rect([0, 0], [1, 1], "bound", { fill: 0.1, width: 1 });
  pen.pixels(rows, [0, 1], [1, 0], { role: "failure" });
  plot.curve(bound, "bound", { width: 1.5, dash: "5 3" });
  plot.label([20, 0.3], "bound for SGD", "bound", { dx: 0, anchor: "end" });
  const lines = [[erm, "failure", "perfect fit", -8], [sgd, "estimate", "SGD", 16]];
  const flip = samples < 15 ? {} : { dx: -6, anchor: "end" };
  for (const [path, role, name, dy] of lines) {
    plot.curve(path, role);
    for (const at of path) plot.dot(at, role, 3.5);
    if (path.length) plot.label(path.at(-1), name, role, { dy, ...flip });
  }
  const [lost, most] = [erm.at(-1)[1], sgd.at(-1)?.[1]], tail = samples ? `, SGD by at most ${shown(most)}` : "";
  return `After ${samples} samples ${left.at(-1)} of ${d} pixels have never been met. The empirical minimiser is off by ${shown(lost)}${tail}.`;
};
