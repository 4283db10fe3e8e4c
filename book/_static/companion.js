// Small helps for reading; without them the page is complete.
(() => {
  // A formula wider than its place scrolls: it fades at the edge, and keys reach it.
  const sizes = new ResizeObserver(entries => {
    for (const { target } of entries) {
      const wide = target.scrollWidth > target.clientWidth;
      target.classList.toggle("wide", wide);
      if (wide) target.tabIndex = 0; else target.removeAttribute("tabindex");
    }
  });
  for (const formula of document.querySelectorAll("article .katex-display")) sizes.observe(formula);

  // The drawer of contents, on a narrow screen, closes behind a link into the page.
  for (const drawer of document.querySelectorAll("dialog"))
    drawer.addEventListener("click", event => {
      if (event.target.closest("a[href^='#']")) drawer.close();
    });

  // The entry of this page in the list of pages is in sight.
  const sidebar = document.querySelector(".bd-sidebar-primary");
  const entry = sidebar?.querySelector(".toctree-l1.current > a");
  if (entry && !sidebar.matches("dialog *")) {
    const below = entry.getBoundingClientRect().bottom - innerHeight;
    if (below > 0) sidebar.scrollTop += below + 40;
  }
})();
