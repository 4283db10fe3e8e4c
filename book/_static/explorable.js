// Figures with sliders and switches: the frames lie in the page.
(() => {
  const all = (selector, root) => [...root.querySelectorAll(selector)];
  const figures = () => all("figure.explorable", document);
  const rows = figure => all(".control", figure);

  // A parameter stands at a place of its list of values: a range, or one of a few buttons.
  const range = row => row.querySelector("input[type=range]");
  const at = row => Number((range(row) ?? row.querySelector("input:checked")).value);
  const put = (row, place) => {
    const slider = range(row);
    if (slider) slider.value = place; else all("input", row)[place].checked = true;
  };
  const first = row => {
    const slider = range(row);
    return Number(slider ? slider.defaultValue : all("input", row).findIndex(e => e.defaultChecked));
  };

  // The frame that shows first stands in the page once, as the picture itself.
  const stored = (figure, image) => {
    if (!figure.data) {
      figure.data = JSON.parse(figure.querySelector("script").textContent);
      figure.data.frames[figure.data.first] = [image.src, image.alt];
    }
    return figure.data;
  };
  const show = figure => {
    const image = figure.querySelector("img"), data = stored(figure, image);
    let index = 0;
    const state = rows(figure).map((row, i) => {
      const { values, texts, unit } = data.sliders[i], place = at(row), slider = range(row);
      index = index * values.length + place;
      if (slider) {
        slider.setAttribute("aria-valuetext", values[place] + unit);
        row.querySelector("output").innerHTML = texts[place];
      }
      return row.dataset.name + "=" + encodeURIComponent(values[place]);
    });
    [image.src, image.alt] = data.frames[index];
    figure.querySelector("a.setting").hash = figure.id + "?" + state.join("&");
  };
  const stop = button => {
    clearInterval(button.timer);
    button.timer = 0;
    button.setAttribute("aria-pressed", "false");
  };
  const play = button => {
    if (button.timer) return stop(button);
    const slider = range(button.parentNode);
    const step = () => {
      slider.value = slider.value === slider.max ? 0 : Number(slider.value) + 1;
      show(slider.closest("figure"));
      return slider.value === slider.max;
    };
    if (step() || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    button.setAttribute("aria-pressed", "true");
    button.timer = setInterval(() => step() && stop(button), 700);
  };
  const visit = () => {
    const [id, query] = location.hash.slice(1).split("?");
    const figure = query && document.getElementById(id);
    if (!figure || !figure.matches("figure.explorable")) return;
    const wanted = new URLSearchParams(query);
    show(figure);
    rows(figure).forEach((row, i) => {
      const place = figure.data.sliders[i].values.indexOf(wanted.get(row.dataset.name));
      if (place >= 0) put(row, place);
    });
    show(figure);
    figure.scrollIntoView();
  };
  const reset = figure => {
    for (const row of rows(figure)) {
      row.kept = at(row);
      put(row, first(row));
    }
    show(figure);
  };
  const restore = figure => {
    for (const row of rows(figure)) put(row, row.kept);
    show(figure);
  };
  document.addEventListener("input", event => {
    const figure = event.target.closest("figure.explorable");
    if (figure) all("button", figure).forEach(stop), show(figure);
  });
  document.addEventListener("click", event => {
    const button = event.target.closest("figure.explorable button");
    if (button) play(button);
  });
  addEventListener("hashchange", visit);
  addEventListener("beforeprint", () => figures().forEach(reset));
  addEventListener("afterprint", () => figures().forEach(restore));
  addEventListener("DOMContentLoaded", visit);
})();
