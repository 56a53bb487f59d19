"use strict";
// The rows of pictures in a form: an address that is pasted is asked for at once, and its picture is seen to arrive.
// Everything is saved with the form, so without this script the rows do the same, only later.
document.addEventListener("DOMContentLoaded", () => {
  const group = document.querySelector(".pictures");
  if (!group?.querySelector("tr.empty-form")) return; // nothing to look after, or nobody who may change it

  const EVERY = 1500; // milliseconds between two questions
  const PATIENCE = 180_000; // then the page stops asking
  const { states, arrive: arriveAt, upload: uploadAt } = group.dataset;

  const rows = () => [...group.querySelectorAll("tr.form-row:not(.empty-form)")];
  const rowOf = (element) => element.closest?.("tr.form-row");
  const field = (row, name) => row.querySelector(`[name$="-${name}"]`);
  const address = (row) => field(row, "address")?.value.trim() ?? "";
  const arrival = (row) => row.querySelector(".arrival");
  const isLeaving = (row) => Boolean(field(row, "DELETE")?.checked);
  const says = (input, name) => input?.name?.endsWith(`-${name}`);

  // --- What a row says -----------------------------------------------------------------------------

  const say = (row, text, isWrong = false) => {
    const note = row.querySelector(".row-note");
    note.textContent = text;
    note.classList.toggle("is-wrong", isWrong);
  };

  const toldOf = (key, state, detail) => JSON.stringify([String(key), state, detail]);
  const emptyFrame = group.querySelector("tr.empty-form .thumbnail").outerHTML;

  const show = (row, image) => {
    const place = arrival(row);
    const { key = "", state = "", label = "New", detail = "", page, thumbnail = emptyFrame } = image ?? {};
    const told = toldOf(key, state, detail);
    if (place.dataset.told === told) return; // said again, it would be read out again
    Object.assign(place.dataset, { key, state, told });
    const word = Object.assign(document.createElement(page ? "a" : "span"), { textContent: label });
    if (page) word.href = page;
    place.replaceChildren(word, state === "pending" ? "…" : "", detail && `: ${detail}`);
    row.querySelector(".field-preview .thumbnail").outerHTML = thumbnail;
  };

  // What is missing is said while one writes; whether the words are any good, when they are saved.
  const warn = (row, name, applies) => {
    const warning = row.querySelector(`.field-${name} .row-warning`);
    if (!warning) return;
    const isEmpty = !field(row, name).value.trim();
    if (isEmpty) warning.textContent = warning.dataset.whenEmpty;
    warning.hidden = !applies || !(isEmpty || warning.dataset.stays);
    warning.id = `${field(row, name).id}_warning`;
    field(row, name).setAttribute("aria-describedby", warning.id);
  };

  // --- The order: the first is the lead ------------------------------------------------------------

  const place = (row) => (field(row, "position").value === "" ? Infinity : Number(field(row, "position").value));
  const inOrder = () =>
    rows()
      .filter((row) => address(row) && !isLeaving(row))
      .sort((one, other) => (place(one) === place(other) ? 0 : place(one) - place(other)));

  const refresh = () => {
    const [lead, ...others] = inOrder();
    for (const row of rows()) {
      row.querySelector(".badge-lead")?.toggleAttribute("hidden", row !== lead);
      row.querySelector(".make-lead")?.toggleAttribute("hidden", !others.includes(row));
      warn(row, "alt", Boolean(address(row)));
      warn(row, "attribution", row === lead);
    }
    const used = new Set(inOrder().map(address));
    for (const button of group.querySelectorAll(".use")) {
      button.disabled = used.has(button.dataset.address);
      button.firstElementChild.textContent = button.disabled ? "In use" : "Use";
    }
  };

  const makeLead = (chosen) => {
    const order = [chosen, ...inOrder().filter((row) => row !== chosen)];
    order.forEach((row, position) => (field(row, "position").value = position));
    refresh();
    field(chosen, "position").focus(); // the button has gone
  };

  // --- Asking the site -----------------------------------------------------------------------------

  class Refusal extends Error {}
  const form = group.closest("form");
  const post = async (url, values) => {
    const body = new FormData();
    for (const [name, value] of Object.entries(values)) body.append(name, value);
    const headers = { "X-CSRFToken": form.elements.csrfmiddlewaretoken.value };
    const response = await fetch(url, { method: "POST", body, headers });
    const told = await response.json();
    if (!response.ok) throw new Refusal(told.error);
    return told;
  };
  const why = (error, otherwise) => (error instanceof Refusal && error.message) || otherwise;

  let timer, isAsking, until;
  const waiting = () => rows().map(arrival).filter(({ dataset }) => dataset.state === "pending" && dataset.key);

  const ask = async () => {
    isAsking = true;
    try {
      const keys = [...new Set(waiting().map(({ dataset }) => dataset.key))].slice(0, 100);
      const { images } = await (await fetch(`${states}?keys=${keys}`)).json();
      for (const image of images) {
        for (const row of rows()) if (arrival(row).dataset.key === String(image.key)) show(row, image);
      }
    } catch {
      // A connection that fails once may not the next time.
    }
    isAsking = false;
    goOn();
  };

  const goOn = () => {
    clearTimeout(timer);
    if (isAsking || document.hidden || !waiting().length) return;
    if (Date.now() < until) timer = setTimeout(ask, EVERY);
    else for (const each of waiting()) say(rowOf(each), "It still waits. You can save; it will come all the same.");
  };

  const waitFromNow = () => {
    until = Date.now() + PATIENCE;
    goOn();
  };

  const arrive = async (row) => {
    const asked = address(row);
    if (asked === (arrival(row).dataset.address ?? "").trim()) return;
    arrival(row).dataset.address = asked;
    say(row, "");
    show(row, null);
    refresh();
    if (!asked || !arriveAt) return;
    try {
      const image = await post(arriveAt, { address: asked });
      if (address(row) === asked) show(row, image);
      waitFromNow();
    } catch (error) {
      if (address(row) === asked) say(row, why(error, "It could not be asked for now; saving does so."), true);
    }
  };

  let uploads = 0;
  const upload = async (row, file) => {
    if (!file || !uploadAt) return;
    uploads += 1;
    say(row, `Uploading ${file.name}…`);
    try {
      const image = await post(uploadAt, { file });
      field(row, "address").value = arrival(row).dataset.address = image.address;
      say(row, "");
      show(row, image);
      refresh();
      waitFromNow();
    } catch (error) {
      say(row, why(error, "The file could not be uploaded."), true);
    }
    uploads -= 1;
  };

  // --- Pictures to choose from ---------------------------------------------------------------------

  const use = ({ address: chosen, alt, credit, title }) => {
    let row = rows().find((each) => address(each) === chosen);
    if (row) {
      if (field(row, "DELETE")) field(row, "DELETE").checked = false; // it was about to go
    } else {
      group.querySelector(".add-row a").click();
      row = rows().at(-1);
      const values = { address: chosen, alt, title, attribution: credit };
      for (const [name, value] of Object.entries(values)) field(row, name).value = value;
      arrive(row);
    }
    refresh();
    field(row, "alt").focus();
  };

  // --- What each row gets --------------------------------------------------------------------------

  const dress = (row) => {
    const note = Object.assign(document.createElement("p"), { className: "row-note" });
    note.setAttribute("aria-live", "polite");
    row.querySelector(".field-address").append(note);
    if (uploadAt) note.before(uploadControl());
    const { key, state } = arrival(row).dataset;
    if (state === "pending") arrival(row).dataset.told = toldOf(key, state, ""); // the page has said so
    const warning = row.querySelector(".field-alt .row-warning");
    if (warning && !warning.hidden && field(row, "alt").value.trim()) warning.dataset.stays = "yes";
    if (!row.querySelector(".badge-lead")) return;
    const button = { type: "button", className: "row-button make-lead", textContent: "Make lead", hidden: true };
    row.querySelector(".field-preview").append(Object.assign(document.createElement("button"), button));
  };

  const uploadControl = () => {
    const label = Object.assign(document.createElement("label"), { className: "row-button upload" });
    const input = { type: "file", accept: "image/*", className: "visually-hidden" };
    label.append("Upload a file", Object.assign(document.createElement("input"), input));
    return label;
  };

  group.querySelectorAll("tr.form-row").forEach(dress);
  group.querySelector(".offered")?.removeAttribute("hidden");
  refresh();
  for (const row of rows()) if (!row.querySelector(".field-address .errorlist")) arrive(row);
  waitFromNow();

  group.addEventListener("change", ({ target }) => {
    if (target.type === "file") {
      upload(rowOf(target), target.files[0]);
      target.value = "";
    } else if (says(target, "address")) arrive(rowOf(target));
    else refresh();
  });
  group.addEventListener("input", ({ target }) => {
    const warning = target.closest("td")?.querySelector(".row-warning");
    delete warning?.dataset.stays; // it was about what stood there before
    refresh();
  });
  group.addEventListener("paste", (event) => {
    const { clipboardData, target } = event;
    if (clipboardData.files.length && !clipboardData.getData("text/plain")) {
      event.preventDefault();
      upload(rowOf(target), clipboardData.files[0]);
    } else if (says(target, "address")) setTimeout(() => arrive(rowOf(target)));
  });
  group.addEventListener("click", ({ target }) => {
    if (target.matches(".make-lead")) makeLead(rowOf(target));
    const choice = target.closest(".use");
    if (choice) use(choice.dataset);
  });
  group.addEventListener("dragover", (event) => {
    if (rowOf(event.target) && event.dataTransfer.types.includes("Files")) event.preventDefault();
  });
  group.addEventListener("drop", (event) => {
    const [file] = event.dataTransfer.files;
    if (!file || !rowOf(event.target)) return;
    event.preventDefault();
    upload(rowOf(event.target), file);
  });
  form.addEventListener("submit", (event) => {
    if (!uploads) return;
    event.preventDefault(); // the row has no address yet, and would be lost
    group.scrollIntoView();
  });
  document.addEventListener("formset:added", refresh);
  document.addEventListener("formset:removed", () => setTimeout(refresh)); // once the others have new numbers
  document.addEventListener("visibilitychange", goOn);
});
