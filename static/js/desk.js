"use strict";
// The desk without page loads. A key or a button answers at once; what it asks of the site waits in one line, and what
// the site says of it is shown on the card. Without this script the same buttons are forms.
(() => {
  const LOW = 20; // cards still to come, below which the next page is fetched
  const EVERY = 30_000; // milliseconds between looks at how many stories wait
  const PAUSE = 120; // milliseconds without a key before names are asked for
  const MOST_UNDONE = 100;
  const MOST_AGAIN = 50; // pages that are fetched once more when the desk comes back
  const CSRF_REFUSED = /Form not accepted/; // in 403_csrf.html
  const SHOWN = 12_000; // milliseconds that what was done is told
  const hasKeys = !matchMedia("(hover: none), (pointer: coarse)").matches;
  const DOING = {
    publish: "Publishing", schedule: "Scheduling", submit: "Submitting", send_back: "Sending back",
    unpublish: "Unpublishing", reject: "Rejecting", restore: "Restoring", topics: "Saving topics",
  };

  const desk = document.getElementById("desk");
  const list = document.getElementById("desk-cards");
  const nothing = document.getElementById("desk-nothing");
  const help = document.getElementById("desk-help");
  const bulk = document.getElementById("bulk");
  const toast = document.getElementById("desk-toast");
  const said = document.getElementById("desk-status");
  const search = document.getElementById("desk-search");
  const { desk: address, cards, counts, undo: undoing, names, query, zone, addsTopics } = desk.dataset;

  // What was here when the page was left, by the same tab: the card that the keys were about, marks, how far it went.
  const kept = `desk ${query}`;
  const before = JSON.parse(sessionStorage.getItem(kept) ?? "{}");
  addEventListener("pagehide", () => {
    sessionStorage.setItem(kept, JSON.stringify({ at: current?.id, marks: [...marks], pages }));
  });

  // --- Cards -------------------------------------------------------------------------------------

  const card = (item) => item.querySelector(".desk-card");
  const title = (item) => item.querySelector("h2").textContent.trim();
  const isHere = (item) => !item.hidden && !item.classList.contains("is-busy");
  const itemsHere = () => [...list.children].filter(isHere);
  let current = null; // the card that the keys are about
  let fetching = null; // the next page, while it is on its way

  const setCurrent = (item) => {
    current?.classList.remove("is-current");
    current = item;
    current?.classList.add("is-current");
  };

  const go = (item) => {
    if (!item) return;
    setCurrent(item);
    card(item).focus({ preventScroll: true });
    item.scrollIntoView({ block: "nearest" });
    fetchMoreIfLow();
  };

  // Nothing is done to a story that the editor does not see.
  const isInSight = (item) => {
    const { top, bottom, height } = card(item).getBoundingClientRect();
    return Math.min(bottom, innerHeight) - Math.max(top, 0) >= Math.min(height, innerHeight) / 2;
  };
  const isOutOfSight = () => current !== null && !current.hidden && !isInSight(current);
  const goInSight = () => go(itemsHere().find(isInSight) ?? current);
  const goBack = () => {
    const item = isHereOrFirst();
    if (item) go(item);
    else if (!nothing.hidden) nothing.focus();
  };

  const neighbour = (item, way) => {
    let next = item?.[way];
    while (next && !isHere(next)) next = next[way];
    return next;
  };
  const after = (item) => neighbour(item, "nextElementSibling") ?? neighbour(item, "previousElementSibling");

  const move = (way) => {
    if (isOutOfSight()) return goInSight();
    const isOnCard = current && current.contains(document.activeElement);
    const next = isOnCard ? neighbour(current, way) : isHereOrFirst();
    if (next) return go(next);
    fetchMoreIfLow();
    if (way === "nextElementSibling") fetching?.then(() => current && go(neighbour(current, way)));
  };
  const isHereOrFirst = () => (current && isHere(current) ? current : itemsHere()[0]);

  const showWhetherEmpty = () => {
    const wasHidden = nothing.hidden;
    nothing.hidden = itemsHere().length > 0 || list.querySelector(".is-busy") !== null;
    if (nothing.hidden || !wasHidden) return;
    const told = nothing.querySelector("p").firstChild.textContent.trim();
    said.textContent = `${said.textContent} ${told}`.trim();
    // The browser takes the focus from a card that has gone, but only later.
    if (document.activeElement === document.body || list.contains(document.activeElement)) nothing.focus();
  };

  const parsed = (html) => new DOMParser().parseFromString(html, "text/html");

  const put = (item, html) => {
    const hadFocus = item.contains(document.activeElement);
    const fresh = parsed(html).querySelector(".desk-card");
    if (!fresh) return;
    card(item).replaceWith(fresh);
    if (hadFocus) fresh.focus({ preventScroll: true });
  };

  const busy = (item, word) => {
    item.classList.add("is-busy");
    item.hidden = false;
    card(item).setAttribute("aria-busy", "true");
    const progress = item.querySelector(".desk-progress");
    progress.textContent = `${word}…`;
    progress.hidden = false;
    item.querySelector(".desk-error").hidden = true;
    for (const panel of item.querySelectorAll("details[open]")) panel.open = false;
  };

  const idle = (item) => {
    item.classList.remove("is-busy");
    card(item).removeAttribute("aria-busy");
    item.querySelector(".desk-progress").hidden = true;
  };

  const complain = (item, why) => {
    const error = item.querySelector(".desk-error");
    error.hidden = false;
    error.textContent = why;
  };

  // --- What was said last, in sight and for screen readers -----------------------------------------

  let refused = null; // the card that something was refused for last
  let hushing;

  const hush = () => {
    clearTimeout(hushing);
    const hadFocus = toast.contains(document.activeElement);
    toast.classList.add("is-quiet");
    if (hadFocus) goBack();
  };
  const hushLater = () => {
    clearTimeout(hushing);
    hushing = setTimeout(() => (toast.matches(":hover, :focus-within") ? hushLater() : hush()), SHOWN);
  };

  // `about`: what was done, or what was undone if `isUndone`. A refusal stays until it is dismissed.
  const say = (text, { of = null, isError = false, about = null, isUndone = false } = {}) => {
    said.textContent = text;
    toast.classList.remove("is-quiet");
    toast.classList.toggle("is-error", isError);
    const last = done.at(-1);
    const button = toast.querySelector(".desk-undo-last");
    button.hidden = isError || !last;
    const named = last?.title ? `“${last.title}”` : "what was before";
    button.textContent = ["Undo", isUndone && "also", last !== about && (isUndone || about) && named].filter(Boolean).join(" ");
    if (isError && of) refused = of;
    toast.querySelector(".desk-show").hidden = !(isError && of);
    if (isError) clearTimeout(hushing);
    else hushLater();
  };

  const showRefused = () => {
    if (refused && isHere(refused)) go(refused);
    else say("Nothing here was refused.");
  };

  // --- Asking the site: one after the other ---------------------------------------------------------

  let line = Promise.resolve();
  let waiting = 0;
  const inLine = (job) => {
    waiting += 1;
    line = line.then(job).finally(() => {
      waiting -= 1;
      if (!waiting) countSoon();
    });
    return line;
  };
  addEventListener("beforeunload", (event) => {
    if (waiting) event.preventDefault();
  });
  const leaveFor = (url) => line.then(() => location.assign(url));

  class Refused extends Error {}

  // As the browser has it now: it is another one after a new login, in whichever tab.
  const token = () =>
    document.cookie.match(/(?:^|; )csrftoken=([^;]*)/)?.[1] ?? document.querySelector("[name=csrfmiddlewaretoken]").value;

  const ask = async (url, data) => {
    let response;
    data.set("csrfmiddlewaretoken", token());
    try {
      const headers = { Accept: "application/json" };
      response = await fetch(url, { method: "POST", body: data, headers, keepalive: true });
    } catch {
      throw new Refused("The site did not answer. Try again: nothing is done twice.");
    }
    if (response.redirected) throw new Refused("You are not logged in any more. Log in in another tab, then try again.");
    if (response.status === 403) {
      const isOld = CSRF_REFUSED.test(await response.text());
      throw new Refused(isOld ? "This page is too old for the site. Load it again." : "The site refused it: you may not do this.");
    }
    if (response.status === 404) throw new Refused("It is no longer there.");
    if (!response.ok) throw new Refused(`The site failed (${response.status}). Try again: nothing is done twice.`);
    return await response.json();
  };

  const reasonOf = (error) => {
    if (error instanceof Refused) return error.message;
    console.error(error);
    return "Something failed on this page. Load it again.";
  };

  // --- Doing, and undoing ---------------------------------------------------------------------------

  // What was done, the last thing last: also before this page was loaded, by the same tab.
  const done = JSON.parse(sessionStorage.getItem("desk-done") ?? "[]");
  const shortened = (text) => (text.length > 40 ? `${text.slice(0, 39)}…` : text);
  const remember = () => {
    const kept = done.filter((act) => act.batch).slice(-MOST_UNDONE);
    sessionStorage.setItem("desk-done", JSON.stringify(kept.map(({ id, batch, title }) => ({ id, batch, title }))));
  };
  const forget = (act) => {
    if (done.includes(act)) done.splice(done.indexOf(act), 1);
    remember();
  };

  // What became of a version by our own doing: the next key is about that, and never about what others made of it.
  const became = new Map();
  const latest = (seen) => {
    while (became.has(seen)) seen = became.get(seen);
    return seen;
  };

  const act = (item, form, verb, isLeaving) => {
    const data = new FormData(form);
    if (verb in DOING && verb !== "topics") data.set("verb", verb);
    const panel = form.closest("details")?.dataset.panel;
    const entry = { id: item.id, batch: null, title: shortened(title(item)) };
    done.push(entry);
    unmark(item);
    const next = isLeaving ? after(item) : null;
    busy(item, DOING[verb]);
    if (isLeaving && next) go(next);
    else card(item).focus({ preventScroll: true });
    said.textContent = `${DOING[verb]} “${title(item)}”…`;
    inLine(async () => {
      const seen = data.get("story");
      data.set("story", latest(seen));
      try {
        settle(item, entry, seen, await ask(form.action, data), panel, data);
      } catch (error) {
        forget(entry);
        idle(item);
        reopen(item, panel, data);
        complain(item, reasonOf(error));
        say(`“${title(item)}”: ${reasonOf(error)}`, { of: item, isError: true });
      }
      showWhetherEmpty();
      fetchMoreIfLow();
    });
  };

  const settle = (item, entry, seen, answer, panel, data) => {
    put(item, answer.card);
    idle(item);
    if (answer.done) {
      entry.batch = answer.batch;
      remember();
      if (answer.card) became.set(latest(seen), card(item).dataset.seen);
      if (!answer.stays) vanish(item);
      say(hasKeys ? `${answer.message} Undo: u.` : answer.message, { about: entry });
    } else {
      forget(entry);
      if (!answer.card) complain(item, answer.message);
      reopen(item, panel, data);
      say(`“${title(item)}”: ${answer.message}`, { of: item, isError: true });
    }
  };

  const vanish = (item) => {
    const next = item === current ? after(item) : null;
    const hadFocus = item.contains(document.activeElement);
    item.hidden = true;
    if (next && hadFocus) go(next);
    else if (next) setCurrent(next);
  };

  // What was typed is not lost with what was refused.
  const reopen = (item, name, data) => {
    const panel = name && item.querySelector(`details[data-panel=${name}]`);
    if (!panel) return;
    for (const field of panel.querySelectorAll("[name=at], [name=until], [name=note], [name=topics]")) {
      field.value = data.get(field.name) ?? "";
    }
    panel.open = true;
    prepare(panel, false);
  };

  const undo = () => {
    const entry = done.pop();
    if (!entry) return say("There is nothing to undo.");
    let item = document.getElementById(entry.id);
    if (item) {
      busy(item, "Undoing");
      nothing.hidden = true;
      go(item);
    }
    const start = current;
    inLine(async () => {
      if (item) busy(item, "Undoing"); // again: what it undoes may have been answered only now, and hidden the card
      if (!entry.batch) {
        if (item) idle(item);
        return say("That was not done, so there is nothing to undo.");
      }
      const data = new FormData();
      data.set("batch", entry.batch);
      try {
        const answer = await ask(undoing, data);
        const why = Object.values(answer.refused)[0];
        if (item) await refresh(item);
        else if (!why) item = await broughtBack(entry.id);
        if (item) idle(item);
        if (item && start === current) go(item);
        if (why && item) complain(item, `Not undone. ${why}`);
        const told = entry.title && !why ? `Undone: “${entry.title}” is as it was before.` : answer.message;
        say(told, { of: item, isError: Boolean(why), isUndone: true });
      } catch (error) {
        done.push(entry);
        if (item) idle(item);
        if (item) complain(item, `Not undone. ${reasonOf(error)}`);
        say(`Not undone. ${reasonOf(error)}`, { of: item, isError: true });
      }
      remember();
    });
  };

  const refresh = async (item) => {
    try {
      const response = await fetch(`${cards}?${query}&keys=${item.id.replace("story-", "")}`);
      if (response.ok && !response.redirected) put(item, await response.text());
    } catch {
      // the card is an old one, with which nothing can be done that it does not show
    }
  };

  // A card that this page does not have, where it stands now; null if that is not on the queue's first page.
  const broughtBack = async (id) => {
    try {
      const response = await fetch(`${address}?${query}`);
      if (!response.ok || response.redirected) return null;
      const item = parsed(await response.text()).getElementById(id);
      if (!item) return null;
      let next = item.nextElementSibling;
      while (next && !document.getElementById(next.id)) next = next.nextElementSibling;
      list.insertBefore(item, next ? document.getElementById(next.id) : list.firstElementChild);
      nothing.hidden = true;
      return item;
    } catch {
      return null;
    }
  };

  // --- How many wait, and more cards ----------------------------------------------------------------

  const count = async () => {
    try {
      const response = await fetch(counts, { headers: { Accept: "application/json" } });
      for (const [name, number] of Object.entries(await response.json())) {
        desk.querySelector(`[data-queue=${name}] b`).textContent = number;
      }
    } catch {
      // no connection, or nobody logged in any more: perhaps the next time
    }
  };
  let counting;
  const countSoon = () => {
    clearTimeout(counting);
    counting = setTimeout(count, 200);
  };
  const countIfSeen = () => document.visibilityState === "visible" && count();
  setInterval(countIfSeen, EVERY);
  document.addEventListener("visibilitychange", countIfSeen);

  const fetchMoreIfLow = () => {
    const rest = document.getElementById("desk-rest");
    if (!rest || fetching) return;
    const here = itemsHere();
    if (here.length - here.indexOf(current) > LOW) return;
    fetching = fetchMore(rest).finally(() => {
      fetching = null;
      showWhetherEmpty();
    });
  };

  let pages = 0; // that were fetched after the first
  const fetchMore = async (rest) => {
    try {
      const response = await fetch(rest.href);
      if (!response.ok || response.redirected) return;
      const page = parsed(await response.text());
      const items = [...page.getElementById("desk-cards").children];
      const wasEmpty = itemsHere().length === 0;
      list.append(...items.filter((item) => !document.getElementById(item.id)));
      pages += 1;
      showMarks();
      const more = page.getElementById("desk-rest");
      if (more) rest.href = more.href;
      else rest.parentElement.remove();
      if (wasEmpty && itemsHere().length) go(itemsHere()[0]);
    } catch {
      // the link is still there to be followed
    }
  };

  // --- Marks ----------------------------------------------------------------------------------------

  const box = (item) => item.querySelector(".desk-mark input");
  let lastMarked = null;

  // As they were when the page was left. What was done to a story since makes it another version, without a mark.
  const marks = new Set(before.marks);
  const showMarks = () => {
    for (const each of list.querySelectorAll(".desk-mark input")) each.checked = marks.has(each.value);
    tellMarks();
  };
  const tellMarks = () => {
    if (!bulk) return;
    const number = list.querySelectorAll(".desk-mark input:checked").length;
    document.getElementById("desk-marked").textContent = `${number} marked:`;
    bulk.hidden = number === 0;
  };
  const mark = (item, isMarked) => {
    if (!item || !box(item)) return;
    box(item).checked = isMarked;
    marks[isMarked ? "add" : "delete"](box(item).value);
    lastMarked = item;
    tellMarks();
  };
  const unmark = (item) => box(item)?.checked && mark(item, false);
  const goToMarked = () => {
    if (bulk && !bulk.hidden) bulk.querySelector("button").focus();
    else say("No story is marked.");
  };
  const markUpTo = (item) => {
    const here = itemsHere();
    const [from, to] = [here.indexOf(lastMarked), here.indexOf(item)].sort((a, b) => a - b);
    for (const each of here.slice(Math.max(from, 0), to + 1)) mark(each, true);
  };

  list.addEventListener("change", (event) => {
    if (event.target.matches(".desk-mark input")) mark(event.target.closest("li"), event.target.checked);
  });
  list.addEventListener("click", (event) => {
    if (event.shiftKey && event.target.matches(".desk-mark input") && lastMarked) markUpTo(event.target.closest("li"));
  });
  bulk?.addEventListener("formdata", ({ formData }) => formData.set("stories", formData.getAll("stories").join(",")));
  bulk?.addEventListener("reset", () => {
    marks.clear();
    setTimeout(() => {
      tellMarks();
      goBack();
    });
  });
  bulk?.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    goBack();
  });

  // --- Panels ---------------------------------------------------------------------------------------

  // With the focus in it before the next key comes, which may be a letter of a name.
  const open = (name) => {
    if (!current || current.hidden) return say("There is no story here.");
    const panel = isHere(current) && current.querySelector(`details[data-panel=${name}]`);
    if (!panel) return say("That cannot be done with this story.");
    panel.open = true;
    prepare(panel);
  };

  const tellWhen = (form) => {
    const [at, until] = ["at", "until"].map((name) => form.elements[name]?.value);
    const words = [at && `for ${siteTime(at, zone)}`, !at && until && `until ${siteTime(until, zone)}`].filter(Boolean);
    form.querySelector(".desk-go").textContent = ["Schedule", ...words].join(" ");
  };

  const prepared = new WeakSet();
  const prepare = (panel, takesFocus = true) => {
    if (prepared.has(panel)) return;
    prepared.add(panel);
    if (takesFocus) hush(); // it might lie over the fields
    const field = panel.querySelector("[name=at], [name=until], [name=note]");
    if (panel.dataset.panel === "schedule") {
      const isOld = field.value === field.defaultValue && field.value <= siteClock(Date.now(), zone); // of a page that stayed open
      if (field.name === "at" && isOld) field.value = `${siteClock(Date.now() + 3_600_000, zone).slice(0, 13)}:00`;
      tellWhen(panel.querySelector("form"));
    }
    if (panel.dataset.panel === "topics") pickTopics(panel.querySelector("form"), takesFocus);
    else if (takesFocus) field.focus();
  };

  list.addEventListener("toggle", (event) => {
    if (event.target.open) prepare(event.target);
    else prepared.delete(event.target);
  }, true);
  list.addEventListener("input", (event) => {
    const form = event.target.closest("[data-panel=schedule] form");
    if (form) tellWhen(form);
  });
  list.addEventListener("keydown", (event) => {
    const panel = event.target.closest("li[id]")?.querySelector(".desk-panel[open]");
    if (event.key !== "Escape" || !panel) return;
    event.preventDefault();
    panel.open = false;
    card(panel.closest("li")).focus({ preventScroll: true });
  });
  list.addEventListener("submit", (event) => {
    event.preventDefault();
    const form = event.target;
    const isTopics = "topics" in form.dataset;
    act(form.closest("li"), form, isTopics ? "topics" : form.dataset.verb ?? event.submitter.value, !isTopics);
  });
  list.addEventListener("focusin", (event) => setCurrent(event.target.closest("li[id]")));

  const press = (verb) => {
    const form = current?.querySelector(".desk-presses");
    if (!current || current.hidden) say("There is no story here.");
    else if (!isHere(current)) say(`A moment: “${title(current)}” is being worked on.`);
    else if (form?.querySelector(`[value=${verb}]`)) act(current, form, verb, true);
    else say("That cannot be done with this story.");
  };

  // --- Names of topics and providers ----------------------------------------------------------------

  const found = async (model, field, term) => {
    const asked = new URLSearchParams({ app_label: "articles", model_name: model, field_name: field, term });
    try {
      const response = await fetch(`${names}?${asked}`);
      return response.ok ? (await response.json()).results.map((each) => each.text) : [];
    } catch {
      return [];
    }
  };

  const same = (one, other) => one.toLocaleLowerCase() === other.toLocaleLowerCase();
  const made = (tag, attributes, ...children) => {
    const element = Object.assign(document.createElement(tag), attributes);
    element.append(...children);
    return element;
  };

  const pickTopics = (form, takesFocus) => {
    form.querySelector(".desk-picker")?.remove();
    const field = form.elements.topics;
    field.closest("label").hidden = true;
    const item = form.closest("li[id]");
    const id = `names-${item.id}`;
    const chosen = made("ul", { className: "desk-chosen" });
    chosen.setAttribute("aria-label", "Chosen topics, the main one first");
    chosen.setAttribute("role", "list");
    const input = made("input", { type: "text", autocomplete: "off", maxLength: 100, placeholder: "Add a topic" });
    const offers = made("ul", { className: "desk-offers", id, hidden: true });
    for (const [name, value] of Object.entries({
      role: "combobox", "aria-label": "Add a topic", "aria-autocomplete": "list", "aria-controls": id, "aria-expanded": "false",
    })) input.setAttribute(name, value);
    offers.setAttribute("role", "listbox");
    offers.setAttribute("aria-label", "Topics");
    const picker = made("div", { className: "desk-picker" }, chosen, made("div", { className: "desk-adder" }, input, offers));
    form.prepend(picker);
    let picked = field.value.split("\n").map((name) => name.trim()).filter(Boolean);

    const draw = (focusOn = -1, takes = true) => {
      field.value = picked.join("\n");
      chosen.replaceChildren(...picked.map((name, place) => {
        const earlier = made("button", { type: "button", textContent: "‹", disabled: place === 0 });
        earlier.setAttribute("aria-label", `Move ${name} forward`);
        earlier.onclick = () => shift(place, place - 1);
        const gone = made("button", { type: "button", textContent: "×" });
        gone.setAttribute("aria-label", `Remove ${name}`);
        gone.onclick = () => remove(place);
        const chip = made("li", { tabIndex: -1 }, earlier, made("span", { textContent: name }), gone);
        chip.onkeydown = (event) => onChip(event, place);
        return chip;
      }));
      if (takes) (chosen.children[focusOn] ?? input).focus();
    };
    const shift = (from, to) => {
      if (to < 0 || to >= picked.length) return;
      picked.splice(to, 0, ...picked.splice(from, 1));
      draw(to);
      said.textContent = `${picked[to]}: ${to + 1} of ${picked.length}`;
    };
    const remove = (place) => {
      said.textContent = `${picked[place]} removed`;
      picked.splice(place, 1);
      draw(Math.min(place, picked.length - 1));
    };
    const add = (name) => {
      picked = [...picked.filter((each) => !same(each, name)), name];
      input.value = "";
      offer([]);
      draw();
      said.textContent = `${name} added`;
    };
    const onChip = (event, place) => {
      if (event.target !== event.currentTarget) return;
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (step && event.shiftKey) shift(place, place + step);
      else if (step) (chosen.children[place + step] ?? input).focus();
      else if (event.key === "Delete" || event.key === "Backspace") remove(place);
      else if (event.key === "Enter") form.requestSubmit();
      else return;
      event.preventDefault();
      event.stopPropagation();
    };

    let active = -1;
    let known = ""; // what the offers are for
    const activate = (place) => {
      active = place;
      [...offers.children].forEach((option, number) => option.setAttribute("aria-selected", String(number === place)));
      if (offers.children[place]) {
        input.setAttribute("aria-activedescendant", offers.children[place].id);
        offers.children[place].scrollIntoView({ block: "nearest" });
      } else input.removeAttribute("aria-activedescendant");
    };
    const offer = (options) => {
      offers.replaceChildren(...options.map(({ name, isNew }, number) => {
        const option = made("li", { id: `${id}-${number}`, textContent: isNew ? `New topic “${name}”` : name });
        option.dataset.name = name;
        option.setAttribute("role", "option");
        option.onmousedown = (event) => event.preventDefault(); // the field keeps the focus
        option.onclick = () => add(name);
        return option;
      }));
      offers.hidden = options.length === 0;
      input.setAttribute("aria-expanded", String(options.length > 0));
      activate(options.length ? 0 : -1);
    };
    const look = async () => {
      const term = input.value.trim();
      const all = term ? await found("articletopic", "tag", term) : [];
      if (term !== input.value.trim()) return; // there is more by now
      known = term;
      const options = all.filter((name) => !picked.includes(name)).sort((a, b) => same(b, term) - same(a, term));
      const isNew = term && addsTopics && !all.some((name) => same(name, term)) && !picked.some((name) => same(name, term));
      offer([...options.slice(0, 8).map((name) => ({ name })), ...(isNew ? [{ name: term, isNew }] : [])]);
      if (term && !offers.children.length) said.textContent = "There is no such topic.";
    };
    let looking;
    input.oninput = () => {
      clearTimeout(looking);
      looking = setTimeout(look, PAUSE);
    };
    const take = async () => {
      clearTimeout(looking);
      input.setAttribute("aria-busy", "true");
      if (known !== input.value.trim()) await look();
      input.removeAttribute("aria-busy");
      const again = picked.find((name) => same(name, input.value.trim()));
      if (again) input.value = "";
      if (again) said.textContent = `${again} is there already`;
      else if (offers.children[active]) add(offers.children[active].dataset.name);
    };
    input.onkeydown = (event) => {
      if (event.key === "ArrowDown" && offers.children.length) activate((active + 1) % offers.children.length);
      else if (event.key === "ArrowUp" && offers.children.length) activate((active + offers.children.length - 1) % offers.children.length);
      else if (event.key === "Enter" && input.value.trim()) take();
      else if (event.key === "Enter") form.requestSubmit();
      else if (event.key === "Backspace" && !input.value && picked.length) remove(picked.length - 1), input.focus();
      else if (event.key === "ArrowLeft" && !input.value && picked.length) chosen.lastElementChild.focus();
      else if (event.key === "Escape" && !offers.hidden) {
        offer([]);
        event.stopPropagation();
      } else return;
      event.preventDefault();
    };
    draw(-1, takesFocus);
  };

  for (const input of desk.querySelectorAll("input[data-names]")) {
    let looking;
    input.addEventListener("input", () => {
      clearTimeout(looking);
      looking = setTimeout(async () => {
        const options = input.value.trim() ? await found(...input.dataset.names.split(" "), input.value.trim()) : [];
        input.list.replaceChildren(...options.map((name) => made("option", { value: name })));
      }, PAUSE);
    });
  }

  // --- Keys -----------------------------------------------------------------------------------------

  const keysOn = document.getElementById("desk-keys-on");
  const helpButton = document.getElementById("desk-help-button");
  const tellKeys = () => {
    helpButton.firstElementChild.textContent = keysOn.checked ? "Keys" : "Keys are off";
  };
  keysOn.checked = localStorage.getItem("desk-keys") !== "off";
  keysOn.addEventListener("change", () => {
    localStorage.setItem("desk-keys", keysOn.checked ? "on" : "off");
    tellKeys();
  });
  helpButton.addEventListener("click", () => help.showModal());

  const KEYS = {
    j: () => move("nextElementSibling"),
    k: () => move("previousElementSibling"),
    o: () => current?.querySelector(".desk-source")?.click(),
    e: () => current && leaveFor(current.querySelector(".desk-edit").href),
    p: () => press("publish"),
    x: () => press("reject"),
    r: () => press("submit"),
    s: () => open("schedule"),
    b: () => open("send_back"),
    t: () => open("topics"),
    u: undo,
    m: () => current && mark(current, !box(current).checked),
    M: () => current && markUpTo(current),
    a: goToMarked,
    v: showRefused,
    "/": () => search.select(),
    "?": () => help.showModal(),
  };
  const ON_CARD = "opxrsetbmM"; // keys that do something with a story
  const HELD = "jk"; // keys that do the same again and again while they are held down

  const isTyping = (target) => target.closest("textarea, select, [contenteditable], input:not([type=checkbox])") !== null;
  const isControl = (target) => target.closest("a, button, summary, input") !== null;

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (help.open) return;
    if (event.key === "Escape") return hush();
    if (isTyping(event.target) || !keysOn.checked) return;
    const tab = /^[1-9]$/.test(event.key) && desk.querySelectorAll("[data-queue]")[event.key - 1];
    const key = event.key === "Enter" && !isControl(event.target) ? KEYS.o : Object.hasOwn(KEYS, event.key) && KEYS[event.key];
    if (!key && !tab) return;
    event.preventDefault();
    if (event.repeat && !HELD.includes(event.key)) return;
    if (tab) leaveFor(tab.href);
    else if ((ON_CARD.includes(event.key) || event.key === "Enter") && isOutOfSight()) {
      goInSight();
      say(`Now at “${title(current)}”.`);
    } else key();
  });

  search.form.addEventListener("submit", () => sessionStorage.setItem("desk-asked", "yes"));
  search.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    search.value = search.defaultValue; // what the page shows
    goBack();
  });

  // --- The beginning --------------------------------------------------------------------------------

  desk.classList.add("is-live");
  helpButton.hidden = false;
  tellKeys();
  toast.hidden = false;
  toast.querySelector(".desk-undo-last").addEventListener("click", undo);
  toast.querySelector(".desk-show").addEventListener("click", showRefused);
  toast.querySelector(".desk-hush").addEventListener("click", hush);

  const isReturn = ["reload", "back_forward"].includes(performance.getEntriesByType("navigation")[0]?.type);
  const wanted = (isReturn && before.at) || location.hash.slice(1);
  const isAsked = sessionStorage.getItem("desk-asked") !== null;
  sessionStorage.removeItem("desk-asked");
  const itemOf = (id) => [...list.children].find((item) => item.id === id);

  const begin = () => {
    showMarks();
    setCurrent(itemsHere()[0] ?? null);
    if (itemOf(wanted)) go(itemOf(wanted));
    else if (isAsked) goBack();
  };

  // The pages that were fetched before, as long as the card or a mark is not found.
  const fetchAgain = async () => {
    const isMissing = () => (isReturn && before.at && !itemOf(before.at)) || [...marks].some((value) => !isShown(value));
    const isShown = (value) => itemOf(`story-${value.split(":")[0]}`);
    const start = current;
    for (let left = Math.min(before.pages ?? 0, MOST_AGAIN); left > 0 && isMissing(); left -= 1) {
      const rest = document.getElementById("desk-rest");
      if (!rest) break;
      fetching ??= fetchMore(rest).finally(() => { fetching = null; });
      await fetching;
    }
    const gone = [...marks].filter((value) => !list.querySelector(`input[value="${value}"]`));
    for (const value of gone) marks.delete(value);
    if (gone.length && before.pages > MOST_AGAIN) say(`${gone.length} marks lay too far down to be kept.`, { isError: true });
    if (isReturn && current === start && itemOf(before.at)) go(itemOf(before.at));
  };

  begin();
  fetchAgain();
  const first = current;
  // The browser goes to where the page was, or to the card of the address, too, and takes the focus away.
  if (itemOf(wanted)) addEventListener("load", () => current === first && go(first));
  addEventListener("pageshow", (event) => event.persisted && location.reload()); // the cards may be old
})();
