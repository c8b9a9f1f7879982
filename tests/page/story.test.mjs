// A whole conversation by clicking, in two tabs: what one does, the other sees without reloading.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { ALICE, BOT, CARLA, baton, inbox, messenger, rows, stage } from "./stage.mjs";

let the;
before(async () => { the = await stage(); });
after(() => the.end());

test("a customer writes, a teammate answers, the customer sees it in another tab", async () => {
  const customer = await the.open({ customer: CARLA });
  const teammate = await the.open({ as: ALICE });
  await messenger(customer).getByRole("button", { name: "Start a conversation" }).click();
  await messenger(customer).getByLabel("Message to the company").fill("Where is order 5512?");
  await messenger(customer).getByLabel("Send to the company").click();

  await rows(teammate, "Where is order 5512").click();
  await inbox(teammate).getByRole("article", { name: "Message by Carla" }).getByText("Where is order 5512?").waitFor();
  await inbox(teammate).getByLabel("Write to the customer").fill("It comes today.");
  await inbox(teammate).getByRole("button", { name: "Send" }).click();
  await messenger(customer).getByText("It comes today.").waitFor();
  await messenger(customer).getByText("Alice is with you").waitFor();

  await inbox(teammate).getByRole("button", { name: "Note", exact: true }).click();
  await inbox(teammate).getByLabel("Write a note that only teammates see").fill("Carrier called.");
  await inbox(teammate).getByRole("button", { name: "Add note" }).click();
  await inbox(teammate).getByRole("article", { name: "Note by Alice" }).getByText("Carrier called.").waitFor();

  await inbox(teammate).getByRole("button", { name: "Close", exact: true }).click();
  await messenger(customer).getByRole("button", { name: "Great, 4 of 5" }).click();
  await inbox(teammate).getByText("rated 4 of 5").waitFor();
  // All of this came after the note, which is nowhere on the customer's side.
  assert.equal(await messenger(customer).getByText("Carrier called.").count(), 0);

  await messenger(customer).getByLabel("Message to the company").fill("One more thing…");
  await customer.keyboard.press("Enter");
  await inbox(teammate).getByText("reopened it").waitFor();
});

test("a quick reply that was offered is pressed and then gone", async () => {
  const id = await the.box.start("Which size?");
  await the.box.rest("POST", `/conversations/${id}/reply`, {
    message_type: "quick_reply", type: "admin", admin_id: BOT,
    reply_options: [{ text: "Small", uuid: "5c7bd0a1-0000-4000-8000-000000000001" }, { text: "Large", uuid: "5c7bd0a1-0000-4000-8000-000000000002" }],
  });
  const page = await the.open({ customer: CARLA, talk: id, id });
  await messenger(page).getByRole("button", { name: "Large" }).click();
  await inbox(page).getByRole("article", { name: "Message by Carla" }).getByText("Large").waitFor();
  await messenger(page).getByRole("button", { name: "Small" }).waitFor({ state: "detached" });
});

test("a teammate does everything that can be done to a conversation", async () => {
  const id = await the.box.start("Do everything with me");
  const page = await the.open({ as: ALICE, id, state: "any" });
  const box = inbox(page);
  await box.getByLabel("Assigned to").selectOption({ label: "Support" });
  await box.getByText("assigned it to Support").waitFor();
  await box.getByLabel("Assigned to").selectOption({ label: "Baton Bot" });
  await box.locator(".owner-select.bot").waitFor();
  await box.getByLabel("Assigned to").selectOption({ label: "Nobody" });
  await box.locator(".owner-select.nobody").waitFor();
  await box.getByRole("button", { name: "Tag", exact: true }).click();
  await page.getByLabel("Another tag").fill("fragile");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await box.getByRole("button", { name: "Take the tag fragile off" }).click();
  await box.getByRole("button", { name: "Take the tag fragile off" }).waitFor({ state: "detached" });
  await box.getByRole("button", { name: "Snooze", exact: true }).click();
  await page.getByRole("menuitem", { name: "For an hour" }).click();
  await box.getByText("snoozed it").waitFor();
  await box.getByRole("button", { name: "End the snooze" }).click();
  await box.getByText("ended the snooze").waitFor();
  await box.getByRole("article", { name: "Message by Carla" }).hover();
  await box.getByRole("button", { name: "Redact this message" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Redact" }).click();
  await box.getByText("This message was deleted").first().waitFor();
  await box.getByRole("button", { name: "Close", exact: true }).click();
  await box.getByRole("button", { name: "Reopen" }).click();
  await box.getByRole("button", { name: "Delete the conversation" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await box.getByText("This conversation is not here any more.").waitFor();
});

test("a customer is created, attaches a file, and is found again", async () => {
  const page = await the.open();
  const phone = messenger(page);
  await phone.locator(".who").click();
  await phone.getByLabel("Name of the new customer").fill("Noor");
  await phone.getByRole("button", { name: "Create" }).click();
  await phone.getByText("No conversations yet").waitFor();
  await phone.getByRole("button", { name: "Start a conversation" }).click();
  await phone.getByLabel("Files to attach").setInputFiles({ name: "list.txt", mimeType: "text/plain", buffer: Buffer.from("one, two") });
  await phone.getByText("list.txt, 8 bytes").waitFor();
  await phone.getByLabel("Send to the company").click();
  await inbox(page).getByRole("link", { name: /list.txt/ }).waitFor();
  await phone.locator(".who").click();
  await phone.getByRole("combobox", { name: "Find a customer" }).fill("noo");
  await phone.getByRole("option", { name: /Noor/ }).click();
  await phone.getByText("Your conversations").waitFor();
});

test("views, states, search and workspaces show what belongs to them", async () => {
  const [mine, other] = [await the.box.start("Needle in the haystack"), await the.box.start("Only straw")];
  await the.box.hand(`/sandbox1/conversations/${mine}/teammate`, { admin_id: ALICE, action: "assign", assignee: { type: "admin", id: ALICE } });
  await the.box.hand(`/sandbox1/conversations/${other}/teammate`, { admin_id: ALICE, action: "close" });
  const page = await the.open({ as: ALICE, view: "mine" }, { viewport: { width: 1920, height: 1080 } });
  const found = rows(page, /Needle|straw/);
  await found.getByText("Needle").waitFor();
  assert.equal(await found.count(), 1);
  await inbox(page).getByRole("button", { name: "Closed" }).click();
  await inbox(page).getByRole("navigation", { name: "Views" }).getByRole("button", { name: /^All/ }).click();
  await found.getByText("straw").waitFor();
  await inbox(page).getByRole("button", { name: "Any" }).click();
  await found.nth(1).waitFor();
  await inbox(page).getByLabel("Search conversations").fill("haystack");
  // From here on only the answer to the search can fill the list: the one before it is dropped.
  await page.waitForURL(/[#&]q=haystack/);
  await found.getByText("straw").waitFor({ state: "detached" });
  await found.getByText("Needle").waitFor();
  assert.equal(await found.count(), 1);
  await page.getByLabel("Workspace").selectOption("sandbox2");
  await inbox(page).getByText("Nothing here.").waitFor();
  await messenger(page).getByText("Sandbox Two is listening").waitFor();
  await baton(page).getByText("Choose a conversation to see, step by step").waitFor();
});

test("away is switched, and what an address names is shown", async () => {
  const id = await the.box.start("Deep link");
  const page = await the.open({ as: ALICE, id });
  await inbox(page).getByRole("heading", { name: "Carla" }).waitFor();
  const away = inbox(page).getByRole("switch", { name: "Alice is away" });
  await away.click();
  await inbox(page).getByRole("switch", { name: "Alice is away", checked: true }).waitFor();
  const { admins } = await the.box.hand("/sandbox1/directory");
  assert.equal(admins.find((one) => one.id === ALICE).away_mode_enabled, true);
});

test("what Baton did is told step by step with what is behind it", async () => {
  const id = await the.box.start("What will you do?");
  const page = await the.open({ id });
  await the.box.hand("/trace", { steps: [{
    at_ms: Date.now(), app_id: "sandbox1", conversation_id: id, function: "event-worker", outcome: "turn_sent", queue: "events.fifo",
    owner: "bot", epoch: 3, row: { key: "c1", version: 7 }, decisions: ["send the turn"], silent_because: "a person is typing", shard: 12,
  }] });
  const step = baton(page).locator(".of-step");
  for (const text of ["event-worker: turn_sent", "owner: bot", "epoch 3", "queue events.fifo", "row c1 v7", "send the turn", "a person is typing", "shard: 12"]) {
    await step.getByText(text).first().waitFor();
  }
  await the.box.rest("POST", `/conversations/${id}/reply`, { message_type: "comment", type: "admin", admin_id: BOT, body: "Hello" });
  await baton(page).locator(".of-request").getByText("Sends a message", { exact: true }).waitFor();
  await step.getByText("Details").click();
  await step.getByText('"shard": 12').waitFor();
  await baton(page).getByRole("button", { name: "Decisions" }).click();
  assert.equal(await baton(page).locator(".step").count(), 1);
});

test("faults are switched by hand, and the time is moved", async () => {
  const page = await the.open({ tab: "faults" });
  await baton(page).getByRole("switch", { name: /Intercom is down/ }).click();
  await baton(page).locator(".faults").getByText("fail before").waitFor();
  const answer = await fetch(`${the.box.url}/me`, { headers: { authorization: "Bearer sandbox-token" } });
  assert.equal(answer.status, 503);
  await baton(page).getByRole("switch", { name: /Intercom is down.*Struck once/ }).waitFor();
  await baton(page).getByRole("switch", { name: /Intercom is down/ }).click();
  await baton(page).getByText("Nothing is broken on purpose.").waitFor();
  await baton(page).getByText("Another fault").click();
  await baton(page).getByRole("combobox", { name: "Of", exact: true }).selectOption("webhooks");
  await baton(page).getByRole("combobox", { name: "What happens" }).selectOption("drop");
  await baton(page).getByRole("button", { name: "Switch on" }).click();
  await baton(page).getByRole("button", { name: "Switch off drop of webhooks" }).click();
  await baton(page).getByText("Nothing is broken on purpose.").waitFor();
  await baton(page).getByRole("button", { name: "+ 1 hour" }).click();
  await baton(page).getByText(/3,600 s ahead/).waitFor();
});

test("a token is revoked and restored", async () => {
  const page = await the.open({ tab: "faults" });
  const asked = async () => (await fetch(`${the.box.url}/me`, { headers: { authorization: "Bearer sandbox-token" } })).status;
  await baton(page).getByRole("switch", { name: /^sandbox-token/, checked: true }).click();
  await baton(page).getByRole("switch", { name: /^sandbox-token/, checked: false }).waitFor();
  assert.equal(await asked(), 401);
  await baton(page).getByRole("switch", { name: /^sandbox-token/ }).click();
  await baton(page).getByRole("switch", { name: /^sandbox-token/, checked: true }).waitFor();
  assert.equal(await asked(), 200);
});

test("everything is put back to its start when that is confirmed", async () => {
  const id = await the.box.start("Soon forgotten");
  const page = await the.open({ tab: "faults", id });
  await rows(page, "Soon forgotten").waitFor();
  await baton(page).getByRole("button", { name: "Put everything back" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Put back" }).click();
  await inbox(page).getByText("Nothing here.").waitFor();
  assert.equal(await inbox(page).getByRole("article").count(), 0);
});

test("a scenario is played from the list and tells how it went", async () => {
  const page = await the.open({ tab: "scenarios" });
  const { scenarios } = await the.box.hand("/scenarios");
  await baton(page).locator(".scenarios > li").first().waitFor();
  assert.equal(await baton(page).locator(".scenarios > li").count(), scenarios.length);
  const [first] = scenarios;
  await baton(page).getByLabel("Find a scenario").fill(first.name);
  await baton(page).getByRole("button", { name: `Play ${first.title}` }).click();
  await baton(page).locator(".chip.run-running, .chip.run-failed, .chip.run-passed").waitFor();
  await baton(page).locator(".run-steps li").first().waitFor();
});
