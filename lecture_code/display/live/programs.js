// The drawing programs, one a line.
export * as least_squares from "./least_squares.js";
export * as fano from "./fano.js";
export * as sine from "./sine.js";
