// Suggestions below each search box, as a combobox (ARIA 1.2). Without this script the search page has them as links.
const PAUSE = 150; // milliseconds without a key, before it asks
const SHORTEST = 2;
let count = 0;

const element = (name, attributes, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

class Suggestions {
  constructor(form) {
    const id = `suggestions-${++count}`;
    this.address = form.dataset.suggest;
    this.input = form.querySelector("input[type=search]");
    this.list = element("div", { id, class: "suggestions", role: "listbox", "aria-label": "Suggestions", hidden: "" });
    this.news = element("p", { class: "hidden", role: "status" });
    this.chosen = -1;
    const combobox = { role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": id };
    for (const key in combobox) this.input.setAttribute(key, combobox[key]);
    this.input.autocomplete = "off";
    form.append(this.list, this.news);
    this.input.addEventListener("input", () => this.wait());
    this.input.addEventListener("keydown", (event) => this.key(event));
    form.addEventListener("focusout", (event) => form.contains(event.relatedTarget) || this.close());
    form.addEventListener("submit", () => this.close());
    this.list.addEventListener("mousedown", (event) => event.preventDefault()); // the box keeps the focus
    this.list.addEventListener("click", (event) => this.go(event.target.closest("[role=option]")));
  }

  get options() {
    return [...this.list.children];
  }

  wait() {
    clearTimeout(this.timer);
    this.request?.abort();
    const typed = this.input.value.trim();
    if (typed.length < SHORTEST) this.close();
    else this.timer = setTimeout(() => this.ask(typed), PAUSE);
  }

  async ask(typed) {
    this.request = new AbortController();
    try {
      const answer = await fetch(`${this.address}?${new URLSearchParams({ q: typed })}`, this.request);
      if (answer.ok) this.show((await answer.json()).suggestions);
    } catch {
      // typed on meanwhile, or no connection: the box works without
    }
  }

  show(suggestions) {
    if (!this.input.matches(":focus")) return;
    this.close();
    this.list.replaceChildren(
      ...suggestions.map(({ kind, label, url }, place) =>
        element(
          "div",
          { id: `${this.list.id}-${place}`, role: "option", "aria-selected": "false", "data-url": url },
          element("bdi", {}, label),
          element("span", { class: "count" }, kind),
        ),
      ),
    );
    const many = suggestions.length;
    this.news.textContent = many ? `${many} suggestion${many > 1 ? "s" : ""}` : "No suggestions";
    this.list.hidden = !many;
    this.input.setAttribute("aria-expanded", String(many > 0));
  }

  close() {
    clearTimeout(this.timer);
    this.request?.abort();
    this.list.hidden = true;
    this.list.replaceChildren();
    this.news.textContent = "";
    this.input.setAttribute("aria-expanded", "false");
    this.choose(-1);
  }

  choose(place) {
    this.chosen = place;
    this.options.forEach((option, at) => option.setAttribute("aria-selected", String(at === place)));
    const option = this.options[place];
    if (option) this.input.setAttribute("aria-activedescendant", option.id);
    else this.input.removeAttribute("aria-activedescendant");
  }

  go(option) {
    if (option) location.assign(option.dataset.url);
  }

  key(event) {
    const { length } = this.options;
    if (event.isComposing || !length) return;
    // -1 is the box itself
    const around = (step) => this.choose(((this.chosen + 1 + step + length + 1) % (length + 1)) - 1);
    const keys = {
      ArrowDown: () => around(1),
      ArrowUp: () => around(-1),
      Escape: () => this.close(),
      Enter: this.chosen >= 0 && (() => this.go(this.options[this.chosen])),
    };
    if (keys[event.key]) {
      event.preventDefault();
      keys[event.key]();
    }
  }
}

for (const form of document.querySelectorAll("[data-suggest]")) new Suggestions(form);
