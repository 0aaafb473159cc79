// Asks about the sentence of a run that the inspector hands over, or that a link names, in the first tab.
const { read, again } = window.workbenchAddress;
const ask = (text, view) => trigger("select", { text, view });

addEventListener("workbench-again", (event) => {
  ask(event.detail.text, event.detail.view);
  // The first tab is shown in a moment; what is hidden takes no focus.
  const sentence = document.querySelector("#wb-sentence textarea");
  const shown = new ResizeObserver(() => {
    if (!sentence.offsetParent) return;
    shown.disconnect();
    sentence.scrollIntoView({ block: "center" });
    sentence.focus({ preventScroll: true });
  });
  shown.observe(sentence);
});

// A link with the text behind its "#", and the run and sentence whose photo it is about before it.
const { tab, ...view } = read();
if (again() !== null && (tab ?? "tag") === "tag") ask(again(), view);
