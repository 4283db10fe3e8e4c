// What all live figures share: axes, dials, switches, points to drag, and all that follows them.
import { axisBottom, axisLeft } from "d3-axis";
import { drag } from "d3-drag";
import { scaleLinear } from "d3-scale";
import { select } from "d3-selection";
import { line } from "d3-shape";

const MARGIN = { top: 8, right: 10, bottom: 40, left: 46 };
const GRIP = 14; // px; half of what a finger finds
const PLAYED = 3000; // milliseconds from one end of a dial to the other
const STEPS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 };
const AXES = ["horizontal", "vertical"];

export const shown = value => (Math.abs(value) < 0.005 ? 0 : value).toFixed(2);
const within = ([low, high], value) => Math.min(high, Math.max(low, value));
const written = value =>
  typeof value === "string" ? value : [value].flat().map(v => +v.toFixed(4)).join(",");

// What a drawing program draws with: places in the units of the axes, colours by their role.
const pen = (layer, x, y) => {
  const colour = role => (role ? `var(--role-${role})` : "currentColor");
  const place = at => [x(at[0]), y(at[1])];
  const curve = (points, role, { width = 2, dash = null, fill = 0 } = {}) =>
    layer.append("path").attr("d", line()(points.map(place))).style("stroke", colour(role))
      .style("stroke-width", width).style("stroke-dasharray", dash)
      .style("fill", fill ? colour(role) : "none").style("fill-opacity", fill);
  const dot = (at, role, size = 3) =>
    layer.append("circle").attr("cx", x(at[0])).attr("cy", y(at[1])).attr("r", size)
      .style("fill", colour(role));
  const label = (at, text, role, { dx = 8, dy = 4, anchor = "start" } = {}) =>
    layer.append("text").attr("x", x(at[0]) + dx).attr("y", y(at[1]) + dy)
      .attr("text-anchor", anchor).attr("class", "label").style("fill", colour(role)).text(text);
  return { curve, dot, label, x: x.domain(), y: y.domain() };
};

// A live figure; `set` takes what stands in a link to a setting.
export function live(figure, program) {
  const given = JSON.parse(figure.querySelector("script").textContent);
  const { points, plane, data } = given, state = structuredClone(given.start);
  const dials = Object.fromEntries(given.dials.map(({ name, values }) => [name, values]));
  const stage = figure.querySelector(".stage"), setting = figure.querySelector("a.setting");
  const rows = [...figure.querySelectorAll(".control")], inside = `${figure.id}-inside`;
  const svg = select(stage).append("svg").attr("role", "group");
  const clip = svg.append("clipPath").attr("id", inside).append("rect");
  const frame = svg.append("g").attr("class", "frame");
  const layer = svg.append("g").attr("clip-path", `url(#${inside})`);
  let x = scaleLinear(), y = scaleLinear(), playing = 0;

  // As much of the plane as fits; with the same unit on both axes there is more of one of them.
  const measure = () => {
    const { width, height } = stage.getBoundingClientRect();
    const sides = [width - MARGIN.left - MARGIN.right, height - MARGIN.top - MARGIN.bottom];
    const unit = plane.map(([low, high], i) => sides[i] / (high - low));
    if (program.equal) unit.fill(Math.min(...unit));
    const [across, along] = plane.map(([low, high], i) =>
      [-1, 1].map(sign => (low + high + (sign * sides[i]) / unit[i]) / 2));
    x = scaleLinear(across, [MARGIN.left, width - MARGIN.right]);
    y = scaleLinear(along, [height - MARGIN.bottom, MARGIN.top]);
    svg.attr("viewBox", `0 0 ${width} ${height}`);
    clip.attr("x", MARGIN.left).attr("y", MARGIN.top).attr("width", sides[0]).attr("height", sides[1]);
    frame.selectAll("*").remove();
    frame.append("g").attr("transform", `translate(0,${height - MARGIN.bottom})`)
      .call(axisBottom(x).ticks(sides[0] / 60));
    frame.append("g").attr("transform", `translate(${MARGIN.left},0)`)
      .call(axisLeft(y).ticks(sides[1] / 40));
    frame.append("text").attr("x", MARGIN.left + sides[0] / 2).attr("y", height - 6)
      .attr("text-anchor", "middle").text(given.axes[0]);
    frame.append("text").attr("transform", `translate(13,${MARGIN.top + sides[1] / 2}) rotate(-90)`)
      .attr("text-anchor", "middle").text(given.axes[1]);
  };

  const draw = () => {
    program.hold?.(state, data);
    layer.selectAll("*").remove();
    const alt = program.draw(pen(layer, x, y), state, data);
    svg.attr("aria-label", alt);
    for (const point of points) {
      const at = state[point.name];
      point.handle.attr("transform", `translate(${x(at[0])},${y(at[1])})`);
      point.handle.selectAll("[role=slider]").each(function (_, i) {
        select(this).attr("aria-valuenow", shown(at[i])).attr("aria-valuetext", shown(at[i]));
      });
    }
    for (const row of rows) {
      const value = state[row.dataset.name], range = row.querySelector("input[type=range]");
      if (range) {
        range.value = value;
        range.setAttribute("aria-valuetext", shown(value));
        row.querySelector("output").textContent = shown(value);
      } else for (const input of row.querySelectorAll("input")) input.checked = input.value === value;
    }
    setting.hash = `${figure.id}?${new URLSearchParams(
      Object.entries(state).map(([name, value]) => [name, written(value)]))}`;
  };

  const move = (point, place) => {
    state[point.name] = place.map((value, i) => within(plane[i], Math.round(value * 100) / 100));
    draw();
  };
  for (const point of points) {
    point.handle = svg.append("g").attr("class", "handle").style("color", `var(--role-${point.role})`);
    point.handle.append("circle").attr("r", GRIP).attr("class", "grip");
    AXES.forEach((axis, i) => point.handle.append("rect").attr("role", "slider")
      .attr("x", i ? -4 : -11).attr("y", i ? -11 : -4).attr("width", i ? 8 : 22)
      .attr("height", i ? 22 : 8).attr("rx", 4).attr("tabindex", 0)
      .attr("aria-label", `${point.label}, ${axis}`).attr("aria-orientation", axis)
      .attr("aria-valuemin", plane[i][0]).attr("aria-valuemax", plane[i][1])
      .on("keydown", event => {
        const at = [...state[point.name]], ends = { Home: plane[i][0], End: plane[i][1] };
        if (event.key in ends) at[i] = ends[event.key];
        else if (event.key in STEPS) at[i] += 0.1 * STEPS[event.key];
        else return;
        event.preventDefault();
        move(point, at);
      }));
    point.handle.call(drag().container(svg.node())
      .subject(() => ({ x: x(state[point.name][0]), y: y(state[point.name][1]) }))
      .on("drag", event => move(point, [x.invert(event.x), y.invert(event.y)])));
  }

  const stop = () => {
    cancelAnimationFrame(playing);
    playing = 0;
    for (const row of rows) row.querySelector("button")?.setAttribute("aria-pressed", "false");
  };
  const play = (button, name) => {
    if (playing) return stop();
    const [low, high] = dials[name], began = performance.now();
    const from = state[name] < high ? state[name] : low;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const step = now => {
      const gone = still ? high : from + ((high - low) * Math.max(0, now - began)) / PLAYED;
      state[name] = Math.min(high, gone);
      playing = state[name] < high ? requestAnimationFrame(step) : 0;
      draw();
      if (!playing) stop();
    };
    button.setAttribute("aria-pressed", "true");
    step(began);
  };
  for (const row of rows) {
    const { name } = row.dataset;
    row.addEventListener("input", ({ target }) => {
      stop();
      state[name] = target.type === "range" ? Number(target.value) : target.value;
      draw();
    });
    row.querySelector("button")?.addEventListener("click", event => play(event.currentTarget, name));
  }

  const set = wanted => {
    for (const [name, text] of wanted) {
      const numbers = text.split(",").map(Number), point = points.find(one => one.name === name);
      const right = numbers.length === (point ? 2 : 1) && text && numbers.every(Number.isFinite);
      if (point && right) state[name] = numbers.map((value, i) => within(plane[i], value));
      else if (name in dials && typeof dials[name][0] === "string")
        state[name] = dials[name].includes(text) ? text : state[name];
      else if (name in dials && right) state[name] = within(dials[name], numbers[0]);
    }
    draw();
  };
  const fit = () => { if (stage.clientWidth) measure(), draw(); };
  fit();
  new ResizeObserver(fit).observe(stage);
  stage.classList.add("drawn");
  return { set, draw, state };
}
