// A sine with one weight through points whose labels one sets; the weight in binary, maybe rounded.
const KEPT = { exactly: Infinity, "in half precision": 11, "in eight bits": 8 };

export const weight = ({ labels, n }) =>
  [...labels].slice(0, n).reduce((sum, bit, i) => sum + Number(bit) * 2 ** (i + 1), 1);
// The weight rounded to so many binary digits, halves to the even neighbour.
export const held = state => {
  const full = weight(state), digits = Math.floor(Math.log2(full)) + 1;
  const lost = Math.max(0, digits - KEPT[state.held]);
  const parts = full / 2 ** lost, low = Math.floor(parts);
  const up = parts - low > 0.5 || (parts - low === 0.5 && low % 2 === 1);
  return (low + (up ? 1 : 0)) * 2 ** lost;
};
export const signs = state => Array.from({ length: state.n }, (_, i) => {
  const turn = (held(state) / 2 ** (i + 1)) % 2; // in half turns
  return turn % 1 === 0 ? 0 : turn < 1 ? 1 : -1;
});
export const draw = (pen, state) => {
  const { n, labels } = state, full = weight(state), kept = held(state), seen = signs(state);
  const fine = seen.map((sign, i) => sign === (labels[i] === "1" ? -1 : 1));
  const height = at => Math.sin(Math.PI * ((kept * 2 ** -at) % 2));
  const clear = Math.max(0.5, Math.log2(kept / 16)); // to the left of it no curve can be seen
  const curve = [];
  for (let at = clear; at <= n + 0.5; at += 0.01) curve.push([at, height(at)]);
  pen.curve([[0.5, 0], [12.5, 0]], "bound", { width: 1 });
  if (clear > 0.5) pen.rect([0.5, -1], [Math.min(clear, n + 0.5), 1], "estimate", { fill: 0.2 });
  pen.curve(curve, "estimate", { width: 1.6 });
  const digit = (value, j) => Math.floor(value / 2 ** j) % 2, middle = { dx: 0, anchor: "middle" };
  const text = (at, words, role, place = { dx: 0 }) => pen.label(at, words, role, place);
  for (let j = 0; j <= n; j++) {
    const [one, other] = [digit(full, j), digit(kept, j)];
    const role = one === other ? "truth" : "failure";
    text([j, -1.95], one, "truth", middle);
    text([j, -2.6], other, role, middle);
    if (one !== other) pen.rect([j - 0.4, -2.8], [j + 0.4, -2.25], role, { fill: 0.15, width: 1 });
  }
  for (let j = 1; j <= n; j++) {
    const minus = labels[j - 1] === "1", label = `label of point ${j}: ${minus ? "minus" : "plus"}`;
    pen.cell(j - 1, "labels", [j - 0.48, 1.25], [j + 0.48, 1.85],
      { role: "data", fill: minus ? 0.45 : 0, label });
    text([j, 1.55], minus ? "−" : "+", "truth", { dx: 0, dy: 5, anchor: "middle" })
      .style("pointer-events", "none");
    pen.dot([j, height(j)], fine[j - 1] ? "estimate" : "failure", 5.5);
  }
  text([-0.4, -1.4], "W in binary, last digit first, and as held:", "truth");
  const fits = kept === full ? "truth" : "failure";
  text([-0.4, -3.25], `W = ${full}, held ${state.held}: ${kept}`, fits);
  const wrong = fine.flatMap((one, i) => (one ? [] : [i + 1]));
  const wanted = labels.slice(0, n).replaceAll("0", "+").replaceAll("1", "−");
  return `${n} points labelled ${wanted}. W is ${full}, held as ${kept}. ${wrong.length
    ? `The sine is wrong at the points ${wrong.join(", ")}.` : "The sine has the right signs."}`;
};
