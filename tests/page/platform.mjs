// The demo bot, and a stand-in for Baton between it and the sandbox's page: it takes the bot's commands,
// and tells the bot what a test says.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHmac, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const BOT = fileURLToPath(new URL("../../infra/demo-bot/bot.py", import.meta.url));
const KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz";
export const ALICE = { id: "900002", name: "Alice", avatar: null };

/** A demo bot on a free port unless one is named, and what stands in for Baton. */
export async function platform(port = 0) {
  const commands = [];
  const door = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    commands.push(...JSON.parse(body).commands);
    response.writeHead(202).end("{}");
  });
  door.listen(0, "127.0.0.1");
  await once(door, "listening");
  const url = `http://127.0.0.1:${door.address().port}/bots/demo/commands`;
  const child = spawn(process.env.PYTHON ?? "python3", [BOT, "--port", String(port), "--commands", url], {
    stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, BOT_SECRET: `whsec_${KEY}` },
  });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  const bot = line.match(/http:\/\/[^/]+/)[0];
  let told = 0;
  return {
    url: bot,
    port: Number(new URL(bot).port),
    commands,
    /** The newest command of a kind about a chat, once it is there. */
    async asked(kind, chat) {
      for (let tries = 0; tries < 600; tries++) {
        const found = commands.findLast((one) => one.type === kind && one.session.id === chat);
        if (found) return found;
        await new Promise((resume) => { setTimeout(resume, 25); });
      }
      throw new Error(`the bot asks for no ${kind}: ${JSON.stringify(commands)}`);
    },
    async tell(chat, type, data, conversation) {
      told += 1;
      const event = {
        v: 1, id: `evt_${chat}_${told}`, bot: "demo", seq: told, prev_seq: told - 1, epoch: 1, occurred_at: Date.now(), type, data,
        session: { app_id: "sandbox1", id: chat, channel: "web" },
        conversation: conversation ? { intercom: { app_id: "sandbox1", conversationId: conversation } } : null,
      };
      const [id, at, body] = [`msg_${randomUUID()}`, String(Math.floor(Date.now() / 1000)), JSON.stringify(event)];
      const code = createHmac("sha256", Buffer.from(KEY, "base64")).update(`${id}.${at}.${body}`).digest("base64");
      const headers = { "webhook-id": id, "webhook-timestamp": at, "webhook-signature": `v1,${code}` };
      const response = await fetch(`${bot}/events`, { method: "POST", body, headers });
      assert.equal(response.status, 200, await response.text());
    },
    async ask(method, path, body) {
      const response = await fetch(`${bot}/chat${path}`, { method, body: body && JSON.stringify(body) });
      assert.ok(response.ok, `${method} ${path}: ${response.status}`);
      return response.json();
    },
    async stop() {
      child.kill("SIGTERM");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      door.closeAllConnections();
      door.close();
    },
  };
}

/** A teammate's message as an event tells it. */
export const said = (markdown, part_id, more = {}) => ({
  part_id, author: { kind: "teammate", id: ALICE.id, name: ALICE.name }, text: markdown, markdown,
  full_text: null, choice: null, attachments: [], created_at: Date.now(), ...more,
});
