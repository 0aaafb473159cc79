// Shows the photo of the point of a map that the pointer rests on. Each is asked for by itself: a map has thousands.
// It is for the eye alone; who clicks the point, or finds its sentence by words, gets the photo in the list below.
window.workbenchHover = (() => {
  const REST = 200; // milliseconds that the pointer stays before the server is asked: five photos a second at the most
  const GAP = 12; // pixels between point and photo

  // box: a drawn map, with the element for the photo beside it; ask: returns the markup of a point's photo, "" for none.
  return (box, ask) => {
    const card = box.parentElement.querySelector(".wb-hover");
    const known = new Map();
    let resting, current = null;

    const hide = () => {
      clearTimeout(resting);
      current = null;
      card.hidden = true;
    };

    // Below the point, or above where there is no room; plotly's own label stands to its left or right.
    const place = ({ x0, x1, y0, y1 }) => {
      const left = (x0 + x1 - card.offsetWidth) / 2;
      card.style.left = `${Math.max(0, Math.min(left, box.clientWidth - card.offsetWidth))}px`;
      const below = y1 + GAP;
      const fits = below + card.offsetHeight <= box.clientHeight;
      card.style.top = `${fits ? below : Math.max(0, y0 - GAP - card.offsetHeight)}px`;
    };

    const show = async ({ customdata: point, bbox }) => {
      if (!known.has(point)) {
        const html = await ask(point).catch(() => null);
        if (html === null) return; // the server does not answer; it may later
        known.set(point, html);
      }
      if (current !== point || !known.get(point)) return;
      card.innerHTML = known.get(point);
      card.hidden = false;
      place(bbox);
    };

    box.on("plotly_hover", ({ points: [point] }) => {
      hide();
      if (point?.customdata == null || !point.bbox) return; // a line, or the visitor's own pair
      current = point.customdata;
      resting = setTimeout(show, REST, point);
    });
    box.on("plotly_unhover", hide);
    box.on("plotly_relayouting", hide);
  };
})();
