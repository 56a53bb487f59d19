/* A button beside each address that copies it. Without it they can be selected and copied by hand. */

"use strict";

for (const address of document.querySelectorAll("[data-copy]")) {
  address.addEventListener("focus", () => address.select());
  if (!navigator.clipboard) continue;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-label", `Copy ${address.getAttribute("aria-label").toLowerCase()}`);
  const said = document.createElement("span");
  said.className = "previews-copied";
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
}
