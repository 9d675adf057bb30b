// SPDX-License-Identifier: Apache-2.0
// tab.js JOB: drives one tab of Chromium. JOB: {chromium, modules, flags, context}
// Each line of standard input is a call, {do, with}: a method of Playwright's Page, such as "click"
// or "keyboard.press", or one of CALLS, with its arguments. Each is answered by a line:
// {value} or {error}.
const { readFileSync } = require("fs");
const { createRequire } = require("module");
const readline = require("readline");
const job = JSON.parse(readFileSync(process.argv[2]));
const { chromium } = createRequire(job.modules + "/")("playwright-core");
const PATIENCE_MS = 10000;

const complaints = []; // of the console, and of scripts that failed

const CALLS = {
    complaints: async () => complaints.splice(0),
    // The next request to a path is answered without the server, with an empty 200.
    pretend: async (tab, path) => tab.route(path, (route) => route.fulfill({}), { times: 1 }),
    texts: async (tab, selector) => tab.locator(selector).allInnerTexts(),
    locatorCount: async (tab, selector) => tab.locator(selector).count(),
    // Files chosen in the dialog that a key opens.
    choose: async (tab, key, files) => {
        const [chooser] = await Promise.all([tab.waitForEvent("filechooser"),
            tab.keyboard.press(key)]);
        await chooser.setFiles(files);
    },
    // Files dragged from elsewhere over the page and, step by step, onto it.
    drag: async (tab, types, files) => {
        const session = await tab.context().newCDPSession(tab);
        for (const type of types)
            await session.send("Input.dispatchDragEvent", { type, x: 300, y: 300,
                data: { items: [], files, dragOperationsMask: 1 } });
        await session.detach();
    },
};

async function call(tab, { do: name, with: values }) {
    if (CALLS[name]) return CALLS[name](tab, ...values);
    const path = name.split(".");
    const owner = path.slice(0, -1).reduce((object, key) => object[key], tab);
    return owner[path.at(-1)](...values);
}

(async () => {
    const browser = await chromium.launch({ executablePath: job.chromium, args: job.flags });
    const tab = await (await browser.newContext(job.context)).newPage();
    tab.setDefaultTimeout(PATIENCE_MS);
    tab.on("console", (message) => {
        if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    tab.on("pageerror", (error) => complaints.push(String(error)));
    tab.on("dialog", (dialog) => {
        complaints.push(`${dialog.type()}: ${dialog.message()}`);
        dialog.dismiss();
    });
    for await (const line of readline.createInterface({ input: process.stdin })) {
        let answer;
        try {
            const value = await call(tab, JSON.parse(line));
            const plain = [Array, Object, Boolean, Number, String].includes(value?.constructor);
            answer = { value: plain ? value : null };
        } catch (error) {
            answer = { error: String(error) };
        }
        console.log(JSON.stringify(answer));
    }
    await browser.close();
})().catch((error) => { console.error(error); process.exit(1); });
