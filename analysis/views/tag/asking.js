// A button of what may be asked further: `trigger` tells the server which, and it rests until there is an answer.
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-ask]");
  if (!button) return;
  button.disabled = true;
  trigger("select", { ask: button.dataset.ask });
});
