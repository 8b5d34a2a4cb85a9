import { execFileSync } from "node:child_process";
import { join } from "node:path";

import { expect, test } from "vitest";

import { guest, oracle } from "../lib/mimus.ts";

const HOURS = 3_600_000;
const root = join(import.meta.dirname, "../..");

/** Runs a script of this folder from source. @returns what it prints; throws when its exit status is not 0 */
function script(path: string, ...args: string[]): string {
  return execFileSync(process.execPath, ["--conditions=@mimus/source", join(root, "conformance", path), ...args], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 64 << 20,
  });
}

test.skipIf(!oracle("qemu-riscv64-static"))(
  "a million instruction cases equal qemu-user's on both back ends (needs qemu-user-static)",
  { timeout: HOURS },
  () => {
    expect(script("isa/run.ts", "--cases", "1000000", "--seed", "2026")).toMatch(/\b0 differences/);
  },
);

test("100,000 random code strings a mode end in an exception or a result", { timeout: HOURS }, () => {
  expect(script("isa/random-strings.ts", "--strings", "100000", "--seed", "2026")).toMatch(/\b0 internal errors/);
});

test.skipIf(!oracle("qemu-system-riscv64"))(
  "page walks and protection equal qemu-system's (needs qemu-system-misc)",
  { timeout: HOURS },
  () => {
    script("privileged/run.ts");
  },
);

const kernel = guest("riscv64/linux");
const initrd = guest("riscv64/initramfs.gz");
const bios = guest("riscv64/fw_dynamic.bin");

test.skipIf(kernel === undefined || initrd === undefined || bios === undefined)(
  "interpreter and compiled code stay in lock-step over a whole Linux boot (needs 'pnpm guests')",
  { timeout: 2 * HOURS },
  () => {
    const boot = ["--bios", bios ?? "", "--kernel", kernel ?? "", "--initrd", initrd ?? "", "--memory", "512"];
    const log = script("tools/lockstep.ts", ...boot, "--blocks", "1000000000", "--until", "MIMUS-GUEST-READY");
    expect(log).toContain("MIMUS-GUEST-READY");
    expect(log).toMatch(/no difference in \d+ blocks/);
  },
);
