// Two-layer ReLU networks in the plane, neurons as rows [w1, w2, a]: outputs and kernels.
export const onCircle = degrees => [Math.cos, Math.sin].map(f => f((degrees * Math.PI) / 180));
export const RING = Array.from({ length: 121 }, (_, i) => 3 * i); // degrees

export const outputs = (net, X) => X.map(x => {
  let total = 0;
  for (const r of net) total += r[2] * Math.max(0, r[0] * x[0] + r[1] * x[1]);
  return total / Math.sqrt(net.length);
});
export const kernel = (net, X, Z) => X.map(x => Z.map(z => { // both layers trained
  let slopes = 0, values = 0;
  for (const r of net) {
    const h = r[0] * x[0] + r[1] * x[1], k = r[0] * z[0] + r[1] * z[1];
    if (h > 0 && k > 0) (slopes += r[2] * r[2]), (values += h * k);
  }
  return (slopes * (x[0] * z[0] + x[1] * z[1]) + values) / net.length;
}));
export const limit = angle => { // of that kernel, for unit inputs at this angle in radians
  const away = Math.PI - angle;
  return (2 * Math.cos(angle) * away + Math.sin(angle)) / (2 * Math.PI);
};
const spread = (x, z) => Math.acos(Math.min(1, Math.max(-1, x[0] * z[0] + x[1] * z[1])));
export const limits = (X, Z) => X.map(x => Z.map(z => limit(spread(x, z))));
export const apart = (f, g) => Math.max(...f.map((v, i) => Math.abs(v - g[i])));
