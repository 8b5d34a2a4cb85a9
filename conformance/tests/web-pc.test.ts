import { rmSync } from "node:fs";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

import { SHELL_MARKER } from "../../tools/guests/initramfs.ts";
import { guest } from "../lib/mimus.ts";
import { canvasShows, hasSeaBios, pcGuests } from "../web/canvas.ts";
import { hasChromium, Site } from "../web/page.ts";

const MINUTE = 60_000;
const kernel = guest("amd64/linux");
const initrd = guest("amd64/initramfs.gz");
const missing = kernel === undefined || initrd === undefined || !hasSeaBios() || !hasChromium();

describe.skipIf(missing)(
  "a PC on the page in Chromium (needs chromium, seabios and 'pnpm guests pc')",
  { timeout: 15 * MINUTE },
  () => {
    let site: Site;
    let guests: string;
    beforeAll(async () => {
      guests = pcGuests({ linux: kernel ?? "", "initramfs.gz": initrd ?? "" });
      site = await Site.start(join(guests, "firmware/bios-256k.bin"));
    }, MINUTE);
    afterEach(() => site.closePages());
    afterAll(async () => {
      await site.close();
      rmSync(guests, { recursive: true });
    });

    test.each([
      ["without cross-origin isolation", false],
      ["with cross-origin isolation", true],
    ])("Linux for amd64 boots to a shell on the screen and takes keys, %s", async (mode, isolated) => {
      const machine = await site.open(
        {
          target: "x86_64",
          memory: "256",
          bios: "guests/firmware/bios-256k.bin",
          kernel: "guests/linux",
          initrd: "guests/initramfs.gz",
          // Messages of the kernel would come between what is typed.
          append: "console=tty0 loglevel=4",
        },
        { isolated },
      );
      expect(await machine.page.evaluate("typeof SharedArrayBuffer")).toBe(isolated ? "function" : "undefined");
      const seconds = await canvasShows(machine, `${SHELL_MARKER} x86_64`, 12 * MINUTE);
      await canvasShows(machine, /^~ #$/m, MINUTE);
      await machine.page.locator("#screen").focus();
      const { keyboard } = machine.page;
      await keyboard.type("echo ", { delay: 60 });
      await keyboard.press("Shift+KeyM", { delay: 60 });
      await keyboard.type("imus 42; sleep 5; poweroff -f", { delay: 60 });
      await canvasShows(machine, "~ # echo Mimus 42; sleep 5; poweroff -f", MINUTE);
      await keyboard.press("Enter", { delay: 60 });
      await canvasShows(machine, /^Mimus 42$/m, MINUTE);
      await machine.says("Powered off", MINUTE);
      expect(machine.foreign).toEqual([]);
      expect(machine.complaints).toEqual([]);
      console.log(`Linux for amd64 in Chromium, ${mode}: shell after ${seconds.toFixed(1)} s`);
    });
  },
);
