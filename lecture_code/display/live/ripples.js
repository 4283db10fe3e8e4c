// A double well and a rippled copy within the amplitude: how many minima, and what else is close.
import { power } from "./kit.js";

const [SIDE, POINTS, FINE] = [1.8, 900, 12_000];
const NAMES = ["f", "f′", "f″"];
const well = x => (x * x - 1) ** 2 / 4;
export const minima = ({ amplitude, frequency }) => { // where the derivative turns positive
  const xs = Array.from({ length: FINE + 1 }, (_, i) => SIDE * ((2 * i) / FINE - 1));
  const slopes = xs.map(x => x ** 3 - x - amplitude * frequency * Math.sin(frequency * x));
  return xs.filter((_, i) => slopes[i] < 0 && slopes[i + 1] >= 0);
};
export const draw = (pen, state) => {
  const { amplitude, frequency } = state, bars = pen.panels[1], at = minima(state);
  const rippled = x => well(x) + amplitude * Math.cos(frequency * x);
  const xs = Array.from({ length: POINTS + 1 }, (_, i) => SIDE * ((2 * i) / POINTS - 1));
  pen.curve(xs.map(x => [x, rippled(x)]), "estimate", { width: 1.5 });
  pen.curve(xs.map(x => [x, well(x)]), "truth", { width: 1.5, dash: "5 3" });
  for (const x of at) pen.dot([x, rippled(x)], "failure", 4);
  pen.label([0, pen.y[1]], `${at.length} minima`, "failure", { dx: 0, dy: 16, anchor: "middle" });
  NAMES.forEach((name, k) => {
    const size = amplitude * frequency ** k, top = Math.max(size, bars.y[0]);
    bars.rect([k - 0.4, bars.y[0]], [k + 0.4, top], "estimate", { fill: 0.7 });
    bars.label([k, top], name, null, { dx: 0, dy: -6, anchor: "middle" });
  });
  const [, slopes, bends] = NAMES.map((_, k) => power(amplitude * frequency ** k));
  return `A ripple of amplitude ${power(amplitude)} and frequency ${Math.round(frequency)}: ${at.length} local minima instead of 2. Gradients differ by up to ${slopes}, second derivatives by up to ${bends}.`;
};
