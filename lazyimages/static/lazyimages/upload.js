// File inputs of lazyimages: preview, drag and drop, several files, progress for each, errors before sending.
// Without this file they are ordinary inputs. Where anything is unusual, the browser sends the form itself.
"use strict";

(() => {
  const inputs = new WeakMap(); // root element → Upload
  const forms = new WeakMap(); // form → { sending }
  const FROM_PROXIES = [413, 502, 504];

  class Upload {
    constructor(root) {
      this.root = root;
      this.input = root.querySelector("input[type=file]");
      this.list = root.querySelector("[data-lazyimages-files]");
      this.status = root.querySelector("[data-lazyimages-status]");
      this.drop = root.querySelector("[data-lazyimages-drop]");
      this.words = JSON.parse(root.dataset.messages);
      this.entries = [];
      this.accepted = this.input.accept.toLowerCase().split(",").map((part) => part.trim()).filter(Boolean);
      this.decorate();
      for (const item of this.list.querySelectorAll("[data-lazyimages-kept]")) this.keep(item);
      if (this.entries.length) this.fill();
      this.input.addEventListener("change", () => this.add([...this.input.files]));
      this.listenForDrops();
    }

    decorate() {
      const hint = document.createElement("p");
      hint.className = "lazyimages-hint";
      hint.id = `${this.input.id || this.input.name}-hint`;
      const described = this.input.getAttribute("aria-describedby");
      this.input.setAttribute("aria-describedby", described ? `${described} ${hint.id}` : hint.id);
      hint.textContent = this.input.multiple ? this.words.dropMany : this.words.drop;
      this.drop.append(hint);
      this.root.classList.add("lazyimages-ready");
    }

    listenForDrops() {
      let depth = 0;
      const over = (now) => this.drop.classList.toggle("lazyimages-over", now);
      const hasFiles = (event) => [...event.dataTransfer.types].includes("Files") && !this.input.disabled;
      this.drop.addEventListener("dragenter", (event) => {
        if (hasFiles(event)) over(++depth > 0);
      });
      this.drop.addEventListener("dragleave", (event) => {
        if (hasFiles(event)) over((depth = Math.max(0, depth - 1)) > 0);
      });
      this.drop.addEventListener("dragover", (event) => {
        if (hasFiles(event)) event.preventDefault();
      });
      this.drop.addEventListener("drop", (event) => {
        over((depth = 0) > 0);
        if (!hasFiles(event)) return;
        event.preventDefault();
        this.add([...event.dataTransfer.files]);
      });
    }

    // A file that the server has already, shown again with a form that had errors.
    keep(item) {
      const name = item.querySelector(".lazyimages-name").textContent;
      const entry = { file: null, item, name, error: "", token: item.querySelector("input") };
      this.entries.push(entry);
      item.append(this.removeButton(entry));
    }

    add(files) {
      if (!files.length) {
        this.fill(); // the dialog was cancelled, which some browsers take for "none"
        return;
      }
      if (!this.input.multiple) {
        for (const entry of [...this.entries]) this.forget(entry);
        files = files.slice(-1);
      }
      const said = [];
      for (const file of files) {
        const known = this.entries.some(
          (entry) =>
            entry.file &&
            entry.file.name === file.name &&
            entry.file.size === file.size &&
            entry.file.lastModified === file.lastModified,
        );
        if (known) continue;
        const entry = this.show(file);
        said.push(entry.error ? `${file.name}: ${entry.error}` : say(this.words.chosen, file.name));
      }
      this.fill();
      this.tell([...said, this.tooMany()].filter(Boolean).join(" "));
    }

    show(file) {
      const entry = { file, name: file.name, error: this.mistake(file), token: null };
      entry.item = document.createElement("li");
      const name = document.createElement("span");
      name.className = "lazyimages-name";
      name.textContent = file.name;
      entry.item.append(this.preview(file), name);
      this.entries.push(entry);
      this.list.append(entry.item);
      if (entry.error) this.mark(entry, entry.error);
      entry.item.append(this.removeButton(entry));
      return entry;
    }

    preview(file) {
      const frame = document.createElement("span");
      frame.className = "lazyimages-thumb";
      if (!file.type.startsWith("image/")) return frame;
      const picture = document.createElement("img");
      const url = URL.createObjectURL(file);
      picture.alt = "";
      // A browser need not show every format, and a page's policy need not allow blob: URLs.
      picture.onload = () => URL.revokeObjectURL(url);
      picture.onerror = () => {
        URL.revokeObjectURL(url);
        picture.remove();
      };
      picture.src = url;
      frame.append(picture);
      return frame;
    }

    removeButton(entry) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "lazyimages-remove";
      button.textContent = this.words.remove;
      button.setAttribute("aria-label", say(this.words.removeFile, entry.name));
      button.addEventListener("click", () => {
        const next = entry.item.nextElementSibling || entry.item.previousElementSibling;
        this.forget(entry);
        this.fill();
        this.tell([say(this.words.removed, entry.name), this.tooMany()].filter(Boolean).join(" "));
        (next ? next.querySelector(".lazyimages-remove") : this.input).focus();
      });
      entry.button = button;
      return button;
    }

    forget(entry) {
      this.entries = this.entries.filter((other) => other !== entry);
      entry.item.remove();
      if (entry.token) entry.token.remove();
    }

    mistake(file) {
      const most = Number(this.root.dataset.maxBytes);
      if (!this.isAccepted(file)) return this.words.wrongType;
      if (file.size === 0) return this.words.empty;
      if (file.size > most) return say(this.words.tooLarge, megabytes(file.size), megabytes(most));
      return "";
    }

    isAccepted(file) {
      const type = file.type.toLowerCase();
      const name = file.name.toLowerCase();
      return (
        !this.accepted.length ||
        this.accepted.some((part) =>
          part.startsWith(".")
            ? name.endsWith(part)
            : part.endsWith("/*")
              ? type.startsWith(part.slice(0, -1))
              : type === part,
        )
      );
    }

    tooMany() {
      const most = Number(this.root.dataset.maxFiles || 0);
      return most && this.entries.length > most ? say(this.words.tooMany, most) : "";
    }

    mark(entry, error) {
      entry.error = error;
      entry.item.classList.add("lazyimages-bad");
      let text = entry.item.querySelector(".lazyimages-error");
      if (!text) {
        text = document.createElement("span");
        text.className = "lazyimages-error";
        entry.item.querySelector(".lazyimages-name").after(text);
      }
      text.textContent = error;
    }

    // Have the input hold exactly the files that are to be sent with the form.
    fill() {
      const held = new DataTransfer();
      for (const entry of this.entries) {
        if (entry.file && !entry.error && !entry.token) held.items.add(entry.file);
      }
      this.input.files = held.files;
      const stays = this.entries.some((entry) => entry.token && !entry.error);
      if (this.input.required && stays) {
        this.input.required = false;
        this.wasRequired = true;
      } else if (this.wasRequired && !stays) {
        this.input.required = true;
        this.wasRequired = false;
      }
    }

    tell(text) {
      this.status.textContent = text;
    }

    // The first thing for which the form cannot be sent; null when there is none.
    obstacle() {
      const bad = this.entries.find((entry) => entry.error);
      if (bad) return { at: bad.button, text: this.words.removeFirst };
      const text = this.tooMany();
      return text ? { at: this.input, text } : null;
    }

    toSend() {
      return this.entries.filter((entry) => entry.file && !entry.error && !entry.token);
    }

    progress(entry, share) {
      if (!entry.bar) {
        entry.bar = document.createElement("progress");
        entry.bar.max = 100;
        entry.bar.setAttribute("aria-label", entry.name);
        entry.item.append(entry.bar);
      }
      entry.bar.value = Math.floor(100 * share);
      if (share >= 1 && !entry.sent) {
        entry.sent = document.createElement("span");
        entry.sent.className = "lazyimages-sent";
        entry.sent.textContent = this.words.sent;
        entry.item.append(entry.sent);
      }
    }

    clear() {
      for (const entry of [...this.entries]) this.forget(entry);
      this.tell("");
    }

    reset() {
      for (const entry of this.entries) {
        if (entry.bar) entry.bar.remove();
        if (entry.sent) entry.sent.remove();
        entry.bar = entry.sent = null;
      }
      this.setBusy(false);
    }

    setBusy(busy) {
      this.root.setAttribute("aria-busy", String(busy));
      for (const entry of this.entries) entry.button.disabled = busy;
    }
  }

  function say(text, ...values) {
    return values.reduce((result, value) => result.replace("%s", () => String(value)), text);
  }

  function megabytes(bytes) {
    return (bytes / 2 ** 20).toLocaleString(document.documentElement.lang || undefined, {
      maximumFractionDigits: 1,
    });
  }

  function uploadsOf(form) {
    return [...document.querySelectorAll("[data-lazyimages-upload]")]
      .map((root) => inputs.get(root))
      .filter((upload) => upload && upload.input.form === form);
  }

  // Tell the share of all bytes in words, no more often than each tenth: every change is read aloud.
  function teller(uploads) {
    let last = -1;
    return (share) => {
      const tenth = Math.floor(10 * share);
      if (tenth === last) return;
      last = tenth;
      const words = uploads[0].words;
      uploads[0].tell(share >= 1 ? words.allSent : say(words.sending, 10 * tenth));
    };
  }

  async function onSubmit(event) {
    const form = event.target;
    const state = forms.get(form);
    if (!state || event.defaultPrevented) return;
    if (state.sending) {
      event.preventDefault(); // a second click
      return;
    }
    const uploads = uploadsOf(form);
    for (const upload of uploads) {
      const obstacle = upload.obstacle();
      if (obstacle) {
        event.preventDefault();
        upload.tell(obstacle.text);
        obstacle.at.focus();
        return;
      }
    }
    const submitter = event.submitter;
    const method = (submitter && submitter.getAttribute("formmethod")) || form.getAttribute("method") || "get";
    const target = (submitter && submitter.getAttribute("formtarget")) || form.getAttribute("target");
    const busy = uploads.filter((upload) => upload.toSend().length);
    if (!busy.length || method.toLowerCase() !== "post" || (target && target !== "_self")) return;
    event.preventDefault();
    state.sending = true;
    for (const upload of busy) upload.setBusy(true);
    try {
      if (!(await sendToStorage(form, busy))) {
        stop(state, busy);
        return;
      }
    } catch (error) {
      // Nothing of the form has been sent yet: it goes as it would without this script.
    }
    const left = busy.filter((upload) => upload.toSend().length);
    for (const upload of busy) upload.fill();
    // Without the middleware that tells where an answer leads, the page there would be made twice, or the form
    // sent twice where that is another site. A page that is written here has the policy of this one, which knows
    // no nonces of a later answer.
    const isTold = left.every((upload) => "progress" in upload.root.dataset);
    if (!left.length || !isTold || document.querySelector("[nonce]")) {
      sendPlainly(form, submitter, state);
      return;
    }
    sendForm(form, submitter, left, state);
  }

  function stop(state, uploads) {
    state.sending = false;
    for (const upload of uploads) {
      upload.reset();
      const obstacle = upload.obstacle();
      if (obstacle) {
        const bad = upload.entries.find((entry) => entry.error);
        upload.tell(bad ? `${bad.name}: ${bad.error}` : obstacle.text);
        obstacle.at.focus();
      }
    }
  }

  // Send files to S3 where the site wants that; false when one of them was refused.
  async function sendToStorage(form, uploads) {
    const csrf = form.querySelector("input[name=csrfmiddlewaretoken]");
    const wanting = uploads.filter((upload) => upload.root.dataset.uploads);
    if (!csrf || !wanting.length) return true;
    const all = wanting.flatMap((upload) => upload.toSend().map((entry) => ({ upload, entry })));
    const total = all.reduce((sum, { entry }) => sum + entry.file.size, 0);
    const tell = teller(wanting);
    let before = 0;
    for (const { upload, entry } of all) {
      const offer = await ask(upload.root.dataset.uploads, csrf.value, entry.file);
      if (offer.error) {
        upload.mark(entry, offer.error);
        return false;
      }
      if (offer.method !== "direct") return true;
      const sent = await sendFile(offer, entry.file, (bytes) => {
        const share = Math.min(1, bytes / entry.file.size);
        upload.progress(entry, share);
        tell(Math.min(0.99, (before + share * entry.file.size) / total));
      });
      if (!sent) return true; // with the form, then
      before += entry.file.size;
      upload.progress(entry, 1);
      entry.token = document.createElement("input");
      entry.token.type = "hidden";
      entry.token.name = `${upload.input.name}-sent`; // which formsets renumber
      entry.token.value = offer.token;
      if (!form.contains(entry.item)) entry.token.setAttribute("form", form.id);
      entry.item.append(entry.token);
    }
    tell(1);
    return true;
  }

  async function ask(url, csrf, file) {
    const body = new URLSearchParams({
      name: file.name,
      type: file.type,
      size: String(file.size),
      csrfmiddlewaretoken: csrf, // a site may have another name for the header
    });
    const answer = await fetch(url, { method: "POST", body, credentials: "same-origin" });
    if (answer.status === 400 || answer.ok) return answer.json();
    return { method: "form" };
  }

  function sendFile(offer, file, report) {
    const body = new FormData();
    for (const [name, value] of Object.entries(offer.fields)) body.append(name, value);
    body.append("file", file); // the last one: S3 ignores what comes after it
    return new Promise((resolve) => {
      const request = new XMLHttpRequest();
      request.open("POST", offer.url);
      request.upload.onprogress = (event) => report((event.loaded / event.total) * file.size);
      request.onload = () => resolve(request.status >= 200 && request.status < 300);
      request.onerror = request.onabort = request.ontimeout = () => resolve(false);
      request.send(body);
    });
  }

  // The browser's own way, with what the button would have sent.
  function sendPlainly(form, submitter, state) {
    if (submitter && submitter.name) {
      const field = document.createElement("input");
      field.type = "hidden";
      field.name = submitter.name;
      field.value = submitter.value;
      field.dataset.lazyimagesSubmitter = "";
      form.append(field);
    }
    form.setAttribute("action", actionOf(form, submitter));
    HTMLFormElement.prototype.submit.call(form);
    // Where the visitor stops the browser, the form is there to be sent again.
    setTimeout(() => {
      state.sending = false;
    }, 10000);
  }

  // Not form.action: a field may have that name.
  function actionOf(form, submitter) {
    const own = submitter && submitter.getAttribute("formaction");
    return new URL(own || form.getAttribute("action") || location.href, document.baseURI).href;
  }

  function sendForm(form, submitter, uploads, state) {
    const action = actionOf(form, submitter);
    const body = new FormData(form);
    if (submitter && submitter.name) body.append(submitter.name, submitter.value);
    const request = new XMLHttpRequest();
    const order = uploads.flatMap((upload) => upload.toSend().map((entry) => ({ upload, entry })));
    const bytes = order.reduce((sum, { entry }) => sum + entry.file.size, 0);
    const tell = teller(uploads);
    let arrived = false;
    request.open("POST", action);
    request.setRequestHeader("Accept", "text/html,*/*;q=0.5");
    request.setRequestHeader("X-Lazyimages-Upload", "1");
    request.upload.onprogress = (event) => {
      // Fields and boundaries are few bytes beside the files, which come in this order.
      let sent = (event.loaded / event.total) * bytes;
      arrived = event.loaded === event.total; // as far as can be known
      tell(Math.min(0.99, event.loaded / event.total));
      for (const { upload, entry } of order) {
        upload.progress(entry, Math.max(0, Math.min(1, sent / entry.file.size)));
        sent -= entry.file.size;
      }
    };
    request.upload.onload = () => {
      arrived = true;
      for (const { upload, entry } of order) upload.progress(entry, 1);
      tell(1);
    };
    request.onload = () => {
      if (!FROM_PROXIES.includes(request.status)) {
        follow(request, action);
        return;
      }
      // No answer of the site's: what was typed would be gone with the form.
      stop(state, uploads);
      uploads[0].tell(uploads[0].words.failed);
    };
    request.onerror = request.onabort = request.ontimeout = () => {
      if (!arrived) {
        sendPlainly(form, submitter, state);
        return;
      }
      // The server may have taken it: sending once more by ourselves could do it twice.
      stop(state, uploads);
      uploads[0].tell(uploads[0].words.failed);
    };
    request.send(body);
  }

  // Go where the answer goes, as if the browser had sent the form.
  function follow(request, action) {
    const told = request.getResponseHeader("X-Lazyimages-Location");
    const url = told ? new URL(told, action).href : request.responseURL;
    const here = location.href.split("#")[0];
    const isPage = /^(text\/html|application\/xhtml\+xml)/.test(request.getResponseHeader("Content-Type") || "");
    const wasSent = url && url.split("#")[0] !== action.split("#")[0];
    if (told || wasSent || !isPage) {
      if (url.split("#")[0] === here) location.reload();
      else location.assign(url);
      return;
    }
    // The form again, with errors: the page that the server made, at the address to which it was sent.
    try {
      if (url.split("#")[0] !== here) history.pushState(null, "", url);
      document.open();
      document.write(request.responseText);
      document.close();
      window.addEventListener("popstate", () => location.reload());
    } catch (error) {
      location.assign(url); // such as by a policy of Trusted Types
    }
  }

  function start() {
    for (const root of document.querySelectorAll("[data-lazyimages-upload]")) {
      const input = root.querySelector("input[type=file]");
      // The row that formsets copy for new ones stays as it is.
      if (inputs.has(root) || !input || input.name.includes("__prefix__")) continue;
      inputs.set(root, new Upload(root));
      if (input.form && !forms.has(input.form)) {
        forms.set(input.form, { sending: false });
        input.form.addEventListener("submit", onSubmit);
        input.form.addEventListener("reset", (event) => {
          for (const upload of uploadsOf(event.target)) upload.clear();
        });
      }
    }
  }

  // Back from where the form led, the page is as it was left: what was sent is not there to be sent again.
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const root of document.querySelectorAll("[data-lazyimages-upload]")) {
      const upload = inputs.get(root);
      if (!upload) continue;
      const state = upload.input.form && forms.get(upload.input.form);
      if (state && state.sending) {
        state.sending = false;
        for (const field of upload.input.form.querySelectorAll("[data-lazyimages-submitter]")) field.remove();
        for (const entry of [...upload.entries]) upload.forget(entry);
      }
      upload.reset();
      upload.fill();
      upload.tell("");
    }
  });

  start();
  document.addEventListener("lazyimages:added", start); // for pages that add inputs later
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
})();
