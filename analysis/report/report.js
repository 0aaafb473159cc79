// Draw the figures, in the scheme that is on, and again when it changes or the page is printed.
(() => {
  const templates = JSON.parse(document.getElementById("templates").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const print = matchMedia("print");
  const plots = [...document.querySelectorAll(".plot")];
  const config = {
    responsive: true,
    displaylogo: false,
    showSendToCloud: false, // on by default, and would send the chart to a server of plotly's
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
  };
  let printing = false;

  const scheme = () => (dark.matches && !print.matches && !printing ? "dark" : "light");

  const draw = (plot) => {
    const figure = JSON.parse(document.getElementById(plot.dataset.figure).textContent);
    figure.layout.template = templates[scheme()];
    return Plotly.react(plot, figure.data, figure.layout, config);
  };

  const drawAll = async () => {
    delete document.documentElement.dataset.drawn;
    for (const plot of plots) {
      await draw(plot);
      // Let the reader scroll between two figures.
      await new Promise((resume) => setTimeout(resume));
    }
    document.documentElement.dataset.drawn = "yes";
  };

  // One pass after the other, or the last to finish would not be the last asked for.
  let passes = Promise.resolve();
  const redraw = () => { passes = passes.then(drawAll); };

  const setPrinting = (on) => {
    printing = on;
    document.querySelectorAll("details.command").forEach((details) => { details.open = on; });
  };

  if (innerWidth <= 900) document.querySelector("nav details").open = false;
  redraw();
  dark.addEventListener("change", redraw);
  print.addEventListener("change", redraw);
  addEventListener("beforeprint", () => {
    setPrinting(true);
    plots.forEach(draw); // at once: the browser waits for nothing
  });
  addEventListener("afterprint", () => {
    setPrinting(false);
    redraw();
  });
})();
