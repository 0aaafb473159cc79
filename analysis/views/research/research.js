// Runs once per research tab: `element` is its root, `server.part` asks for one part of it.
const bench = window.workbench;
const shell = element.querySelector(".wb-research");
const tab = shell.dataset.tab;
const dialog = shell.querySelector("dialog");
const parts = [...shell.querySelectorAll("[data-part]")];
const inView = new Set();
const figures = new Map(); // part to what its figure was drawn from
const overlays = { picked: [], own: [] };
let running = false;

const scheme = () => (document.body.classList.contains("dark") ? "dark" : "light");
// Only the first of the tabs looks at one image condition; the others compare them all.
const saved = () => ({ saved: String(bench.saved ?? 0) }); // how often this page had something kept beside a run
const state = () => ({ ...bench.state, ...saved(), ...(tab !== "errors" && { condition: "" }) });
const keyOf = (part) => JSON.stringify(part.dataset.uses.split(" ").map((name) => state()[name] ?? ""));
const stale = (part) => part.dataset.key !== keyOf(part);
const request = (part) => ({ ...state(), part: part.dataset.part });

// Plotly is large, so it is fetched with the first figure, from this server.
const library = () => {
  window.workbenchPlotly ??= new Promise((resolve, reject) => {
    if (window.Plotly) return resolve();
    const script = document.createElement("script");
    script.src = shell.dataset.library;
    script.onload = resolve;
    script.onerror = reject;
    document.head.append(script);
  });
  return window.workbenchPlotly;
};

async function load(part) {
  const key = keyOf(part);
  part.dataset.key = key;
  part.setAttribute("aria-busy", "true");
  const answer = await server.part(request(part)).catch(() => ({
    html: '<p class="wb-part-problem" role="alert">The server does not answer; reload the page.</p>',
  }));
  if (part.dataset.key !== key) return; // asked again meanwhile
  await show(part, answer);
  part.removeAttribute("aria-busy");
}

async function show(part, answer) {
  const focused = part.contains(document.activeElement) ? document.activeElement : null;
  const again = focused && { set: focused.dataset.set, state: focused.dataset.state, at: focused.selectionStart };
  const open = [...part.querySelectorAll("details")].map((details) => details.open);
  const old = part.querySelector(".wb-figure");
  if (old && window.Plotly) Plotly.purge(old);
  part.innerHTML = answer.html;
  part.classList.toggle("wb-part-empty", answer.html === "");
  part.style.minHeight = "";
  part.querySelectorAll("details.wb-fold").forEach((details, i) => { details.open = open[i] ?? details.open; });
  part.querySelectorAll("input[data-state]").forEach((input) => { input.value = bench.state[input.dataset.state] ?? ""; });
  if (again) refocus(part, again);
  figures.delete(part);
  if (answer.figure) {
    const figure = JSON.parse(answer.figure);
    figures.set(part, { ...figure, templates: JSON.parse(answer.templates) });
    await draw(part);
  }
  if (answer.traces) overlay("picked", answer.traces);
}

// The markup is new, so the button or field that had the focus is another one now.
function refocus(part, { set, state, at }) {
  const same = [...part.querySelectorAll("[data-set], [data-state]")].find((item) =>
    state ? item.dataset.state === state : item.dataset.set === set && set);
  same?.focus({ preventScroll: true });
  if (same && at != null && same.setSelectionRange) same.setSelectionRange(at, at);
}

async function draw(part) {
  const { data, layout, templates } = figures.get(part);
  const box = part.querySelector(".wb-figure");
  await library();
  if (!box.isConnected) return;
  const picks = box.classList.contains("wb-picks");
  // Sharing a chart, which is on by default, would send it to a server of plotly's.
  const config = { responsive: true, displaylogo: false, scrollZoom: picks, showSendToCloud: false };
  const unwanted = ["select2d", "lasso2d", "autoScale2d"];
  config.modeBarButtonsToRemove = picks ? [...unwanted, "pan2d", "zoom2d"] : unwanted;
  const over = picks ? overlaid() : [];
  await Plotly.newPlot(box, [...data, ...over], { ...layout, template: templates[scheme()] }, config);
  box.dataset.drawn = scheme();
  resizing.observe(box);
  if (!picks) return;
  const pick = (event) => {
    const points = (event?.points ?? []).map((point) => point.customdata).filter((point) => point != null);
    if (points.length) bench.set({ pick: [...new Set(points)].slice(0, 500).join(",") });
  };
  box.on("plotly_click", pick);
  box.on("plotly_selected", pick);
  window.workbenchHover(box, async (point) => {
    const answer = await server.part({ ...state(), part: "hover", point: String(point) });
    return answer.problem ? "" : answer.html;
  });
}

// A box gets its width when the tab is shown, or a table beside it opens, not only with the window.
const resizing = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.data && target.clientWidth && target.clientWidth !== target._fullLayout.width) Plotly.Plots.resize(target);
  }
});

// What lies over the map, with lines in the colour of the text.
function overlaid() {
  const color = getComputedStyle(shell).color;
  return [...overlays.picked, ...overlays.own].map(({ line, marker, ...trace }) => ({
    ...trace,
    ...(line && { line: { ...line, color } }),
    ...(marker && { marker: { ...marker, line: { ...marker.line, color } } }),
  }));
}

// Lays it there without drawing the map again.
async function overlay(kind, traces) {
  const part = shell.querySelector('[data-part="map"]');
  if (kind) overlays[kind] = traces;
  const box = part?.querySelector(".wb-picks");
  if (!box?.data || !figures.has(part)) return;
  const first = figures.get(part).data.length;
  const now = Array.from({ length: box.data.length - first }, (_, i) => first + i);
  if (now.length) await Plotly.deleteTraces(box, now);
  const over = overlaid();
  if (over.length) await Plotly.addTraces(box, over);
}

// The visitor's own pair, once placed, moves with the map.
let placedOn = null;
function placeOwn() {
  placedOn = ownMap();
  shell.querySelector("[data-own-place]").innerHTML = '<p class="wb-waiting" role="status">Placing your pair …</p>';
  trigger("select", { view: { ...bench.state } });
}
const ownMap = () => JSON.stringify(["run", "map", "projection"].map((name) => bench.state[name] ?? ""));

// One part after the other, those in sight first: on a busy machine the first is there soonest.
async function refresh() {
  if (bench.tab() === tab) {
    if (bench.state.row && !dialog.open) dialog.showModal();
    if (!bench.state.row && dialog.open) dialog.close();
  }
  if (placedOn !== null && placedOn !== ownMap()) placeOwn();
  if (running) return;
  running = true;
  try {
    for (;;) {
      // The inspector scrolls by itself, which the margin of what is in view does not look through.
      const near = (part) => inView.has(part) || (dialog.open && dialog.contains(part));
      const wanted = parts.filter((part) => near(part) && stale(part));
      const next = wanted.find((part) => dialog.contains(part)) ?? wanted[0];
      if (!next) break;
      await load(next);
    }
  } finally {
    running = false;
  }
}

const watching = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting) inView.add(entry.target);
      else inView.delete(entry.target);
    }
    // However the tab was opened: by its button, a link, or the menu that a narrow screen puts it in.
    if (entries.some((entry) => entry.isIntersecting)) bench.opened(tab);
    refresh();
  },
  { rootMargin: "400px 0px" },
);
library();
for (const part of parts) watching.observe(part);
bench.listeners.add(refresh);

async function download(button) {
  const part = button.closest("[data-part]");
  button.disabled = true;
  const { file, html } = await server.part({ ...request(part), download: button.dataset.download });
  button.disabled = false;
  if (!file) {
    button.insertAdjacentHTML("afterend", html);
    return;
  }
  const bytes = Uint8Array.from(atob(file.data), (letter) => letter.charCodeAt(0));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes], { type: file.mime }));
  link.download = file.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function jump(id) {
  const part = shell.querySelector(`[data-part="${CSS.escape(id)}"]`);
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  part.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
  part.tabIndex = -1;
  part.focus({ preventScroll: true });
}

// Keeps a form's content beside the run; all that shows such things is then asked for again.
async function save(form, button) {
  const values = { kind: form.dataset.save, ...form.dataset, ...Object.fromEntries(new FormData(form, button)) };
  values.tags = [...form.querySelectorAll("[name=tags]")].map((select) => select.value);
  const said = form.querySelector(".wb-said");
  const failed = { problem: true, html: "The server does not answer; nothing was saved." };
  const answer = await server.save({ ...state(), form: values }).catch(() => failed);
  said.innerHTML = answer.html;
  if (answer.problem) return;
  bench.saved = (bench.saved ?? 0) + 1;
  for (const listener of bench.listeners) listener();
}

function fill(form, tags) {
  form.querySelectorAll("[name=tags]").forEach((select, i) => { select.value = tags[i]; });
}

const clickable = "[data-set], [data-download], [data-jump], [data-close], [data-drag], [data-own], [data-fill], [data-again]";
element.addEventListener("click", (event) => {
  const item = event.target.closest(clickable);
  if (!item) {
    if (event.target === dialog) bench.set({ row: "" }); // beside the inspector
    return;
  }
  // A row is a large button, but its words may be marked and copied.
  if (item.matches("tr") && getSelection()?.toString()) return;
  if (item.dataset.set) bench.set(JSON.parse(item.dataset.set));
  else if (item.dataset.download) download(item);
  else if (item.dataset.fill) fill(item.form, JSON.parse(item.dataset.fill));
  else if (item.dataset.again) {
    bench.again(item.dataset.again, state());
    dialog.close(); // a dialog that lies over a hidden tab would keep the page from answering
  } else if ("close" in item.dataset) bench.set({ row: "" });
  else if ("own" in item.dataset) placeOwn();
  else if (item.dataset.jump) {
    event.preventDefault();
    jump(item.dataset.jump);
  } else {
    for (const other of item.parentElement.children) other.setAttribute("aria-pressed", String(other === item));
    Plotly.relayout(item.closest("[data-part]").querySelector(".wb-figure"), { dragmode: item.dataset.drag });
  }
});

element.addEventListener("change", (event) => {
  const { state } = event.target.dataset;
  if (state) bench.set({ [state]: event.target.value });
  if ("sets" in event.target.dataset) bench.set(JSON.parse(event.target.value));
  if (event.target.name === "column") {
    event.target.form.elements.value.setAttribute("list", `wb-suggest-${event.target.value}`);
  }
});

element.addEventListener("submit", (event) => {
  event.preventDefault();
  if (event.target.dataset.save) return save(event.target, event.submitter);
  const { column, operator, value } = event.target.elements;
  const filters = JSON.parse(event.target.dataset.filters || "[]");
  const operand = operator.value === "one of" ? value.value.split(",").map((part) => part.trim()) : value.value;
  bench.set({ filters: JSON.stringify([...filters, [column.value, operator.value, operand]]) });
});

dialog.addEventListener("close", () => {
  if (bench.tab() === tab) bench.set({ row: "" });
});

// A run was made, renamed or deleted: the menus of runs are of yesterday.
addEventListener("workbench-runs", () => {
  delete parts.find((part) => part.dataset.part === "controls").dataset.key;
  refresh();
});

// The visitor's own pair comes from the first tab by way of the server.
addEventListener("workbench-own", (event) => {
  const place = shell.querySelector("[data-own-place]");
  if (!place) return;
  place.innerHTML = event.detail.html;
  overlay("own", event.detail.traces);
});

new MutationObserver(() => {
  for (const [part, { templates }] of figures) {
    const box = part.querySelector(".wb-figure");
    if (box?.data && box.dataset.drawn !== scheme()) {
      box.dataset.drawn = scheme();
      Plotly.relayout(box, { template: templates[scheme()] });
    }
  }
  overlay();
}).observe(document.body, { attributes: true, attributeFilter: ["class"] });
