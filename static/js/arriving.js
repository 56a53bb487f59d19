"use strict";
// A picture that is being fetched shows itself on its page once it is there; so does the reason when none comes.
window.addEventListener("load", () => {
  const EVERY = 2_000; // milliseconds
  const PATIENCE = 120_000;
  const note = document.querySelector("[data-arriving]");
  if (!note) return;
  const giveUpAt = Date.now() + PATIENCE;

  const news = document.createElement("p"); // outside of what will be replaced, so that it is read out
  news.className = "visually-hidden";
  news.setAttribute("role", "status");
  document.body.append(news);

  const isEdited = () =>
    [...document.querySelectorAll("#content-main input")].some((input) => input.value !== input.defaultValue);

  const show = async (image) => {
    news.textContent = `The picture: ${image.label}.`;
    if (isEdited()) {
      note.textContent = "There is news. Load this page again when you have saved your changes.";
      return;
    }
    const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
    document.getElementById("content-main").replaceWith(page.getElementById("content-main"));
    document.dispatchEvent(new Event("picture:arrived"));
  };

  const look = async () => {
    try {
      const { images } = await (await fetch(note.dataset.arriving)).json();
      if (images[0].state !== "pending") return await show(images[0]);
    } catch {
      // no connection, or nobody logged in any more: perhaps the next time
    }
    if (Date.now() < giveUpAt) setTimeout(look, EVERY);
    else note.textContent = "It has not arrived yet. Load this page again to see whether it has.";
  };
  note.textContent = "This page shows it as soon as it arrives.";
  setTimeout(look, EVERY / 2);
});
