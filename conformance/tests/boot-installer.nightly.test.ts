import { afterEach, expect, test } from "vitest";

import { Console } from "../lib/console.ts";
import { guest, startMimus } from "../lib/mimus.ts";

afterEach(() => Console.killAll());

const MINUTES = 60_000;
const kernel = guest("riscv64/installer-linux");
const initrd = guest("riscv64/installer-initrd.gz");

test.skipIf(kernel === undefined || initrd === undefined)(
  "Debian's installer reaches its first screen (needs 'pnpm guests all')",
  { timeout: 10 * MINUTES },
  async () => {
    const machine = startMimus([
      "system-riscv64",
      "-M",
      "virt",
      "-m",
      "768",
      "-nographic",
      "-kernel",
      kernel ?? "",
      "-initrd",
      initrd ?? "",
      "-append",
      "console=ttyS0",
    ]);
    await machine.waitFor("Select a language", 9 * MINUTES);
    await machine.type("\x01x");
    expect(await machine.exit(MINUTES)).toBe(0);
  },
);
