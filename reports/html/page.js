"use strict";
(() => {
  const narrow = () => window.innerWidth < 700;
  const draw = (place) => {
    if (place.dataset.drawn) return;
    place.dataset.drawn = "yes";
    const figure = JSON.parse(document.getElementById(place.dataset.of).textContent);
    if (narrow()) Object.assign(figure.layout.margin, { l: 55, r: 15 });
    Plotly.newPlot(place, figure.data, figure.layout, { displaylogo: false, responsive: true, showSendToCloud: false });
  };
  const places = [...document.querySelectorAll(".curve")];
  const seen = new IntersectionObserver(
    (entries) => entries.filter((each) => each.isIntersecting).forEach((each) => { seen.unobserve(each.target); draw(each.target); }),
    { rootMargin: "800px" },
  );
  places.forEach((place) => seen.observe(place));
  window.addEventListener("beforeprint", () => places.filter((place) => !place.closest(".annex")).forEach(draw));

  for (const form of document.querySelectorAll("form.filter")) {
    const table = document.getElementById(form.dataset.table);
    const groups = [...table.tBodies].map((body) => ({ body, words: body.textContent.toLowerCase(), verdicts: body.dataset.verdicts.split("|") }));
    const said = form.querySelector("output");
    const apply = () => {
      const wanted = new Set([...form.querySelectorAll("input[type=checkbox]:checked")].map((box) => box.value));
      const words = form.querySelector("input[type=search]").value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const group of groups) {
        const verdict = group.verdicts[0] === "" || group.verdicts.some((each) => wanted.has(each));
        group.body.hidden = !(verdict && words.every((word) => group.words.includes(word)));
        shown += group.body.hidden ? 0 : 1;
      }
      said.textContent = `${shown} / ${groups.length}`;
    };
    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.hidden = false;
    apply();
  }
})();
