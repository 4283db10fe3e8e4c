// Three examples in the plane: the largest margin in three norms, and steepest descent towards it.
const dot = ([p, q], [r, s]) => p * r + q * s;
const sum = values => values.reduce((total, value) => total + value, 0);
const spread = v => Math.abs(v[0]) + Math.abs(v[1]), top = v => Math.max(...v.map(Math.abs));
export const norms = { "ℓ₁": spread, "ℓ₂": v => Math.hypot(...v), "ℓ∞": top };
const duals = { "ℓ₁": top, "ℓ₂": norms["ℓ₂"], "ℓ∞": spread };
const steepest = { // of norm 1
  "ℓ₁": g => (Math.abs(g[0]) >= Math.abs(g[1]) ? [Math.sign(g[0]), 0] : [0, Math.sign(g[1])]),
  "ℓ₂": g => g.map(v => v / Math.hypot(...g)),
  "ℓ∞": g => g.map(Math.sign),
};
export const margin = (Z, w) => Math.min(...Z.map(z => dot(z, w)));

// The largest one lies at a corner of the ball, along an example, or where two examples tie.
export const best = (Z, kind) => {
  const corners = [[1, 0], [0, 1], [1, 1], [1, -1]];
  const ties = [[0, 1], [0, 2], [1, 2]].map(([i, j]) => [Z[j][1] - Z[i][1], Z[i][0] - Z[j][0]]);
  const all = [...corners, ...Z, ...ties].filter(v => top(v) > 1e-9)
    .flatMap(v => [1, -1].map(sign => v.map(u => (sign * u) / norms[kind](v))));
  return all.reduce((one, other) => (margin(Z, other) > margin(Z, one) ? other : one));
};
// The run on the logistic loss with steps 1/(B sqrt t), and what the theorem says of each point.
export const run = (Z, kind, steps) => {
  const reach = Math.max(...Z.map(duals[kind])), gamma = margin(Z, best(Z, kind)), seen = [];
  let w = [0, 0], scores = Z.map(() => 0), loss = Z.length * Math.LN2;
  let [length, gain, squares, first] = [0, 0, 0, Math.log(loss)];
  for (let t = 1; t <= steps; t++) {
    const rate = 1 / (reach * Math.sqrt(t)), low = Math.min(...scores);
    const pulls = scores.map(score => Math.exp(low - score) / (1 + Math.exp(-score)));
    const step = steepest[kind]([0, 1].map(i => sum(Z.map((z, k) => pulls[k] * z[i]))));
    w = w.map((v, i) => v + rate * step[i]);
    length += rate;
    squares += rate ** 2;
    gain += loss > 0 ? (rate * -Math.expm1(-loss)) / loss : rate;
    scores = Z.map(z => dot(z, w));
    loss = sum(scores.map(score => Math.log1p(Math.exp(-score))));
    const bound = (gamma * gain - (reach ** 2 / 2) * squares - first - loss) / length;
    seen.push({ w, bound, share: margin(Z, w) / norms[kind](w) / gamma });
  }
  return seen;
};
