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

  // Choosing in a filter of the list is enough; its button is for when this script is not there.
  $(document).on("select2:select select2:clear", ".chosen-filter select", (event) => {
    setTimeout(() => event.target.form.submit()); // once the choice has reached the field
  });

  // The search inputs that autocomplete makes have no label of their own.
  const name = (input, select) => input?.setAttribute("aria-label", `Find ${(select.labels[0]?.innerText ?? select.name).replace(":", "").toLowerCase()}`);
  for (const select of document.querySelectorAll("select[multiple].admin-autocomplete"))
    name(select.parentElement.querySelector(".select2-search__field"), select);
  $(document).on("select2:open", "select:not([multiple])", (event) =>
    name(document.querySelector(".select2-container--open .select2-search__field"), event.target));
});
