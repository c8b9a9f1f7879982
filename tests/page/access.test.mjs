// For everybody: with a keyboard alone, with a screen reader, on a small screen, in light and dark.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";

import { tool } from "../node/tools.mjs";
import { ALICE, BOT, CARLA, baton, inbox, messenger, rows, stage } from "./stage.mjs";

const axe = readFileSync(tool.resolve("axe-core/axe.min.js"), "utf8");
let the;
let id;
before(async () => {
  the = await stage();
  for (let n = 0; n < 30; n++) await the.box.start(`Question number ${n} with quite a lot of words, as people write them`);
  id = await the.box.start("Hello, I have a question about my order");
  const by = (body) => the.box.hand(`/sandbox1/conversations/${id}/teammate`, { admin_id: ALICE, ...body });
  await by({ action: "assign", assignee: { type: "team", id: 500001 } });
  await by({ action: "note", body: "A note" });
  await by({ action: "reply", body: "<p>An <a href='https://example.com/a-very-long-address-that-does-not-break-anywhere-at-all/0123456789/0123456789'>answer</a></p><pre>code_that_is_long_and_has_no_spaces_0123456789_0123456789</pre>" });
  await the.box.hand(`/sandbox1/conversations/${id}/tag`, { name: "vip", admin_id: ALICE });
  await the.box.rest("POST", `/conversations/${id}/reply`, { message_type: "quick_reply", type: "admin", admin_id: BOT, reply_options: [{ text: "Yes", uuid: "5c7bd0a1-0000-4000-8000-000000000003" }] });
  await the.box.hand("/trace", { steps: [{ at_ms: Date.now(), app_id: "sandbox1", conversation_id: id, function: "event-worker", outcome: "handed_over", level: "warn", owner: "people", silent_because: "people have it", queue: "events.fifo" }] });
});
after(() => the.end());

const LOOKS = [
  ["light", { colorScheme: "light" }],
  ["dark", { colorScheme: "dark" }],
  ["narrow", { colorScheme: "light", viewport: { width: 360, height: 740 } }],
  ["narrow and dark", { colorScheme: "dark", viewport: { width: 360, height: 740 } }],
  ["4K", { colorScheme: "light", viewport: { width: 3840, height: 2160 } }],
];
const PLACES = [
  ["a conversation", { pane: "inbox" }], ["the list", { pane: "inbox", id: "" }], ["the Messenger", { pane: "messenger" }],
  ["the steps", { pane: "baton" }], ["the faults", { pane: "baton", tab: "faults" }], ["the scenarios", { pane: "baton", tab: "scenarios" }],
];

for (const [look, options] of LOOKS) {
  test(`nothing keeps people out: ${look}`, async () => {
    for (const [place, at] of PLACES) {
      const page = await the.open({ as: ALICE, customer: CARLA, talk: id, id, ...at }, { reducedMotion: "reduce", ...options });
      await page.waitForTimeout(300); // what is loading is not looked at
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
      const told = violations.filter((one) => one.impact === "serious" || one.impact === "critical")
        .map((one) => `${place}: ${one.id}: ${one.nodes.slice(0, 3).map((node) => `${node.html.slice(0, 120)} ${node.any.map((check) => check.message).join("; ")}`).join(" | ")}`);
      assert.deepEqual(told, []);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${place} is ${wide} pixels too wide`);
      const spilt = await page.evaluate(() => [...document.querySelectorAll(".pane")].filter((pane) => pane.offsetParent && pane.scrollWidth > pane.clientWidth + 1).map((pane) => pane.id));
      assert.deepEqual(spilt, [], place);
      await page.context().close();
    }
  });
}

test("everything is reached with the keyboard alone", async () => {
  const page = await the.open({ as: ALICE, customer: CARLA });
  const focused = () => page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent.trim());
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "Skip to the conversations");
  await page.keyboard.press("Enter");
  assert.equal(await focused(), "Conversations");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  await inbox(page).getByRole("heading", { name: "Carla" }).waitFor();
  await page.keyboard.press("r");
  assert.equal(await focused(), "Write to the customer");
  await page.keyboard.type("By keys alone");
  await page.keyboard.press("Control+Enter");
  await inbox(page).getByRole("article", { name: "Message by Alice" }).getByText("By keys alone").waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("n");
  await page.keyboard.type("A note by keys");
  await page.keyboard.press("Control+Enter");
  await inbox(page).getByRole("article", { name: "Note by Alice" }).getByText("A note by keys").waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("e");
  await inbox(page).getByRole("button", { name: "Reopen" }).waitFor();
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.keyboard.press("/");
  assert.equal(await focused(), "Search conversations");
});

for (const [whose, before] of [["a button’s", "[data-tool=keys]"], ["nobody’s", null]]) {
  test(`a key acts at once when a dialog is closed, and the focus is ${whose} again`, async () => {
    const page = await the.open({ as: ALICE, customer: CARLA, talk: id, id });
    const at = await page.evaluate((before) => {
      const press = (key) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
      const had = before && document.querySelector(before);
      if (had) had.focus(); else document.activeElement.blur();
      press("?");
      const within = document.activeElement.closest("dialog") !== null;
      document.querySelector("dialog").close();
      const back = had === null || document.activeElement === had;
      press("/"); // before the browser has told that the dialog is closed
      return { within, back, there: document.querySelectorAll("dialog").length };
    }, before);
    assert.deepEqual(at, { within: true, back: true, there: 1 });
    await page.locator("dialog").waitFor({ state: "detached" });
    assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-label")), "Search conversations");
  });
}

test("what is sent leaves the field at once, and does not take the focus when it has arrived", async () => {
  const page = await the.open({ as: ALICE, customer: CARLA, talk: id, id });
  await inbox(page).getByRole("heading", { name: "Carla" }).waitFor();
  let answer;
  const refused = new Promise((resolve) => { answer = resolve; });
  await page.route("**/teammate", async (route) => { await refused; await route.fulfill({ status: 503, json: { errors: [{ message: "Not now" }] } }); });
  await page.keyboard.press("r");
  await page.keyboard.type("Slowly taken");
  await page.keyboard.press("Control+Enter");
  const field = inbox(page).getByLabel("Write to the customer");
  assert.equal(await field.inputValue(), "");
  await page.keyboard.press("Escape");
  await page.keyboard.press("/");
  answer();
  await page.waitForFunction(() => document.querySelector("#pane-inbox textarea").value === "Slowly taken");
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-label")), "Search conversations");
});

test("the tab key goes through the whole page and is never held", async () => {
  const page = await the.open({ as: ALICE, customer: CARLA, talk: id, id });
  await inbox(page).getByRole("heading", { name: "Carla" }).waitFor();
  const panes = new Set();
  let lost = 0;
  for (let n = 0; n < 120; n++) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const node = document.activeElement;
      if (node === document.body) return { pane: "outside", visible: true };
      const box = node.getBoundingClientRect();
      return { pane: node.closest("section, header")?.id ?? "outside", visible: box.width > 0 && box.height > 0 };
    });
    panes.add(at.pane);
    if (!at.visible) lost += 1;
  }
  for (const pane of ["top", "pane-messenger", "pane-inbox", "pane-baton"]) assert.ok(panes.has(pane), `${pane} is not reached: ${[...panes]}`);
  assert.equal(lost, 0, "the focus was on something that cannot be seen");
});

test("on a small screen panes, list and conversation follow each other", async () => {
  const page = await the.open({ as: ALICE, customer: CARLA }, { viewport: { width: 360, height: 740 }, hasTouch: true });
  await rows(page).first().tap();
  await inbox(page).getByRole("button", { name: "Back to the list" }).tap();
  await rows(page).first().waitFor();
  await page.getByRole("button", { name: "Customer", exact: true }).tap();
  await messenger(page).getByRole("button", { name: "Start a conversation" }).waitFor();
  await page.getByRole("button", { name: "Baton", exact: true }).tap();
  await baton(page).getByRole("tab", { name: "What Baton did" }).waitFor();
});

test("the theme can be switched and stays", async () => {
  const page = await the.open({}, { colorScheme: "light" });
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await paper();
  const theme = page.locator("[data-tool=theme]");
  await theme.click(); // light
  assert.equal(await paper(), light);
  await theme.click(); // dark
  assert.notEqual(await paper(), light);
  await page.reload();
  await page.locator("#connection.live").waitFor();
  assert.notEqual(await paper(), light);
});
