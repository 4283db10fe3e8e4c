// The flow on X = U Uᵀ of size two, to what is known of X: X₁₁ + 2 X₂₂ = 3, and perhaps X₁₂.
const [SHORT, LONG, EARLY, STEPS] = [0.02, 0.06, 200, 1200];
const WEIGHTS = [[1, 0, 2], [0, 0.5, 0]]; // of X₁₁, X₁₂ twice, X₂₂

export const both = state => state.known === "two numbers";
export const entry = state => (both(state) ? state.entry : 0);
// Half the difference of the diagonal, the entry off it, half the trace.
export const split = ([a, b, d]) => [(a - d) / 2, b, (a + d) / 2];
export const best = state => { // on the rim: the least trace that fits
  const p = (3 / 8) * (1 - Math.sqrt(9 - 8 * entry(state) ** 2));
  return [p, entry(state), 1 + p / 3];
};
const matrix = ([u, v, w, z]) => [u * u + v * v, u * w + v * z, w * w + z * z];
const velocity = (U, targets) => { // of U, and of log det X
  const X = matrix(U), M = [0, 0, 0];
  targets.forEach((y, i) => {
    const [a, b, d] = WEIGHTS[i], r = a * X[0] + 2 * b * X[1] + d * X[2] - y;
    [a, b, d].forEach((weight, k) => { M[k] += r * weight; });
  });
  const [a, b, d] = M, [u, v, w, z] = U;
  return [-a * u - b * w, -a * v - b * z, -b * u - d * w, -b * v - d * z, -2 * (a + d)];
};
export const path = ({ start: [p, q], alpha, ...state }) => { // rows: time, entries, λ₂
  const first = Math.sqrt(alpha * (1 + p)), low = (alpha * q) / first, targets = [3];
  if (both(state)) targets.push(state.entry);
  let t = 0, U = [first, 0, low, Math.sqrt(alpha * (1 - p) - low ** 2)];
  U.push(Math.log(alpha ** 2 * (1 - p * p - q * q)));
  const all = [], add = (k, V) => U.map((u, i) => u + k * V[i]);
  for (let i = 0; i <= STEPS; i++) {
    const X = matrix(U), [e, f, h] = split(X), dt = i < EARLY ? SHORT : LONG;
    all.push([t, ...X, Math.exp(U[4]) / (h + Math.hypot(e, f))]);
    const k1 = velocity(U, targets), k2 = velocity(add(dt / 2, k1), targets);
    const k3 = velocity(add(dt / 2, k2), targets), k4 = velocity(add(dt, k3), targets);
    U = U.map((u, j) => u + (dt / 6) * (k1[j] + 2 * k2[j] + 2 * k3[j] + k4[j]));
    t += dt;
  }
  return all;
};
