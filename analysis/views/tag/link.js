// Copies a link to the question that was asked, and restores what a link tells: see `link.py`.
const mark = "#wb-ask=";

function opened() {
  if (!location.hash.startsWith(mark)) return;
  let asked = { text: null }; // what is no link of ours is told by the server, like any other problem
  try {
    asked = Object.fromEntries(new URLSearchParams(decodeURIComponent(location.hash.slice(mark.length))));
  } catch {}
  trigger("select", { ...asked, entity: Number(asked.entity ?? 0) });
}

// Of all names the one that is chosen, and the kind of its map, as they are when the link is asked for.
function address(button) {
  const asked = new URLSearchParams(JSON.parse(button.dataset.asked));
  const entity = document.querySelector('#wb-result [role=button][aria-pressed="true"]')?.dataset.entity;
  const kind = document.querySelector("#wb-kind input:checked")?.value;
  if (entity && entity !== "0") asked.set("entity", entity);
  if (kind && kind !== "attention") asked.set("kind", kind);
  return `${location.origin}${location.pathname}${mark}${encodeURIComponent(asked)}`;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest(".wb-link");
  if (!button) return;
  const link = address(button);
  const box = button.parentElement.querySelector(".wb-link-copied") ?? document.createElement("span");
  box.className = "wb-link-copied";
  box.setAttribute("role", "status");
  button.after(box);
  // Without a secure origin there is no clipboard; the link can then be copied from the field.
  const copied = await navigator.clipboard?.writeText(link).then(() => true, () => false);
  const own = JSON.parse(button.dataset.asked).photo === "own";
  const field = Object.assign(document.createElement("input"), { readOnly: true, value: link });
  field.setAttribute("aria-label", "Link to this question");
  const said = document.createElement("span");
  said.textContent = `${copied ? "Copied." : "Copy it from here."}${own ? " A link cannot hold your own photo: whoever opens it has to add the photo." : ""}`;
  box.replaceChildren(field, said);
  if (!copied) field.select();
});

// What is typed or picked since is no longer what the link tells.
const left = (event) => {
  if (location.hash.startsWith(mark) && event.target.closest("#wb-sentence, [data-example]")) {
    history.replaceState(null, "", location.pathname + location.search);
  }
};
document.addEventListener("input", left);
document.addEventListener("click", (event) => { if (event.target.closest("[data-example]")) left(event); });
addEventListener("hashchange", opened);
opened();
