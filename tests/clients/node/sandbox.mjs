// A sandbox of this file's own, from the built binary, and its control API.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const SEED = fileURLToPath(new URL("../seed.json", import.meta.url));

/** Starts `baton sandbox` (the binary in BATON) on a free port; it ends with `stop()`. */
export async function startSandbox() {
  const child = spawn(process.env.BATON, ["sandbox", "--listen", "127.0.0.1:0", "--seed", SEED], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await Promise.race([
    once(createInterface({ input: child.stdout }), "line"),
    once(child, "exit").then(([code]) => { throw new Error(`the sandbox ended with ${code} at its start`); }),
  ]);
  const url = line.match(/http:\S+/)[0];
  return {
    url,
    /** A request below /_sandbox, `"POST reset"` for one. */
    async control(request, body) {
      const [method, path] = request.split(" ");
      const answer = await fetch(`${url}/_sandbox/${path}`, {
        method,
        headers: { "content-type": "application/json" },
        body: body && JSON.stringify(body),
      });
      const said = await answer.json();
      if (!answer.ok) throw new Error(`${request}: ${answer.status} ${JSON.stringify(said)}`);
      return said;
    },
    async stop() {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    },
  };
}
