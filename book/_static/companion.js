// Small helps for reading; without them the page is complete.
(() => {
  // What is wider than its place scrolls: it fades at the edge, and keys reach it.
  const atEnd = box => box.classList.toggle("ended",
    box.scrollLeft + box.clientWidth > box.scrollWidth - 2);
  const sizes = new ResizeObserver(entries => {
    for (const { target } of entries) {
      const wide = target.scrollWidth > target.clientWidth;
      target.classList.toggle("wide", wide);
      if (wide) target.tabIndex = 0; else target.removeAttribute("tabindex");
      atEnd(target);
    }
  });
  const wide = "article :is(.katex-display, .table-scroll, .picture-scroll)";
  for (const box of document.querySelectorAll(wide)) {
    sizes.observe(box);
    box.addEventListener("scroll", () => atEnd(box));
  }

  // The drawer of contents, on a narrow screen, closes behind a link into the page.
  for (const drawer of document.querySelectorAll("dialog"))
    drawer.addEventListener("click", event => {
      if (event.target.closest("a[href^='#']")) drawer.close();
    });

  // The entry of this page in the list of pages is in sight.
  const sidebar = document.querySelector(".bd-sidebar-primary");
  const entry = sidebar?.querySelector(".toctree-l1.current > a");
  const inSight = () => {
    const below = entry.getBoundingClientRect().bottom - innerHeight;
    if (below > 0) sidebar.scrollTop += below + 40;
  };
  if (entry && !sidebar.matches("dialog *")) {
    inSight();
    document.fonts.ready.then(inSight);  // which may have moved it
    addEventListener("load", inSight);
  }

  // Guess first: the options become buttons; what shows the answer is veiled until the guess.
  for (const box of document.querySelectorAll("article .admonition.predict")) {
    const list = box.querySelector(":scope > ul"), answer = box.querySelector(":scope > details");
    const right = answer?.querySelector("strong")?.textContent.replace(/\.$/, "").trim();
    if (!list || !right) continue;
    let cell = box.nextElementSibling;
    while (cell && !cell.matches(".tag_reveals, .predict, section, p")) cell = cell.nextElementSibling;
    const veiled = cell?.matches(".tag_reveals") ? cell.querySelector(".cell_output") : null;
    if (veiled) veiled.inert = true;
    veiled?.classList.add("veiled");
    const lift = () => {
      if (veiled) veiled.inert = false;
      veiled?.classList.remove("veiled");
    };
    list.classList.add("options");
    for (const item of list.children) {
      const choice = document.createElement("button");
      choice.type = "button";
      choice.setAttribute("aria-pressed", "false");
      choice.append(...item.childNodes);
      item.append(choice);
      choice.addEventListener("click", () => {
        for (const other of list.querySelectorAll("button"))
          other.setAttribute("aria-pressed", other === choice);
        choice.classList.add(choice.textContent.trim() === right ? "right" : "wrong");
        answer.open = true;
        lift();
      });
    }
    answer.addEventListener("toggle", () => { if (answer.open) lift(); });
    addEventListener("beforeprint", lift);
  }

  // Folds: a link into one opens it; print opens all; one button for all but code, remembered.
  const folds = () => document.querySelectorAll(
    "article details:is(.rows, .erratum, .proof-fold, .sd-dropdown)");
  const kept = {
    get: name => { try { return localStorage.getItem(name); } catch { return null; } },
    set: (name, value) => { try { localStorage.setItem(name, value); } catch { /* not kept */ } },
  };
  const reveal = () => {
    const name = location.hash.slice(1).split("?")[0];
    const target = document.getElementById(name);
    let fold = target?.closest("details:not([open])");
    if (!fold) return;
    for (; fold; fold = fold.parentElement.closest("details:not([open])")) fold.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  let shut = [];
  addEventListener("beforeprint", () => {
    shut = [...folds()].filter(fold => !fold.open);
    for (const fold of shut) fold.open = true;
  });
  addEventListener("afterprint", () => { for (const fold of shut) fold.open = false; });

  const place = document.querySelector(".article-header-buttons");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn btn-sm fold-all";
  const say = open => {
    button.textContent = open ? "Fold all" : "Open all";
    button.setAttribute("aria-pressed", open);
  };
  const turn = open => {
    for (const fold of folds()) fold.open = open;
    say(open);
  };
  const toggle = () => {
    const open = button.getAttribute("aria-pressed") !== "true";
    turn(open);
    kept.set("folds", open ? "open" : "shut");
  };
  button.addEventListener("click", toggle);
  if (place && folds().length) {
    place.prepend(button);
    if (kept.get("folds") === "open") turn(true); else say(false);
  }
  reveal();

  // Help on the keys, on one key; whoever speaks or types letters for other ends turns them off.
  const KEYS = [
    ["Tab", "to the next link, slider, fold or handle"],
    ["← → ↑ ↓", "move a slider or a handle; Home and End go to its ends"],
    ["Space or Enter", "open or close a fold, press a button"],
    ["Ctrl K or ⌘ K", "search"],
    ["f", "open or fold all proofs, answers, hints, notes and evidence of the page"],
    ["?", "this help"],
    ["Esc", "close what is open"],
  ];
  const help = document.createElement("dialog");
  help.className = "keys";
  help.setAttribute("aria-labelledby", "keys-title");
  const rows = KEYS.map(([key, does]) => `<dt><kbd>${key}</kbd></dt><dd>${does}</dd>`).join("");
  help.innerHTML = `<h2 id="keys-title">Keys</h2><dl>${rows}</dl>
    <p><label><input type="checkbox"> single letters act as keys</label></p>
    <form method="dialog"><button class="btn btn-sm">Close</button></form>`;
  document.body.append(help);
  const letters = help.querySelector("input");
  letters.checked = kept.get("letters") !== "off";
  letters.addEventListener("change", () => kept.set("letters", letters.checked ? "on" : "off"));
  const typing = "input:not([type=range]), textarea, select, [contenteditable]";
  addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.(typing)) return;
    if (event.key === "?") help.open ? help.close() : help.showModal();
    if (event.key === "f" && letters.checked && !help.open && button.isConnected) toggle();
  });
})();
