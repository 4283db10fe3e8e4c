// Four corners of a cube are seen, four guessed: the guess in all sixteen worlds that agree.
import { shown } from "./kit.js";
const SIDE = 0.13, YOURS = "your own";
const apart = (i, j) => [0, 1, 2].reduce((sum, k) => sum + (((i ^ j) >> k) & 1), 0);
const total = values => values.reduce((sum, v) => sum + v, 0);
const mean = values => total(values) / values.length;
const last = new WeakMap(); // per figure: the rule and the corners that were drawn

// The chance with which the rule says 1 at each corner; at a seen one its label.
export const predict = ({ rule, corner }, { seen }) => {
  const label = [...corner].map(Number), share = mean(seen.map(i => label[i]));
  const near = i => {
    const least = Math.min(...seen.map(j => apart(i, j)));
    return mean(seen.filter(j => apart(i, j) === least).map(j => label[j]));
  };
  const says = {
    [YOURS]: i => label[i], coin: () => 0.5, "nearest neighbour": near,
    "opposite neighbour": i => 1 - near(i),
    majority: () => (share === 0.5 ? 0.5 : Number(share > 0.5)),
  };
  return label.map((one, i) => (seen.includes(i) ? one : says[rule](i)));
};
// The worlds that agree with the seen corners: their chances, and the guess's errors in each.
export const worlds = (state, { seen, unseen, edges }) => {
  const guess = predict(state, { seen }), base = [...state.corner].map(Number);
  const every = Array.from({ length: 2 ** unseen.length }, (_, bits) => {
    const f = base.map((v, i) => seen.includes(i) ? v : (bits >> unseen.indexOf(i)) & 1);
    const chance = 2 ** (state.prior * edges.filter(([i, j]) => f[i] !== f[j]).length);
    return { f, chance, error: mean(unseen.map(i => (f[i] ? 1 - guess[i] : guess[i]))) };
  });
  const whole = total(every.map(one => one.chance));
  for (const one of every) one.chance /= whole;
  const ones = unseen.map(i => total(every.map(one => one.chance * one.f[i])));
  const best = mean(ones.map(p => Math.min(p, 1 - p)));
  return { every, best, error: total(every.map(one => one.chance * one.error)) };
};
export const equal = true;
export const hold = (state, { seen, unseen }) => { // a guess clicked is your own
  const was = last.get(state), moved = was && unseen.some(i => was.corner[i] !== state.corner[i]);
  if (moved && was.rule === state.rule) state.rule = YOURS;
  if (state.rule !== YOURS) state.corner = predict(state, { seen }).map(Math.round).join("");
  last.set(state, { rule: state.rule, corner: state.corner });
};
export const draw = (pen, state, data) => {
  const { every, best, error } = worlds(state, data), plot = pen.panels[1], { places } = data;
  for (const ends of data.edges) pen.curve(ends.map(i => places[i]), "bound", { width: 1.2 });
  const said = predict(state, data).map((v, i) => {
    const [x, y] = places[i], known = data.seen.includes(i), text = String(+v.toFixed(2));
    const label = `corner ${i + 1}, ${known ? "seen" : "guessed"}: ${text}`;
    pen.cell(i, "corner", [x - SIDE, y - SIDE], [x + SIDE, y + SIDE],
      { role: known ? "data" : "estimate", fill: 0.05 + 0.8 * v, round: !known, label });
    pen.label([x, y], text, "truth", { dx: 22, dy: -10 });
    return text;
  });
  every.sort((a, b) => a.error - b.error).reduce((from, one) => {
    plot.rect([from, 0], [from + one.chance, one.error], "failure", { fill: 0.35, width: 1 });
    return from + one.chance;
  }, 0);
  [[0.5, "truth", "4 4", 1], [best, "bound", "2 3", 2], [error, "estimate", null, 3]]
    .forEach(([y, role, dash, width]) => plot.curve([[0, y], [1, y]], role, { width, dash }));
  plot.label([0, 1.16], `average ${shown(error)}`, "estimate", { dx: 4 });
  plot.label([0, 1.06], `best possible ${shown(best)}`, "bound", { dx: 4 });
  return `Corners in order: ${said.join(", ")}. Rule: ${state.rule}. Its average error over the ${every.length} worlds is ${shown(error)}; the least possible is ${shown(best)}.`;
};
