// What teammates read of the rules, as its reviewed snapshot has it (tests/rules), on the page; and that
// the customer sees nothing of it, nor of what teammates write to the bot.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";

import { ALICE, BOT, CARLA, inbox, messenger, stage } from "./stage.mjs";

/** The notes by their names. */
async function notes() {
  const snapshot = await readFile(new URL("../rules/snapshots/rules__conversation__notes.snap", import.meta.url), "utf8");
  return [...snapshot.matchAll(/^(\w+)\n {2}(<.*)$/gm)].map(([, name, html]) => ({ name, html }));
}

let the;
before(async () => { the = await stage(); });
after(() => the.end());

test("a teammate reads the bot's suggestions, chooses in a note, and the customer sees the answer alone", async () => {
  const all = await notes();
  assert.deepEqual(all.map((one) => one.name), ["answer", "offer", "list", "why", "unknown"]);
  const id = await the.box.start("It is broken");
  for (const { html } of all) {
    await the.box.rest("POST", `/conversations/${id}/reply`, { type: "admin", admin_id: BOT, message_type: "note", body: html });
  }
  const page = await the.open({ customer: CARLA, talk: id, as: ALICE, id });
  const told = inbox(page).locator("li.from-bot .bubble .body");
  await told.nth(all.length - 1).waitFor();
  const list = told.nth(2);
  assert.equal(await list.locator("ol > li").count(), 2, "the answers are numbered");
  assert.match(await list.textContent(), /\/bot send 1/);
  assert.equal(await told.nth(0).locator("blockquote").textContent(), "the answer");
  assert.equal(await told.nth(4).locator("ul > li").count(), 7, "an unknown note is answered with the list");

  await inbox(page).getByRole("button", { name: "Note", exact: true }).click();
  await inbox(page).getByLabel("Write a note that only teammates see").fill("/bot send 2");
  await inbox(page).getByRole("button", { name: "Add note" }).click();
  await inbox(page).getByRole("article", { name: "Note by Alice" }).getByText("/bot send 2").waitFor();
  await the.box.rest("POST", `/conversations/${id}/reply`, { type: "admin", admin_id: BOT, message_type: "comment", body: "<p>You get a voucher.</p>" });
  await messenger(page).getByText("You get a voucher.").waitFor();
  assert.deepEqual(await messenger(page).locator("li.from-company .body").allTextContents(), ["You get a voucher."]);
  assert.doesNotMatch(await messenger(page).textContent(), /\/bot|suggest/);
});
