// Hides cells of a photo by finger, mouse or keyboard; `trigger` hands the rows of 0 and 1 to the server.
const cells = () => [...element.querySelectorAll("[data-cell]")];
const isHidden = (cell) => cell.getAttribute("aria-selected") === "true";
const cellAt = (row, column) => element.querySelector(`[data-cell="${row},${column}"]`);
const place = (cell) => cell.dataset.cell.split(",").map(Number);
let brush = null; // whether the stroke hides or shows, null while there is none

function paint(cell, hidden) {
  cell.setAttribute("aria-selected", String(hidden));
  tell();
}

function tell() {
  const all = cells();
  const n = all.filter(isHidden).length;
  element.querySelector(".wb-painted").textContent = n
    ? `${n} of ${all.length} cells hidden, ${Math.round((100 * n) / all.length)}% of the photo.`
    : "Nothing is hidden yet.";
  element.querySelector('[data-paint="ask"]').disabled = n === 0;
}

function rows() {
  const found = [];
  for (const cell of cells()) {
    const [row] = place(cell);
    found[row - 1] = (found[row - 1] ?? "") + (isHidden(cell) ? "1" : "0");
  }
  return found;
}

const actions = {
  open: () => trigger("select", { ask: "open" }),
  ask: () => trigger("select", { ask: "hide", rows: rows() }),
  clear: () => { for (const cell of cells()) cell.setAttribute("aria-selected", "false"); tell(); },
  swap: () => { for (const cell of cells()) cell.setAttribute("aria-selected", String(!isHidden(cell))); tell(); },
};

element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-paint]");
  if (button) actions[button.dataset.paint]();
});

element.addEventListener("pointerdown", (event) => {
  const cell = event.target.closest("[data-cell]");
  if (!cell || event.button !== 0) return;
  event.preventDefault();
  cell.releasePointerCapture?.(event.pointerId); // a finger would keep all moves for the first cell
  brush = !isHidden(cell);
  paint(cell, brush);
  focusOn(cell);
});
element.addEventListener("pointermove", (event) => {
  if (brush === null) return;
  const cell = document.elementFromPoint(event.clientX, event.clientY)?.closest("[data-cell]");
  if (cell && element.contains(cell)) paint(cell, brush);
});
for (const name of ["pointerup", "pointercancel"]) addEventListener(name, () => { brush = null; });

// One stop of the Tab key for the whole raster; the arrow keys move within.
function focusOn(cell) {
  for (const other of cells()) other.tabIndex = other === cell ? 0 : -1;
  cell.focus({ preventScroll: true });
}

const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
element.addEventListener("keydown", (event) => {
  const cell = event.target.closest("[data-cell]");
  if (!cell) return;
  if (event.key === " " || event.key === "Enter") paint(cell, !isHidden(cell));
  else if (event.key in steps) {
    const [row, column] = place(cell);
    const next = cellAt(row + steps[event.key][0], column + steps[event.key][1]);
    if (next) focusOn(next);
  } else return;
  event.preventDefault();
});

watch("value", () => { if (cells().length) tell(); });
