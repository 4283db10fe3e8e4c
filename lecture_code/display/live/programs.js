// The drawing programs, one a line.
export * as least_squares from "./least_squares.js";
export * as margins from "./margins.js";
export * as squares from "./squares.js";
