// Page-wide behaviour, from the document's head: keys, theme, and the address of what is shown.
(() => {
  const { read, write, again, setAgain } = window.workbenchAddress;

  const rememberTheme = (theme) => {
    const address = new URL(location.href);
    address.searchParams.set("__theme", theme); // gradio's name for it
    history.replaceState(null, "", address);
  };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.closest("#wb-sentence")) {
      event.preventDefault();
      document.querySelector("#wb-run").click();
    }
  });

  document.addEventListener("click", (event) => {
    const card = event.target.closest("[data-example]");
    if (card) {
      setAgain(null);
      write({ example: card.dataset.example });
    }
    if (again() !== null && event.target.closest("#wb-run")) {
      setAgain(document.querySelector("#wb-sentence textarea").value);
    }
    if (event.target.closest(".wb-theme")) {
      const dark = document.body.classList.toggle("dark");
      rememberTheme(dark ? "dark" : "light");
    }
  });

  // With another photo than the run's the link would restore something else.
  document.addEventListener("change", (event) => {
    if (event.target.closest("#wb-photo input[type=file]")) setAgain(null);
  });

  // Where the cards lie below one another, the result would come out of sight.
  document.addEventListener("click", (event) => {
    if (event.target.closest("#wb-run, [data-example]") && matchMedia("(max-width: 767px)").matches) {
      const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
      document.querySelector("#wb-output").scrollIntoView({ behavior: calm ? "auto" : "smooth" });
    }
  });

  // Once the sentence is edited, the link to the example no longer describes what is shown.
  document.addEventListener("input", (event) => {
    if (event.target.closest("#wb-sentence")) write({ ...read(), example: "" });
  });
})();
