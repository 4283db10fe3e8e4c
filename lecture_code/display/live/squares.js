// x = u∘u and one equation <a, x> = y: where the flow from u = alpha (1, 1) ends, and the excess.
import { power, shown } from "./kit.js";

const [SMALLEST, POINTS, HALVINGS, TIE] = [0.4, 80, 90, 1e-9];
const at = ([p, q]) => `(${shown(p)}, ${shown(q)})`;
const place = (a, alpha, s) => a.map(v => alpha ** 2 * Math.exp(2 * v * s)); // on the manifold
export const equal = true;
export const hold = state => { state.example = state.example.map(v => Math.max(SMALLEST, v)); };
export const ends = (a, alpha, target) => { // its s: there <a, x> rises with s
  let [low, high] = [-300, 300];
  for (let i = 0; i < HALVINGS; i++) {
    const s = (low + high) / 2, [p, q] = place(a, alpha, s);
    if (a[0] * p + a[1] * q > target) high = s;
    else low = s;
  }
  return (low + high) / 2;
};
// The least l1 norm is target/a_on; the other coordinate has the slack 1 - a_off/a_on.
export const law = (a, target) => {
  const on = a[1] >= a[0] ? 1 : 0, least = target / a[on], slack = 1 - a[1 - on] / a[on];
  const factor = slack * least ** (a[1 - on] / a[on]);
  const entropy = least * Math.log(least) - least;
  return {
    on, least, slack,
    bound: alpha => factor * alpha ** (2 * slack),
    fallback: alpha => (2 + entropy) / (2 * Math.log(1 / alpha)),
    excess: alpha => slack * place(a, alpha, ends(a, alpha, target))[1 - on],
  };
};
export const draw = (pen, { example: a, alpha }, { target }) => {
  const end = ends(a, alpha, target), x = place(a, alpha, end), second = pen.panels[1];
  const { on, least, slack, bound, fallback, excess } = law(a, target), square = alpha ** 2;
  const steps = Array.from({ length: POINTS + 1 }, (_, i) => i / POINTS);
  pen.curve([[least, 0], [0, least]], "bound", { dash: "5 3", width: 1.5 });
  pen.curve([[target / a[0], 0], [0, target / a[1]]], "data", { width: 2.5 });
  pen.curve([[0, 0], a], "data", { width: 1.5 });
  pen.curve(steps.map(share => place(a, alpha, share * end)), "estimate");
  pen.dot([square, square], "truth", 5);
  if (square > pen.x[1]) pen.label([pen.x[1], 1.3], `start at ${at([square, square])} ↗`, "truth");
  pen.dot(on ? [0, least] : [least, 0], "bound", 8);
  if (slack < TIE) pen.dot([least, 0], "bound", 8);
  pen.dot(x, "estimate", 5.5);
  pen.label(x, at(x), "estimate", { dx: 10, dy: -8 });
  pen.label(a, "data", "data", { dx: 16 });
  const alphas = steps.map(share => 10 ** (7 * share - 6)), small = alphas.filter(v => v < 1);
  const line = (all, f) => all.map(v => [v, Math.max(1e-15, f(v))]);
  second.curve(line(small.filter(v => v < 0.5), fallback), "bound", { dash: "2 3", width: 1.5 });
  second.label([1e-6, fallback(1e-6)], "bound of part 1", "bound", { dy: -8 });
  if (slack < TIE) second.label([1e-6, 1e-4], "no excess: all have the least norm", "estimate");
  else {
    second.curve(line(small, bound), "bound", { dash: "9 8", width: 6 });
    second.curve(line(alphas, excess), "estimate", { width: 2.5 });
    second.dot([alpha, Math.max(1e-15, excess(alpha))], "estimate", 6);
    second.label([1e-3, bound(1e-3)], `part 2: slope ${shown(2 * slack)}`, "bound", { dy: 18 });
  }
  const over = slack < TIE ? 0 : power(excess(alpha));
  return `The solutions of ${shown(a[0])} x₁ + ${shown(a[1])} x₂ = ${shown(target)} in the `
    + `quadrant. From the start ${power(alpha)} the flow ends at ${at(x)}; its ℓ₁ norm exceeds `
    + `the least one by ${over}, the exponent is ${shown(2 * slack)}.`;
};
