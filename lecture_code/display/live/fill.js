// A matrix of signs seen through a mask: descent on the error of the seen cells over p.
const [STEP, STEPS] = [0.02, 600];

// The points of descent on the error of the seen cells over p, from a start in the plane of the
// truth and of the truth with one half flipped; the truth has entries 1 and -1.
export const descend = ([a, b], p, { signs, halves, levels }) => {
  const seen = levels.map(row => row.flatMap((level, j) => (level <= p ? [j] : [])));
  let u = signs.map((s, i) => s * (a + b * halves[i]));
  const points = [u], pace = (2 * STEP) / (p * signs.length);
  for (let t = 0; t < STEPS; t++) {
    const v = u;
    u = v.map((own, i) =>
      own - pace * seen[i].reduce((sum, j) => sum + (own * v[j] - signs[i] * signs[j]) * v[j], 0));
    points.push(u);
  }
  return points;
};
// Root mean square error of the cells that are seen, and of those never seen.
export const errors = (u, p, { signs, levels }) => {
  const [total, count] = [[0, 0], [0, 0]];
  levels.forEach((row, i) => row.forEach((level, j) => {
    const hidden = +(level > p);
    total[hidden] += (u[i] * u[j] - signs[i] * signs[j]) ** 2;
    count[hidden] += 1;
  }));
  return total.map((sum, k) => (count[k] ? Math.sqrt(sum / count[k]) : 0));
};
