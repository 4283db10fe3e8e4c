// The search: as you type in the theme's field, and on the page of the search; and marks what was found.
(() => {
  const root = document.documentElement.dataset.content_root;
  const form = document.querySelector(".bd-search-container form.bd-search");
  const LESS = new Set(("a an and are as at be by can do does for from has how i if in is it its of on "
    + "or that the their there this to was what when where which who why will with").split(" "));

  // The places and the library come when they are asked for; as classic scripts, also from the disk.
  const fetched = {};
  const script = name => fetched[name] ??= new Promise((done, failed) => {
    const node = document.createElement("script");
    node.src = `${root}_static/${name}`;
    node.onload = done;
    node.onerror = failed;
    document.head.append(node);
  });

  let index;
  const bare = word => word.length > 4 ? word.replace(/([^s])s$/, "$1").replace(/ma$/, "mum") : word;
  const open = async () => {
    await Promise.all([script("minisearch.js"), script("places.js")]);
    if (index) return index;
    index = new MiniSearch({
      fields: ["title", "words", "page", "number"],
      processTerm: term => bare(term.toLowerCase()),
      tokenize: text => text.split(/[^\p{L}\p{N}.]+|\.(?!\d)|(?<!\d)\./u).filter(Boolean),
      extractField: (place, field) =>
        field === "page" ? place.page.replace(/.*\//, "").replaceAll("_", " ") : place[field],
    });
    index.addAll(companionPlaces.places.map((place, id) => ({ ...place, anchor: place.id, id })));
    return index;
  };

  // A formula is looked for by its words.
  const words = query => {
    const spoken = /[\\^_]/.test(query)
      ? companionPlaces.spoken.reduce((text, [from, to]) => text.replace(new RegExp(from, "g"), to), query)
      : query.replaceAll("ℓ", "l").replace(/\bl([12]|infinity)[ -]/gi, "l$1 ");
    const all = spoken.toLowerCase().split(/\s+/).filter(Boolean);
    const telling = all.filter(word => !LESS.has(word));
    return (telling.length ? telling : all).join(" ");
  };

  const KINDS = { term: 1.6, page: 1.5, section: 0.8, symbol: 0.5 };
  const find = async query => {
    const all = await open();
    const wanted = words(query), places = companionPlaces.places;
    const found = all.search(wanted, {
      boost: { title: 4, number: 3 },
      prefix: (term, i, terms) => i === terms.length - 1 && term.length > 2,
      fuzzy: term => term.length > 4 ? 0.2 : false,
      weights: { fuzzy: 0.2, prefix: 0.6 },
      boostDocument: id => {
        const { kind, title } = places[id];
        return (KINDS[kind] ?? 1) * (title.toLowerCase() === wanted ? 2 : 1);
      },
    });
    // What has more of the words comes before what has one of them often.
    const count = wanted.split(" ").length;
    for (const one of found) one.score *= (one.queryTerms.length / count) ** 2;
    found.sort((one, other) => other.score - one.score);
    return found.filter(one => one.score > 0.05 * found[0].score).map(({ id }) => places[id]);
  };

  const make = (name, text, more = {}) =>
    Object.assign(document.createElement(name), { textContent: text, ...more });
  const address = (place, query) =>
    `${root}${place.page}.html?found=${encodeURIComponent(query)}${place.id ? "#" + place.id : ""}`;
  const entry = (place, query) => {
    const item = make("li", ""), kind = place.kind[0].toUpperCase() + place.kind.slice(1);
    item.append(
      make("a", place.title, { href: address(place, query) }), " ",
      make("span", [`${kind} ${place.number ?? ""}`.trim(), place.kind === "page" ? "" : companionPlaces.titles[place.page]]
        .filter(Boolean).join(", "), { className: "where" }));
    if (place.says) item.append(make("p", place.says));
    return item;
  };

  // The same place may be found as a term and as a statement: it is listed once.
  let last = 0;
  const show = async (box, query, most) => {
    const turn = ++last;
    const found = query.trim() ? await find(query) : [];
    if (turn !== last) return;
    const seen = new Set(), list = make("ol", "", { className: "search" });
    for (const place of found) {
      const key = address(place, "");
      if (!seen.has(key) && seen.size < most) list.append(entry(place, query));
      seen.add(key);
    }
    const sum = !query.trim() ? "" : seen.size
      ? `Search finished: ${seen.size} ${seen.size > 1 ? "places" : "place"}, the best first.`
      : "The search did not match any place of the book.";
    box.replaceChildren(make("p", sum, { className: "search-summary", role: "status" }), list);
  };

  const attend = (form, box, most) => {
    const input = form.querySelector("input");
    input.addEventListener("input", () => show(box, input.value, most));
    const links = () => [...box.querySelectorAll("a")];
    form.parentNode.addEventListener("keydown", event => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      const stops = [input, ...links()];
      stops[stops.indexOf(document.activeElement) + step]?.focus();
      event.preventDefault();
    });
  };

  const query = new URLSearchParams(location.search).get(form ? "q" : "found") ?? "";
  const dialog = document.getElementById("pst-search-dialog");
  if (dialog) {
    const box = make("div", "", { className: "found-places" });
    dialog.append(box);
    attend(dialog.querySelector("form"), box, 8);
  }
  if (form) {
    const box = document.getElementById("search-results");
    form.querySelector("input").value = query;
    attend(form, box, 40);
    show(box, query, 40);
  } else if (query) {
    // Marks the place that was found, and in it the words.
    const name = decodeURIComponent(location.hash.slice(1));
    const place = name && document.getElementById(name);
    place?.classList.add("found");
    if (!window.Highlight) return;
    script("places.js").then(() => {
      const wanted = words(query).split(" ").map(word => bare(word.replace(/[^\p{L}\p{N}-]/gu, "")));
      const telling = wanted.filter(word => word.length > 2);
      const ranges = [];
      const walk = document.createTreeWalker(place || document.querySelector("article"), NodeFilter.SHOW_TEXT);
      while (telling.length && walk.nextNode()) {
        const { currentNode } = walk, text = currentNode.data.toLowerCase();
        if (currentNode.parentElement.closest("script, style, .katex")) continue;
        for (const word of telling)
          for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
            const range = new Range();
            range.setStart(currentNode, at);
            range.setEnd(currentNode, at + word.length);
            ranges.push(range);
          }
      }
      CSS.highlights.set("found", new Highlight(...ranges));
    });
  }
})();
