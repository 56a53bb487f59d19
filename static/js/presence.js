"use strict";
// Says every few seconds that this form is open, hears who else has it open and whether somebody has saved meanwhile.
// Saving is safe without it: the site compares by itself.
document.addEventListener("DOMContentLoaded", () => {
  const EVERY = 15_000; // milliseconds
  const place = document.querySelector(".presence");
  const form = document.querySelector("#article_form");
  if (!place || !form) return;
  const { url, version, compare } = place.dataset;
  const [others, moved] = place.querySelectorAll("p");

  const values = (more) => {
    const data = new FormData();
    data.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    for (const [name, value] of Object.entries(more)) data.append(name, value);
    return data;
  };

  // What is said again would be read out again.
  const say = (element, text, link) => {
    if (element.dataset.told === text) return;
    element.dataset.told = text;
    element.replaceChildren(text);
    if (text && link) element.append(" ", Object.assign(document.createElement("a"), { href: link, textContent: "Compare" }));
  };

  const list = (names) => new Intl.ListFormat("en").format(names);
  const toldOthers = (names) =>
    names.length ? `${list(names)} ${names.length > 1 ? "are" : "is"} editing this story too.` : "";
  const toldMoved = ({ moved: is, by, at }) => {
    if (!is) return "";
    return by
      ? `${by} saved it ${at}; when you save you will be shown both.`
      : `You saved it in another window ${at}; when you save here you will be shown both.`;
  };

  let timer, isLeaving, isOver;
  const end = (text) => {
    isOver = true; // nobody is to be told any more
    say(moved, text);
    say(others, "");
  };

  const ask = async () => {
    clearTimeout(timer);
    if (isOver) return;
    try {
      const response = await fetch(url, { method: "POST", body: values({ version }) });
      if (response.status === 404) return end("This story has been deleted. Copy what you need before you leave.");
      if (response.status === 403) return end("You may not change this story any more. Copy what you need.");
      const told = await response.json();
      say(others, toldOthers(told.others));
      say(moved, toldMoved(told), compare);
    } catch {
      // A connection that fails once may not the next time.
    }
    if (!isLeaving) timer = setTimeout(ask, EVERY);
  };

  others.dataset.told = others.textContent; // the page has said so
  ask();
  document.addEventListener("visibilitychange", () => document.hidden || ask()); // a sleeping tab is late
  window.addEventListener("pagehide", () => {
    isLeaving = true;
    clearTimeout(timer);
    if (!isOver) navigator.sendBeacon(url, values({ gone: "1" }));
  });
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    isLeaving = false;
    ask();
  });
});
