"use strict";
// What of a picture stays in view when it is cropped: a click or the arrow keys, beside the two fields for the numbers.
(() => {
  const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const percent = (value) => Math.min(100, Math.max(0, Math.round(Number.isNaN(value) ? 50 : value)));

  const begin = () => {
    const frame = document.querySelector(".focus-frame");
    const fields = ["id_focus_x", "id_focus_y"].map((id) => document.getElementById(id));
    if (!frame || !fields.every(Boolean)) return;

    const marker = document.createElement("button");
    marker.type = "button";
    marker.className = "focus-marker";
    frame.append(marker);
    document.querySelector(".focus-hint").hidden = false;

    const focus = () => fields.map((field) => percent(field.valueAsNumber));
    const show = () => {
      const [x, y] = focus();
      marker.style.left = `${x}%`;
      marker.style.top = `${y}%`;
      marker.setAttribute("aria-label", `Focus: ${x} per cent from the left, ${y} from the top. Arrow keys move it.`);
      for (const crop of document.querySelectorAll(".focus-crop img")) crop.style.objectPosition = `${x}% ${y}%`;
    };
    const set = (values) => {
      values.forEach((value, index) => (fields[index].value = percent(value)));
      show();
    };

    frame.addEventListener("click", (event) => {
      if (!event.detail) return; // the marker was pressed by key
      const box = frame.getBoundingClientRect();
      set([(100 * (event.clientX - box.left)) / box.width, (100 * (event.clientY - box.top)) / box.height]);
      marker.focus({ preventScroll: true });
    });
    marker.addEventListener("keydown", (event) => {
      const step = STEPS[event.key];
      if (!step) return;
      event.preventDefault(); // the page would scroll
      set(focus().map((value, index) => value + step[index] * (event.shiftKey ? 10 : 1)));
    });
    for (const field of fields) field.addEventListener("input", show);
    show();
  };

  document.addEventListener("DOMContentLoaded", begin);
  document.addEventListener("picture:arrived", begin);
})();
