import { execFileSync } from "node:child_process";
import { join } from "node:path";

import { expect, test } from "vitest";

import { SHELL_MARKER } from "../../tools/guests/initramfs.ts";
import { runFlowProcesses } from "../isa/flow-process.ts";
import { guest, oracle } from "../lib/mimus.ts";

const HOURS = 3_600_000;
const root = join(import.meta.dirname, "../..");

/** A number from the environment. */
const count = (name: string, otherwise: number): string => process.env[name] ?? `${otherwise}`;

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
  "a million instruction cases equal qemu-user's on all back ends (needs qemu-user-static)",
  { timeout: 2 * HOURS },
  () => {
    expect(
      script("isa/run.ts", "--cases", count("MIMUS_ISA_CASES", 1_000_000), "--seed", "2026", "--backend", "all"),
    ).toMatch(/\b0 differences/);
  },
);

test.skipIf(!oracle("qemu-system-riscv64") || !oracle("qemu-riscv64-static"))(
  "random control flow ends as under QEMU on all back ends (needs qemu-system-misc and qemu-user-static)",
  { timeout: 2 * HOURS },
  () => {
    const programs = count("MIMUS_FLOW_PROGRAMS", 8000);
    for (const seed of ["11", "12"])
      expect(script("isa/flow-run.ts", "--programs", programs, "--seed", seed)).toMatch(/\b0 differences, \d+ s/);
    const large = ["--programs", "400", "--blocks", "200", "--fuel", "20000", "--seed", "13"];
    expect(script("isa/flow-run.ts", ...large, "--sides", "interp,auto,region,stress,mixed")).toMatch(
      /\b0 differences, \d+ s/,
    );
  },
);

test.skipIf(!oracle("guestfish"))(
  "guestfish partitions, writes and reads disks over nbd:// (needs libguestfs-tools)",
  { timeout: HOURS },
  () => {
    expect(script("block/main.ts", "guestfish")).toMatch(/\b0 wrong/);
  },
);

test.skipIf(!oracle("qemu-riscv64-static")).each(["user", "signals"] as const)(
  "random control flow in Linux programs, mode %s, ends as under qemu-user (needs qemu-user-static)",
  { timeout: HOURS },
  async (mode) => {
    const programs = Number(count("MIMUS_FLOW_PROGRAMS", 8000)) / 40;
    for (let seed = 21; seed < 31; seed++) {
      const accels = ["tcg,backend=region", `tcg,backend=region,stress=${seed}`, "tcg,threshold=5"];
      const large = seed % 2 === 0 ? { blocks: 100, fuel: 5000 } : {};
      expect((await runFlowProcesses({ mode, programs, seed, accels, ...large })).differences).toEqual([]);
    }
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
    const log = script("tools/lockstep.ts", ...boot, "--blocks", "1000000000", "--until", SHELL_MARKER);
    expect(log).toContain(SHELL_MARKER);
    expect(log).toMatch(/no difference in \d+ blocks/);
  },
);

test.skipIf(kernel === undefined || initrd === undefined || bios === undefined).each([
  ["regions", []],
  ["small regions that come and go", ["--stress", "17", "--insns", "200000000"]],
] as const)(
  "interpreter and %s stay in lock-step over a thousand million instructions of Linux (needs 'pnpm guests')",
  { timeout: 2 * HOURS },
  (_, more) => {
    const boot = ["--bios", bios ?? "", "--kernel", kernel ?? "", "--initrd", initrd ?? "", "--memory", "256"];
    const how = ["--insns", count("MIMUS_LOCKSTEP_INSNS", 1_000_000_000), "--hot", "10", "--region-threshold", "30"];
    const log = script("tools/lockstep.ts", ...boot, ...how, ...more);
    expect(log).toMatch(/no difference in \d+ instructions; compiled \d+ blocks, [1-9]\d* regions/);
  },
);
