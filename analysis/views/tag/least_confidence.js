// Hides names below a confidence, here in the page, and shows what that is worth: `server.least` reads it off a run.
const box = element.querySelector(".wb-least");
const range = box.querySelector("input");
const measured = box.querySelector("[data-measured]");
const output = document.querySelector("#wb-output");
let asked = "";

// A name that is hidden is plain text, also to who does not see: neither a button nor a stop of the Tab key.
function hide(item, below) {
  if (item.tagName === "TBODY") {
    item.hidden = below;
    return;
  }
  item.toggleAttribute("data-below", below);
  if (below && item.hasAttribute("aria-label")) {
    item.dataset.label = item.getAttribute("aria-label");
    for (const name of ["role", "tabindex", "aria-label"]) item.removeAttribute(name);
  } else if (!below && item.dataset.label) {
    item.setAttribute("aria-label", item.dataset.label);
    item.setAttribute("role", "button");
    item.setAttribute("tabindex", "0");
    delete item.dataset.label;
  }
}

function apply() {
  const names = [...output.querySelectorAll("#wb-result [data-confidence]")];
  const least = Number(range.value);
  for (const item of names) hide(item, Number(item.dataset.confidence) < least);
  const marks = names.filter((item) => item.tagName === "SPAN");
  const below = marks.filter((item) => item.hasAttribute("data-below")).length;
  box.hidden = marks.length === 0;
  box.querySelector("output").textContent = least.toFixed(2);
  box.querySelector(".wb-least-hidden").textContent = below
    ? `${below} of ${marks.length} names hidden; the files to download hold them all.`
    : "All names are shown.";
  for (const step of measured.querySelectorAll("[data-at]")) step.hidden = Number(step.dataset.at) !== least;
}

async function measure() {
  const result = output.querySelector("#wb-result .wb-result");
  if (!result) return;
  const { digest, language, photo } = result.dataset;
  const request = { run: window.workbench.state.run ?? "", digest, language, photo: photo === "yes" };
  if (JSON.stringify(request) === asked) return;
  asked = JSON.stringify(request);
  const html = await server.least(request).catch(() => "");
  if (JSON.stringify(request) !== asked) return;
  measured.innerHTML = html;
  apply();
}

range.addEventListener("input", apply);
// Only new content of the result counts, not what is written here or an attribute.
const renewed = (records) => records.some(({ target }) => target.closest?.("#wb-result"));
new MutationObserver((records) => {
  if (!renewed(records)) return;
  apply();
  measure();
}).observe(output, { childList: true, subtree: true });
window.workbench.listeners.add(measure);
