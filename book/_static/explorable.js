// Figures with sliders: the frames lie in the page; nothing is fetched.
(() => {
  const all = (selector, root) => [...root.querySelectorAll(selector)];
  const figures = () => all("figure.explorable", document);
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
    const state = all("input", figure).map((input, i) => {
      const slider = data.sliders[i], at = Number(input.value);
      index = index * slider.values.length + at;
      input.setAttribute("aria-valuetext", slider.values[at] + slider.unit);
      input.parentNode.querySelector("output").innerHTML = slider.texts[at] + slider.unit;
      return input.name + "=" + encodeURIComponent(slider.values[at]);
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
    const input = button.parentNode.querySelector("input");
    const step = () => {
      input.value = input.value === input.max ? 0 : Number(input.value) + 1;
      show(input.closest("figure"));
      return input.value === input.max;
    };
    if (step() || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    button.setAttribute("aria-pressed", "true");
    button.timer = setInterval(() => step() && stop(button), 700);
  };
  const visit = () => {
    const [id, query] = location.hash.slice(1).split("?");
    const figure = query && document.getElementById(id);
    if (!figure) return;
    const wanted = new URLSearchParams(query);
    show(figure);
    all("input", figure).forEach((input, i) => {
      const at = figure.data.sliders[i].values.indexOf(wanted.get(input.name));
      if (at >= 0) input.value = at;
    });
    show(figure);
    figure.scrollIntoView();
  };
  const reset = figure => {
    for (const input of all("input", figure)) {
      [input.kept, input.value] = [input.value, input.defaultValue];
    }
    show(figure);
  };
  const restore = figure => {
    for (const input of all("input", figure)) input.value = input.kept;
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
