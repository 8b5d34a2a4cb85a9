import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

import { SHELL_MARKER } from "../../tools/guests/initramfs.ts";
import { guest } from "../lib/mimus.ts";
import { hasChromium, Site } from "../web/page.ts";

const MINUTE = 60_000;
const kernel = guest("riscv64/linux");
const initrd = guest("riscv64/initramfs.gz");
const opensbi = guest("riscv64/fw_dynamic.bin");
const uboot = guest("riscv64/u-boot-mmode.elf");
const missing = kernel === undefined || initrd === undefined || opensbi === undefined || !hasChromium();
const OPENSBI = { bios: "guests/riscv64/fw_dynamic.bin" };
const LINUX = {
  ...OPENSBI,
  kernel: "guests/riscv64/linux",
  initrd: "guests/riscv64/initramfs.gz",
  append: "console=ttyS0",
};

describe.skipIf(missing)("the page in Chromium (needs chromium and 'pnpm guests')", { timeout: MINUTE }, () => {
  let site: Site;
  beforeAll(async () => {
    site = await Site.start(opensbi ?? "");
  }, MINUTE);
  afterEach(() => site.closePages());
  afterAll(() => site.close());

  describe.each([
    ["without cross-origin isolation", false],
    ["with cross-origin isolation", true],
  ])("%s", (mode, isolated) => {
    test("Linux boots to a shell, answers, and powers off", { timeout: 4 * MINUTE }, async () => {
      const machine = await site.open(LINUX, { isolated });
      expect(await machine.page.evaluate("crossOriginIsolated")).toBe(isolated);
      expect(await machine.page.evaluate("typeof SharedArrayBuffer")).toBe(isolated ? "function" : "undefined");
      const seconds = await machine.shows(SHELL_MARKER, 3 * MINUTE);
      await machine.shows(/^~ # $|~ #$/m, MINUTE);
      await machine.type("uname -m; echo $((6*7))\n");
      await machine.shows(/riscv64\n42\n/, MINUTE);
      await machine.type("poweroff -f\n");
      await machine.says("Powered off", MINUTE);
      expect(await machine.page.locator("body").getAttribute("data-where")).toBe("worker");
      expect(machine.foreign).toEqual([]);
      expect(machine.complaints).toEqual([]);
      console.log(`Linux in Chromium, ${mode}: shell after ${seconds.toFixed(1)} s`);
    });

    test("OpenSBI prints its banner, in a worker and on the page itself", async () => {
      for (const run of ["worker", "page"]) {
        const machine = await site.open({ ...OPENSBI, run }, { isolated });
        await machine.shows("Boot HART MEDELEG", MINUTE / 2);
        expect(await machine.page.locator("body").getAttribute("data-where")).toBe(run);
        expect(await machine.text("status")).toBe("Running");
        expect(machine.complaints).toEqual([]);
      }
    });
  });

  test("files can be chosen in place of addresses", async () => {
    const machine = await site.open({}, { isolated: false });
    expect(await machine.text("status")).toBe("Not started");
    await machine.page.locator("#bios-file").setInputFiles(opensbi ?? "");
    await machine.page.locator("#boot").click();
    await machine.shows("Boot HART MEDELEG", MINUTE / 2);
  });

  test.each([
    [
      { ...LINUX, kernel: "guests/none" },
      /^Could not fetch 'http:.*\/guests\/none': the server answered 404 Not Found$/,
    ],
    [{ ...OPENSBI, kernel: "http://localhost:1/linux" }, /^Could not fetch 'http:\/\/localhost:1\/linux': .*CORS/],
    [{ ...OPENSBI, kernel: "http://[" }, /^'http:\/\/\[' is neither a chosen file nor an address$/],
    [{ kernal: "linux" }, /^The address has no parameter 'kernal'; there are: kernel, /],
    [{ ...OPENSBI, cpu: "z80" }, /^unknown CPU model 'z80' for riscv64/],
    [{ ...OPENSBI, disk: "opfs:none.img" }, /^Could not open 'opfs:none.img': no such file/],
  ] as [Record<string, string>, RegExp][])("a mistake is one clear line: %o", async (fields, message) => {
    const machine = await site.open(fields, { isolated: false });
    await expect.poll(() => machine.text("error"), { timeout: MINUTE / 2 }).toMatch(message);
    expect(await machine.page.locator("#error").getAttribute("role")).toBe("alert");
    expect(await machine.text("status")).toMatch(/^(Stopped|Not started)$/);
  });

  test("every control has a name, and the keyboard can leave the terminal", async () => {
    const machine = await site.open(OPENSBI, { isolated: false });
    await machine.shows("Boot HART MEDELEG", MINUTE / 2);
    const nameless = await machine.page.evaluate(
      `[...document.querySelectorAll("input, select, button, textarea")]
        .filter((e) => (e.labels?.length ?? 0) === 0 && !e.ariaLabel && e.textContent.trim() === "").map((e) => e.outerHTML)`,
    );
    expect(nameless).toEqual([]);
    const focused = (): Promise<unknown> => machine.page.evaluate("document.activeElement.id");
    await machine.type("x");
    await machine.page.keyboard.press("Tab");
    expect(await focused()).toBe("");
    await machine.page.keyboard.press("Shift+F6");
    expect(await focused()).toBe("what");
  });

  describe.skipIf(uboot === undefined)("U-Boot (needs 'pnpm guests all')", () => {
    const UBOOT = { bios: "guests/riscv64/u-boot-mmode.elf" };

    test("pauses, goes on, and is reset", async () => {
      const machine = await site.open(UBOOT, { isolated: false });
      await machine.shows("Hit any key", MINUTE / 2);
      await machine.page.locator("#pause").click();
      await machine.says("Paused", MINUTE);
      await machine.type(" ");
      const before = await machine.screen();
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(await machine.screen()).toBe(before);
      await machine.page.locator("#start").click();
      await machine.says("Running", MINUTE);
      await machine.shows("=>", MINUTE / 2);
      await machine.type("setenv greeting hello from before; clear\n");
      await machine.type("echo $greeting\n");
      await machine.shows("\nhello from before", MINUTE / 2);
      await machine.page.locator("#reset").click();
      await machine.shows(/hello from before[^]*Hit any key/, MINUTE / 2);
      await machine.type(" ");
      await machine.shows(/Hit any key[^]*=>/, MINUTE / 2);
      await machine.type("echo -$greeting-\n");
      await machine.shows("\n--", MINUTE / 2);
    });

    test(
      "a disk that the user chose stays as it was, unless it is kept in the browser",
      { timeout: 2 * MINUTE },
      async () => {
        const folder = mkdtempSync(join(tmpdir(), "mimus-disk-"));
        const image = new Uint8Array(2 ** 20);
        image.set(new TextEncoder().encode("MIMUSDISK"), 512);
        writeFileSync(join(folder, "disk.img"), image);
        const machine = await site.open({ ...UBOOT, autostart: "off" }, { isolated: false });
        for (const { keep, found } of [
          { keep: false, found: "MIMUSDISK" },
          { keep: false, found: "MIMUSDISK" },
          { keep: true, found: "MIMUSDISK" },
          { keep: true, found: "WWWWWWWWW" },
        ]) {
          // The same page boots again: the machine before has to let go of its disk.
          await machine.page.locator("#disk-file").setInputFiles(join(folder, "disk.img"));
          await machine.page.evaluate('document.querySelector("#setup").open = true');
          await machine.page.locator("#keep").setChecked(keep);
          await machine.page.locator("#boot").click();
          await machine.shows("Hit any key", MINUTE / 2);
          await machine.type(" ");
          await machine.shows("=>", MINUTE / 2);
          await machine.type("virtio scan; virtio read 81000000 1 1; md.b 81000000 10\n");
          await machine.shows(found, MINUTE / 2);
          await machine.type("clear; mw.b 81000000 57 9; virtio write 81000000 1 1; mw.b 81000000 0 10\n");
          await machine.type("virtio read 81000000 1 1; md.b 81000000 10\n");
          await machine.shows("WWWWWWWWW", MINUTE / 2);
          expect(await machine.text("error")).toBe("");
        }
        expect(readFileSync(join(folder, "disk.img")).equals(image)).toBe(true);
        rmSync(folder, { recursive: true });
      },
    );
  });
});
