import { afterEach, describe, expect, test } from "vitest";

import { Console } from "../lib/console.ts";
import { guest, startMimus } from "../lib/mimus.ts";

afterEach(() => Console.killAll());

const MINUTES = 60_000;
const mmode = guest("riscv64/u-boot-mmode.elf");
const smode = guest("riscv64/u-boot-smode.elf");
const opensbi = guest("riscv64/fw_dynamic.bin");

describe.skipIf(mmode === undefined || smode === undefined || opensbi === undefined)(
  "firmware (needs 'pnpm guests all')",
  { timeout: 2 * MINUTES },
  () => {
    test.each([
      ["U-Boot in M-mode", ["-bios", mmode ?? ""]],
      ["OpenSBI and U-Boot in S-mode", ["-kernel", smode ?? ""]],
    ])("%s reaches its prompt and answers", async (_, args) => {
      const machine = startMimus(["system-riscv64", "-M", "virt", "-m", "128", "-nographic", ...args]);
      await machine.waitFor("Hit any key", MINUTES);
      await machine.type(" ");
      await machine.waitFor("=>", MINUTES);
      await machine.type("version\n");
      await machine.waitFor("U-Boot 2023", MINUTES);
      await machine.type("\x01x");
      expect(await machine.exit(MINUTES)).toBe(0);
    });

    test("OpenSBI prints its banner and finds every processor", async () => {
      const machine = startMimus(["system-riscv64", "-M", "virt", "-smp", "2", "-nographic", "-bios", opensbi ?? ""]);
      await machine.waitFor("Platform HART Count       : 2", MINUTES);
      await machine.waitFor("Boot HART MEDELEG", MINUTES);
      machine.kill();
      await machine.exit(MINUTES);
    });
  },
);

// Debian has OpenSBI for 64 bits only; a file built from its source by hand is used where it is.
const opensbi32 = process.env["MIMUS_OPENSBI32"];
describe.skipIf(opensbi32 === undefined)(
  "RV32 firmware (MIMUS_OPENSBI32 names a 32-bit fw_dynamic.bin; Debian has none)",
  () => {
    test("OpenSBI prints its banner", { timeout: MINUTES }, async () => {
      const machine = startMimus(["system-riscv32", "-M", "virt", "-nographic", "-bios", opensbi32 ?? ""]);
      await machine.waitFor("rv32imafdc", MINUTES);
      await machine.waitFor("Boot HART MEDELEG", MINUTES);
      machine.kill();
      await machine.exit(MINUTES);
    });
  },
);
