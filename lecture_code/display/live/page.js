// Starts the live figures of a page, each when it comes near the view.
import { live, tell } from "./kit.js";
import * as drawn from "./programs.js";

export const programs = { ...drawn };
export const figures = new Map();

export const start = figure => {
  if (!figures.has(figure)) figures.set(figure, live(figure, programs[figure.dataset.program]));
  return figures.get(figure);
};
const near = new IntersectionObserver(
  entries => {
    for (const { isIntersecting, target } of entries)
      if (isIntersecting) near.unobserve(target), start(target);
  },
  { rootMargin: "600px" },
);
const visit = () => {
  const [id, query] = location.hash.slice(1).split("?");
  const figure = query && document.getElementById(id);
  if (!figure || !figure.matches("figure.live")) return;
  start(figure).set(new URLSearchParams(query));
  figure.scrollIntoView();
};
for (const figure of document.querySelectorAll("figure.live")) {
  tell(figure); // at once: a caption in sight holds still
  near.observe(figure);
}
addEventListener("hashchange", visit);
visit();
