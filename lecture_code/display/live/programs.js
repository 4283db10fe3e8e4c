// The drawing programs, one a line.
export * as least_squares from "./least_squares.js";
export * as last_pixel from "./last_pixel.js";
export * as bouncing_ball from "./bouncing_ball.js";
export * as automaton from "./automaton.js";
export * as corners from "./corners.js";
export * as more_rank from "./more_rank.js";
export * as second_column from "./second_column.js";

export * as quartic from "./quartic.js";
export * as saddle_chain from "./saddle_chain.js";
export * as pass from "./pass.js";
export * as touch from "./touch.js";
export * as margins from "./margins.js";
export * as squares from "./squares.js";
export * as fano from "./fano.js";
export * as sine from "./sine.js";
export * as holes from "./holes.js";
export * as slice from "./slice.js";
export * as ripples from "./ripples.js";
export * as three_items from "./three_items.js";
