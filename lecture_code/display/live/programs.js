// The drawing programs, one a line.
export * as least_squares from "./least_squares.js";
export * as pass from "./pass.js";
export * as touch from "./touch.js";
