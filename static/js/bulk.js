"use strict";
// The page before something is done to many stories: its button says to how many, and from when.
(() => {
  const form = document.getElementById("bulk_form");
  const button = form.elements.confirm;
  const boxes = [...form.querySelectorAll("input[name=stories]")];
  const free = boxes.filter((box) => !box.disabled);
  const at = form.elements.at;

  const when = () => (at?.value ? ` for ${siteTime(at.value, form.dataset.zone)}` : "");
  const tell = () => {
    if (!button) return;
    const number = free.filter((box) => box.checked).reduce((sum, box) => sum + Number(box.dataset.number ?? 1), 0);
    button.textContent = `${button.dataset.label} ${number.toLocaleString("en")}${when()}`;
    button.disabled = number === 0;
  };

  const choices = form.querySelector(".bulk-choose");
  choices.hidden = free.length < 2;
  choices.addEventListener("click", (event) => {
    const choice = event.target.dataset.choose;
    if (!choice) return;
    for (const box of free) box.checked = choice === "all" || (choice === "faultless" && !("lacks" in box.dataset));
    tell();
  });
  form.addEventListener("change", tell);
  at?.addEventListener("input", tell);
  tell();
})();
