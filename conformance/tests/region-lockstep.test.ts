/** The beginning of a Linux boot in lock-step; the whole of it is in the nightly runs. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { guest } from "../lib/mimus.ts";

const kernel = guest("riscv64/linux");
const bios = guest("riscv64/fw_dynamic.bin");

test.skipIf(kernel === undefined || bios === undefined)(
  "interpreter and regions stay in lock-step as Linux begins to boot (needs 'pnpm guests')",
  { timeout: 300_000 },
  () => {
    const insns = process.env["MIMUS_LOCKSTEP_INSNS"] ?? "60000000";
    const root = join(import.meta.dirname, "../..");
    const args = ["--kernel", kernel ?? "", "--bios", bios ?? "", "--memory", "128", "--insns", insns];
    const how = ["--hot", "5", "--region-threshold", "10"];
    const tool = join(root, "conformance/tools/lockstep.ts");
    const log = execFileSync(process.execPath, ["--conditions=@mimus/source", tool, ...args, ...how], {
      cwd: root,
      encoding: "utf8",
      maxBuffer: 64 << 20,
    });
    expect(log).toMatch(/no difference in \d+ instructions; compiled \d+ blocks, [1-9]\d{2,} regions/);
  },
);
