// What all live figures share: panels, dials, switches, cells, points to drag, and what follows.
import { drag } from "d3-drag";
import { select } from "d3-selection";
import { frames, pen, raised, stacked } from "./pen.js";

const GRIP = 14; // px; half of what a finger finds
const PLAYED = 3000; // milliseconds from one end of a dial to the other
const STEPS = {
  ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10,
};
const AXES = ["horizontal", "vertical"];
const PLACES = [{ Above: "Left", Below: "Right" }, { Left: "Above", Right: "Below" }];

export const shown = value => (Math.abs(value) < 0.005 ? 0 : value).toFixed(2);
const within = ([low, high], value) => Math.min(high, Math.max(low, value));
const written = value => typeof value === "string" ? value : [value].flat()
  .map(v => +(v && Math.abs(v) < 0.01 ? v.toPrecision(4) : v.toFixed(4))).join(",");
export const power = value => { // 0.00032 as 3.2·10⁻⁴
  if (!value || (value >= 0.01 && value < 10000)) return String(+value.toPrecision(2));
  const [head, tail] = value.toExponential(1).split("e");
  return `${head}·10${raised(+tail)}`;
};

// A dial of an interval: where its slider stands, and the value read off there.
const scale = ({ values: [low, high], log = false, step = 0 }) => {
  const [into, back] = log ? [Math.log10, at => 10 ** at] : [value => value, at => at];
  const keep = value =>
    within([low, high], step ? low + step * Math.round((value - low) / step) : value);
  const read = value =>
    log ? power(value) : step && Number.isInteger(step) ? String(value) : shown(value);
  return { ends: [into(low), into(high)], at: into, set: at => keep(back(at)), keep, read, step };
};

// Where panels stand under each other, what a caption calls left is above.
export const tell = figure => {
  const stage = figure.querySelector(".stage"), under = stacked(stage);
  const caption = figure.querySelector("figcaption"); // JupyterLab has it outside
  if (!caption || stage.dataset.panels < 2 || !stage.clientWidth) return;
  const texts = document.createTreeWalker(caption, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode())
    text.data = text.data.replace(/\b(Left|Right|Above|Below)(?=[:,])/g,
      word => PLACES[Number(under)][word] ?? word);
};

// A live figure; `set` takes what stands in a link to a setting.
export function live(figure, program) {
  const given = JSON.parse(figure.querySelector("script").textContent);
  const { points, data, cells } = given, state = structuredClone(given.start), rover = {};
  const plane = given.panels[0].plane;
  const texts = given.dials.filter(({ values }) => typeof values[0] === "string");
  const choices = Object.fromEntries(texts.map(({ name, values }) => [name, values]));
  const dials = Object.fromEntries(given.dials.filter(dial => !texts.includes(dial))
    .map(dial => [dial.name, scale(dial)]));
  const stage = figure.querySelector(".stage"), setting = figure.querySelector("a.setting");
  const rows = [...figure.querySelectorAll(".control")];
  const svg = select(stage).append("svg").attr("role", "group");
  const back = svg.append("g").attr("class", "frame"), layer = svg.append("g");
  let panels = [], playing = 0;
  const place = ({ name }) => (program.where ? program.where(state, name) : state[name]);

  // A cell stays in focus when the drawing is made anew around it.
  const turn = (name, i) => {
    const next = (Number(state[name][i]) + 1) % cells[name];
    state[name] = state[name].slice(0, i) + next + state[name].slice(i + 1);
    rover[name] = i;
    draw();
  };
  const hold = (mark, i, name, label) => {
    const on = state[name][i];
    mark.attr("class", "cell").attr("role", cells[name] > 2 ? "button" : "switch")
      .attr("aria-checked", cells[name] > 2 ? null : on === "1")
      .attr("aria-label", label ?? `${name} ${i + 1}: ${on}`).attr("data-cell", `${name}-${i}`)
      .attr("tabindex", i === (rover[name] ?? 0) ? 0 : -1)
      .on("click", () => turn(name, i))
      .on("keydown", event => {
        if (event.key === " " || event.key === "Enter") turn(name, i);
        else if (event.key in STEPS) {
          rover[name] = within([0, state[name].length - 1], i + STEPS[event.key]);
          draw();
        } else return;
        event.preventDefault();
      });
  };

  const draw = () => {
    if (!panels.length) return; // not laid out yet: in a closed fold
    program.hold?.(state, data);
    const focus = stage.contains(document.activeElement) && document.activeElement.dataset.cell;
    layer.selectAll("*").remove();
    const pens = panels.map(panel => pen(layer, panel, hold));
    const alt = program.draw(Object.assign(pens[0], { panels: pens }), state, data);
    svg.attr("aria-label", alt);
    if (focus) {
      const [name] = focus.split("-");
      const again = layer.select(`[data-cell="${name}-${rover[name] ?? 0}"]`).node();
      again?.focus({ preventScroll: true });
    }
    for (const point of points) {
      const at = place(point), [{ x, y }] = panels;
      point.handle.style("display", at ? null : "none");
      if (at) point.handle.attr("transform", `translate(${x(at[0])},${y(at[1])})`);
      point.handle.selectAll("[role=slider]").each(function (_, i) {
        const value = shown(state[point.name][i]);
        select(this).attr("aria-valuenow", value).attr("aria-valuetext", value);
      });
    }
    const idle = program.idle?.(state) ?? []; // dials that change nothing here
    for (const row of rows) {
      const { name } = row.dataset, value = state[name];
      row.hidden = idle.includes(name);
      const range = row.querySelector("input[type=range]");
      if (range) {
        range.value = dials[name].at(value);
        range.setAttribute("aria-valuetext", dials[name].read(value));
        row.querySelector("output").textContent = dials[name].read(value);
      } else
        for (const input of row.querySelectorAll("input")) input.checked = input.value === value;
    }
    if (setting) setting.hash = `${figure.id}?${new URLSearchParams(
      Object.entries(state).map(([name, value]) => [name, written(value)]))}`;
  };

  const rounded = at => at.map((value, i) => within(plane[i], Math.round(value * 100) / 100));
  const move = (point, at) => {
    if (program.drop) program.drop(state, point.name, at);
    else state[point.name] = at;
    state[point.name] = rounded(state[point.name]);
    draw();
  };
  for (const point of points) {
    point.handle = svg.append("g").attr("class", "handle");
    point.handle.style("color", `var(--role-${point.role})`);
    point.handle.append("circle").attr("r", GRIP).attr("class", "grip");
    AXES.forEach((axis, i) => point.handle.append("rect").attr("role", "slider")
      .attr("x", i ? -4 : -11).attr("y", i ? -11 : -4).attr("width", i ? 8 : 22)
      .attr("height", i ? 22 : 8).attr("rx", 4).attr("tabindex", 0)
      .attr("aria-label", `${point.label}, ${axis}`).attr("aria-orientation", axis)
      .attr("aria-valuemin", plane[i][0]).attr("aria-valuemax", plane[i][1])
      .on("keydown", event => {
        const at = [...state[point.name]], ends = { Home: plane[i][0], End: plane[i][1] };
        const fine = (plane[i][1] - plane[i][0]) > 2 ? 0.1 : 0.02;
        if (event.key in ends) at[i] = ends[event.key];
        else if (event.key in STEPS) at[i] += fine * STEPS[event.key];
        else return;
        event.preventDefault();
        state[point.name] = rounded(at);
        draw();
      }));
    const under = () => panels[0];
    point.handle.call(drag().container(svg.node())
      .subject(() => ({ x: under().x(place(point)[0]), y: under().y(place(point)[1]) }))
      .on("drag", event => move(point, [under().x.invert(event.x), under().y.invert(event.y)])));
  }

  const stop = () => {
    cancelAnimationFrame(playing);
    playing = 0;
    for (const row of rows) row.querySelector(".play")?.setAttribute("aria-pressed", "false");
  };
  const play = (button, name) => {
    if (playing) return stop();
    const { ends: [low, high], at, set } = dials[name], began = performance.now();
    const from = at(state[name]) < high ? at(state[name]) : low;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const step = now => {
      const gone = still ? high : from + ((high - low) * Math.max(0, now - began)) / PLAYED;
      state[name] = set(Math.min(high, gone));
      playing = gone < high ? requestAnimationFrame(step) : 0;
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
      state[name] = target.type === "range" ? dials[name].set(Number(target.value)) : target.value;
      draw();
    });
    row.querySelector(".play")?.addEventListener("click", event => play(event.currentTarget, name));
    row.querySelector(".next")?.addEventListener("click", () => {
      stop();
      const { ends: [low, high], keep, step } = dials[name];
      state[name] = keep(state[name] < high ? state[name] + step : low);
      draw();
    });
  }

  const set = wanted => {
    for (const [name, text] of wanted) {
      const numbers = text.split(",").map(Number), point = points.find(one => one.name === name);
      const right = numbers.length === (point ? 2 : 1) && text && numbers.every(Number.isFinite);
      if (point && right) state[name] = numbers.map((value, i) => within(plane[i], value));
      else if (choices[name]?.includes(text)) state[name] = text;
      else if (name in dials && right) state[name] = dials[name].keep(numbers[0]);
      else if (name in cells && text.length === state[name].length
        && [...text].every(digit => digit >= "0" && Number(digit) < cells[name]))
        state[name] = text;
    }
    draw();
  };
  const fit = () => {
    if (!stage.clientWidth) return;
    panels = frames(figure.id, svg, back, given.panels, program, stage);
    tell(figure);
    draw();
  };
  fit();
  new ResizeObserver(fit).observe(stage);
  stage.classList.add("drawn");
  return { set, draw, state };
}
