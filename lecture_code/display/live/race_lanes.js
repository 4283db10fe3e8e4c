// The flow on matrices that commute: eigenvalues x = α exp(2⟨a, s⟩), driven by s in the plane.
export const NAMES = ["one", "two", "three", "four", "five"];
const [STEP, STEPS, THIN, NEWTON] = [0.05, 1200, 6, 120];
export const dot = ([a, b], [c, d]) => a * c + b * d;
const solve = ([a, b], [c, d], [p, q]) => // the columns (a, b), (c, d) combined to (p, q)
  [(p * d - q * c) / (a * d - b * c), (a * q - b * p) / (a * d - b * c)];

export const lanes = state => NAMES.map(name => state[name]);
const sizes = ({ alpha }, all, s) => all.map(a => alpha * Math.exp(2 * dot(a, s)));
const missing = ({ y }, all, x) =>
  all.reduce(([u, v], [a, b], i) => [u - x[i] * a, v - x[i] * b], y);

export const path = state => { // rows: time, eigenvalues
  const all = lanes(state), velocity = s => missing(state, all, sizes(state, all, s));
  const add = (s, k, v) => [s[0] + k * v[0], s[1] + k * v[1]];
  const rows = [];
  for (let i = 0, s = [0, 0]; i <= STEPS; i++) {
    if (i % THIN === 0) rows.push([i * STEP, ...sizes(state, all, s)]);
    const k1 = velocity(s), k2 = velocity(add(s, STEP / 2, k1));
    const k3 = velocity(add(s, STEP / 2, k2)), k4 = velocity(add(s, STEP, k3));
    s = s.map((v, j) => v + (STEP / 6) * (k1[j] + 2 * k2[j] + 2 * k3[j] + k4[j]));
  }
  return rows;
};
export const end = state => { // as entropy.entropy_minimiser
  const all = lanes(state);
  let s = [0, 0], x = sizes(state, all, s);
  for (let k = 0; k < NEWTON; k++) {
    const H = [0, 1].map(i => [0, 1].map(j =>
      2 * all.reduce((sum, a, l) => sum + x[l] * a[i] * a[j], 0)));
    const to = solve(...H, missing(state, all, x));
    const change = 2 * Math.max(...all.map(a => Math.abs(dot(a, to))));
    if (!(change > 1e-13)) break;
    s = s.map((v, j) => v + (to[j] * Math.log1p(change)) / change);
    x = sizes(state, all, s);
  }
  return { s, x };
};
export const best = state => { // the least trace, and the two that have it
  const all = lanes(state), found = { least: Infinity, pair: [] };
  all.forEach((a, i) => all.slice(0, i).forEach(b => {
    const x = solve(a, b, state.y), least = x[0] + x[1];
    if (Math.min(...x) < -1e-9 || !(least < found.least)) return;
    Object.assign(found, { least, pair: [a, b] });
  }));
  return found;
};
