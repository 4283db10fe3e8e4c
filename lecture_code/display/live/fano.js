// Seven points to colour, seven lines: the network of a colouring, and what it says of 15 examples.
const ROLES = ["estimate", "truth"], UNITS = ["A", "B"];
const TURNS = [90, 210, 330, 270, 30, 150]; // corners, and the middles of the sides facing them
const place = i => {
  const turn = (TURNS[i] * Math.PI) / 180, far = i < 3 ? 1 : i < 6 ? 0.5 : 0;
  return [far && far * Math.cos(turn), far && far * Math.sin(turn)];
};
const round = Array.from({ length: 61 }, (_, k) =>
  [0.5 * Math.cos((k * Math.PI) / 30), 0.5 * Math.sin((k * Math.PI) / 30)]);
const path = line => line.every(i => i > 2 && i < 6) ? round : line.map(place);

export const equal = true;
export const lines = ({ without }, { lines, away }) =>
  lines.filter((_, i) => i !== away[without]);
export const weights = ({ colour }) =>
  UNITS.map((_, h) => [...colour].map(c => (Number(c) === h ? -1 : colour.length)));
// Whether the network says what is wanted: of zero, of each line (yes), of each point (no).
export const right = (state, data) => {
  const units = weights(state), n = state.colour.length;
  const fires = set => units.every(a => set.reduce((sum, i) => sum + a[i], 0) > -0.5);
  const points = Array.from({ length: n }, (_, i) => !fires([i]));
  return [fires([]), ...lines(state, data).map(fires), ...points];
};
export const draw = (pen, state, data) => {
  const shown = lines(state, data), said = right(state, data), table = pen.panels[1];
  const bad = shown.filter((_, i) => !said[1 + i]);
  for (const line of shown)
    if (!bad.includes(line)) pen.curve(path(line), "bound", { width: 1.5 });
  for (const line of bad) pen.curve(path(line), "failure", { width: 6 });
  [...state.colour].forEach((c, i) => {
    const [x, y] = place(i), r = 0.125, label = `point ${i + 1}: ${UNITS[c]}`;
    pen.cell(i, "colour", [x - r, y - r], [x + r, y + r],
      { role: ROLES[c], fill: 1, round: c === "0", label });
    pen.label([x, y], i + 1, "truth", { dx: 21, dy: y < 0 ? 22 : i ? 5 : -8 });
  });
  const square = (column, row, text, fine, half = 0.47) => {
    const [one, other] = [[column - half, row - 0.36], [column + half, row + 0.36]];
    const role = fine ? "holds" : "failure";
    table.rect(one, other, role, { fill: fine ? 0 : 0.3, width: fine ? 1 : 2.5 });
    table.label([column, row], text, role, { dx: 0, anchor: "middle" });
  };
  const head = (row, text, role) => table.label([-2.45, row], text, role, { dx: 0 });
  const row = (height, text, role, entries) => (head(height, text, role), entries.forEach(
    (a, i) => table.label([i + 1, height], a, role, { dx: 0, anchor: "middle" })));
  row(5.75, "point", "truth", [1, 2, 3, 4, 5, 6, 7]);
  UNITS.forEach((unit, h) => row(5 - 0.75 * h, `unit ${unit}`, ROLES[h],
    weights(state)[h].map(a => (a < 0 ? "−1" : a))));
  for (let i = 0; i < 7; i++) square(i + 1, 3.3, i + 1, said[1 + shown.length + i]);
  const name = line => line.map(i => i + 1).join("-"), names = bad.map(name).join(", ");
  shown.forEach((line, i) => square(1.35 + 1.75 * (i % 4), i < 4 ? 2.25 : 1.4, name(line),
    said[1 + i], 0.8));
  [[3.3, "points → no"], [2.25, "lines → yes"], [0.4, "zero → yes"]]
    .forEach(([height, text]) => head(height, text, "truth"));
  square(1, 0.4, 0, said[0]);
  const count = `${bad.length} of ${said.length} examples wrong`;
  head(-0.5, bad.length ? `${count}` : `You won: ${count}.`, bad.length ? "failure" : "holds");
  const colours = UNITS.map((unit, h) => `${unit} at ${[...state.colour]
    .flatMap((c, i) => (Number(c) === h ? [i + 1] : [])).join(", ") || "no point"}`).join(", ");
  return `Colours: ${colours}. Lines of one colour: ${names || "none"}. The network has ${count}.`;
};
