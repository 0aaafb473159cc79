// The parameters of the page's address that are ours. They bear a prefix, since gradio reads names of its own there
// (`page`, `view`, `deep_link`, ...), as do logins and proxies; all others are left as they stand.
window.workbenchAddress = (() => {
  const prefix = "wb-";
  const names = [
    "example", "tab", "run", "other", "condition", "language", "values", "reading", "cell", "listed", "filters",
    "valid", "entity_type", "sort", "page", "row", "name", "kind", "map", "projection", "colour", "pick", "find", "ask",
  ];

  // Those that are there, by their names without the prefix, which older links lack.
  const read = () => {
    const there = new URL(location.href).searchParams;
    const found = names.map((name) => [name, there.get(prefix + name) ?? there.get(name)]);
    return Object.fromEntries(found.filter(([, value]) => value !== null));
  };

  // Makes these all that are there; an empty value is none.
  const write = (values) => {
    const address = new URL(location.href);
    for (const name of names) {
      address.searchParams.delete(name);
      if (values[name]) address.searchParams.set(prefix + name, values[name]);
      else address.searchParams.delete(prefix + name);
    }
    history.replaceState(null, "", address);
  };

  // The text that is asked about again beside a run's photo stands behind the "#", which browsers send to no server;
  // null is none.
  const mark = "#wb-again=";
  const again = () => {
    try {
      return location.hash.startsWith(mark) ? decodeURIComponent(location.hash.slice(mark.length)) : null;
    } catch {
      return null; // cut short on its way
    }
  };
  const setAgain = (text) => {
    if (text === null && again() === null) return;
    const address = new URL(location.href);
    address.hash = text === null ? "" : mark + encodeURIComponent(text);
    history.replaceState(null, "", address);
  };

  return { read, write, again, setAgain };
})();
