// The drawing programs, one a line.
export * as least_squares from "./least_squares.js";
export * as quartic from "./quartic.js";
export * as saddle_chain from "./saddle_chain.js";
