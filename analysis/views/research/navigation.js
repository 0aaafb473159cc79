// The state of the research tabs: it stands in the address, so that a link restores what is shown.
window.workbench = (() => {
  const { read, write, again: asked, setAgain } = window.workbenchAddress;
  const { example: _, tab: first, ...state } = read();
  const listeners = new Set();
  let tab = first ?? "tag";

  // The example is the first tab's, which keeps it itself; beside a text that is asked about again stands the view of
  // the run that it is from.
  const remember = () => {
    const { example } = read();
    if (tab === "tag") write(asked() === null ? { example } : state);
    else write({ example, tab, ...state });
  };

  const changed = () => {
    remember();
    for (const listener of listeners) listener();
  };

  // A change of the run or the filters makes what was picked in the old one meaningless.
  const dropped = {
    run: ["condition", "valid", "cell", "listed", "row", "name", "page", "pick", "find"],
    condition: ["cell", "listed", "page"],
    language: ["cell", "listed", "page"],
    values: ["cell", "listed"],
    reading: ["cell", "listed"],
    filters: ["page"],
    sort: ["page"],
    row: ["name"],
    find: ["pick"],
    pick: ["find"],
    map: ["pick"],
  };

  const set = (change) => {
    const before = { ...state };
    for (const name of Object.keys(change)) {
      if ((state[name] ?? "") !== change[name]) for (const lost of dropped[name] ?? []) delete state[lost];
    }
    for (const [name, value] of Object.entries(change)) {
      if (value === "") delete state[name];
      else state[name] = value;
    }
    if (JSON.stringify(before) !== JSON.stringify(state)) changed();
  };

  const opened = (name) => {
    if (tab === name) return;
    tab = name;
    changed();
  };

  // Takes a sentence of a run to the first tab, to be edited and asked about.
  const again = (text, view) => {
    tab = "tag";
    write(view);
    setAgain(text);
    button("tag")?.click();
    dispatchEvent(new CustomEvent("workbench-again", { detail: { text, view } }));
  };

  const button = (name) => document.querySelector(`#wb-tab-${CSS.escape(name)}-button`);

  document.addEventListener("click", (event) => {
    const chosen = event.target.closest("#wb-tabs [role=tab]");
    if (chosen) opened(chosen.id.match(/^wb-tab-(\w+)-button$/)?.[1] ?? "tag");
  });

  // The tabs come after the page; a link to one opens it once it is there.
  if (tab !== "tag") {
    const wait = new MutationObserver(() => {
      const chosen = button(tab);
      if (!chosen) return;
      wait.disconnect();
      if (chosen.getAttribute("aria-selected") !== "true") chosen.click();
    });
    wait.observe(document, { childList: true, subtree: true });
  }

  return { state, set, opened, again, listeners, tab: () => tab };
})();
