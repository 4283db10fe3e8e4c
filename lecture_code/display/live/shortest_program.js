// Examples arrive, and the first program that fits them is shown; Python has searched the list.
const SIDE = 16, ALL = 326394; // programs of up to 24 bits
const GROUND = "var(--pst-color-background, var(--jp-layout-color0))"; // of the page
const RING = Array.from({ length: 25 }, (_, i) => (i * Math.PI) / 12)
  .map(turn => [0.36 * Math.cos(turn), 0.36 * Math.sin(turn)]);
const grouped = value => String(value).replace(/\B(?=(\d{3})+$)/g, " ");

// What the learner holds after m examples: [from m on, text, bits, programs tried, its table].
export const stage = ({ secret, m }, { secrets }) =>
  secrets[secret].stages.filter(([from]) => from <= m).at(-1);
// Of the 256 inputs, how many the program of the stage gets wrong.
export const errors = (state, data) => {
  const [, , , , said] = stage(state, data), { truth } = data.secrets[state.secret];
  return [...truth].filter((bit, i) => bit !== said[i]).length;
};
export const equal = true;
export const draw = (pen, state, data) => {
  const { secret, m } = state, shows = state.truth === "shown", plot = pen.panels[1];
  const { truth, stages, name } = data.secrets[secret], now = stage(state, data);
  const [, text, bits, tried, said] = now, found = bits !== null, { square, order } = data;
  const [one, other] = [[-0.5, 15.5], [15.5, -0.5]];
  const place = i => {
    const row = square.findIndex(line => line.includes(i));
    return [square[row].indexOf(i), SIDE - 1 - row];
  };
  const map = value => square.map(row => row.map(i => Number(value(i))));
  pen.rect(one, other, "bound", { fill: 0.08, width: 1 });
  if (found) pen.pixels(map(i => said[i]), one, other, { role: "estimate", high: 1.2 });
  const missed = [...truth].flatMap((bit, i) => (found && shows && bit !== said[i] ? [i] : []));
  const hatched = width => missed.map(place).map(([x, y]) =>
    pen.curve([[x - 0.5, y - 0.5], [x + 0.5, y + 0.5]], "failure", { width }));
  hatched(6).forEach(stroke => stroke.style("stroke", GROUND)); // seen on both kinds of cell
  hatched(2.5);
  for (const point of order.slice(0, m)) {
    const at = place(point);
    pen.dot(at, "data", 9).style("fill", GROUND);
    if (truth[point] === "1") pen.dot(at, "data", 6.5);
    else pen.curve(RING.map(([x, y]) => [at[0] + x, at[1] + y]), "data", { width: 2.5 });
  }
  pen.label([-0.5, 16.3], text, found ? "estimate" : "failure", { dx: 0 });
  const path = stages.filter(([from]) => from <= m).flatMap(([from, , , count], i, held) =>
    [[from, count], [held[i + 1]?.[0] ?? m, count]]);
  plot.curve([[0, ALL], [24, ALL]], "failure", { width: 1.5, dash: "5 3" });
  plot.label([24, ALL], "all up to 24 bits", "failure", { dx: 0, dy: -7, anchor: "end" });
  plot.curve(path, "estimate");
  plot.dot([m, tried], found ? "estimate" : "failure", 5);
  const most = found ? `, of at most ${grouped(2 ** bits)}` : "";
  plot.label([0, 2e7], `${grouped(tried)} tried${most}`, "truth", { dx: 8 });
  const wrong = errors(state, data);
  const verdict = shows ? `${name}${found ? `: ${wrong} of 256 wrong` : ""}` : "";
  const role = found ? (wrong ? "failure" : "holds") : "truth";
  pen.label([-0.5, -1.5], verdict, role, { dx: 0 });
  const search = found
    ? `the shortest program is ${text}, of ${bits} bits, found after ${tried} programs`
    : `${tried} programs were tried in vain`;
  return `Secret ${secret} after ${m} examples: ${search}. `
    + (shows ? `The truth is ${verdict}.` : "The truth is hidden.");
};
