// The drawing programs, one a line.
export * as least_squares from "./least_squares.js";
export * as automaton from "./automaton.js";
export * as corners from "./corners.js";
