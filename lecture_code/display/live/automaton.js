// A cellular automaton on a ring, computed row by row by layers of sigmoids.
import { shown } from "./kit.js";

const HEAD = 3; // how many rows high the first one is drawn, for it is there to be clicked
const seen = new WeakMap(); // per figure: which start was last drawn
const bits = text => [...text].map(Number);
const around = (row, i) => [row.at(i - 1), row[i], row[(i + 1) % row.length]];

// Every row of the network: three units a cell, each a sigmoid of the gain times its sum.
export const rows = (gates, first, gain, steps) => {
  const unit = ([weights, least], from) => 1 / (1 + Math.exp(
    -gain * (weights.reduce((sum, w, k) => sum + w * from[k], 0.5) - least)));
  const all = [first];
  for (let t = 0; t < steps; t++) {
    const now = all[t];
    const pair = i => gates.slice(0, 2).map(gate => unit(gate, around(now, i)));
    all.push(now.map((_, i) => unit(gates[2], pair(i))));
  }
  return all;
};
// Every row of the automaton itself, by its table of eight answers.
export const exact = (rule, first, steps) => {
  const all = [first];
  for (let t = 0; t < steps; t++) {
    const now = all[t];
    all.push(now.map((_, i) => (rule >> around(now, i).reduce((sum, b) => 2 * sum + b, 0)) & 1));
  }
  return all;
};
export const hold = (state, { starts }) => { // a click makes the first row the reader's own
  if (seen.get(state) !== state.start && state.start in starts) state.first = starts[state.start];
  else if (state.first !== starts[state.start]) state.start = "your own";
  seen.set(state, state.start);
};
export const draw = (pen, { rule, gain, first }, { gates, steps }) => {
  const row = bits(first), n = row.length, ink = rows(gates[rule], row, gain, steps).slice(1);
  const truth = exact(Number(rule), row, steps).slice(1);
  const wrong = ink.map((line, t) => line.map((v, i) => Number(v > 0.5 !== truth[t][i] > 0.5)));
  const bad = wrong.findIndex(line => line.includes(1));
  pen.pixels(ink, [0, -HEAD], [n, -HEAD - steps]);
  pen.pixels(wrong, [0, -HEAD], [n, -HEAD - steps], { high: 1.6, role: "failure" });
  row.forEach((bit, i) => pen.cell(i, "first", [i + 0.06, -0.2], [i + 0.94, 0.4 - HEAD],
    { role: "data", fill: bit, label: `cell ${i + 1} of the first row: ${bit ? "on" : "off"}` }));
  const verdict = bad < 0 ? `all ${steps} rows are right`
    : `row ${bad + 1} is the first with a wrong cell, and in the last row `
      + `${wrong.at(-1).reduce((sum, v) => sum + v)} of ${n} cells are wrong`;
  return `Rule ${rule} through ${2 * steps} layers of sigmoids, gain ${shown(gain)}: ${verdict}.`;
};
