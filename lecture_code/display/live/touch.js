// Two conditions on a bad second-order point, in the plane of p and g: an ellipse and a half plane.
import { shown } from "./kit.js";

export const touching = ({ delta: d, columns: k }) => { // the point of the ellipse nearest the line
  const reach = Math.sqrt(1 + (1 + d) / ((1 - d) * k));
  return [(d * (1 + d)) / ((1 - d * d) * k * reach), 1 - d / reach];
};
export const escape = ({ delta: d, columns: k }) =>
  4 * (1 - d * Math.sqrt(1 + (1 + d) / ((1 - d) * k)));
export const limit = ({ columns: k }) => 1 / (1 + Math.sqrt(1 / k));
export const draw = (pen, state) => {
  const { delta: d, columns: k } = state, wide = d / Math.sqrt((1 - d * d) * k);
  const half = Array.from({ length: 91 }, (_, i) => (Math.PI * (i - 45)) / 90);
  const open = escape(state), [p, g] = touching(state), role = open > 0 ? "estimate" : "failure";
  const end = pen.x[1];
  pen.curve([[0, 0], [end, (1 + d) * end], [end, 0], [0, 0]], "bound", { width: 1.5, fill: 0.15 });
  pen.curve(half.map(a => [wide * Math.cos(a), 1 + d * Math.sin(a)]), "data", { fill: 0.25 });
  pen.label([0, 1 + d], "isometry", "data", { dx: 6, dy: -8 });
  pen.label([end, 0.12], "no way down", "bound", { dx: -8, anchor: "end" });
  pen.curve([[p, g], [p, (1 + d) * p]], role, { width: 3 });
  pen.dot([p, g], role, 6);
  const said = open > 0 ? `apart by ${shown(open / 4)}` : "they meet";
  pen.label([p, g], said, role, { dx: 10, dy: open > 0 ? 14 : -10 });
  return `δ = ${shown(d)}, columns: ${k}. Ellipse of the isometry and half plane without a way ` +
    `down: ${said}. They touch at δ = ${shown(limit(state))}.`;
};
