// What a bot can say, as its renderings in the reviewed table (tests/content), on the page: for the
// customer and for the teammates. SHOTS=directory keeps pictures of it.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { BOT, CARLA, inbox, messenger, stage } from "./stage.mjs";

const PICTURE = Buffer.from(
  `<svg xmlns="http://www.w3.org/2000/svg" width="240" height="120"><rect width="240" height="120" fill="#7a9"/><text x="20" y="70" font-size="24">a picture</text></svg>`,
);

/** The table's messages by API version: {name, html} or {name, options}. */
async function renderings() {
  const table = await readFile(new URL("../content/snapshots/content__blocks.snap", import.meta.url), "utf8");
  const found = [];
  let name, api;
  for (const line of table.split("\n")) {
    const head = line.match(/^(\S.*) × (2\.\d+)$/);
    if (head) [, name, api] = head;
    else if (line.startsWith("  <")) found.push({ name, api, html: line.trim() });
    else if (line.startsWith("  quick replies ")) {
      found.push({ name, api, options: [...line.split(", or else ")[0].matchAll(/\[(.+?) → .+?\]/g)].map((option) => option[1]) });
    }
  }
  return found;
}

/** An element's words, pictures by their descriptions, as HTML's own reader gives them. */
const wordsOf = (page, html) => page.evaluate((html) => {
  const body = new DOMParser().parseFromString(html, "text/html").body;
  return {
    text: body.textContent.replace(/\s+/g, ""),
    links: [...body.querySelectorAll("a")].map((link) => link.href),
    pictures: [...body.querySelectorAll("img")].map((picture) => `${picture.src} ${picture.alt}`),
    items: body.querySelectorAll("li").length,
    bold: body.querySelectorAll("b").length,
  };
}, html);

const shown = (element) => element.evaluate((body) => ({
  text: body.textContent.replace(/\s+/g, ""),
  links: [...body.querySelectorAll("a")].map((link) => link.href),
  // The page describes a picture that nobody has described.
  pictures: [...body.querySelectorAll("img")].map((picture) => `${picture.src} ${picture.alt.replace(/^Picture in the message$/, "")}`),
  items: body.querySelectorAll("li").length,
  bold: body.querySelectorAll("b").length,
}));

let the;
before(async () => { the = await stage(); });
after(() => the.end());

for (const api of ["2.10", "2.15"]) {
  test(`every block is shown whole to the customer and to teammates, as for ${api}`, async () => {
    const all = (await renderings()).filter((one) => one.api === api);
    assert.ok(all.length >= 15, `${all.length} renderings`);
    const id = await the.box.start(`Show me everything (${api})`);
    for (const { html, options } of all) {
      const reply = { type: "admin", admin_id: BOT };
      const uuid = (place) => `5c7bd0a1-0000-4000-8000-00000000000${place}`;
      await the.box.rest("POST", `/conversations/${id}/reply`, html
        ? { ...reply, message_type: "comment", body: html }
        : { ...reply, message_type: "quick_reply", reply_options: options.map((text, place) => ({ text, uuid: uuid(place) })) });
    }
    const page = await the.open({ customer: CARLA, talk: id, id }, { viewport: { width: 1440, height: 2600 } });
    await page.context().route("https://shop.example/**", (route) => route.fulfill({ contentType: "image/svg+xml", body: PICTURE }));
    await page.reload();
    const reader = await the.browser.newPage(); // the sandbox's page lets nobody parse HTML
    const said = all.filter((one) => one.html);
    const bubbles = messenger(page).locator("li.from-company .body");
    const messages = inbox(page).locator("li.from-bot .bubble .body");
    await bubbles.nth(said.length - 1).waitFor();
    await messages.nth(said.length - 1).waitFor();
    assert.equal(await bubbles.count(), said.length);
    for (const [place, { name, html }] of said.entries()) {
      const wanted = await wordsOf(reader, html);
      assert.deepEqual(await shown(bubbles.nth(place)), wanted, `${name}, in the Messenger`);
      assert.deepEqual(await shown(messages.nth(place)), wanted, `${name}, in the inbox`);
      assert.ok(await bubbles.nth(place).isVisible(), name);
    }
    const last = all.at(-1);
    if (last.options) {
      for (const label of last.options) await messenger(page).getByRole("button", { name: label, exact: true }).waitFor();
      await inbox(page).locator(".offered").last().getByText(last.options[0]).waitFor();
    }
    if (process.env.SHOTS) {
      await page.screenshot({ path: join(process.env.SHOTS, `content-${api}.png`), fullPage: true });
      for (const [place, { name }] of said.entries()) {
        await bubbles.nth(place).screenshot({ path: join(process.env.SHOTS, `${api}-${place}-${name.replace(/[^a-z]+/g, "-")}.png`) });
      }
    }
  });
}
