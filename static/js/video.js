/* A film's player, once somebody asks for it: before that, nothing of its host is loaded. */
"use strict";

for (const figure of document.querySelectorAll("[data-video]")) {
  const button = figure.querySelector(".play");
  for (const hidden of figure.querySelectorAll("[hidden]")) hidden.hidden = false;

  button.addEventListener("click", () => {
    const address = new URL(figure.dataset.video);
    address.searchParams.set("autoplay", "1");
    const player = document.createElement("iframe");
    player.title = figure.dataset.title;
    player.allow = "autoplay; encrypted-media; fullscreen; picture-in-picture";
    player.referrerPolicy = "strict-origin-when-cross-origin";
    player.sandbox = "allow-scripts allow-same-origin allow-presentation allow-popups";
    player.src = address.href;
    figure.querySelector(".film").replaceChildren(player);
    figure.classList.add("playing");
    player.focus();
  });
}
