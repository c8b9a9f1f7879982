// The sandbox goes away and comes back: the page says so, and shows what is true afterwards.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { after, before, test } from "node:test";

import { CARLA, inbox, rows, sandbox, stage } from "./stage.mjs";

let the;
let second;
before(async () => { the = await stage(); });
after(async () => {
  await second?.stop();
  await the.end();
});

/** A line to the sandbox that can be cut and mended. */
async function line(port) {
  const open = new Set();
  let cut = false;
  const server = createServer((near) => {
    if (cut) { near.destroy(); return; }
    const far = connect(port, "127.0.0.1");
    near.pipe(far).pipe(near);
    for (const end of [near, far]) {
      open.add(end);
      end.on("error", () => {}).on("close", () => { open.delete(end); near.destroy(); far.destroy(); });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    cut() { cut = true; for (const end of open) end.destroy(); },
    mend() { cut = false; },
    end() { this.cut(); server.close(); },
  };
}

test("what happens while the line is cut is there when it is back", async () => {
  const wire = await line(the.box.port);
  await the.box.start("Before the cut");
  const page = await the.open({ customer: CARLA }, { url: wire.url });
  await rows(page, "Before the cut").waitFor();
  wire.cut();
  await page.locator("#connection.lost").waitFor();
  await the.box.start("While you were away");
  wire.mend();
  await rows(page, "While you were away").waitFor();
  await page.locator("#connection.live").waitFor();
  assert.equal(await page.getByText("The sandbox was restarted").count(), 0);
  wire.end();
});

test("after a restart the page reconnects by itself and loads everything anew", async () => {
  const page = await the.open({ customer: CARLA });
  await rows(page, "Before the cut").waitFor();
  await the.box.stop();
  await page.locator("#connection.lost").waitFor();
  await page.getByText("The connection to the sandbox is lost").waitFor();
  second = await sandbox(the.box.port);
  await page.locator("#connection.live").waitFor();
  await page.getByText("The sandbox was restarted").waitFor();
  await inbox(page).getByText("Nothing here.").waitFor();
  await second.start("After the restart");
  await rows(page, "After the restart").waitFor();
  assert.equal(await rows(page).count(), 1);
});
