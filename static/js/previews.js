"use strict";
// Links are made and revoked without leaving the page, where somebody may be writing; and each has a button that copies
// it. Without this script the page is loaded anew, and they can be selected and copied by hand.
(() => {
  const FAILED = "That did not work: look at your connection, and try again.";
  const OUT = "That did not work: you are not logged in any more, or may not do this. Log in in another tab first.";

  const copyButton = (address) => {
    const button = Object.assign(document.createElement("button"), {
      type: "button",
      className: "button",
      textContent: "Copy",
    });
    button.setAttribute("aria-label", `Copy ${address.getAttribute("aria-label").toLowerCase()}`);
    const said = Object.assign(document.createElement("span"), { className: "previews-copied" });
    said.setAttribute("role", "status");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(address.value);
        said.textContent = "Copied.";
      } catch {
        address.select();
        said.textContent = "Press Ctrl+C to copy.";
      }
    });
    address.after(button, said);
  };

  const panel = () => document.getElementById("previews");
  const say = (text) => {
    const told = panel().querySelector(".previews-told");
    told.textContent = text;
    told.focus();
  };

  const dress = () => {
    for (const address of panel().querySelectorAll("[data-copy]")) {
      address.addEventListener("focus", () => address.select());
      if (navigator.clipboard) copyButton(address);
    }
  };

  // The answer is the whole form as it is stored, of which the panel alone is taken.
  const send = async (form, button) => {
    const body = new FormData(form, button);
    const response = await fetch(form.action, { method: "POST", body });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = page.getElementById("previews");
    if (!response.ok || !fresh) return say(OUT);
    panel().replaceWith(document.adoptNode(fresh));
    panel().querySelector(".previews-sharing").open = true;
    dress();
    say([...page.querySelectorAll(".messagelist li")].map((message) => message.textContent.trim()).join(" "));
  };

  document.addEventListener("submit", (event) => {
    if (!panel().contains(event.target)) return;
    event.preventDefault();
    send(event.target, event.submitter).catch(() => say(FAILED));
  });
  dress();
})();
