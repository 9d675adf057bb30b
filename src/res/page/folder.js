// SPDX-License-Identifier: Apache-2.0
// The page of a writable folder: uploads that go on after a cut, new folders, names, deletion, and
// who holds a lock. Everything is done by the methods that any WebDAV client would use.
(() => {
"use strict";
const WORDS = {
  en: {
    upload: "Upload files", folder: "New folder", drop: "or drop them on this page", name: "Name",
    create: "Create", rename: "Rename", remove: "Delete", replace: "Replace", cancel: "Cancel",
    actions: "Actions", uploads: "Uploads", waiting: "Waits", cancelled: "Cancelled",
    kept: "Left as it was", renaming: "Rename “%”", removing: "Delete “%” for good?",
    within: "All that is in it is deleted, too.", replacing: "“%” is there already. Replace it?",
    sending: "Sending “%”", resumed: "The connection was lost. “%” goes on.",
    sent: "“%” is here.", created: "“%” was created.", renamed: "“%” has its new name.",
    removed: "“%” was deleted.", failed: "“%” did not work:", lost: "The connection was lost.",
    folders: "A folder cannot be uploaded.", locked: "Locked by %", someone: "someone",
  },
  bn: {
    upload: "ফাইল পাঠান", folder: "নতুন ফোল্ডার", drop: "বা এই পাতায় এনে ফেলুন", name: "নাম",
    create: "তৈরি করুন", rename: "নাম বদলান", remove: "মুছুন", replace: "বদলে দিন", cancel: "বাতিল",
    actions: "কাজ", uploads: "যা পাঠানো হচ্ছে", waiting: "অপেক্ষায়", cancelled: "বাতিল হয়েছে",
    kept: "আগের মতোই আছে", renaming: "“%” এর নাম বদলান", removing: "“%” চিরতরে মুছবেন?",
    within: "এর ভেতরে যা আছে সবই মুছে যাবে।", replacing: "“%” আগে থেকেই আছে। বদলে দেবেন?",
    sending: "“%” যাচ্ছে", resumed: "সংযোগ কেটে গিয়েছিল। “%” আবার যাচ্ছে।",
    sent: "“%” এসে গেছে।", created: "“%” তৈরি হয়েছে।", renamed: "“%” এর নাম বদলেছে।",
    removed: "“%” মোছা হয়েছে।", failed: "“%” করা গেল না:", lost: "সংযোগ কেটে গেছে।",
    folders: "ফোল্ডার পাঠানো যায় না।", locked: "লক করেছেন %", someone: "কেউ একজন",
  },
};
const words = WORDS[document.documentElement.lang] || WORDS.en;
const say = (key, what) => words[key].replace("%", () => what);
const INTEROP = { "Upload-Draft-Interop-Version": "8" }; // draft-ietf-httpbis-resumable-upload
const RESUMABLE_BYTES = 1 << 20; // smaller files are sent at once
const TRIES = 8; // of an upload that does not move
const WAIT_MS = 250, WAIT_MS_MAX = 30000; // until it is asked where an upload stands
const here = location.pathname;

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

const live = element("p", { role: "status" });
const button = (label, onclick, more) =>
  element("button", { type: "button", onclick, ...more }, label);

// --- requests ------------------------------------------------------------------------------------

// One request. onProgress is told how many bytes of content are out. Resolves with the answer,
// whatever its status; rejects only when the connection is lost or the signal says stop.
function ask(method, url, { fields = {}, content = null, onProgress, signal } = {}) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const request = new XMLHttpRequest();
    request.open(method, url);
    request.setRequestHeader("Accept", "application/problem+json");
    for (const [name, value] of Object.entries(fields)) request.setRequestHeader(name, value);
    if (onProgress) request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onload = () => resolve(request);
    request.onerror = () => reject(new Error(words.lost));
    request.onabort = () => reject(signal.reason);
    signal?.addEventListener("abort", () => request.abort());
    request.send(content);
  });
}

// 207 tells of members that were not done.
const succeeded = (answer) => answer.status >= 200 && answer.status < 300 && answer.status !== 207;

// The parts of a multistatus, and of these.
const responses = (answer) => answer.status !== 207 ? [] : new DOMParser().parseFromString(
  answer.responseText, "application/xml").getElementsByTagNameNS("DAV:", "response");
const first = (node, name) => node.getElementsByTagNameNS("DAV:", name)[0];
const pathOf = (response) => new URL(first(response, "href").textContent, location.href).pathname;

// What PROPFIND tells of the resource and its members: a map from path to {etag, holder}.
async function look(url, depth) {
  const answer = await ask("PROPFIND", url, {
    fields: { Depth: depth, "Content-Type": "application/xml" },
    content: '<propfind xmlns="DAV:"><prop><getetag/><lockdiscovery/></prop></propfind>',
  });
  const all = new Map();
  for (const response of responses(answer)) {
    const lock = first(response, "activelock");
    all.set(pathOf(response), {
      etag: first(response, "getetag")?.textContent || "*", // a folder has none
      holder: lock && (first(lock, "owner")?.textContent.trim() || words.someone),
    });
  }
  return all;
}

// What it tells of one resource; undefined if there is none.
const lookAt = async (url) => (await look(url, 0)).values().next().value;

// A path as people read it; one that is not UTF-8 stays as it is.
function readable(path) {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

// Why something was not done, and who holds the lock that is in the way. Problem details have a
// sentence for people; a multistatus names the member that was not done.
async function reason(answer, url) {
  let path = url, text = `${answer.status} ${answer.statusText}`;
  if (answer.status === 207) {
    const response = responses(answer)[0];
    path = pathOf(response);
    text = `${readable(path)}: ${first(response, "status").textContent.replace(/^\S+ /, "")}.`;
  } else if (answer.getResponseHeader("Content-Type") === "application/problem+json") {
    text = JSON.parse(answer.responseText).detail;
  }
  const holder = (await lookAt(path))?.holder;
  return holder ? `${text} ${say("locked", holder)}.` : text;
}

// --- dialogs -------------------------------------------------------------------------------------

// Asks for a yes, or for a name if there is one to begin with. verb is what the button says that
// does it. Resolves with true or the name, or null.
function prompt(text, verb, { name, more = "" } = {}) {
  const input = name === undefined ? "" : element("input", { value: name, required: true });
  const title = element("h2", { id: "asked" }, text);
  const dialog = element("dialog", {},
    element("form", { method: "dialog" }, title, more && element("p", {}, more),
      input && element("label", {}, words.name, input),
      element("div", { className: "choices" },
        button(words.cancel, () => dialog.close()),
        element("button", { value: "yes", className: "main" }, verb))));
  dialog.setAttribute("aria-labelledby", title.id);
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

// --- what the folder shows -----------------------------------------------------------------------

let known = new Map(); // what look() told last

const lockOf = (holder) => element("span", { className: "lock" }, say("locked", holder));

function member(row) {
  const link = row.querySelector("td a:not([href='../'])");
  if (!link) return null;
  const url = new URL(link.href).pathname;
  const name = link.textContent.replace(/\/$/, ""); // the path may not be UTF-8
  return { link, url, name, folder: url.endsWith("/") };
}

async function showLocks() {
  try {
    known = await look(here, 1);
  } catch {
    return; // they are shown the next time
  }
  document.querySelectorAll(".lock").forEach((old) => old.remove());
  const top = known.get(here)?.holder;
  if (top) document.querySelector("h1").append(" ", lockOf(top));
  for (const row of document.querySelectorAll("tbody tr")) {
    const holder = known.get(member(row)?.url)?.holder;
    if (holder) member(row).link.after(" ", lockOf(holder));
  }
}

// What changes a row is what this page knows of it: a newer version is refused.
const unchanged = (url) => ({ "If-Match": known.get(url)?.etag ?? "*" });

function addTools(row) {
  const { url, name, folder } = member(row) ?? {};
  const cell = element("td", { className: "k" });
  row.append(cell);
  if (!url) return;
  const rename = async () => {
    const to = await prompt(say("renaming", name), words.rename, { name });
    if (to && to !== name)
      change(name, "renamed", "MOVE", url, { ...unchanged(url), Overwrite: "F",
        Destination: here + encodeURIComponent(to) + (folder ? "/" : "") });
  };
  const remove = async () => {
    if (await prompt(say("removing", name), words.remove, { more: folder ? words.within : "" }))
      change(name, "removed", "DELETE", url, unchanged(url));
  };
  cell.append(button(words.rename, rename, { ariaLabel: `${words.rename}: ${name}` }),
    button(words.remove, remove, { ariaLabel: `${words.remove}: ${name}` }));
}

// Does something that takes the rows away; the focus is then where it was, or as near as can be.
function keepFocus(replace) {
  const rows = () => [...document.querySelectorAll("tbody tr")];
  const stops = (row) => [...row?.querySelectorAll("a, button") ?? []];
  const at = rows().findIndex((row) => row.contains(document.activeElement));
  const stop = stops(rows()[at]).indexOf(document.activeElement);
  replace();
  if (at < 0) return;
  const row = rows()[Math.min(at, rows().length - 1)];
  (stops(row)[stop] ?? document.querySelector(".tools button")).focus();
}

// Shows the rows as the server has them now.
async function refresh() {
  let answer;
  try {
    answer = await ask("GET", location.href, { fields: { Accept: "text/html" } });
  } catch {
    return; // they are shown the next time
  }
  if (!succeeded(answer)) return location.reload();
  const page = new DOMParser().parseFromString(answer.responseText, "text/html");
  keepFocus(() => {
    for (const part of ["tbody", "footer"])
      document.querySelector(part).replaceWith(page.querySelector(part));
    document.querySelectorAll("tbody tr").forEach(addTools);
  });
  await showLocks();
}

// Changes a member of the folder, shows the folder as it is then, and says how it went.
async function change(name, done, method, url, fields) {
  let told = say(done, name);
  try {
    const answer = await ask(method, url, { fields });
    if (!succeeded(answer)) told = `${say("failed", name)} ${await reason(answer, url)}`;
  } catch (error) {
    told = `${say("failed", name)} ${error.message}`;
  }
  await refresh();
  live.textContent = told;
}

// --- uploads -------------------------------------------------------------------------------------

const isComplete = (answer) => answer.getResponseHeader("Upload-Complete") === "?1";
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

class Upload {
  constructor(file) {
    this.file = file;
    this.url = here + encodeURIComponent(file.name);
    this.stop = new AbortController();
    this.bar = element("progress", { max: file.size || 1, value: 0, ariaLabel: file.name });
    this.note = element("span", { className: "note" }, words.waiting);
    this.cancel = button(words.cancel, () => this.stop.abort(),
      { ariaLabel: `${words.cancel}: ${file.name}` });
    this.row = element("li", {}, element("bdi", {}, file.name), this.bar, this.note, this.cancel);
  }

  ask(method, url, more) {
    return ask(method, url, { signal: this.stop.signal, ...more });
  }

  progress(bytes) {
    this.bar.value = bytes;
    this.note.textContent = `${Math.floor(100 * bytes / (this.file.size || 1))} %`;
  }

  end(note, spoken = note) {
    this.cancel.remove();
    this.note.textContent = note;
    live.textContent = spoken;
    return true;
  }

  fail(why) {
    this.end(why, `${say("failed", this.file.name)} ${why}`);
  }

  // Sends the file, and says how it went. Resolves with true if it is there now.
  async run() {
    const name = this.file.name;
    live.textContent = say("sending", name);
    try {
      const answer = await this.sendAsking();
      if (!answer) this.end(words.kept);
      else if (!succeeded(answer)) this.fail(await reason(answer, this.url));
      else return this.end("", say("sent", name));
    } catch (error) {
      if (this.stop.signal.aborted) this.end(words.cancelled);
      else this.fail(error.message);
    }
    return false;
  }

  // Nothing is replaced without a yes, and then only the version that the yes was for.
  async sendAsking() {
    let fields = { "If-None-Match": "*" };
    for (;;) {
      const answer = await this.send(fields);
      if (answer.status !== 412) return answer;
      const there = await lookAt(this.url);
      if (!await prompt(say("replacing", this.file.name), words.replace)) return null;
      fields = there ? { "If-Match": there.etag } : { "If-None-Match": "*" };
    }
  }

  send(fields) {
    if (this.file.size >= RESUMABLE_BYTES) return this.sendResumably(fields);
    return this.ask("PUT", this.url, { fields, content: this.file,
      onProgress: (bytes) => this.progress(bytes) });
  }

  // The upload is made first, without content: then there is something to come back to.
  async sendResumably(fields) {
    const made = await this.ask("PUT", this.url, { fields: { ...fields, ...INTEROP,
      "Upload-Complete": "?0", "Upload-Length": this.file.size } });
    const upload = made.getResponseHeader("Location");
    if (!succeeded(made) || !upload) return made;
    try {
      return await this.append(upload);
    } catch (error) {
      if (this.stop.signal.aborted) ask("DELETE", upload, { fields: INTEROP }).catch(() => {});
      throw error;
    }
  }

  // Sends what is missing, as often as it takes.
  async append(upload) {
    for (let offset = 0, tries = 0; ;) {
      try {
        const answer = await this.ask("PATCH", upload, {
          fields: { ...INTEROP, "Content-Type": "application/partial-upload",
            "Upload-Offset": offset, "Upload-Complete": "?1" },
          content: this.file.slice(offset),
          onProgress: (bytes) => this.progress(offset + bytes),
        });
        if (isComplete(answer)) return answer;
        if (succeeded(answer)) throw new Error(words.lost); // to Chromium, 104 and a cut are a 200
        if (answer.status !== 409 || tries >= TRIES) return answer; // 409: at another offset
      } catch (error) {
        if (this.stop.signal.aborted || tries >= TRIES) throw error;
        live.textContent = say("resumed", this.file.name);
      }
      const answer = await this.whereItStands(upload);
      const stands = Number(answer.getResponseHeader("Upload-Offset"));
      if (!succeeded(answer) || isComplete(answer)) return answer;
      tries = stands > offset ? 0 : tries + 1;
      offset = stands;
      this.progress(offset);
    }
  }

  async whereItStands(upload) {
    for (let wait = WAIT_MS; ; wait *= 2) {
      await pause(wait);
      try {
        const answer = await this.ask("HEAD", upload, { fields: INTEROP });
        if (answer.status < 500 || wait > WAIT_MS_MAX) return answer;
      } catch (error) {
        if (this.stop.signal.aborted || wait > WAIT_MS_MAX) throw error;
      }
    }
  }
}

const list = element("ul", { className: "uploads", ariaLabel: words.uploads });
let uploading = 0; // files that are not yet sent
let before = Promise.resolve(); // one after the other

function sendAll(files) {
  for (const file of files) {
    const upload = new Upload(file);
    list.append(upload.row);
    uploading++;
    before = before.then(async () => {
      const done = await upload.run();
      uploading--;
      if (!done) return; // its row says why
      await refresh();
      upload.row.remove();
    });
  }
}

// --- the page ------------------------------------------------------------------------------------

function toolbar() {
  const picker = element("input", { type: "file", multiple: true, hidden: true, onchange: () => {
    sendAll(picker.files);
    picker.value = ""; // so that the same file can be picked again
  } });
  const makeFolder = async () => {
    const name = await prompt(words.folder, words.create, { name: "" });
    if (name) change(name, "created", "MKCOL", `${here}${encodeURIComponent(name)}/`, {});
  };
  return element("div", { className: "tools" },
    button(words.upload, () => picker.click(), { className: "main" }), picker,
    element("span", { className: "drop" }, words.drop), button(words.folder, makeFolder));
}

function takeDrops() {
  const takes = (event) => event.dataTransfer?.types.includes("Files");
  const mark = (on) => document.body.classList.toggle("over", on);
  addEventListener("dragover", (event) => {
    if (!takes(event)) return;
    event.preventDefault();
    mark(true);
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) mark(false); // it left the window
  });
  addEventListener("drop", (event) => {
    if (!takes(event)) return;
    event.preventDefault();
    mark(false);
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.());
    if (entries.some((entry) => entry?.isDirectory)) live.textContent = words.folders;
    sendAll([...event.dataTransfer.files].filter((_, n) => !entries[n]?.isDirectory));
  });
}

document.querySelector("table").before(toolbar(), live, list);
document.querySelector("thead tr").append(element("th", { scope: "col" },
  element("span", { className: "unseen" }, words.actions)));
document.querySelectorAll("tbody tr").forEach(addTools);
takeDrops();
addEventListener("beforeunload", (event) => uploading && event.preventDefault());
showLocks();
})();
