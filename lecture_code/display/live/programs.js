// The drawing programs, one a line.
export * as least_squares from "./least_squares.js";
export * as more_rank from "./more_rank.js";
export * as second_column from "./second_column.js";

