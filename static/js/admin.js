"use strict";
// Small comforts for the editors' admin, on top of the autocomplete fields that Django brings.
window.addEventListener("load", () => {
  const $ = django.jQuery;

  // Browsers send options in document order: what is chosen last goes last, so topics keep the order of choosing.
  $(document).on("select2:select", "select[name=topics]", (event) => {
    const select = event.target;
    select.append([...select.options].find((option) => option.value === event.params.data.id));
    $(select).trigger("change");
  });

  // What is wrong is where one goes on: its error is told with the field.
  document.querySelector("#content form [aria-invalid=true]")?.focus();

  // Choosing in a filter of the list is enough; its button is for when this script is not there.
  $(document).on("select2:select select2:clear", ".chosen-filter select", (event) => {
    setTimeout(() => event.target.form.submit()); // once the choice has reached the field
  });

  // The button says when: "Save and schedule for 14:00".
  const at = document.querySelector("[name=verb-at]");
  const schedule = document.querySelector("button.verb-schedule");
  const words = schedule?.textContent;
  const tellWhen = () => {
    schedule.textContent = at.value ? `${words} for ${siteTime(at.value, at.closest("[data-zone]").dataset.zone)}` : words;
  };
  if (at && schedule) {
    at.addEventListener("input", tellWhen);
    tellWhen();
  }

  // What autocomplete puts in a field's place has no name of its own.
  const label = (select) => (select.labels[0]?.innerText ?? select.name).replace(":", "").trim();
  const name = (input, select) => input?.setAttribute("aria-label", `Find ${label(select).toLowerCase()}`);
  const nameAll = (root) => {
    for (const select of root.querySelectorAll("select.admin-autocomplete")) {
      name(select.parentElement.querySelector(".select2-search__field"), select);
      const box = select.nextElementSibling?.querySelector("[role=combobox]");
      const chosen = [...select.selectedOptions].map((option) => option.text).filter(Boolean).join(", ");
      box?.setAttribute("aria-label", `${label(select)}: ${chosen || "none"}`);
      box?.removeAttribute("aria-labelledby"); // the same without the label
      box?.querySelector("[role=textbox]")?.setAttribute("aria-label", label(select));
    }
  };
  $(() => setTimeout(() => nameAll(document))); // jQuery makes the fields in its own time
  document.addEventListener("formset:added", (event) => setTimeout(() => nameAll(event.target)));
  $(document).on("change", "select.admin-autocomplete", (event) => nameAll(event.target.parentElement));
  $(document).on("select2:open", "select:not([multiple])", (event) =>
    name(document.querySelector(".select2-container--open .select2-search__field"), event.target));
});
