// A full inbox: 1,000 conversations, of which only what is in sight is drawn.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { ALICE, CARLA, inbox, rows, stage } from "./stage.mjs";

const MANY = 1000;
const AT_ONCE = 100;
const DRAWN = 60;
const PATIENCE_MS = 60_000;

let the;
before(async () => {
  the = await stage();
  for (let n = 0; n < MANY; n += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, at) => the.box.start(`Question ${n + at}: where is my order?`)));
  }
});
after(() => the.end());

test("a thousand conversations are listed at once and scrolled through", async (t) => {
  const began = performance.now();
  const list = await the.box.hand("/sandbox1/rows?state=open&limit=100");
  const answered = performance.now() - began;
  assert.equal(list.total, MANY);
  assert.ok(list.rows.length <= AT_ONCE, `${list.rows.length} rows at once`);

  // How long it takes is the machine's matter; what is asked for and drawn until it is there, the page's.
  const opened = performance.now();
  const page = await the.open({ as: ALICE, customer: CARLA });
  await inbox(page).getByText("1,000 conversations").waitFor();
  await rows(page).first().waitFor();
  const ready = performance.now() - opened;
  const asked = await page.evaluate(() => performance.getEntriesByType("resource").filter(({ name }) => /\/rows\?/.test(name)).length);
  assert.ok(asked > 0 && asked <= 3, `the list was asked for ${asked} times`);
  assert.ok(await rows(page).count() < DRAWN);
  t.diagnostic(`list ${Math.round(answered)} ms, page ${Math.round(ready)} ms`);

  await inbox(page).getByRole("listbox", { name: "Conversations" }).focus();
  // The end is where the rows end that have come; the next hundred come when it is reached.
  for (const began = performance.now(); performance.now() - began < PATIENCE_MS;) {
    await page.keyboard.press("End");
    await page.waitForTimeout(50);
    if (await rows(page, /Question 0:/).count()) break;
  }
  await rows(page, /Question 0:/).waitFor();
  assert.ok(await rows(page).count() < DRAWN);
});

test("a change among a thousand comes to the top at once", async (t) => {
  const page = await the.open({ as: ALICE, customer: CARLA });
  const found = await the.box.hand("/sandbox1/rows?q=question%20500:");
  await rows(page).first().waitFor();
  // Intercom counts in seconds; what changed later in one goes before what changed earlier.
  await page.waitForTimeout(1100);
  const began = performance.now();
  await the.box.hand(`/sandbox1/conversations/${found.rows[0].id}/customer`, { body: "Any news?" });
  await rows(page, "Any news?").waitFor();
  t.diagnostic(`seen after ${Math.round(performance.now() - began)} ms`);
  assert.equal(await rows(page, "Any news?").getAttribute("aria-posinset"), "1");
});
