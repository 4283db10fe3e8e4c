// Descent of a two-layer ReLU network and of its linear model, and where the latter ends.
import { outputs } from "./relu.js";

export const pace = K => 0.9 / Math.max(...K.map(row => row.reduce((t, v) => t + Math.abs(v), 0)));
export const times = (K, c) => K.map(row => row.reduce((total, v, i) => total + v * c[i], 0));

// Heavy-ball descent on |scale F - y|^2 / (2 scale^2); the networks after every `every` steps.
export const train = (net, X, y, { step, steps, scale = 1, momentum = 0, every = steps }) => {
  const now = net.map(row => [...row]), pull = net.map(() => [0, 0, 0]), kept = [net];
  const root = Math.sqrt(net.length);
  for (let t = 1; t <= steps; t++) {
    const c = outputs(now, X).map((f, i) => (step * (f - y[i] / scale)) / root);
    now.forEach((row, r) => {
      const go = pull[r], [u, v, a] = row;
      for (let k = 0; k < 3; k++) go[k] *= momentum;
      X.forEach((x, i) => {
        const h = u * x[0] + v * x[1];
        if (h > 0) (go[0] -= c[i] * a * x[0]), (go[1] -= c[i] * a * x[1]), (go[2] -= c[i] * h);
      });
      for (let k = 0; k < 3; k++) row[k] += go[k];
    });
    if (t % every === 0) kept.push(now.map(row => [...row]));
  }
  return kept;
};
export const dual = (K, y, { step, steps, momentum }) => { // the linear model's, in the same way
  let c = y.map(() => 0), pull = c;
  for (let t = 0; t < steps; t++) {
    const f = times(K, c);
    pull = pull.map((v, i) => momentum * v + step * (y[i] - f[i]));
    c = c.map((v, i) => v + pull[i]);
  }
  return c;
};
export const solve = (K, y, ridge = 1e-9) => { // (K + ridge) c = y, K positive semidefinite
  const rows = K.map((row, i) => [...row.map((v, j) => v + (i === j ? ridge : 0)), y[i]]);
  rows.forEach((row, i) => rows.slice(i + 1).forEach(below => {
    const share = below[i] / row[i];
    row.forEach((v, j) => (below[j] -= share * v));
  }));
  const c = y.map(() => 0);
  for (let i = y.length - 1; i >= 0; i--)
    c[i] = (rows[i].at(-1) - times([rows[i].slice(0, -1)], c)[0]) / rows[i][i];
  return c;
};
