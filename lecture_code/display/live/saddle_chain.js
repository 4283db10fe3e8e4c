// Gradient descent on a chain of saddles: unit i may leave 0 only once unit i-1 has passed 1.
import { shown } from "./kit.js";

const [STEP, STEPS, SPARE, MOST] = [0.1, 2500, 5, 6]; // SPARE: one height in so many is drawn
const at = ([p, q]) => `(${shown(p)}, ${shown(q)})`;
const gate = u => { // the switch and its derivative
  const v = Math.min(1, Math.max(0, 2 * Math.abs(u) - 2));
  return [v ** 3 * (10 - 15 * v + 6 * v * v), 60 * Math.sign(u) * (v * (1 - v)) ** 2];
};
const well = u => u ** 4 / 16 - u * u / 2;
const wait = u => 1.5 * u * u;

export const normals = count => { // standard normal numbers, the same at each visit
  let seed = 20;
  const uniform = () => ((seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) + 0.5) / 2 ** 32;
  return Array.from({ length: count }, () =>
    Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()));
};
const shaken = normals(STEPS * MOST);
export const height = x => x.reduce((sum, u, i) => {
  const open = i ? gate(x[i - 1])[0] : 1;
  return sum + open * well(u) + (1 - open) * wait(u);
}, 0);
export const slope = x => x.map((u, i) => {
  const open = i ? gate(x[i - 1])[0] : 1, next = x[i + 1] ?? 0;
  return open * (u ** 3 / 4 - u) + (1 - open) * 3 * u + gate(u)[1] * (well(next) - wait(next));
});
export const run = ({ start, units, noise, level }) => {
  let x = Array.from({ length: Math.round(units) }, (_, i) => start[Math.min(i, 1)]);
  const points = [x], left = x.map(u => (Math.abs(u) > 1 ? 0 : -1));
  for (let t = 0; t < STEPS; t++) {
    const g = slope(x), size = noise === "on" ? level : 0;
    x = x.map((u, i) => u - STEP * (g[i] + (size && size * shaken[t * MOST + i])));
    x.forEach((u, i) => { if (left[i] < 0 && Math.abs(u) > 1) left[i] = t + 1; });
    points.push(x);
  }
  return { points, left };
};
export const draw = (pen, state) => {
  const { points, left } = run(state), [plane, time] = pen.panels, gone = left.filter(t => t >= 0);
  plane.rect([1, -9], [1.5, 9], "bound", { fill: 0.14 });
  plane.label([1.25, plane.y[1]], "gate", "bound", { dx: 0, dy: 14, anchor: "middle" });
  for (const saddle of [[0, 0], [2, 0]]) plane.dot(saddle, "failure", 6);
  plane.label([2, 0], "saddle", "failure", { dx: -12, dy: -12, anchor: "end" });
  plane.dot([2, 2], "truth", 6);
  plane.label([2, 2], "minimum", "truth", { dx: 0, dy: -12, anchor: "middle" });
  plane.curve(points.map(x => [Math.abs(x[0]), Math.abs(x[1])]), "estimate");
  plane.label(state.start, "start", "estimate", { dx: 0, dy: 28, anchor: "middle" });
  const heights = points.filter((_, t) => t % SPARE === 0).map((x, i) => [SPARE * i, height(x)]);
  time.curve(heights, "estimate", { width: 2.5 });
  gone.forEach((t, i) => {
    time.dot([t, -i], "failure", 4);
    if (t > (gone[i - 1] ?? 0) + 60) time.label([t, -i], String(t), "failure", { dx: 6, dy: -4 });
  });
  const when = gone.length ? `, at steps ${gone.join(", ")}` : "";
  const noise = state.noise === "on" ? `Noise of size ${state.level.toExponential(1)}` : "No noise";
  return `${noise}. From the start ${at(state.start)}, ${gone.length} of ${left.length} units leave zero within ${STEPS} steps${when}. The height ends at ${shown(height(points.at(-1)))}.`;
};
