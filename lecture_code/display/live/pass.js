// The sharp example in the plane: contours, runs of descent, and the curvature at the lake.
import { shown } from "./kit.js";

const [PACE, LONG, DRAWN, RAYS, THIN] = [0.05, 800, 120, 480, { width: 0.7 }];
const LEVELS = [0.03, 0.12, 0.27, 0.45, 0.62, 0.74, 0.86, 0.95, 1, 1.15, 1.5, 2.2, 3.5, 6];
export const equal = true;
export const value = ([x, y], d) =>
  (x * x - 1) ** 2 + 2 * d * (x * x - 1) * y * y + y ** 4 + 2 * (1 + d) * x * x * y * y;
export const slope = ([x, y], d) =>
  [4 * x * (x * x - 1 + (1 + 2 * d) * y * y), 4 * y * (y * y - d + (1 + 2 * d) * x * x)];
export const curvature = d => 4 * (2 * d - 1) * (1 + d);
export const worst = d => -4 * (1 - d * Math.sqrt(2 / (1 - d)));
export const path = (start, d) => { // steps no longer than 2 PACE; the last point is the end
  const points = [start];
  for (let t = 1, [x, y] = start, u = 1, v = 1; t < LONG && u * u + v * v > 1e-14; t++) {
    [u, v] = slope([x, y], d).map((g, _, all) => PACE * g / Math.max(1, Math.hypot(...all) / 2));
    [x, y] = points[Math.min(t, DRAWN)] = [x - u, y - v];
  }
  return points;
};
export const stuck = (end, d) => value(end, d) > (1 - d * d) / 2;
// On a ray the value is q t² - 2 l t + 1 in t, the squared distance: two crossings, one or none.
const crossing = (i, c, d) => {
  const angle = Math.PI * (0.25 + (2 * i) / RAYS), [a, b] = [Math.cos(angle), Math.sin(angle)];
  const l = a * a + d * b * b, q = a ** 4 + b ** 4 + (2 + 4 * d) * a * a * b * b;
  const root = Math.sqrt(l * l - q * (1 - c)); // not a number where there is no crossing
  const at = t => [a, b].map(v => v * Math.sqrt(Math.max(0, t / q)));
  return root >= 0 ? [at(l + root), at(l - root)] : null;
};
export const rings = (c, d) => {
  const rays = Array.from({ length: RAYS + 1 }, (_, i) => crossing(i, c, d)), found = [[]];
  const first = rays.indexOf(null); // where the value is above c on a whole ray
  if (first < 0) return (c < 1 ? [0, 1] : [0]).map(k => rays.map(ray => ray[k]));
  for (const ray of [...rays.slice(first), ...rays.slice(1, first + 1)])
    if (ray) found.at(-1).push(ray); else if (found.at(-1).length) found.push([]);
  return found.slice(0, -1).map(run =>
    [...run.map(ray => ray[0]), ...run.map(ray => ray[1]).reverse(), run[0][0]]);
};
const along = (f, end) => Array.from({ length: end }, (_, i) => [i / 100, f(i / 100)]);
export const draw = (pen, { delta, start, runs }, { starts }) => {
  const right = pen.panels[1], lake = [0, Math.sqrt(delta)], bend = curvature(delta);
  for (const ring of LEVELS.flatMap(c => rings(c, delta))) pen.curve(ring, "bound", THIN);
  const tried = (runs === "scatter" ? starts : [start]).map(one => path(one, delta));
  const lost = tried.map(points => stuck(points.at(-1), delta)), one = tried.length === 1;
  const count = lost.filter(Boolean).length, said = `${count} of ${tried.length} stuck`;
  const name = delta > 0.5 ? "lake" : "pass";
  tried.forEach((points, i) => {
    pen.curve(points, lost[i] ? "failure" : "estimate", { width: one ? 2.5 : 1.2 });
    pen.dot(points.at(-1), lost[i] ? "failure" : "estimate", one ? 6 : 3.5);
  });
  for (const x of [-1, 1]) pen.label([x, 0], "truth", "truth", { dx: 0, dy: 20, anchor: "middle" });
  pen.label(lake, name, "failure", { dx: -12, anchor: "end" });
  for (const axis of [[[0, 0], [1, 0]], [[0.5, -5], [0.5, 8]]]) right.curve(axis, "bound", THIN);
  right.curve(along(worst, 51), "bound", { dash: "5 4" });
  right.curve(along(curvature, 96), "failure");
  right.dot([delta, bend], "failure", 6);
  right.label([0.02, 6.6], said, count ? "failure" : "estimate");
  return `Contours of the loss at δ = ${shown(delta)}, truth at (-1, 0) and (1, 0). ` +
    `At (0, ${shown(lake[1])}) a ${name} with curvature ${shown(bend)}. ${said}.`;
};
