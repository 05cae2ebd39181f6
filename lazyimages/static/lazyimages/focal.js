// The focal point in Django's admin: a click or the arrow keys move it, and the crops beside it follow.
// Without this file the two numbers below the picture do the same.
"use strict"
{
  const HIGHEST = 99
  const CENTRE = 50
  const PICKER = 320 // CSS pixels, the side of the square that a new file is shown in
  const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }
  const clamp = (value, least, most) => Math.min(Math.max(value, least), most)

  class FocalPoint {
    constructor(root) {
      const find = (name) => root.querySelector(`[data-lazyimages-${name}]`)
      this.root = root
      this.details = find("focal")
      this.picker = find("picker")
      this.cross = find("cross")
      this.crops = find("crops")
      this.frames = root.querySelectorAll("[data-lazyimages-crop]")
      this.stored = find("stored")
      this.fresh = find("new")
      this.inputs = [find("x"), find("y")]
      this.words = find("words")
      this.frame = find("frame")
      this.picture = this.picker.querySelector("img")
      this.natural = [Number(this.details.dataset.width), Number(this.details.dataset.height)]
      this.start = this.inputs.map((input) => input.value)
      this.thumbnail = [...this.frame.childNodes]
      this.chosen = 0
      find("js").hidden = !this.picture

      this.picker.addEventListener("pointerdown", (event) => this.press(event))
      this.picker.addEventListener("pointermove", (event) => this.drag(event))
      this.picker.addEventListener("click", (event) => this.point(event))
      this.picker.addEventListener("keydown", (event) => this.key(event))
      for (const input of this.inputs) input.addEventListener("input", () => this.show())
      find("file").addEventListener("change", (event) => this.choose(event.target.files[0]))
      this.details.addEventListener("toggle", () => this.show())
      this.use(this.picture)
    }

    get position() {
      return this.inputs.map((input) => {
        const number = Math.round(Number(input.value))
        return input.value === "" || Number.isNaN(number) ? CENTRE : clamp(number, 0, HIGHEST)
      })
    }

    set position(point) {
      point.forEach((value, axis) => {
        this.inputs[axis].value = String(clamp(Math.round(value), 0, HIGHEST))
        this.inputs[axis].dispatchEvent(new Event("change", { bubbles: true }))
      })
      this.show()
    }

    // Show another picture to point at: an <img>, a <canvas> of a new file, or none.
    use(picture) {
      const isThere = Boolean(picture)
      this.picture = picture
      this.root.querySelector("[data-lazyimages-js]").hidden = !isThere
      this.cross.hidden = !isThere
      this.picker.classList.toggle("lazyimages-ready", isThere)
      if (isThere) {
        this.picker.tabIndex = 0
        this.picker.setAttribute("role", "slider")
        this.picker.setAttribute("aria-label", this.picker.dataset.label)
        this.picker.setAttribute("aria-describedby", this.picker.dataset.help)
        this.picker.setAttribute("aria-valuemin", "0")
        this.picker.setAttribute("aria-valuemax", String(HIGHEST))
        picture.addEventListener("load", () => this.show())
      } else {
        for (const name of ["tabindex", "role", "aria-label", "aria-describedby", "aria-valuemin", "aria-valuemax"])
          this.picker.removeAttribute(name)
      }
      // With neither a picture nor a file there is nothing to choose a point of.
      this.details.classList.toggle("lazyimages-empty", !isThere && !this.stored && !this.chosen)
      for (const frame of this.frames) {
        frame.replaceChildren(...(isThere ? [this.copy(picture)] : []))
        frame.style.width = `${frame.dataset.width}px`
        frame.style.aspectRatio = `${frame.dataset.width} / ${frame.dataset.height}`
      }
      if (this.crops) this.crops.hidden = !isThere
      this.show()
    }

    copy(picture) {
      const copy = picture.cloneNode()
      if (copy.nodeName === "CANVAS") copy.getContext("2d").drawImage(picture, 0, 0)
      return copy
    }

    show() {
      const [x, y] = this.position
      const text = this.details.dataset.words.replace("LEFT", x).replace("TOP", y)
      this.words.textContent = text
      this.cross.style.left = `${x}%`
      this.cross.style.top = `${y}%`
      if (this.picture) {
        this.picker.setAttribute("aria-valuenow", String(x))
        this.picker.setAttribute("aria-valuetext", text)
      }
      const [width, height] = this.size()
      for (const frame of width ? this.frames : []) {
        const shape = frame.dataset.width / frame.dataset.height
        const wide = width / height > shape
        const across = wide ? this.offset(width, height * shape, x) : 50
        const down = wide ? 50 : this.offset(height, width / shape, y)
        if (frame.firstChild) frame.firstChild.style.objectPosition = `${across}% ${down}%`
      }
    }

    // The resizer cuts so that the point is in the middle, or as near to it as the edges allow, and
    // object-position counts in percent of what is cut off.
    offset(side, box, percent) {
      if (side <= box) return 50
      return (100 * clamp((side * percent) / 100 - box / 2, 0, side - box)) / (side - box)
    }

    size() {
      if (this.picture && this.picture.nodeName === "CANVAS") return [this.picture.width, this.picture.height]
      if (this.natural[0]) return this.natural
      return this.picture ? [this.picture.naturalWidth, this.picture.naturalHeight] : [0, 0]
    }

    press(event) {
      if (!this.picture || event.pointerType === "touch" || event.button !== 0) return // a finger may scroll
      this.picker.setPointerCapture(event.pointerId)
      this.point(event)
    }

    drag(event) {
      if (this.picker.hasPointerCapture(event.pointerId) && event.buttons === 1) this.point(event)
    }

    point(event) {
      if (!this.picture) return
      const box = this.picture.getBoundingClientRect()
      if (!box.width) return
      this.position = [
        (100 * (event.clientX - box.left)) / box.width,
        (100 * (event.clientY - box.top)) / box.height,
      ]
    }

    key(event) {
      if (!this.picture || event.altKey || event.ctrlKey || event.metaKey) return
      const step = STEPS[event.key]
      if (!step && event.key !== "Home") return
      event.preventDefault()
      const far = event.shiftKey ? 10 : 1
      this.position = step ? this.position.map((value, axis) => value + far * step[axis]) : [CENTRE, CENTRE]
    }

    // Show a file that was chosen just now; what this browser cannot read (TIFF, HEIC) keeps the numbers.
    async choose(file) {
      const turn = ++this.chosen
      this.fresh.hidden = !file
      if (this.stored) {
        this.stored.hidden = Boolean(file)
        const remove = this.stored.querySelector("[type=checkbox]")
        if (remove) remove.checked = false // a file cannot be both replaced and removed
      }
      if (!file) {
        this.chosen = 0
        this.frame.replaceChildren(...this.thumbnail)
        this.picker.querySelector("canvas")?.remove()
        const stored = this.picker.querySelector("img")
        if (stored) stored.hidden = false
        this.inputs.forEach((input, axis) => (input.value = this.start[axis]))
        this.use(stored)
        return
      }
      const bitmap = await createImageBitmap(file).catch(() => null)
      if (turn !== this.chosen) return
      this.picker.querySelector("canvas")?.remove()
      const stored = this.picker.querySelector("img")
      if (stored) stored.hidden = true
      if (bitmap) {
        const small = this.drawing(bitmap, this.frame.clientWidth || 120, this.frame.clientHeight || 90)
        small.className = "lazyimages-thumb"
        this.frame.replaceChildren(small)
        const large = this.drawing(bitmap, PICKER, PICKER)
        bitmap.close()
        this.picker.prepend(large)
        this.use(large)
      } else {
        this.use(null)
      }
      this.position = [CENTRE, CENTRE]
    }

    // A canvas needs no blob: URL, which a Content Security Policy may forbid.
    drawing(bitmap, width, height) {
      const scale = Math.min(1, width / bitmap.width, height / bitmap.height)
      const canvas = document.createElement("canvas")
      const density = Math.min(2, Math.max(1, Math.ceil(devicePixelRatio)))
      const room = Math.min(1 / scale, density)
      canvas.width = Math.max(1, Math.round(bitmap.width * scale * room))
      canvas.height = Math.max(1, Math.round(bitmap.height * scale * room))
      canvas.style.width = `${Math.max(1, Math.round(bitmap.width * scale))}px`
      const context = canvas.getContext("2d")
      context.imageSmoothingQuality = "high"
      context.drawImage(bitmap, 0, 0, canvas.width, canvas.height)
      return canvas
    }
  }

  const begin = (where) => {
    for (const root of where.querySelectorAll("[data-lazyimages]")) {
      // The row that Django copies for new ones stays as it is.
      if (root.closest(".empty-form") || root.dataset.lazyimages) continue
      root.dataset.lazyimages = "on"
      new FocalPoint(root)
    }
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => begin(document))
  else begin(document)
  document.addEventListener("formset:added", (event) => begin(event.target))
}
