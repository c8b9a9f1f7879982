// Bodies, names and files are from anybody: nothing in them runs, leaves the page, or bends its layout.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { BOT, inbox, messenger, stage } from "./stage.mjs";

let the;
before(async () => { the = await stage({ hostile: true }); });
after(() => the.end());

const PAYLOADS = [
  "<script>window.hit=1</script>",
  "<img src=x onerror='window.hit=1'>",
  "<svg/onload=window.hit=1>",
  "<a href='javascript:window.hit=1'>link</a>",
  "<a href=' java\nscript:window.hit=1'>link</a>",
  "<iframe srcdoc='<script>parent.hit=1</script>'></iframe>",
  "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=window.hit=1&gt;'>",
  "<form action='javascript:window.hit=1'><button>press</button></form>",
  "<p style='position:fixed;inset:0;background:red' onmouseover='window.hit=1'>over</p>",
  "<details open ontoggle='window.hit=1'><summary>x</summary></details>",
  "<noscript><p title='</noscript><img src=x onerror=window.hit=1>'>",
  "\"><img src=x onerror=window.hit=1>",
];

test("nothing that somebody wrote runs", async () => {
  const made = await the.box.hand("/sandbox1/contacts", { name: "<img src=x onerror='window.hit=1'>", email: "\"><script>window.hit=1</script>" });
  const id = await the.box.start(PAYLOADS.join("\n"), made.id);
  for (const body of PAYLOADS) {
    await the.box.rest("POST", `/conversations/${id}/reply`, { message_type: "comment", type: "admin", admin_id: BOT, body: `<p>before</p>${body}<p>after</p>` });
    await the.box.hand(`/sandbox1/conversations/${id}/operator`, { body });
  }
  await the.box.rest("POST", `/conversations/${id}/reply`, {
    message_type: "comment", type: "admin", admin_id: BOT, body: "<b>files</b>",
    attachment_files: [{ content_type: "image/svg+xml", name: "<img src=x onerror=window.hit=1>.svg", data: Buffer.from("<svg xmlns='http://www.w3.org/2000/svg' onload='window.hit=1'><script>window.hit=1</script></svg>").toString("base64") }],
  });
  await the.box.hand(`/sandbox1/conversations/${id}/tag`, { name: "<img src=x onerror=window.hit=1>", admin_id: BOT });
  await the.box.hand("/trace", { steps: [{ at_ms: Date.now(), app_id: "sandbox1", conversation_id: id, function: "<img src=x onerror=window.hit=1>", outcome: "<script>window.hit=1</script>", why: "<svg/onload=window.hit=1>" }] });
  const page = await the.open({ id, talk: id, customer: made.id });
  await inbox(page).getByText("files", { exact: true }).waitFor();
  await messenger(page).getByText("files", { exact: true }).waitFor();
  await page.waitForLoadState("networkidle").catch(() => {}); // the stream never ends
  const found = await page.evaluate(() => ({
    hit: window.hit,
    dangerous: document.querySelectorAll(".body :is(script, iframe, svg, form, style, object, details)").length,
    handlers: [...document.querySelectorAll(".body *")].filter((node) => [...node.attributes].some(({ name }) => name.startsWith("on") || name === "style")).length,
    addresses: [...document.querySelectorAll(".body a")].map((link) => link.protocol),
  }));
  assert.equal(found.hit, undefined);
  assert.equal(found.dangerous + found.handlers, 0);
  assert.deepEqual(found.addresses.filter((protocol) => protocol === "javascript:"), []);
});

test("the sanitiser holds by itself, without the server's", async () => {
  const page = await the.open();
  const left = await page.evaluate(async (payloads) => {
    const { bodyOf } = await import("/_sandbox/page/safe-html.js");
    const box = document.createElement("div");
    document.body.append(box);
    for (const payload of payloads) box.append(bodyOf(payload));
    await new Promise((done) => setTimeout(done, 200));
    return { hit: window.hit, html: box.innerHTML };
  }, PAYLOADS);
  assert.equal(left.hit, undefined);
  assert.doesNotMatch(left.html, /<(script|iframe|svg|form|style|math|details)|\son\w+=|javascript:/i);
});

test("a page from elsewhere cannot use the control API through the browser", async () => {
  const context = await the.browser.newContext();
  const page = await context.newPage();
  await page.goto("data:text/html,<p>elsewhere</p>");
  const outcome = await page.evaluate(async (url) => {
    await fetch(`${url}/_sandbox/sandbox1/contacts`, { method: "POST", body: '{"name":"Mallory"}', mode: "no-cors" });
    return "sent";
  }, the.box.url).catch(() => "not sent");
  const { people } = await the.box.hand("/sandbox1/people?q=mallory");
  assert.deepEqual(people, [], outcome);
});
