"use strict";
// Asks before a form is left in which something was written that is not saved.
window.addEventListener("load", () => {
  const form = document.querySelector("body.change-form #content-main form[id$=_form]");
  if (!form?.querySelector(".submit-row [type=submit]")) return;
  const OURS = new Set(["csrfmiddlewaretoken", "version"]); // not written by anybody
  const written = () => JSON.stringify([...new FormData(form)].filter(([name]) => !OURS.has(name)).map(spelled));
  const spelled = ([name, value]) => [name, value instanceof File ? value.name : value];

  const wasRefused = document.querySelector(".errornote") !== null; // what it shows is stored nowhere
  let first = null;
  let isSaving = false;
  setTimeout(() => (first = written())); // once other scripts have dressed the form

  window.addEventListener("submit", (event) => (isSaving = event.target === form && !event.defaultPrevented));
  window.addEventListener("pageshow", () => (isSaving = false));
  window.addEventListener("beforeunload", (event) => {
    if (!isSaving && first !== null && (wasRefused || written() !== first)) event.preventDefault();
  });
});
