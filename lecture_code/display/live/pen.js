// The panels of a live figure with their axes, and what a drawing program draws with.
import { axisBottom, axisLeft } from "d3-axis";
import { scaleLinear, scaleLog } from "d3-scale";
import { line } from "d3-shape";

const MARGIN = { top: 8, right: 10, bottom: 40, left: 52 };
const BARE = { top: 8, right: 8, bottom: 8, left: 8 }; // without axes
const NARROW = 520; // px; below it panels stand under each other
const LEVELS = 16; // of grey
const [LETTER, LINE] = [8, 12]; // px, about
const SHARES = { start: 0, middle: 0.5, end: 1 }; // of a text to the left of its point

export const raised = whole =>
  [...String(whole)].map(one => "⁰¹²³⁴⁵⁶⁷⁸⁹"[one] ?? "⁻").join("");

// Places in the units of the axes, colours by their role.
export const pen = (layer, { x, y, inside }, hold) => {
  const within = layer.append("g").attr("clip-path", `url(#${inside})`);
  const colour = role => (role ? `var(--role-${role})` : "currentColor");
  const place = at => [x(at[0]), y(at[1])];
  const box = (one, other) => {
    const [[a, b], [c, d]] = [place(one), place(other)];
    return [Math.min(a, c), Math.min(b, d), Math.abs(a - c), Math.abs(b - d)];
  };
  const curve = (points, role, { width = 2, dash = null, fill = 0 } = {}) =>
    within.append("path").attr("d", line()(points.map(place))).style("stroke", colour(role))
      .style("stroke-width", width).style("stroke-dasharray", dash)
      .style("fill", fill ? colour(role) : "none").style("fill-opacity", fill);
  const dot = (at, role, size = 3) =>
    within.append("circle").attr("cx", x(at[0])).attr("cy", y(at[1])).attr("r", size)
      .style("fill", colour(role));
  // A label that would leave its panel goes to the other side of its point, or to the edge.
  const beside = (p, dx, anchor, wide) => {
    const [low, high] = x.range(), left = p + dx - wide * SHARES[anchor];
    if (left >= low && left + wide <= high) return [p + dx, anchor];
    if (left < low) return [low, "start"];
    return anchor === "start" && p - dx - wide >= low ? [Math.min(p - dx, high), "end"]
      : [high, "end"];
  };
  const level = (p, dy) => { // that of a point in the panel stays in it
    const [low, high] = y.range();
    return p > low || p < high ? p + dy : Math.max(high + LINE, Math.min(low - 4, p + dy));
  };
  const label = (at, text, role, { dx = 8, dy = 4, anchor = "start" } = {}) => {
    const [left, side] = beside(x(at[0]), dx, anchor, LETTER * `${text}`.length);
    return within.append("text").attr("x", left).attr("y", level(y(at[1]), dy))
      .attr("text-anchor", side).attr("class", "label").style("fill", colour(role)).text(text);
  };
  const rect = (one, other, role, { fill = 1, width = 0, round = 0 } = {}) => {
    const [left, top, across, along] = box(one, other);
    return within.append("rect").attr("x", left).attr("y", top).attr("width", across)
      .attr("height", along).attr("rx", round).style("fill", colour(role))
      .style("fill-opacity", fill).style("stroke", colour(role)).style("stroke-width", width);
  };
  const cell = (i, name, one, other, { role, fill = 0, label: said, round = false } = {}) => {
    const side = Math.min(...box(one, other).slice(2));
    hold(rect(one, other, role, { fill, width: 1.5, round: round ? side / 2 : 2 }), i, name, said);
  };
  // A grey image, its first row on top: all squares of one grey are one path.
  const pixels = (rows, one, other, { low = 0, high = 1, role } = {}) => {
    const [left, top, across, along] = box(one, other);
    const [w, h] = [across / rows[0].length, along / rows.length];
    const paths = Array.from({ length: LEVELS + 1 }, () => "");
    rows.forEach((row, i) => row.forEach((value, j) => {
      const grey = Math.round(LEVELS * Math.min(1, Math.max(0, (value - low) / (high - low))));
      paths[grey] += `M${left + j * w},${top + i * h}h${w}v${h}h${-w}z`;
    }));
    paths.forEach((path, grey) => grey && path && within.append("path").attr("d", path)
      .attr("shape-rendering", "crispEdges").style("fill", colour(role))
      .style("fill-opacity", grey / LEVELS));
  };
  return { curve, dot, label, rect, cell, pixels, x: x.domain(), y: y.domain() };
};

// Powers of ten in a domain, at most about as many as are wished for.
const powers = ([low, high], count) => {
  const first = Math.ceil(Math.log10(low) - 1e-9), last = Math.floor(Math.log10(high) + 1e-9);
  const stride = Math.max(1, Math.ceil((last - first + 1) / count));
  const length = Math.floor((last - first) / stride) + 1;
  return Array.from({ length }, (_, i) => 10 ** (first + i * stride));
};
const ticked = (axis, side, apart, log) =>
  log ? axis.tickValues(powers(axis.scale().domain(), side / apart))
    .tickFormat(value => `10${raised(Math.round(Math.log10(value)))}`) : axis.ticks(side / apart);

export const stacked = stage => stage.getBoundingClientRect().width < NARROW;

// As much of each plane as fits; with the same unit on both axes there is more of one of them.
export const frames = (id, svg, back, panels, program, stage) => {
  const { width, height } = stage.getBoundingClientRect(), beside = !stacked(stage);
  const [columns, lines] = beside ? [panels.length, 1] : [1, panels.length];
  svg.attr("viewBox", `0 0 ${width} ${height}`);
  back.selectAll("*").remove();
  return panels.map(({ plane, axes, scale }, k) => {
    const logs = ["x", "y"].map(axis => scale.includes(axis) && scale !== "linear");
    const wide = { ...MARGIN, left: MARGIN.left + (logs[1] ? 12 : 0) };
    const margin = axes.some(Boolean) ? wide : BARE, inside = `${id}-inside-${k}`;
    const [w, h] = [width / columns, height / lines];
    const [left, top] = beside ? [k * w, 0] : [0, k * h];
    const sides = [w - margin.left - margin.right, h - margin.top - margin.bottom];
    const unit = plane.map(([low, high], i) => sides[i] / (high - low));
    if (program.equal && !k) unit.fill(Math.min(...unit));
    const [across, along] = plane.map((ends, i) => logs[i] ? ends : [-1, 1]
      .map(sign => (ends[0] + ends[1] + (sign * sides[i]) / unit[i]) / 2));
    const [xScale, yScale] = logs.map(log => (log ? scaleLog : scaleLinear));
    const x = xScale(across, [left + margin.left, left + w - margin.right]);
    const y = yScale(along, [top + h - margin.bottom, top + margin.top]);
    back.append("clipPath").attr("id", inside).append("rect").attr("x", left + margin.left)
      .attr("y", top + margin.top).attr("width", sides[0]).attr("height", sides[1]);
    if (margin === wide) {
      back.append("g").attr("transform", `translate(0,${top + h - margin.bottom})`)
        .call(ticked(axisBottom(x), sides[0], 60, logs[0]));
      back.append("g").attr("transform", `translate(${left + margin.left},0)`)
        .call(ticked(axisLeft(y), sides[1], 40, logs[1]));
      back.append("text").attr("x", left + margin.left + sides[0] / 2).attr("y", top + h - 6)
        .attr("text-anchor", "middle").text(axes[0]);
      const middle = top + margin.top + sides[1] / 2;
      back.append("text").attr("text-anchor", "middle").text(axes[1])
        .attr("transform", `translate(${left + 12},${middle}) rotate(-90)`);
    }
    return { x, y, inside };
  });
};
