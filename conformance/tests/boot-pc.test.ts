import { afterEach, describe, expect, test } from "vitest";

import { Console } from "../lib/console.ts";
import { LinuxShell } from "../lib/linux-shell.ts";
import { guest, oracle, startMimus } from "../lib/mimus.ts";

afterEach(() => Console.killAll());

const MINUTES = 60_000;

/** A PC with its serial port and its monitor on the terminal. */
function pc(target: "x86_64" | "i386", ...more: string[]): Console {
  return startMimus([`system-${target}`, "-m", "256", "-nographic", "-vga", "none", ...more]);
}

// Debian's package seabios installs its files without a program: iasl stands for all that .ci/run installs.
describe.skipIf(!oracle("qemu-system-x86_64"))("firmware (needs Debian's seabios)", { timeout: 4 * MINUTES }, () => {
  test.each([
    ["x86_64", "pc"],
    ["x86_64", "isapc"],
  ] as const)(
    "SeaBIOS of %s, machine %s, finds nothing to boot, and starts again after a reset",
    async (target, machine) => {
      const console = pc(target, "-M", machine);
      await console.waitFor("SeaBIOS (version", MINUTES);
      await console.waitFor("No bootable device.", 2 * MINUTES);
      await console.type("\x01c");
      await console.waitFor("(qemu)", MINUTES);
      await console.type("system_reset\n\x01c");
      const seen = console.log.length;
      await console.waitFor("No bootable device.", 2 * MINUTES);
      expect(console.log.slice(seen)).toContain("SeaBIOS (version");
      await console.type("\x01x");
      expect(await console.exit(MINUTES)).toBe(0);
    },
  );

  test("shows its boot menu", async () => {
    const console = pc("x86_64", "-boot", "menu=on,splash-time=60000");
    await console.waitFor("Press ESC for boot menu", 2 * MINUTES);
    await console.type("\x1b");
    await console.waitFor("Select boot device:", MINUTES);
    console.kill();
    await console.exit(MINUTES);
  });
});

const kernel = guest("amd64/linux");
const initrd = guest("amd64/initramfs.gz");
const kernel32 = guest("i386/installer-linux");
const initrd32 = guest("i386/initramfs.gz");

describe.skipIf(kernel === undefined || initrd === undefined || !oracle("qemu-system-x86_64"))(
  "Debian's Linux for amd64 (needs 'pnpm guests pc')",
  { timeout: 10 * MINUTES },
  () => {
    const boot = (...more: string[]): Console =>
      pc("x86_64", "-kernel", kernel ?? "", "-initrd", initrd ?? "", "-append", "console=ttyS0", ...more);

    test("boots to a shell, runs commands, powers off with status 0", async () => {
      const console = boot();
      const shell = new LinuxShell(console);
      await shell.ready(5 * MINUTES, "x86_64");
      await console.type("echo $((6*7)); head -c 1000000 /dev/zero | md5sum; ls /sys/firmware/acpi/tables\n");
      await console.waitFor("42\r\n879f4bba57ed37c9ec5e5aedf9864698", MINUTES);
      await console.waitFor("DSDT", MINUTES);
      expect(await shell.powerOff(MINUTES)).toBe(0);
    });
  },
);

describe.skipIf(kernel32 === undefined || initrd32 === undefined || !oracle("qemu-system-x86_64"))(
  "Debian's Linux for i386 (needs 'pnpm guests pc')",
  { timeout: 10 * MINUTES },
  () => {
    test("boots to a shell, starts again", async () => {
      const console = pc("i386", "-kernel", kernel32 ?? "", "-initrd", initrd32 ?? "", "-append", "console=ttyS0");
      await new LinuxShell(console).ready(5 * MINUTES, "i686");
      await console.type("head -c 1000000 /dev/zero | md5sum\n");
      await console.waitFor("879f4bba57ed37c9ec5e5aedf9864698", MINUTES);
      await console.type("reboot -f\n");
      await console.waitFor("SeaBIOS (version", MINUTES);
      console.kill();
      await console.exit(MINUTES);
    });
  },
);

const memtest = guest("i386/memtest.bin");
const invaders = guest("i386/invaders.exec");

describe.skipIf(memtest === undefined || invaders === undefined)(
  "other software (needs 'pnpm guests pc')",
  { timeout: 6 * MINUTES },
  () => {
    test.each([["i386", memtest]] as const)("memtest86+ runs on %s", async (target, image) => {
      const console = startMimus([
        `system-${target}`, "-m", "32", "-nodefaults", "-vga", "none", "-serial", "stdio", "-kernel", image ?? "",
        "-append", "console=ttyS0,115200",
      ]); // prettier-ignore
      await console.waitFor("Memtest86", 2 * MINUTES);
      await console.waitFor(/Time: +0:00:0[3-9]/, 4 * MINUTES);
      await console.waitFor(/Errors: 0/, MINUTES);
      console.kill();
      await console.exit(MINUTES);
    });

    test("a multiboot game draws its rows", async () => {
      const console = startMimus([
        "system-i386", "-m", "64", "-display", "none", "-monitor", "stdio", "-kernel", invaders ?? "",
      ]); // prettier-ignore
      // Cells of the text screen: characters and attributes.
      await expect
        .poll(
          async () => {
            await console.type("xp /800xh 0xb8000\n");
            await new Promise((resolve) => setTimeout(resolve, 2000));
            return [...console.log.matchAll(/0x[0-9a-f]{2}2d 0x[0-9a-f]{2}2a 0x[0-9a-f]{2}2d/g)].length > 5;
          },
          { timeout: 2 * MINUTES, interval: 1000 },
        )
        .toBe(true);
      await console.type("quit\n");
      expect(await console.exit(MINUTES)).toBe(0);
    });
  },
);
