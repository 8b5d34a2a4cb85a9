import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

import { guest } from "../lib/mimus.ts";

const ready = guest("amd64/linux") !== undefined && guest("amd64/initramfs.gz") !== undefined;

test.skipIf(!ready)("two vCPUs on two threads (needs 'pnpm guests pc')", { timeout: 30 * 60_000 }, () => {
  const main = join(import.meta.dirname, "../smp/main.ts");
  const args = ["--conditions=@mimus/source", main, "--patience", "3"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 29 * 60_000 });
  expect([status, stdout.match(/^BAD.*$/gm) ?? [], stderr]).toEqual([0, [], ""]);
});
