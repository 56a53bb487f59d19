"use strict";
// Says every few seconds that this form is open, hears who else has it open and whether somebody has saved meanwhile.
// Saving is safe without it: the site compares by itself. It also hears that nobody is logged in any more, which a save
// would lose the text by.
document.addEventListener("DOMContentLoaded", () => {
  const EVERY = 15_000; // milliseconds
  const LONGEST = 2_000; // that a save waits for an answer
  const place = document.querySelector(".presence");
  const form = document.querySelector("#article_form");
  if (!place || !form) return;
  const { url, version, compare, login } = place.dataset;
  const [others, moved] = place.querySelectorAll("p");

  const values = (more) => {
    const data = new FormData();
    data.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    for (const [name, value] of Object.entries(more)) data.append(name, value);
    return data;
  };

  // What is said again would be read out again.
  const say = (element, text, href, words) => {
    if (element.dataset.told === text) return;
    element.dataset.told = text;
    element.replaceChildren(text);
    if (!text || !href) return;
    const link = Object.assign(document.createElement("a"), { href, textContent: words, target: "_blank", rel: "noopener" });
    const where = { className: "visually-hidden", textContent: " (opens in a new tab)" };
    link.append(Object.assign(document.createElement("span"), where));
    element.append(" ", link);
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

  let timer, isLeaving, isOver, isOut, isAsking, isAsked;
  const end = (text) => {
    isOver = true; // nobody is to be told any more
    say(moved, text);
    say(others, "");
  };

  const isRefused = (response) => {
    isOut = response.type === "opaqueredirect"; // to the page that asks who it is
    if (isOut) {
      say(moved, "You are not logged in any more: log in in another tab before you save.", login, "Log in");
      say(others, "");
    } else if (response.status === 404) end("This story has been deleted. Copy what you need before you leave.");
    else if (response.status === 403) end("You may not change this story any more. Copy what you need.");
    return !response.ok;
  };

  // Whoever logs in again gets another token, which the forms of this page do not have yet.
  const renew = async () => {
    const response = await fetch(url, { redirect: "manual" });
    if (isRefused(response)) return false;
    const { token } = await response.json();
    for (const field of document.querySelectorAll("[name=csrfmiddlewaretoken]")) field.value = token;
    return true;
  };

  const tell = () => fetch(url, { method: "POST", body: values({ version }), redirect: "manual" });

  const ask = async () => {
    clearTimeout(timer);
    if (isOver) return;
    try {
      let response = isOut ? null : await tell();
      const mayHaveBeenOut = !response || response.status === 403 || response.type === "opaqueredirect";
      if (mayHaveBeenOut) response = (await renew()) ? await tell() : null;
      if (response && !isRefused(response)) {
        const told = await response.json();
        say(others, toldOthers(told.others));
        say(moved, toldMoved(told), compare, "Compare");
      }
    } catch {
      // A connection that fails once may not the next time, and who is logged out may log in.
    }
    if (!isLeaving) timer = setTimeout(ask, EVERY);
  };

  // Without a login it would lead to the page that asks who it is, and the text would be gone: so that is asked first.
  form.addEventListener("submit", async (event) => {
    if (isAsked || isOver || event.defaultPrevented) return;
    const { submitter } = event;
    event.preventDefault();
    if (isAsking) return;
    isAsking = true;
    await Promise.race([ask(), new Promise((resolve) => setTimeout(resolve, LONGEST))]);
    isAsking = false;
    if (isOut) {
      moved.scrollIntoView({ block: "center" });
      moved.focus();
      return;
    }
    isAsked = true;
    form.requestSubmit(submitter);
    isAsked = false;
  });

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
