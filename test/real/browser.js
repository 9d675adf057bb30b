// SPDX-License-Identifier: Apache-2.0
// browser.js JOB: opens pages in Chromium, and writes what they show to standard output as JSON.
// JOB: {chromium, modules, folder, flags,
//       pages: [{name, url, dark, width, language, script, click, seek}]}
const { readFileSync } = require("fs");
const { createRequire } = require("module");
const job = JSON.parse(readFileSync(process.argv[2]));
const { chromium } = createRequire(job.modules + "/")("playwright-core");

const SEEK = `new Promise((done, fail) => {
    const media = document.querySelector("audio, video");
    media.onerror = () => fail(new Error("media error " + media.error.code));
    setTimeout(() => fail(new Error("no seeked in 15 s")), 15000);
    media.onseeked = () => done({at: media.currentTime, of: media.duration});
    const seek = () => { media.currentTime = media.duration * 0.9; };
    media.readyState >= 1 ? seek() : media.addEventListener("loadedmetadata", seek);
})`;
// How much wider than the window the page is.
const WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
const IMAGES = "[...document.images].every(image => image.complete && image.naturalWidth > 0)";

async function look(browser, page) {
    const context = await browser.newContext({
        colorScheme: page.dark ? "dark" : "light",
        viewport: { width: page.width || 1280, height: 800 },
        locale: page.language || "en-GB",
        javaScriptEnabled: page.script !== false,
        isMobile: (page.width || 1280) < 600,
    });
    const tab = await context.newPage();
    const complaints = [];
    tab.on("console", message => {
        if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    tab.on("pageerror", error => complaints.push(String(error)));
    tab.on("requestfailed", request => {
        const text = request.failure().errorText; // a player that seeks gives up what it asked for
        if (!page.seek || text !== "net::ERR_ABORTED") complaints.push(text + " " + request.url());
    });
    const answer = await tab.goto(page.url, { waitUntil: "load" });
    const said = { name: page.name, status: answer.status() };
    for (const selector of page.click || []) await tab.click(selector);
    if (page.seek) said.seek = await tab.evaluate(SEEK);
    said.title = await tab.title();
    said.lang = await tab.getAttribute("html", "lang");
    said.text = await tab.innerText("body");
    said.url = tab.url();
    said.rows = await tab.locator("tbody tr").count();
    said.names = await tab.locator("tbody td:first-child").allTextContents();
    if (page.script !== false) {
        said.wide = await tab.evaluate(WIDE);
        said.images = await tab.evaluate(IMAGES);
        said.colour = await tab.evaluate("getComputedStyle(document.body).backgroundColor");
    }
    await tab.screenshot({ path: `${job.folder}/${page.name}.png` });
    said.complaints = complaints;
    await context.close();
    return said;
}

(async () => {
    const browser = await chromium.launch({ executablePath: job.chromium, args: job.flags });
    const all = [];
    for (const page of job.pages) all.push(await look(browser, page));
    await browser.close();
    console.log(JSON.stringify(all));
})().catch(error => { console.error(error); process.exit(1); });
