// The bot platform's own chat on the page: the bot, the people it fetches, and the way back. The bot is
// the demo bot; what Baton would tell it, the test does. SHOTS=directory keeps pictures of it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { tool } from "../node/tools.mjs";
import { ALICE, platform, said } from "./platform.mjs";
import { ALICE as ALICES_ID, CARLA, baton, chat, inbox, messenger, stage } from "./stage.mjs";

const axe = readFileSync(tool.resolve("axe-core/axe.min.js"), "utf8");
const WIDE = { viewport: { width: 1920, height: 1080 } };
let bot;
let the;
before(async () => {
  bot = await platform();
  the = await stage({ bot: bot.url });
});
after(async () => {
  await the.end();
  await bot.stop();
});

const shoot = (page, name) => process.env.SHOTS && page.screenshot({ path: join(process.env.SHOTS, `chat-${name}.png`) });
const write = async (page, words) => {
  await chat(page).getByLabel("Message to the bot").fill(words);
  await chat(page).getByLabel("Send to the bot").click();
};
const idOf = (page) => page.evaluate(() => new URLSearchParams(location.hash.slice(1)).get("chat"));
const began = async (channel = "web", customer = {}) => (await bot.ask("POST", "/sessions", { channel, customer })).id;

/** A chat in which Alice is, opened in the sandbox's Intercom as well, by hand. */
async function handedOver(customer = { name: "Ines" }) {
  const id = await began("web", customer);
  await bot.ask("POST", `/sessions/${id}/messages`, { text: "Where is order 55120?" });
  await bot.ask("POST", `/sessions/${id}/messages`, { text: "I want to talk to a human" });
  const start = await bot.asked("transfer_start", id);
  const conversation = await the.box.start("I want to talk to a human");
  await bot.tell(id, "command_done", { command_id: start.id, part_id: null }, conversation);
  await bot.tell(id, "handover_waiting", { team_id: "500001" }, conversation);
  await bot.tell(id, "agent_joined", { agent: ALICE }, conversation);
  return { id, conversation };
}

test("a chat is begun on a channel as somebody, and the bot answers by itself", async () => {
  const page = await the.open({}, WIDE);
  const box = chat(page);
  await box.getByText("No chats yet").waitFor();
  await shoot(page, "empty");
  await box.getByRole("button", { name: "Start a chat" }).click();
  await box.getByRole("radio", { name: "WhatsApp" }).check();
  await box.getByRole("radio", { name: "Phone" }).check();
  await box.getByLabel("Phone").last().fill("+49301234");
  await box.getByLabel("Name").fill("Ines Hall");
  await shoot(page, "new");
  await box.getByRole("button", { name: "Start the chat" }).click();
  await box.getByText("Hi Ines!").waitFor();
  await box.getByRole("heading", { name: "Ines Hall · WhatsApp" }).waitFor();
  await write(page, "What are your opening hours?");
  await box.getByText("Monday to Friday").waitFor();
  assert.equal(await box.locator(".by-bot strong", { hasText: "Monday to Friday" }).count(), 1, "Markdown is shown as such");
  assert.deepEqual((await bot.ask("GET", `/sessions/${await idOf(page)}`)).customer, { phone: "+49301234", name: "Ines Hall" });
});

test("people join, write, change and leave; then the bot has it again and knows what was said", async () => {
  const { id, conversation } = await handedOver();
  const page = await the.open({ chat: id }, WIDE);
  const box = chat(page);
  await box.getByText("Alice is with you").waitFor();
  await box.getByText("A colleague will be with you soon.").waitFor();
  await write(page, "Are you there?");
  const message = await bot.asked("transfer_message", id);
  assert.equal(message.data.text, "Are you there?");
  await box.locator(".delivery.sending").waitFor();
  await bot.tell(id, "command_done", { command_id: message.id, part_id: "p1" }, conversation);
  await box.locator(".delivery.sending").waitFor({ state: "detached" });
  const markdown = "**Yes.** Please:\n\n1. open `settings`\n2. see [the page](https://example.com/page)\n\n> as you said";
  const files = [{ url: "https://example.com/plan.pdf", name: "plan.pdf", content_type: "application/pdf", size_bytes: 2048 }];
  await bot.tell(id, "agent_message", { message: said(markdown, "p2", { attachments: files }) }, conversation);
  const told = box.locator(".by-teammate").last();
  await told.getByRole("link", { name: "the page" }).waitFor();
  assert.equal(await told.locator("ol > li").count(), 2);
  assert.equal(await told.locator("blockquote").count(), 1);
  await told.getByRole("link", { name: "plan.pdf, 2 KB" }).waitFor();
  await told.locator(".avatar").waitFor();
  await shoot(page, "human");
  await bot.tell(id, "agent_changed", { agent: { id: "900003", name: "Bob", avatar: null }, former: ALICE }, conversation);
  await box.getByText("Bob is with you").waitFor();
  await bot.tell(id, "agent_left", { agent: { id: "900003", name: "Bob", avatar: null } }, conversation);
  await box.locator(".phone-bar").getByText("Waiting for a colleague").waitFor();
  await bot.tell(id, "closed", { by: "people", stretch: [said("Yes.", "p2")] }, conversation);
  await box.getByText("Welcome back! Alice told you: “Yes.”").waitFor();
  await bot.tell(id, "rated", { rating: 5, remark: null }, conversation);
  await box.getByText("You rated the talk 5 of 5.").waitFor();
  await box.locator(".phone-bar").getByText("Demo bot answers").waitFor();
});

test("files are added from samples and by address, and taken off again", async () => {
  const { id } = await handedOver();
  const page = await the.open({ chat: id }, WIDE);
  const box = chat(page);
  const add = async (name) => {
    await box.getByRole("button", { name: "Add a file" }).click();
    await page.getByRole("menuitem", { name }).click();
  };
  await add("A photo");
  await add("An invoice");
  await add(/A receipt/);
  await box.getByRole("button", { name: "Take invoice.pdf off" }).click();
  await box.getByRole("button", { name: "Add a file" }).click();
  await page.getByLabel("Address of another file").fill("https://example.com/list.txt");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await box.getByLabel("Send to the bot").click();
  await box.getByRole("img", { name: "photo.png" }).waitFor();
  const { data } = await bot.asked("transfer_message", id);
  assert.deepEqual(data.attachments.map((one) => [one.name, one.fetch ?? false]), [["photo.png", false], ["receipt.pdf", true], ["list.txt", false]]);
});

test("a refusal offers something else, which is chosen by a button", async () => {
  const id = await began("kiosk");
  const page = await the.open({ chat: id }, WIDE);
  await write(page, "An agent or a human, please");
  const start = await bot.asked("transfer_start", id);
  await chat(page).getByText("The bot asks for a colleague…").waitFor();
  await bot.tell(id, "command_rejected", { command_id: start.id, code: "unmapped_channel", message: "kiosk is not mapped" });
  await chat(page).getByText("On this channel (Kiosk in the shop) I cannot fetch a colleague.").waitFor();
  await shoot(page, "refused");
  await chat(page).getByRole("button", { name: "Leave a message" }).click();
  await chat(page).getByText("What shall I tell them?").waitFor();
  await write(page, "Call me back");
  await chat(page).getByText("I have written it down").waitFor();
});

test("messages are removed on either side and stay so", async () => {
  const { id, conversation } = await handedOver();
  const page = await the.open({ chat: id }, WIDE);
  await write(page, "My card is 1234");
  const message = await bot.asked("transfer_message", id);
  await bot.tell(id, "command_done", { command_id: message.id, part_id: "p1" }, conversation);
  await bot.tell(id, "agent_message", { message: said("And my **secret**", "p2") }, conversation);
  await chat(page).getByText("And my").waitFor();
  await bot.tell(id, "message_redacted", { part_id: "p2" }, conversation);
  await chat(page).getByText("This message was removed.").waitFor();
  await chat(page).locator(".from-me").last().hover();
  await chat(page).getByRole("button", { name: "Remove this message" }).last().click();
  assert.deepEqual((await bot.asked("redact", id)).data, { part_id: "p1" });
  await chat(page).getByText("My card is 1234").waitFor({ state: "detached" });
  assert.equal(await chat(page).getByText("secret").count(), 0);
});

test("what comes through the other door is marked, and a time-out says its words", async () => {
  const { id, conversation } = await handedOver();
  const page = await the.open({ chat: id }, WIDE);
  const mine = { author: { kind: "customer", id: CARLA, name: "Ines" } };
  await bot.tell(id, "message", { message: said("From the Messenger", "p1", mine), context: {} }, conversation);
  await chat(page).getByText("You, in Intercom’s Messenger").waitFor();
  await bot.tell(id, "timed_out", { what: "teammate", message: "Sorry for the wait.", then: "keep" }, conversation);
  await chat(page).getByText("Sorry for the wait.").waitFor();
  await bot.tell(id, "reopened", {}, conversation);
  await chat(page).getByText("Our colleagues opened the talk again.").waitFor();
});

test("the customer ends the talk, then the chat, and comes back by writing", async () => {
  const { id, conversation } = await handedOver();
  const page = await the.open({ chat: id }, WIDE);
  await chat(page).getByRole("button", { name: "End the talk" }).click();
  await bot.asked("transfer_end", id);
  await bot.tell(id, "closed", { by: "customer", stretch: [] }, conversation);
  await chat(page).getByText("You are with me again.").waitFor();
  await chat(page).getByRole("button", { name: "End the chat" }).click();
  await chat(page).getByText("This chat has ended.").waitFor();
  await write(page, "Oh, and the prices?");
  await chat(page).getByText("12 € a month").waitFor();
});

test("the conversation in Intercom is a click away, and its steps are shown beside it", async () => {
  const { id, conversation } = await handedOver();
  const page = await the.open({ as: ALICES_ID, chat: id }, WIDE);
  await baton(page).getByText("starts the conversation").first().waitFor();
  await chat(page).getByRole("button", { name: "Show the conversation in the inbox" }).click();
  await inbox(page).locator(".id", { hasText: conversation }).waitFor();
});

test("what somebody writes in Markdown can do nothing to the page", async () => {
  const { id, conversation } = await handedOver();
  const page = await the.open({ chat: id }, WIDE);
  const hostile = [
    "<img src=x onerror=alert(1)>", "[click](javascript:alert(1))", "![x](data:text/html,1)", "<script>alert(1)</script>",
    "[a](https://ok.example/\"onclick=alert(1))", "**" + "_**".repeat(400), "> ".repeat(60) + "deep", "- ".repeat(60) + "deep", "`".repeat(2000),
  ];
  await bot.tell(id, "agent_message", { message: said(hostile.join("\n\n"), "p9") }, conversation);
  const told = chat(page).locator(".by-teammate .body");
  await told.getByText("<script>alert(1)</script>").waitFor();
  assert.equal(await told.locator("script, img, [onclick], [onerror]").count(), 0);
  const links = await told.locator("a").evaluateAll((all) => all.map((one) => new URL(one.href).protocol));
  assert.ok(links.every((one) => one === "https:"), links.join());
});

const MARKDOWN = [
  ["two  \nlines", "<p>two<br>lines</p>"],
  ["*a* **b** ~~c~~ `d*` _e_ snake_case_name", "<p><em>a</em> <strong>b</strong> <s>c</s> <code>d*</code> <em>e</em> snake_case_name</p>"],
  ["\\*no\\* 2 * 3 * 4", "<p>*no* 2 * 3 * 4</p>"],
  ["- a\n- b\n  - c\n\nend", "<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul><p>end</p>"],
  ["3. a\n4. b", '<ol start="3"><li>a</li><li>b</li></ol>'],
  ["```js\n<b>\n```", "<pre><code>&lt;b&gt;</code></pre>"],
  ["> a\n> b", "<blockquote><p>a<br>b</p></blockquote>"],
  ["# Big\n\n---", '<p class="said-heading">Big</p><hr>'],
  ["see https://example.com/a_b_c.", '<p>see <a href="https://example.com/a_b_c">https://example.com/a_b_c</a>.</p>'],
  ["[a *b*](https://example.com/x_(y))", '<p><a href="https://example.com/x_(y)">a <em>b</em></a></p>'],
  ["", ""],
];

test("Markdown is shown as it is meant", async () => {
  const page = await the.open({}, WIDE);
  for (const [text, wanted] of MARKDOWN) {
    const drawn = await page.evaluate(async (one) => {
      const { markdownOf } = await import("/_sandbox/page/markdown.js");
      const body = markdownOf(one);
      for (const link of body.querySelectorAll("a")) { link.removeAttribute("target"); link.removeAttribute("rel"); }
      return body.innerHTML;
    }, text);
    assert.equal(drawn, wanted, text);
  }
});

test("a long text of nothing but marks takes no longer than its length", async () => {
  const page = await the.open({}, WIDE);
  const MARKS = [["*", 20_000], ["[", 20_000], ["`a", 10_000], ["**a ", 5_000], ["![", 10_000], ["_a", 10_000], ["> ", 10_000], ["<https://", 3_000]];
  for (const [mark, times] of MARKS) {
    // How fast the machine is does not matter: four times the text may take four times the time, not its square.
    const [quarter, whole] = await page.evaluate(async ([mark, times]) => {
      const { markdownOf } = await import("/_sandbox/page/markdown.js");
      const took = (text) => Math.min(...[1, 2, 3].map(() => {
        const began = performance.now();
        markdownOf(text);
        return performance.now() - began;
      }));
      return [took(mark.repeat(times / 4)), took(mark.repeat(times))];
    }, [mark, times]);
    assert.ok(whole < 9 * quarter + 150, `${mark}: ${Math.round(quarter)} ms, then ${Math.round(whole)} ms`);
  }
});

test("when the bot platform is gone the page says so, and goes on when it is back", async () => {
  const own = await platform();
  const other = await stage({ bot: own.url });
  const page = await other.open({}, WIDE);
  await chat(page).getByText("No chats yet").waitFor();
  await own.stop();
  await chat(page).getByText("The bot platform does not answer").waitFor();
  await shoot(page, "lost");
  const back = await platform(own.port);
  await chat(page).getByText("A bot platform of its own").waitFor();
  await back.ask("POST", "/sessions", { channel: "sms", customer: { name: "Late" } });
  await chat(page).getByRole("button", { name: /Late/ }).waitFor();
  await other.end();
  await back.stop();
});

test("without a bot platform there is no pane for it", async () => {
  const alone = await stage();
  const page = await alone.open({}, WIDE);
  await messenger(page).getByRole("button", { name: "Start a conversation" }).waitFor();
  assert.equal(await chat(page).isVisible(), false);
  assert.equal((await fetch(`${alone.box.url}/_sandbox/bot/about`)).status, 404);
  await alone.end();
});

test("other sites and other addresses do not get through to the bot platform", async () => {
  const ask = (path, more) => fetch(`${the.box.url}/_sandbox/bot/${path}`, { method: "POST", body: '{"channel":"web"}', ...more });
  assert.equal((await ask("sessions", { headers: { origin: "https://elsewhere.example" } })).status, 403);
  assert.equal((await ask("sessions", { headers: { origin: the.box.url } })).status, 200);
  for (const path of ["..%2fevents", "sessions%2f..%2f..%2flog", "%2e%2e/events", "files/photo.png"]) assert.equal((await ask(path)).status, 404, path);
  assert.equal((await fetch(`${the.box.url}/_sandbox/bot/%2e%2e%2flog`)).status, 404);
});

const LOOKS = [
  ["light", { colorScheme: "light", ...WIDE }],
  ["dark", { colorScheme: "dark", ...WIDE }],
  ["shared", { colorScheme: "light", viewport: { width: 1440, height: 900 } }],
  ["tablet", { colorScheme: "light", viewport: { width: 900, height: 1100 } }],
  ["narrow", { colorScheme: "light", viewport: { width: 360, height: 740 } }],
  ["narrow and dark", { colorScheme: "dark", viewport: { width: 360, height: 740 } }],
  ["4K", { colorScheme: "light", viewport: { width: 3840, height: 2160 } }],
];

for (const [look, options] of LOOKS) {
  test(`nothing keeps people out of the chat: ${look}`, async () => {
    const { id, conversation } = await handedOver({ email: "a.very.long.address.of.a.customer@customer.example.com" });
    await bot.tell(id, "agent_message", { message: said("An **answer** with `code_that_is_long_and_has_no_spaces_0123456789_0123456789` and https://example.com/0123456789/0123456789/0123456789/0123456789", "p2") }, conversation);
    await bot.ask("POST", `/sessions/${id}/messages`, { text: "See this", files: [{ sample: "photo.png" }] });
    for (const [place, at] of [["a chat", { chat: id }], ["the chats", {}], ["a new chat", { chat: "new" }]]) {
      const page = await the.open({ as: ALICES_ID, customer: CARLA, id: conversation, pane: "chat", side: "chat", ...at }, { reducedMotion: "reduce", ...options });
      await chat(page).locator(".from-me, .chat-row, .pick").first().waitFor();
      await page.waitForTimeout(300); // what is loading is not looked at
      await shoot(page, `${look.replaceAll(" ", "-")}-${place.replaceAll(" ", "-")}`);
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
      const told = violations.filter((one) => one.impact === "serious" || one.impact === "critical")
        .map((one) => `${place}: ${one.id}: ${one.nodes.slice(0, 3).map((node) => `${node.html.slice(0, 120)} ${node.any.map((check) => check.message).join("; ")}`).join(" | ")}`);
      assert.deepEqual(told, []);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${place} is ${wide} pixels too wide`);
      const spilt = await page.evaluate(() => [...document.querySelectorAll(".pane, .phone, .phone-bar")].filter((one) => one.offsetParent && one.scrollWidth > one.clientWidth + 1).map((one) => one.id || one.className));
      assert.deepEqual(spilt, [], place);
      await page.context().close();
    }
  });
}

test("with a keyboard alone: a chat is begun and written in, and the panes are reached", async () => {
  const page = await the.open({ as: ALICES_ID }, WIDE);
  const focused = () => page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent.trim());
  await chat(page).getByRole("button", { name: "Start a chat" }).waitFor();
  await page.keyboard.press("c");
  await page.keyboard.press("ArrowRight"); // WhatsApp
  await page.keyboard.press("Enter");
  await chat(page).getByRole("heading", { name: "Anonymous · WhatsApp" }).waitFor();
  assert.equal(await focused(), "Message to the bot");
  await page.keyboard.type("Your prices?");
  await page.keyboard.press("Enter");
  await chat(page).getByText("12 € a month").waitFor();
  assert.equal(await focused(), "Message to the bot");
  await page.keyboard.press("Escape");
  for (const [key, pane] of [["1", "pane-messenger"], ["2", "pane-chat"], ["3", "pane-inbox"], ["4", "pane-baton"]]) {
    await page.keyboard.press(key);
    assert.equal(await page.evaluate(() => document.activeElement.closest("section")?.id), pane);
  }
});

test("where both sides of the customer share a place, one switches between them", async () => {
  const page = await the.open({ as: ALICES_ID, customer: CARLA }, { viewport: { width: 1440, height: 900 } });
  await messenger(page).getByRole("button", { name: "Start a conversation" }).waitFor();
  assert.equal(await chat(page).isVisible(), false);
  await shoot(page, "shared-messenger");
  await messenger(page).getByRole("button", { name: "Bot’s chat" }).click();
  await chat(page).getByRole("button", { name: "Start a chat" }).waitFor();
  assert.equal(await messenger(page).isVisible(), false);
  assert.equal(await inbox(page).isVisible(), true);
  await page.keyboard.press("Enter"); // the switch keeps the focus
  await chat(page).getByRole("button", { name: "Messenger" }).click();
  await messenger(page).getByRole("button", { name: "Start a conversation" }).waitFor();
});

test("on a small screen the chat is a tab of its own", async () => {
  const page = await the.open({ customer: CARLA }, { viewport: { width: 360, height: 740 }, hasTouch: true });
  await page.locator("#panes-nav").getByRole("button", { name: "Bot’s chat" }).tap();
  await chat(page).getByRole("button", { name: "Start a chat" }).tap();
  await chat(page).getByRole("button", { name: "Start the chat" }).tap();
  await write(page, "Do you ship?");
  await chat(page).getByText("to all of Europe").waitFor();
  await chat(page).getByRole("button", { name: "Back to the chats" }).tap();
  await chat(page).getByRole("button", { name: /Anonymous/ }).first().waitFor();
  await page.locator("#panes-nav").getByRole("button", { name: "Messenger" }).tap();
  await messenger(page).getByRole("button", { name: "Start a conversation" }).waitFor();
});
