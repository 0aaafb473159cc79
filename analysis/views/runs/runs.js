// Runs once: `element` is the tab, `server.runs` does what is asked of the server, `upload` sends it a file.
const bench = window.workbench;
const summary = element.querySelector("[data-summary]");
const list = element.querySelector("[data-list]");
const listProblem = element.querySelector("[data-list-problem]");
const BUSY = 1500, QUIET = 15_000; // milliseconds between two looks at the runs
let active = false, visible = false, timer = null, shown = "", finished = null;

const ask = (request) =>
  server.runs(request).catch(() => ({ problem: "The server does not answer; reload the page." }));

const tell = (place, sentence) => { place.textContent = sentence ?? ""; };
const problemOf = (form) => form.querySelector(".wb-run-problem");

// Only the runs that look otherwise are drawn anew, and none in which somebody types.
function show(html) {
  if (html === shown) return;
  shown = html;
  const fresh = document.createElement("template");
  fresh.innerHTML = html;
  const before = [...list.querySelectorAll("[data-job]")];
  const after = [...fresh.content.querySelectorAll("[data-job]")];
  const ids = (rows) => rows.map((row) => row.dataset.job).join();
  if (!before.length || ids(before) !== ids(after)) {
    list.replaceChildren(fresh.content);
    return;
  }
  before.forEach((row, i) => {
    if (row.isEqualNode(after[i]) || row.querySelector("details[open]")) return;
    const focused = row.contains(document.activeElement) && document.activeElement.dataset.do;
    row.replaceWith(after[i]);
    if (focused) after[i].querySelector(`[data-do="${focused}"]`)?.focus({ preventScroll: true });
  });
}

async function refresh() {
  clearTimeout(timer);
  if (visible || active) {
    const answer = await ask({ do: "list" });
    tell(listProblem, answer.problem);
    if (answer.html !== undefined) {
      show(answer.html);
      active = answer.active;
      const done = [...list.querySelectorAll(".wb-run-finished")].map((row) => row.dataset.name).join("\n");
      // The menus of the other tabs name the runs that there are.
      if (finished !== null && finished !== done) dispatchEvent(new CustomEvent("workbench-runs"));
      finished = done;
    }
  }
  clearTimeout(timer);
  timer = setTimeout(refresh, active ? BUSY : QUIET);
}

async function look(form) {
  const status = form.querySelector("[role=status]"), button = form.querySelector("[type=submit]");
  const { data, photos, folder, language } = form.elements;
  tell(problemOf(form), "");
  button.disabled = true;
  try {
    const send = async (input, what) => {
      if (!input.files.length) return null;
      tell(status, `Uploading ${what} …`);
      const { path } = await upload(input.files[0]);
      return { path };
    };
    const sent = { data: await send(data, "the data set"), photos: await send(photos, "the photos") };
    tell(status, "Reading, and opening the photos …");
    const answer = await ask({ do: "look", ...sent, folder: folder?.value ?? "", language: language.value });
    tell(problemOf(form), answer.problem);
    if (answer.html !== undefined) {
      summary.innerHTML = answer.html;
      summary.querySelector("h4").scrollIntoView({ block: "start" });
    }
  } catch (error) {
    tell(problemOf(form), error?.message ?? String(error));
  } finally {
    tell(status, "");
    button.disabled = false;
  }
}

function choicesOf(form) {
  const ticked = (name) => [...form.querySelectorAll(`[name="${name}"]:checked:not(:disabled)`)].map((box) => box.value);
  const { name, model, convention, limit } = form.elements;
  const types = [...form.querySelectorAll("[data-type]")].map((select) => [select.dataset.type, select.value]);
  return {
    name: name.value.trim(), model: model.value, convention: convention?.value ?? "", limit: limit.value,
    conditions: ticked("conditions"), corruptions: ticked("corruptions").length > 0, studies: ticked("studies").length > 0,
    types: Object.fromEntries(types),
  };
}

async function start(form) {
  const button = form.querySelector("[type=submit]");
  const choices = choicesOf(form);
  const conditions = form.querySelectorAll('[name="conditions"]:not(:disabled)').length ? choices.conditions : null;
  button.disabled = true;
  const answer = await ask({ do: "start", id: form.dataset.job, choices: { ...choices, conditions } });
  button.disabled = false;
  if (answer.problem) return tell(problemOf(form), answer.problem);
  summary.replaceChildren();
  await refresh();
  list.querySelector("[data-do]")?.focus();
}

async function again(form, model) {
  const name = form.elements.name.value;
  const answer = await ask({ do: "again", id: form.dataset.job, model });
  if (answer.problem) return tell(problemOf(form), answer.problem);
  summary.innerHTML = answer.html;
  const drawn = summary.querySelector("form");
  drawn.elements.name.value = name;
  drawn.elements.model.focus();
}

function save({ url, name }) {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
}

async function act(button, row) {
  const { do: what } = button.dataset, { job: id, name } = row.dataset;
  if (what === "open") {
    bench.set({ run: name });
    document.querySelector("#wb-tab-errors-button").click();
    return;
  }
  if (what === "delete" && !confirm(`Delete the run ${name} with its data and photos?`)) return;
  button.disabled = true;
  const answer = await ask({ do: what, id });
  button.disabled = false;
  tell(listProblem, answer.problem);
  if (answer.file) save(answer.file);
  if (what === "delete" && !answer.problem) renamed(name, "");
  await refresh();
}

// What the other tabs show goes by its new name, or is no longer shown.
function renamed(before, after) {
  for (const parameter of ["run", "other", "valid"]) if (bench.state[parameter] === before) bench.set({ [parameter]: after });
}

async function rename(form) {
  const { job: id, name: before } = form.closest("[data-job]").dataset;
  const name = form.elements.name.value.trim();
  const answer = await ask({ do: "rename", id, name });
  tell(listProblem, answer.problem);
  if (!answer.problem) {
    form.closest("details").open = false;
    renamed(before, name);
  }
  await refresh();
}

element.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  if (form.dataset.do === "look") await look(form);
  if (form.dataset.do === "start") await start(form);
  if (form.dataset.do === "rename") await rename(form);
});

element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-do]");
  if (button) act(button, button.closest("[data-job]"));
});

element.addEventListener("change", (event) => {
  if ("again" in event.target.dataset) again(event.target.form, event.target.value);
});

new IntersectionObserver((entries) => {
  visible = entries.some((entry) => entry.isIntersecting);
  if (!visible) return;
  bench.opened("runs");
  refresh();
}).observe(element);
