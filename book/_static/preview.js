// Shows a statement, equation or reference of this page beside the link to it, on hover and focus.
(() => {
  const box = document.createElement("div");
  box.className = "preview";
  box.hidden = true;
  document.body.append(box);

  const hide = () => { box.hidden = true; };

  const show = link => {
    const target = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (!target || box.contains(link)) return;
    const piece = target.closest("div.math, div.proof, div.exercise, div.citation") ?? target;
    if (!piece.matches("div.math, div.proof, div.exercise, div.citation")) return;
    const copy = piece.cloneNode(true);
    for (const node of [copy, ...copy.querySelectorAll("[id]")]) node.removeAttribute("id");
    box.replaceChildren(copy);
    box.hidden = false;
    const place = link.getBoundingClientRect();
    const above = place.top - 16, below = innerHeight - place.bottom - 16;
    box.style.maxHeight = Math.max(above, below) + "px";
    const size = box.getBoundingClientRect();
    const top = size.height <= above ? place.top - size.height - 8 : place.bottom + 8;
    box.style.left = Math.max(8, Math.min(place.left, innerWidth - size.width - 8)) + scrollX + "px";
    box.style.top = (size.height > below && above > below ? 8 : top) + scrollY + "px";
  };

  const links = 'article a.reference.internal[href*="#"]';
  for (const link of document.querySelectorAll(links)) {
    if (link.pathname !== location.pathname) continue;
    link.addEventListener("mouseenter", () => show(link));
    link.addEventListener("focus", () => show(link));
    link.addEventListener("mouseleave", hide);
    link.addEventListener("blur", hide);
  }
  addEventListener("keydown", event => { if (event.key === "Escape") hide(); });
})();
