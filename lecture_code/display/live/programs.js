// The drawing programs, one a line.
export * as least_squares from "./least_squares.js";
