// What the tests take from npm. It is installed into .tools/node (`make node-tools`), away from the
// tests, where `import` by name does not look: `const { IntercomClient } = tool("intercom-client")`.

import { createRequire } from "node:module";

/** A package of tests/node/package.json, by its name. */
export const tool = createRequire(new URL("../../.tools/node/package.json", import.meta.url));
