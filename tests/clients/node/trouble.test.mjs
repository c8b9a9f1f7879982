// What Intercom's client for JavaScript makes of trouble: limits, faults, cut lines, slowness. Some of
// it sends a message twice; these tests hold on to that, so that nobody relies on the client there.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { tool } from "../../node/tools.mjs";
import { startSandbox } from "./sandbox.mjs";

const { IntercomClient, IntercomError } = tool("intercom-client");
const CARLA = "65b0c0ffee0000000000c001";

let sandbox;
before(async () => { sandbox = await startSandbox(); });
after(() => sandbox.stop());

const client = (options) => new IntercomClient({ token: "clients-token", baseUrl: sandbox.url, ...options });
const comment = (body) => ({ message_type: "comment", type: "admin", admin_id: "101", body });

async function conversation() {
  const message = await client().conversations.create({ from: { type: "user", id: CARLA }, body: "Hello" });
  return message.conversation_id;
}

async function saidIn(id) {
  const found = await client().conversations.find({ conversation_id: id, display_as: "plaintext" });
  return found.conversation_parts.conversation_parts.map((part) => part.body);
}

/** What the sandbox answered to requests whose path has this in it. Null is a cut line. */
async function statuses(part) {
  const { requests } = await sandbox.control("GET requests");
  return requests.filter(({ path }) => path.includes(part)).map(({ status }) => status);
}

describe("trouble", { concurrency: true }, () => {
  test("the version is the client's own, another when it is asked for, and is answered", async () => {
    const versionOf = async (options) =>
      (await client(options).teams.list().withRawResponse()).rawResponse.headers.get("intercom-version");
    assert.equal(await versionOf({}), "2.14");
    for (const version of ["2.10", "2.11", "2.12", "2.13", "2.15", "2.16"])
      assert.equal(await versionOf({ version }), version);
  });

  test("limits are told with every answer", async () => {
    const { rawResponse } = await client().teams.find({ team_id: "201" }).withRawResponse();
    assert.equal(rawResponse.status, 200);
    assert.equal(rawResponse.headers.get("x-ratelimit-limit"), "1666");
    assert.match(rawResponse.headers.get("x-ratelimit-remaining"), /^1[56]\d\d$/);
    assert.equal(Number(rawResponse.headers.get("x-ratelimit-reset")) % 10, 0);
    assert.match(rawResponse.headers.get("x-request-id"), /^[0-9a-f-]{36}$/);
  });

  test("over the limit the client waits until the window ends, and then has its answer", async () => {
    const small = client({ token: "small-token" });
    // Six requests are to fit into one window, on a slow machine too.
    while (Date.now() / 1000 % 10 > 3) await sleep(100);
    let reset;
    for (const left of ["4", "3", "2", "1", "0"]) {
      const { rawResponse } = await small.admins.list().withRawResponse();
      assert.equal(rawResponse.headers.get("x-ratelimit-remaining"), left);
      reset = Number(rawResponse.headers.get("x-ratelimit-reset"));
    }
    await assert.rejects(small.admins.list({ maxRetries: 0 }), (error) => {
      assert.equal(error.statusCode, 429);
      assert.equal(error.body.errors[0].code, "rate_limit_exceeded");
      assert.equal(error.body.errors[0].message, "Exceeded rate limit of 5 in 10_seconds");
      return true;
    });
    const { admins } = await small.admins.list();
    assert.equal(admins.length, 1);
    assert.ok(Date.now() / 1000 >= reset);
    assert.deepEqual(await statuses("/admins"), [200, 200, 200, 200, 200, 429, 429, 200]);
  });

  test("a failure before anything was done is repeated, and nothing is twice", async () => {
    const id = await conversation();
    await sandbox.control("POST faults", { match: { path_contains: `${id}/reply` }, fault: "fail_before", status: 502 });
    await client().conversations.reply({ conversation_id: id, body: comment("Once") });
    assert.deepEqual(await saidIn(id), ["Once"]);
    assert.deepEqual(await statuses(`${id}/reply`), [502, 200]);
  });

  test("TRAP: a failure after the reply was stored is repeated too, and the customer reads it twice", async () => {
    const id = await conversation();
    await sandbox.control("POST faults", { match: { path_contains: `${id}/reply` }, fault: "fail_after", status: 503 });
    await client().conversations.reply({ conversation_id: id, body: comment("Twice") });
    assert.deepEqual(await saidIn(id), ["Twice", "Twice"]);
    assert.deepEqual(await statuses(`${id}/reply`), [503, 200]);
  });

  test("without retries the failure is the caller's to judge", async () => {
    const id = await conversation();
    await sandbox.control("POST faults", { match: { path_contains: `${id}/reply` }, fault: "fail_after", status: 503 });
    await assert.rejects(
      client().conversations.reply({ conversation_id: id, body: comment("Once") }, { maxRetries: 0 }),
      (error) => error instanceof IntercomError && error.statusCode === 503,
    );
    assert.deepEqual(await saidIn(id), ["Once"]);
  });

  test("TRAP: a line cut after the reply was stored is an error, though the customer reads the reply", async () => {
    const id = await conversation();
    await sandbox.control("POST faults", { match: { path_contains: `${id}/reply` }, fault: "disconnect_after" });
    await assert.rejects(
      client().conversations.reply({ conversation_id: id, body: comment("Once") }),
      (error) => error instanceof IntercomError && error.statusCode === undefined,
    );
    assert.deepEqual(await saidIn(id), ["Once"]);
    assert.deepEqual(await statuses(`${id}/reply`), [null]);
  });

  test("a late answer is a timeout", async () => {
    const id = await conversation();
    await sandbox.control("POST faults", { match: { path_contains: `/conversations/${id}` }, fault: "delay", delay_ms: 5000 });
    const asked = Date.now();
    // Not an IntercomTimeoutError, which the client makes of another error than fetch gives it.
    await assert.rejects(
      client().conversations.find({ conversation_id: id }, { timeoutInSeconds: 1 }),
      (error) => error instanceof IntercomError && error.message === '"timeout"',
    );
    assert.ok(Date.now() - asked < 4000);
    assert.equal((await client().conversations.find({ conversation_id: id })).id, id);
  });

  for (const fault of ["delay", "delay_after"]) {
    test(`TRAP: a reply that is answered too late (${fault}) is stored all the same`, async () => {
      const id = await conversation();
      await sandbox.control("POST faults", { match: { path_contains: `${id}/reply` }, fault, delay_ms: 1500 });
      await assert.rejects(
        client().conversations.reply({ conversation_id: id, body: comment("Once") }, { timeoutInSeconds: 1 }),
        (error) => error instanceof IntercomError && error.message === '"timeout"',
      );
      const until = Date.now() + 10_000;
      while (!(await statuses(`${id}/reply`)).length) {
        assert.ok(Date.now() < until);
        await sleep(50);
      }
      assert.deepEqual(await saidIn(id), ["Once"]);
    });
  }
});
