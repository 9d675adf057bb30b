// SPDX-License-Identifier: Apache-2.0
// What is live on the pages of the tour: exchanges, the search, the stream of decisions.
const language = document.documentElement.lang;
const find = (selector) => document.querySelector(selector);

const make = (name, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
};

// ---- requests -------------------------------------------------------------------------------------

// A request as people write it, with what its names stand for: the client of the tour does the same.
const fill = (text, known) => text
  .replace(/\{([^*}\n]+)\*(\d{1,5})\}/g, (all, part, n) => part.repeat(n))
  .replace(/\$(host|port|site|etag|first|location|lock)/g, (all, name) => known[name] ?? "");

const read = (text, known) => {
  const at = text.indexOf("\n\n");
  const [line, ...fields] = (at < 0 ? text : text.slice(0, at)).trimEnd().split("\n");
  const [method, target] = line.split(" ");
  return {
    method,
    target: fill(target ?? "", known),
    fields: fields.map((field) => field.split(/:(.*)/s)).map(([name, value]) =>
      [name, fill((value ?? "").trim(), known)]),
    content: at < 0 ? "" : fill(text.slice(at + 2).replace(/\n$/, ""), known),
  };
};

// What a browser sets itself, or does not let a page set.
const OWN = new Set(["host", "content-length", "connection"]);

// Sends one request by fetch(). Returns its status, or throws where a page can not.
const send = async (text, known) => {
  const request = read(text, known);
  const headers = new Headers(request.fields.filter(([name]) => !OWN.has(name.toLowerCase())));
  const answer = await fetch(request.target, {
    method: request.method, headers, cache: "no-store", credentials: "omit", redirect: "manual",
    body: request.content && !["GET", "HEAD"].includes(request.method) ? request.content : undefined,
  });
  known.etag = answer.headers.get("etag") ?? known.etag;
  known.first ??= known.etag;
  known.location = answer.headers.get("location") ?? known.location;
  known.lock = answer.headers.get("lock-token") ?? known.lock;
  const content = await answer.text();
  return { status: answer.status, content };
};

// The statuses that an answer has: of itself, of what came before it, and of what it reports on.
const statuses = (got) => [...got.matchAll(/^HTTP\/1\.[01] (\d{3})|^< {3}:status: (\d{3})|>HTTP\/1\.1 (\d{3}) /gm)]
  .map((match) => Number(match[1] ?? match[2] ?? match[3]));

// What the browser sees by itself of a conversation, as the last status; undefined if it can not.
const browse = async (means, texts) => {
  if (means === "fetch") {
    const known = { host: location.host, port: location.port, site: location.port };
    try {
      let last;
      for (const text of texts) last = await send(text, known);
      return last.status || undefined;
    } catch {
      return undefined;
    }
  }
  if (means !== "websocket") return undefined;
  return new Promise((done) => {
    const socket = new WebSocket(new URL(texts.at(-1).split(" ")[1] ?? "/", location.href)
      .href.replace(/^http/, "ws"));
    socket.onopen = () => {
      socket.close();
      done(101);
    };
    socket.onerror = () => done(undefined);
  });
};

// ---- what came of it ------------------------------------------------------------------------------

// The head of an answer, its status line in bold; or frames, the first line of each.
const shown = (text) => {
  const parts = text.split(/(^HTTP\/1\.[01] \d{3}[^\r\n]*|^[<>] [A-Z].*)/m);
  return parts.map((part, i) => (i % 2 ? make("b", { textContent: part }) : part));
};

const box = (title, ...content) => make("div", {},
  make("p", { className: "label", textContent: title }),
  make("pre", { tabIndex: 0 }, ...content));

// The row of a rule, from the page of all rules: for answers that the server keeps no path of.
const row = async (words, rule) => {
  if (!rule) return [];
  const answer = await fetch(`rules.${language}.html`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const item = page.getElementById(rule);
  if (!item) return [];
  return [make("p", { className: "label", textContent: words.decided }),
    make("figure", { tabIndex: 0 }, ...document.importNode(item, true).childNodes)];
};

// The path to an answer, as the server draws it. Its style is ours: a page may bring none of its own.
const path = async (words, got, rule) => {
  const link = got.match(/<(\/\.earnest\/why\/[^>]+)>; rel="describedby"/)?.[1];
  if (!link) return row(words, got.match(/"rule":"(\w+)"/)?.[1] ?? rule);
  const headers = { "Accept-Language": language, Accept: "image/svg+xml" };
  const answer = await fetch(link, { headers, cache: "no-store" });
  const all = make("p", {}, make("a", { href: link, textContent: words.why }));
  if (!answer.ok) return [all];
  const text = (await answer.text()).replace(/<style>.*?<\/style>/gs, "");
  const picture = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  return [make("p", { className: "label", textContent: words.path }),
    make("figure", { tabIndex: 0 }, document.importNode(picture, true)), all];
};

const show = async (outcome, code, { expects, rule }, seen, steps) => {
  const words = outcome.dataset;
  const last = steps.at(-1);
  const all = statuses(last.got);
  const status = seen ?? last.status;
  const agree = seen === undefined || seen === last.status;
  const earned = agree && all.includes(code);
  const verdict = find("#verdict");
  const word = earned ? words.earned : agree && status === expects ? words.expected : words.otherwise;
  const beside = earned && status !== code ? ` (${status}) ` : " "; // on the way to it, or within it
  const wire = find("#wire");
  wire.replaceChildren(...steps.map((step) => make("div", { className: "wire" },
    box(words.sent, ...shown(step.sent)), box(`${words.got} (${step.ms} ms)`, ...shown(step.got)))));
  verdict.className = earned ? "earned" : "";
  verdict.dataset.statuses = [...new Set([...all, status])].join(" ");
  verdict.replaceChildren(make("b", { textContent: (earned ? code : status) || "—" }), beside,
    make("span", { textContent: word }),
    seen === undefined ? "" : ` ${words.browser} ${seen}.`);
  wire.append(...await path(words, last.got.slice(Math.max(0, last.got.lastIndexOf(`HTTP/1.1 ${last.status}`))),
    last.status === expects ? rule : undefined));
};

// ---- the exchange of a code -----------------------------------------------------------------------

const exchange = (form) => {
  const outcome = find("#outcome");
  const area = form.elements.request;
  const before = [...document.querySelectorAll("pre.before")].map((pre) => pre.textContent);
  const { code, means } = form.dataset;

  const run = async (query, text, edited, told, alone) => {
    const buttons = document.querySelectorAll("button");
    buttons.forEach((button) => { button.disabled = true; });
    find("#verdict").className = "";
    find("#verdict").textContent = outcome.dataset.sending;
    try {
      // A page can open a WebSocket, but not say how.
      const h2 = form.elements.h2.checked;
      const own = h2 || (means === "websocket" && (query || edited)) ? "client" : means;
      const seen = await browse(own, alone ? [text] : [...before, text]);
      const answer = await fetch(`play?code=${code}${query}${h2 ? "&h2=" : ""}`, {
        method: "POST", body: edited ? text : "", headers: { "Content-Type": "message/http" },
      });
      if (!answer.ok) throw new Error(await answer.text());
      const { steps } = await answer.json();
      await show(outcome, Number(code), told, seen, steps);
    } catch (error) {
      find("#verdict").textContent = `${outcome.dataset.failed} (${error.message})`;
      find("#wire").replaceChildren();
    }
    buttons.forEach((button) => { button.disabled = false; });
  };

  area.rows = Math.min(18, area.value.split("\n").length + 1);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const changed = area.value !== area.defaultValue;
    const ended = "unfinished" in form.dataset || area.value.includes("\n\n");
    const text = ended ? area.value : `${area.value.trimEnd()}\n\n`;
    const { expects, rule } = form.dataset;
    run("", text, changed, { expects: Number(expects), rule }, false);
  });
  document.querySelectorAll("[data-near]").forEach((button) => {
    button.addEventListener("click", async () => {
      const text = button.closest("li").querySelector("pre").textContent;
      await run(`&near=${button.dataset.near}`, text, false,
        { expects: Number(button.dataset.expects) }, "alone" in button.dataset);
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
      outcome.scrollIntoView({ behavior: still ? "auto" : "smooth", block: "nearest" });
    });
  });
};

// ---- the search -----------------------------------------------------------------------------------

const search = (input) => {
  const items = [...document.querySelectorAll(".cards > li, .rules > li")];
  const found = find("#found");
  input.form.addEventListener("submit", (event) => event.preventDefault());
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const item of items) {
      const text = item.textContent.toLowerCase();
      item.hidden = !words.every((word) => text.includes(word));
    }
    document.querySelectorAll("main > section").forEach((section) => {
      section.hidden = !section.querySelector("li:not([hidden])");
    });
    const n = items.filter((item) => !item.hidden).length;
    found.textContent = words.length ? `${n} ${found.dataset.found}` : "";
  });
};

// ---- decisions as they are made -------------------------------------------------------------------

const ROWS_MAX = 200;

const listen = (table) => {
  const said = find("#listening");
  const form = find("#filter");
  const say = (text, wrong) => {
    said.textContent = text;
    said.classList.toggle("wrong", wrong);
  };
  const rows = table.tBodies[0];
  const socket = new WebSocket(`ws://${location.host}/.earnest/live`);
  socket.onopen = () => say(said.dataset.listening, false);
  socket.onclose = () => say(said.dataset.failed, true);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", () => {
    const { path: { value: path }, status: { value: status } } = form.elements;
    if (socket.readyState !== WebSocket.OPEN) return;
    socket.send(JSON.stringify({ ...path && { path }, ...status.trim() && { status } }));
  });
  socket.onmessage = ({ data }) => {
    const told = JSON.parse(data);
    if (told.error) say(told.error, true);
    if (told.filter) say(`${said.dataset.listening}: ${told.filter.path} ${told.filter.status}`, false);
    if (!told.rule) return;
    const cells = [new Date(told.time).toLocaleTimeString(language),
      `${told.method} ${told.target}`, told.status, told.rule];
    const rule = make("a", { href: `rules.${language}.html#${told.rule}`, textContent: told.rule });
    rows.prepend(make("tr", {}, ...cells.map((cell, i) =>
      make("td", {}, i === 3 ? rule : String(cell)))));
    while (rows.rows.length > ROWS_MAX) rows.lastElementChild.remove();
  };
};

document.documentElement.classList.add("scripted");
if (find("#exchange")) exchange(find("#exchange"));
if (find("#search")) search(find("#search"));
if (find("#live")) listen(find("#live"));
