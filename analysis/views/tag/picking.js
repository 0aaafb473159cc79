// Runs once per component that holds names or examples: `element` is its root, `trigger` raises its events.
const picked = "[data-entity], [data-example]";

function pick(item) {
  if (item.dataset.example) {
    trigger("select", { example: item.dataset.example });
    return;
  }
  const index = item.dataset.entity;
  for (const other of element.querySelectorAll("[data-entity]")) {
    const state = other.tagName === "TBODY" ? "aria-selected" : "aria-pressed";
    other.setAttribute(state, String(other.dataset.entity === index));
  }
  trigger("select", { entity: Number(index) });
}

element.addEventListener("click", (event) => {
  const item = event.target.closest(picked);
  if (item) pick(item);
});

// A mark is a span, since a button cannot break across lines; it answers to the keys of a button.
element.addEventListener("keydown", (event) => {
  const item = event.target.closest("[role=button][data-entity]");
  if (item && (event.key === "Enter" || event.key === " ")) {
    event.preventDefault();
    pick(item);
  }
});

// A link with ?wb-example=3 opens that example.
if (element.querySelector("[data-example]")) {
  const number = window.workbenchAddress.read().example;
  const card = number && element.querySelector(`[data-example="${CSS.escape(number)}"]`);
  if (card) pick(card);
}
