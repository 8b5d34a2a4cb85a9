/** PCs for longer: several processors, 64-bit memory test, a PC without PCI. */
import { afterEach, describe, expect, test } from "vitest";

import { Console } from "../lib/console.ts";
import { LinuxShell } from "../lib/linux-shell.ts";
import { guest, startMimus } from "../lib/mimus.ts";

afterEach(() => Console.killAll());

const MINUTES = 60_000;
const kernel = guest("amd64/linux");
const initrd = guest("amd64/initramfs.gz");
const kernel32 = guest("i386/installer-linux");
const initrd32 = guest("i386/initramfs.gz");
const memtest = guest("amd64/memtest.bin");

describe.skipIf(
  kernel === undefined ||
    initrd === undefined ||
    kernel32 === undefined ||
    initrd32 === undefined ||
    memtest === undefined,
)("PCs (needs 'pnpm guests pc')", { timeout: 15 * MINUTES }, () => {
  test("Linux sees two processors with -smp 2, and what SMBIOS was told", async () => {
    const console = startMimus([
        "system-x86_64", "-m", "256", "-nographic", "-vga", "none", "-smp", "2", "-smbios", "type=1,serial=MIMUS-SERIAL",
        "-kernel", kernel ?? "", "-initrd", initrd ?? "", "-append", "console=ttyS0",
      ]); // prettier-ignore
    const shell = new LinuxShell(console);
    await shell.ready(10 * MINUTES, "x86_64");
    await console.type("echo cpus=$(nproc); cat /sys/class/dmi/id/product_serial\n");
    await console.waitFor("cpus=2\r\nMIMUS-SERIAL", MINUTES);
    expect(await shell.powerOff(MINUTES)).toBe(0);
  });

  test("Linux boots on a PC without PCI", async () => {
    const console = startMimus([
        "system-i386", "-M", "isapc", "-cpu", "pentium2", "-m", "128", "-nographic", "-vga", "none",
        "-kernel", kernel32 ?? "", "-initrd", initrd32 ?? "", "-append", "console=ttyS0 noapic nolapic acpi=off",
      ]); // prettier-ignore
    await new LinuxShell(console).ready(10 * MINUTES, "i686");
    console.kill();
    await console.exit(MINUTES);
  });

  test("memtest86+ runs on x86_64 without errors", async () => {
    const console = startMimus([
        "system-x86_64", "-m", "32", "-nodefaults", "-vga", "none", "-serial", "stdio", "-kernel", memtest ?? "",
        "-append", "console=ttyS0,115200",
      ]); // prettier-ignore
    await console.waitFor(/Time: +0:01:0\d/, 5 * MINUTES);
    await console.waitFor(/Errors: 0/, MINUTES);
    console.kill();
    await console.exit(MINUTES);
  });
});
