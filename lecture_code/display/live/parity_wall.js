// The parity of k of d bits: what a gradient can see of it, and what elimination needs.
import { power, shown } from "./kit.js";
const [LOW, HIGH, WIDEST, NOISY] = [1e-10, 100, 31, 0.21];
const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

export const binomial = (d, k) => range(1, k).reduce((all, i) => (all * (d - k + i)) / i, 1);
// On average over the parities of k bits, and relative to the mean square of the gradient.
export const signal = ({ d, k, q }) => (1 - 2 * q) ** 2 / binomial(d, k);
export const solved = ({ d, q }) => (1 - q) ** d;
export const equal = false;
export const hold = state => (state.k = Math.min(state.k, state.d));
export const draw = (pen, state) => {
  const { d, k, B, q } = state, now = signal(state), noise = 1 / B, blind = now < noise;
  const solve = pen.panels[1], chance = solved(state), tries = 1 / chance;
  pen.rect([0, LOW], [WIDEST, noise], "failure", { fill: 0.15 });
  pen.label([WIDEST, noise], "lost in noise", "failure", { dx: -4, dy: 18, anchor: "end" });
  pen.curve(range(0, d).map(i => [i, Math.max(LOW, signal({ d, k: i, q }))]), "bound",
    { dash: "5 3" });
  pen.curve([[k, LOW], [k, HIGH]], "estimate", { width: 1, dash: "2 4" });
  pen.dot([k, now], blind ? "failure" : "estimate", 7);
  pen.label([WIDEST, HIGH], blind ? "one gradient: blind" : "one gradient: may see it",
    blind ? "failure" : "holds", { dx: -4, dy: 16, anchor: "end" });
  const curve = range(0, 60).map(i => (i * NOISY) / 60).map(at => [at, solved({ d, q: at })]);
  solve.curve(curve, "bound", { dash: "5 3" });
  solve.curve([[q, 0], [q, 1.05]], "estimate", { width: 1, dash: "2 4" });
  solve.dot([q, chance], chance > 0.5 ? "estimate" : "failure", 7);
  const many = tries < 1000 ? tries.toFixed(tries < 10 ? 1 : 0) : power(tries);
  solve.label([NOISY, 1], `right with chance ${chance < 0.005 ? power(chance) : shown(chance)}`,
    chance > 0.5 ? "holds" : "failure", { dx: -4, dy: 6, anchor: "end" });
  solve.label([NOISY, 0.9], `${many} tries expected`, "bound", { dx: -4, anchor: "end" });
  const count = binomial(d, k), of = count < 1e7 ? count : power(count);
  return `${d} bits, a parity of ${k}: one of ${of}. The signal is at most ${power(now)} on `
    + `average, the noise of ${B < 1e5 ? Math.round(B) : power(B)} examples ${power(noise)}: the `
    + `gradient ${blind ? "does not see it" : "may see it"}. Elimination is right with probability `
    + `${chance < 0.005 ? power(chance) : shown(chance)}.`;
};
