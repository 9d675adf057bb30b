// SPDX-License-Identifier: Apache-2.0
// The page of a writable folder: uploads that go on after a cut, new folders, names, deletion, and
// who holds a lock. Everything is done by the methods that any WebDAV client would use.
(() => {
"use strict";
const WORDS = {
  en: {
    upload: "Upload files", folder: "New folder", drop: "Drop files to upload them here",
    rename: "Rename", remove: "Delete", name: "Name", ask: "Delete “%” for good?",
    replace: "“%” is there already. Replace it?", locked: "Locked by %", someone: "someone",
    sending: "Sending %", done: "% is here", resumed: "The connection was lost. % goes on.",
    failed: "“%” did not work", cancel: "Cancel", waiting: "Waits", ok: "OK",
    sure: "Folders and all within them are deleted together.",
  },
  bn: {
    upload: "ফাইল পাঠান", folder: "নতুন ফোল্ডার", drop: "এখানে ফেললে ফাইল পাঠানো হবে",
    rename: "নাম বদলান", remove: "মুছুন", name: "নাম", ask: "“%” চিরতরে মুছবেন?",
    replace: "“%” আগে থেকেই আছে। বদলে দেবেন?", locked: "লক করেছেন %", someone: "কেউ একজন",
    sending: "% যাচ্ছে", done: "% এসে গেছে", resumed: "সংযোগ কেটে গিয়েছিল। % আবার চলছে।",
    failed: "“%” করা গেল না", cancel: "বাতিল", waiting: "অপেক্ষায়", ok: "ঠিক আছে",
    sure: "ফোল্ডার মুছলে তার ভেতরের সবকিছুও মোছে।",
  },
};
const words = WORDS[document.documentElement.lang] || WORDS.en;
const say = (key, what) => words[key].replace("%", what ?? "");
const INTEROP = "8"; // draft-ietf-httpbis-resumable-upload
const RESUMABLE_BYTES = 1 << 20; // smaller files are sent at once
const TRIES = 8;
const here = location.pathname;
const table = document.querySelector("table");
const live = document.createElement("p");
live.setAttribute("role", "status");

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// One request. onProgress is told how many bytes of content are out. Resolves with the answer,
// whatever its status; rejects only when the connection is lost or the user cancels.
function ask(method, url, { fields = {}, content = null, onProgress, signal } = {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    for (const [name, value] of Object.entries(fields)) request.setRequestHeader(name, value);
    request.setRequestHeader("Accept", "application/problem+json");
    if (onProgress) request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onload = () => resolve(request);
    request.onerror = () => reject(new Error("lost"));
    request.onabort = () => reject(new DOMException("", "AbortError"));
    signal?.addEventListener("abort", () => request.abort());
    request.send(content);
  });
}

const succeeded = (answer) => answer.status >= 200 && answer.status < 300;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// What the server says of a failure: its problem details have one sentence for people.
function reason(answer) {
  try {
    return JSON.parse(answer.responseText).detail;
  } catch {
    return `${answer.status} ${answer.statusText}`;
  }
}

// A dialog that asks for a name or a yes. Resolves with the text, true, or null.
function prompt(text, value, more) {
  const input = value === undefined ? "" : element("input", { value, required: true });
  const dialog = element("dialog", {},
    element("form", { method: "dialog" },
      element("p", {}, text), more ? element("p", { className: "soft" }, more) : "",
      value === undefined ? "" : element("label", {}, words.name + " ", input),
      element("menu", {},
        element("button", { value: "", formNoValidate: true }, words.cancel),
        element("button", { value: "yes", className: "main" }, words.ok))));
  document.body.append(dialog);
  dialog.showModal();
  if (input) input.select();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue !== "yes" ? null : input ? input.value.trim() : true);
    });
  });
}

async function change(what, method, url, fields) {
  try {
    const answer = await ask(method, url, { fields });
    if (succeeded(answer)) return location.reload();
    live.textContent = `${say("failed", what)}: ${reason(answer)}`;
  } catch {
    live.textContent = say("failed", what);
  }
}

// --- uploads -------------------------------------------------------------------------------------

class Upload {
  constructor(file, list) {
    this.file = file;
    this.url = here + encodeURIComponent(file.name);
    this.abort = new AbortController();
    this.bar = element("progress", { max: file.size || 1, value: 0, ariaLabel: file.name });
    this.note = element("span", { className: "soft" }, words.waiting);
    const stop = element("button", { type: "button", onclick: () => this.abort.abort() },
      words.cancel);
    this.row = element("li", {}, element("bdi", {}, file.name), this.bar, this.note, stop);
    list.append(this.row);
  }

  progress(bytes) {
    this.bar.value = bytes;
    this.note.textContent = this.file.size ? Math.floor(100 * bytes / this.file.size) + " %" : "";
  }

  // Sends the file, asking before anything is replaced. Returns true if it is there now.
  async run() {
    live.textContent = say("sending", this.file.name);
    let answer = await this.send({ "If-None-Match": "*" });
    if (answer.status === 412) {
      if (!await prompt(say("replace", this.file.name))) return false;
      answer = await this.send({});
    }
    this.row.querySelector("button").remove();
    if (!succeeded(answer)) {
      this.note.textContent = reason(answer);
      live.textContent = `${say("failed", this.file.name)}: ${reason(answer)}`;
      return false;
    }
    this.progress(this.file.size);
    live.textContent = say("done", this.file.name);
    return true;
  }

  send(fields) {
    return this.file.size < RESUMABLE_BYTES ? this.whole(fields) : this.resumable(fields);
  }

  whole(fields) {
    return ask("PUT", this.url, {
      fields, content: this.file, signal: this.abort.signal,
      onProgress: (bytes) => this.progress(bytes),
    });
  }

  // Makes the upload first, then appends to it, and after a cut asks where it stands.
  async resumable(fields) {
    const made = await ask("PUT", this.url, {
      fields: { ...fields, "Upload-Complete": "?0", "Upload-Length": this.file.size,
        "Upload-Draft-Interop-Version": INTEROP },
      signal: this.abort.signal,
    });
    const upload = made.getResponseHeader("Location");
    if (!succeeded(made) || !upload) return made;
    let offset = 0;
    for (let tries = 0; ; tries++) {
      try {
        return await ask("PATCH", upload, {
          fields: { "Content-Type": "application/partial-upload", "Upload-Offset": offset,
            "Upload-Complete": "?1", "Upload-Draft-Interop-Version": INTEROP },
          content: this.file.slice(offset), signal: this.abort.signal,
          onProgress: (bytes) => this.progress(offset + bytes),
        });
      } catch (error) {
        if (error.name === "AbortError") {
          ask("DELETE", upload, { fields: { "Upload-Draft-Interop-Version": INTEROP } });
          throw error;
        }
        if (tries === TRIES) throw error;
      }
      offset = await this.whereItStands(upload, offset);
    }
  }

  async whereItStands(upload, offset) {
    live.textContent = say("resumed", this.file.name);
    for (let wait = 250; wait < 64000; wait *= 2) {
      await pause(wait);
      try {
        const answer = await ask("HEAD", upload, {
          fields: { "Upload-Draft-Interop-Version": INTEROP }, signal: this.abort.signal });
        const stands = answer.getResponseHeader("Upload-Offset");
        if (succeeded(answer) && stands !== null) return Number(stands);
      } catch (error) {
        if (error.name === "AbortError") throw error;
      }
    }
    return offset;
  }
}

const queue = element("ul", { className: "uploads" });

async function sendAll(files) {
  const uploads = [...files].map((file) => new Upload(file, queue));
  let all = uploads.length > 0;
  for (const upload of uploads) {
    try {
      all = await upload.run() && all;
    } catch (error) {
      all = false;
      upload.note.textContent = error.name === "AbortError" ? words.cancel
        : say("failed", upload.file.name);
    }
  }
  if (all) location.reload();
}

// --- the page ------------------------------------------------------------------------------------

function toolbar() {
  const picker = element("input", { type: "file", multiple: true, hidden: true,
    onchange: () => sendAll(picker.files) });
  const makeFolder = async () => {
    const name = await prompt(words.folder, "");
    if (name) change(name, "MKCOL", here + encodeURIComponent(name) + "/", {});
  };
  return element("div", { className: "tools" },
    element("button", { type: "button", className: "main", onclick: () => picker.click() },
      words.upload), picker,
    element("button", { type: "button", onclick: makeFolder }, words.folder),
    element("span", { className: "soft" }, words.drop));
}

function rowTools(row) {
  const link = row.querySelector("td a");
  if (!link || link.getAttribute("href") === "../") return;
  const url = new URL(link.href).pathname;
  const folder = url.endsWith("/");
  const name = decodeURIComponent(url.replace(/\/$/, "").split("/").pop());
  const rename = async () => {
    const to = await prompt(`${words.rename}: ${name}`, name);
    if (to && to !== name)
      change(name, "MOVE", url, { Overwrite: "F",
        Destination: here + encodeURIComponent(to) + (folder ? "/" : "") });
  };
  const remove = async () => {
    if (await prompt(say("ask", name), undefined, folder ? words.sure : ""))
      change(name, "DELETE", url, {});
  };
  const button = (label, onclick) => element("button",
    { type: "button", onclick, ariaLabel: `${label}: ${name}` }, label);
  row.append(element("td", { className: "k" }, button(words.rename, rename),
    button(words.remove, remove)));
}

// Who holds a lock, by DAV:lockdiscovery of every member.
async function showLocks() {
  const content = '<propfind xmlns="DAV:"><prop><lockdiscovery/></prop></propfind>';
  const answer = await ask("PROPFIND", here, { content,
    fields: { Depth: "1", "Content-Type": "application/xml" } });
  const found = new DOMParser().parseFromString(answer.responseText, "application/xml");
  const holders = new Map();
  for (const response of found.getElementsByTagNameNS("DAV:", "response")) {
    const lock = response.getElementsByTagNameNS("DAV:", "activelock")[0];
    const href = response.getElementsByTagNameNS("DAV:", "href")[0];
    if (!lock) continue;
    const owner = lock.getElementsByTagNameNS("DAV:", "owner")[0]?.textContent.trim();
    holders.set(new URL(href.textContent, location.href).pathname, owner || words.someone);
  }
  for (const link of table.querySelectorAll("tbody td a")) {
    const holder = holders.get(new URL(link.href).pathname);
    if (holder) link.after(" ", element("span", { className: "lock" }, say("locked", holder)));
  }
}

function takeDrops() {
  const over = (on) => (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    document.body.classList.toggle("over", on);
  };
  addEventListener("dragover", over(true));
  addEventListener("dragleave", over(false));
  addEventListener("drop", (event) => {
    over(false)(event);
    sendAll(event.dataTransfer.files);
  });
}

table.before(toolbar(), live, queue);
table.querySelector("thead tr").append(element("th", {}, ""));
table.querySelectorAll("tbody tr").forEach(rowTools);
takeDrops();
showLocks().catch(() => {});
})();
