// Three unknowns and one equation <a, w> = y: how they are seen, its plane, balls.
import { add, dot, nearest, norms, ZERO } from "./solutions.js";

const TILT = 0.4;
export const UNITS = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];
export const frame = (space, turn) => { // to the right, and upwards: from a little above, turned
  const angle = (turn * Math.PI) / 180, [c, s] = [Math.cos(angle), Math.sin(angle)];
  return space
    ? [[c, 0, s], [s * Math.sin(TILT), Math.cos(TILT), -c * Math.sin(TILT)]] : UNITS.slice(0, 2);
};

// Closed curves on the unit ball: all around, and in space in each plane of two unknowns.
const turns = { "ℓ₁": [4, 0], "ℓ₂": [72, 0], "ℓ∞": [4, Math.PI / 4] };
export const outlines = (ball, space, [u, v]) => {
  const [count, first] = turns[ball], levels = space && ball === "ℓ∞" ? [-1, 1] : [0];
  const [one, two, three] = UNITS;
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
