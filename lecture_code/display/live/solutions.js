// Three unknowns and one equation <a, w> = y: its plane, balls, least steps to it, five methods.
export const ZERO = [0, 0, 0];
const [STEPS, BETA] = [120, 0.8];
export const dot = (v, w) => v.reduce((total, u, i) => total + u * w[i], 0);
export const add = (v, ...moves) => // a vector and multiples of others
  v.map((u, i) => moves.reduce((total, [k, move]) => total + k * move[i], u));
const spread = v => v.reduce((total, u) => total + Math.abs(u), 0);
const largest = v => Math.max(...v.map(Math.abs));
export const norms = { "ℓ₁": spread, "ℓ₂": v => Math.hypot(...v), "ℓ∞": largest };
export const steepest = { // the least step, in each norm, along which <a, w> rises by 1
  "ℓ₁": a => {
    const first = a.findIndex(v => Math.abs(v) === largest(a));
    return a.map((v, i) => (i === first ? 1 / v : 0));
  },
  "ℓ₂": a => a.map(v => v / dot(a, a)),
  "ℓ∞": a => a.map(v => Math.sign(v) / spread(a)),
};
const geometry = { "coordinate descent": "ℓ₁", "sign descent": "ℓ∞" };

export const nearest = (a, target, start, ball) =>
  add(start, [target - dot(a, start), steepest[ball](a)]);
export const run = (a, target, start, method) => {
  const pace = (0.3 * Math.abs(target - dot(a, start))) / spread(a); // of AdaGrad
  const along = steepest[geometry[method] ?? "ℓ₂"](a), points = [start], sums = a.map(() => 0);
  for (let t = 0, w = start, velocity = a.map(() => 0); t < STEPS; t++) {
    const r = dot(a, w) - target;
    a.forEach((v, i) => (sums[i] += (r * v) ** 2));
    const step = method === "AdaGrad"
      ? a.map((v, i) => (pace * r * v) / (Math.sqrt(sums[i]) + 1e-12))
      : along.map(v => 0.1 * r * v);
    velocity = velocity.map((v, i) => (method === "momentum" ? BETA * v : 0) - step[i]);
    points.push((w = add(w, [1, velocity])));
  }
  return points;
};

// Closed curves on the unit ball: all around, and in space in each plane of two unknowns.
const turns = { "ℓ₁": [4, 0], "ℓ₂": [72, 0], "ℓ∞": [4, Math.PI / 4] };
export const outlines = (ball, space, [u, v]) => {
  const [count, first] = turns[ball], levels = space && ball === "ℓ∞" ? [-1, 1] : [0];
  const [one, two, three] = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];
  const planes = space ? [[one, two, three], [two, three, one], [three, one, two]] : [];
  if (!planes.length || ball === "ℓ₂") planes.push([u, v, ZERO]);
  return planes.flatMap(([e, f, g]) => levels.map(level =>
    Array.from({ length: count + 1 }, (_, i) => first + (2 * Math.PI * i) / count)
      .map(t => add(ZERO, [Math.cos(t), e], [Math.sin(t), f], [level * Math.SQRT1_2, g]))
      .map(w => w.map(c => c / norms[ball](w)))));
};
export const plane = (a, target, space) => { // a part of it; without the third unknown, a line
  const foot = nearest(a, target, ZERO, "ℓ₂"), across = [-a[1], a[0], 0];
  const down = [a[0] * a[2], a[1] * a[2], -(a[0] ** 2) - a[1] ** 2].map(v => v / dot(a, a));
  const corners = space ? [[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]] : [[-9, 0], [9, 0]];
  return corners.map(([p, q]) => add(foot, [p, across], [1.4 * q, down]));
};
