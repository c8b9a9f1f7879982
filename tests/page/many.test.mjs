// A full inbox: 1,000 conversations, of which only what is in sight is drawn.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { ALICE, CARLA, inbox, rows, stage } from "./stage.mjs";

const MANY = 1000;
const READY_MS = 6000;
const ANSWER_MS = 500;
const DRAWN = 60;

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
  assert.ok(answered < ANSWER_MS, `the list took ${answered} ms`);

  const opened = performance.now();
  const page = await the.open({ as: ALICE, customer: CARLA });
  await inbox(page).getByText("1,000 conversations").waitFor();
  await rows(page).first().waitFor();
  const ready = performance.now() - opened;
  assert.ok(ready < READY_MS, `the page took ${ready} ms`);
  t.diagnostic(`list ${Math.round(answered)} ms, page ${Math.round(ready)} ms`);

  await inbox(page).getByRole("listbox", { name: "Conversations" }).focus();
  for (let n = 0; n < 30; n++) {
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
