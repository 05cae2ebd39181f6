// What makes the shop a little quicker to use. Every page works without it.
"use strict";

// A menu closes when the visitor goes elsewhere, and on Escape.
document.addEventListener("click", (event) => closeMenus(event.target));
document.addEventListener("focusin", (event) => closeMenus(event.target));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

function closeMenus(target) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(target)) menu.open = false;
  }
}

// Colours change at once; the server is told meanwhile, for the next page.
const themes = document.querySelector("form[data-themes]");
themes?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const theme = event.submitter.value;
  const data = new FormData(themes, event.submitter);
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  document.querySelector("meta[name=color-scheme]").content = theme === "auto" ? "light dark" : theme;
  for (const button of themes.elements.theme) {
    button.setAttribute("aria-pressed", String(button === event.submitter));
  }
  try {
    await fetch(themes.action, { method: "POST", body: data, redirect: "manual" });
  } catch {
    // The cookie was not set, so only this page has the colours; the visitor can press again.
  }
});

// The middle of a photo is chosen by a click into it; its numbers can be typed as well.
for (const frame of document.querySelectorAll(".photo-pick")) {
  const inputs = [frame.dataset.x, frame.dataset.y].map((id) => document.getElementById(id));
  const point = document.createElement("span");
  point.className = "photo-point";
  const show = () => {
    [point.style.left, point.style.top] = inputs.map((input) => `${input.value || 50}%`);
  };
  frame.append(point);
  frame.addEventListener("click", ({ clientX, clientY }) => {
    const box = frame.getBoundingClientRect();
    const shares = [(clientX - box.left) / box.width, (clientY - box.top) / box.height];
    inputs.forEach((input, axis) => (input.value = Math.max(0, Math.min(99, Math.round(100 * shares[axis])))));
    show();
  });
  for (const input of inputs) input.addEventListener("input", show);
  show();
}
