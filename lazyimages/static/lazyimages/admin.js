// Django's admin: the stored sizes below an image, asked when somebody wants to know, and pictures that do
// not load. Without this file the links lead to pages of their own.
"use strict"
{
  const HEADERS = { "X-Requested-With": "XMLHttpRequest" }

  const panelOf = (link) => {
    const root = link.closest(".lazyimages")
    let panel = root.querySelector(":scope > [data-lazyimages-panel]")
    if (!panel) {
      panel = document.createElement(root.nodeName === "DIV" ? "div" : "span")
      panel.className = "lazyimages-panel"
      panel.dataset.lazyimagesPanel = ""
      panel.dataset.failed = link.dataset.failed
      panel.setAttribute("aria-live", "polite")
      root.append(panel)
    }
    return panel
  }

  const load = async (panel, url, options = {}) => {
    panel.hidden = false
    panel.setAttribute("aria-busy", "true")
    try {
      const answer = await fetch(url, { credentials: "same-origin", ...options, headers: { ...HEADERS, ...options.headers } })
      if (answer.redirected) return location.assign(answer.url) // to the login
      if (!answer.ok) throw new Error(String(answer.status))
      panel.innerHTML = await answer.text()
    } catch {
      const trouble = document.createElement("p")
      trouble.className = "lazyimages-trouble"
      trouble.textContent = panel.dataset.failed
      panel.replaceChildren(trouble)
    } finally {
      panel.removeAttribute("aria-busy")
    }
  }

  const toggle = (link) => {
    const panel = panelOf(link)
    const isOpen = link.getAttribute("aria-expanded") === "true"
    link.setAttribute("aria-expanded", String(!isOpen))
    if (isOpen) panel.hidden = true
    else load(panel, link.href)
  }

  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return
    const on = (name) => event.target.closest(`[data-lazyimages-${name}]`)
    const link = on("ask")
    if (link) {
      if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
      event.preventDefault()
      return toggle(link)
    }
    const panel = on("panel")
    if (!panel) return
    const sure = panel.querySelector("[data-lazyimages-sure]")
    if (on("again")) load(panel, on("again").dataset.lazyimagesAgain)
    if (on("purge")) {
      sure.hidden = false
      on("purge").hidden = true
      sure.querySelector("button").focus()
    }
    if (on("keep")) {
      sure.hidden = true
      const purge = panel.querySelector("[data-lazyimages-purge]")
      purge.hidden = false
      purge.focus()
    }
    if (on("confirm")) {
      const token = document.querySelector("[name=csrfmiddlewaretoken]").value
      load(panel, on("confirm").dataset.lazyimagesConfirm, { method: "POST", headers: { "X-CSRFToken": token } })
    }
  })

  // The link works as a button here, so the space bar presses it too.
  document.addEventListener("keydown", (event) => {
    const link = event.key === " " && event.target instanceof Element && event.target.closest("[data-lazyimages-ask]")
    if (link) {
      event.preventDefault()
      toggle(link)
    }
  })

  const fail = (image) => image.classList.add("lazyimages-broken")
  document.addEventListener(
    "error",
    (event) => event.target instanceof Element && event.target.matches(".lazyimages-thumb") && fail(event.target),
    true, // error events do not bubble
  )
  document.addEventListener("DOMContentLoaded", () => {
    for (const image of document.querySelectorAll("img.lazyimages-thumb"))
      if (image.complete && !image.naturalWidth && image.currentSrc) fail(image)
    for (const link of document.querySelectorAll("[data-lazyimages-ask]")) {
      link.setAttribute("role", "button")
      link.setAttribute("aria-expanded", "false")
    }
  })
}
