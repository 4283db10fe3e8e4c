// A live figure in JupyterLab.
import { live } from "./kit.js";
import * as programs from "./programs.js";

export default {
  render({ model, el }) {
    el.innerHTML = model.get("markup");
    const figure = el.querySelector("figure");
    live(figure, programs[figure.dataset.program]);
  },
};
