/** A PC that sleeps with its memory kept, and its firmware that finds out so. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, afterEach, describe, expect, test } from "vitest";

import { Console } from "../lib/console.ts";
import { oracle, startMimus } from "../lib/mimus.ts";

/**
 * A multiboot program. It finds the FADT and FACS, writes 8000h as waking vector, switches ACPI on, sets RTC_EN and the clock's alarm for
 * every second, prints S and sleeps with type 1. At 8000h, in real mode, it prints W; K when memory is as it was; A when PM1 status has
 * WAK_STS; R when it has RTC_STS; and ends the machine by port F4h. It prints to port E9h.
 */
const PROGRAM = Buffer.from(
  [
    "02b0ad1b00000100fe4f51e40000100000001000350110003501100020001000bc00700000be00000e00813e525344207509817e0450545220741483",
    "c61081fe0000100072e4b03fe6e9e9ad0000008b76108b4e048d140e83c62439d60f83990000008b1e83c604813b4641435075eb8b7b24c7470c0080",
    "0000668b53308a4334ee668b534066eda80174fa668b53386683c20266b8000466ef668b6b3866892d04900000c705009000004b454550be01011000",
    "53bf00800000b934000000f3a45bb10188c8e670b0c0e67180c10280f90772f0b00ce670e471b00be670e4710c2088c4b00be67088e0e671b053e6e9",
    "668b534066b8012466efebfeb000e6f4f431c08ed8b057e6e966813e00904b4545507504b04be6e98b160490edf6c4807404b041e6e9edf6c4047404",
    "b052e6e9b000e6f4f4",
  ].join(""),
  "hex",
);
const MINUTE = 60_000;
const directory = mkdtempSync(join(tmpdir(), "mimus-sleep-"));
const kernel = join(directory, "sleep");
writeFileSync(kernel, PROGRAM);
const OPTIONS = [
  ...["-M", "pc", "-m", "64", "-nodefaults", "-display", "none", "-kernel", kernel, "-chardev", "stdio,id=c"],
  ...["-device", "isa-debugcon,iobase=0xe9,chardev=c", "-device", "isa-debug-exit,iobase=0xf4,iosize=4"],
];

afterEach(() => Console.killAll());
afterAll(() => rmSync(directory, { recursive: true }));

describe.skipIf(!oracle("qemu-system-x86_64"))(
  "S3 (needs Debian's qemu-system-x86 and seabios)",
  { timeout: 3 * MINUTE },
  () => {
    test.each([
      ["QEMU", () => new Console("qemu-system-x86_64", OPTIONS)],
      ["this", () => startMimus(["system-x86_64", ...OPTIONS])],
    ] as const)("the clock's alarm wakes the PC, and firmware goes to the waking vector: %s", async (_name, start) => {
      const console = start();
      expect(await console.exit(2 * MINUTE)).toBe(1);
      expect(console.log).toBe("SWKAR");
    });
  },
);
