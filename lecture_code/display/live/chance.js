// Chance that is the same in every browser and in Python: an integer hash of 32 bits (Mueller's).
export const hash = (row, column, seed) => {
  let h = Math.imul(column + 1, 0x9e3779b1) ^ Math.imul(row + 1, 0x85ebca6b);
  h ^= Math.imul(seed, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return (h ^ (h >>> 16)) >>> 0;
};
// m samples of d fair bits.
export const masks = (m, d, seed) => Array.from({ length: m }, (_, t) =>
  Float64Array.from({ length: d }, (_, i) => hash(t, i, seed) & 1));
