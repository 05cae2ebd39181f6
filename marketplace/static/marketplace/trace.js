// /trace/: fetch new rows every second, and do what the buttons say without leaving the page.
"use strict";

(() => {
  const page = document.querySelector("[data-trace]");
  const list = page.querySelector("[data-list]");
  const empty = page.querySelector("[data-empty]");
  const news = page.querySelector("[data-news]");
  const live = page.querySelector("[data-live]");
  const pause = page.querySelector("[data-pause]");
  const tools = pause.closest("form");
  const only = tools.elements.only;
  const panel = page.querySelector("[data-try]");
  const EVERY = 1000; // ms
  const SPEAK = 5000; // ms between two announcements
  let cursor = page.dataset.cursor;
  let paused = false;
  let timer = 0;
  let round = 0; // answers to earlier rounds are thrown away
  let titles = [];
  let spoken = 0;

  function show(row, fresh) {
    const holder = document.createElement("template");
    holder.innerHTML = row.html;
    const item = holder.content.querySelector("li");
    item.dataset.shown = (Date.now() / 1000).toFixed(3);
    if (fresh) item.classList.add("trace-new");
    const before = document.getElementById(item.id);
    if (before) before.replaceWith(item);
    else list.prepend(item);
    if (!before && fresh) titles.push(row.title);
  }

  function speak() {
    if (!titles.length || Date.now() - spoken < SPEAK) return;
    const counts = new Map();
    for (const title of titles) counts.set(title, (counts.get(title) || 0) + 1);
    news.textContent = [...counts].map(([title, count]) => `${count} × ${title}`).join(", ");
    titles = [];
    spoken = Date.now();
  }

  async function fetchRows(fresh) {
    const mine = ++round;
    const query = new URLSearchParams({after: cursor});
    if (only.checked) query.set("only", "misses");
    try {
      const answer = await fetch(`${page.dataset.events}?${query}`, {signal: AbortSignal.timeout(10 * EVERY)});
      if (!answer.ok) throw new Error(answer.status);
      const found = await answer.json();
      if (mine !== round) return;
      cursor = found.cursor;
      for (const row of found.rows) show(row, fresh);
      while (list.children.length > Number(page.dataset.rows)) list.lastElementChild.remove();
      empty.hidden = list.children.length > 0;
      live.textContent = "live";
      live.classList.remove("trace-lost");
      speak();
    } catch {
      live.textContent = "no answer";
      live.classList.add("trace-lost");
    }
  }

  async function watch() {
    clearTimeout(timer);
    if (!paused && !document.hidden) {
      const mine = round + 1;
      await fetchRows(true);
      if (mine !== round) return;
    }
    timer = setTimeout(watch, EVERY);
  }

  pause.hidden = live.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    live.classList.toggle("trace-paused", paused);
    if (paused) live.textContent = "paused";
    else watch();
  });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) watch(); });
  tools.addEventListener("submit", (event) => event.preventDefault());
  only.addEventListener("change", async () => {
    clearTimeout(timer);
    cursor = "";
    list.replaceChildren();
    await fetchRows(false);
    timer = setTimeout(watch, EVERY);
  });

  panel.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = event.submitter;
    const form = event.target;
    const body = new FormData(form, button);
    const chosen = button.value;
    panel.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(form.action, {method: "POST", body, headers: {Accept: "application/json"}});
      if (!answer.ok) throw new Error(answer.status);
      const found = await answer.json();
      panel.innerHTML = found.html;
      const same = panel.querySelector(`button[value="${chosen}"]`) || panel.querySelector("button");
      same.focus({preventScroll: true});
      if (!found.url) return;
      // Past the browser's own cache, on every stop of the way.
      await fetch(found.url, {mode: "no-cors", cache: "reload", credentials: "omit"});
      const picture = new Image();
      picture.alt = "";
      picture.src = found.url;
      panel.querySelector(".trace-tried-picture").replaceChildren(picture);
    } catch {
      const told = document.createElement("p");
      told.role = "alert";
      told.textContent = "That did not work. Is the demo still running?";
      panel.append(told);
    } finally {
      panel.removeAttribute("aria-busy");
    }
  });

  timer = setTimeout(watch, EVERY);
})();
