/** The page of disk images in Chromium: an image from the local disk, its tree, snapshots, map and export. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { oracle } from "../lib/mimus.ts";
import { hasChromium, Site } from "../web/page.ts";

const MINUTE = 60_000;
const ready = oracle("qemu-img") && oracle("qemu-io") && hasChromium();
if (!ready) console.warn("the page of images: skipped, qemu-utils or chromium is not installed");

describe.skipIf(!ready)("the page of disk images", { timeout: 2 * MINUTE }, () => {
  const folder = mkdtempSync(join(tmpdir(), "mimus-images-"));
  const place = (name: string): string => join(folder, name);
  const run = (command: string, args: readonly string[]): void => {
    const { status, stderr } = spawnSync(command, args, { cwd: folder, encoding: "utf8" });
    if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${stderr}`);
  };
  const write = (image: string, ...commands: string[]): void =>
    run("qemu-io", ["-f", "qcow2", image, ...commands.flatMap((c) => ["-c", c])]);
  let site: Site;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    run("qemu-img", ["create", "-q", "-f", "qcow2", "base.qcow2", "16M"]);
    write("base.qcow2", "write -P 0x11 0 2M", "write -P 0x22 8M 64k");
    run("qemu-img", ["create", "-q", "-f", "qcow2", "-b", "base.qcow2", "-F", "qcow2", "top.qcow2"]);
    write("top.qcow2", "write -P 0x33 1M 1M", "write -z 8M 64k");
    run("qemu-img", ["snapshot", "-c", "before", "top.qcow2"]);
    write("top.qcow2", "write -P 0x44 12M 4M");
    site = await Site.start();
    page = await site.visit("images.html");
    page.on("pageerror", (error) => complaints.push(error.message));
  }, MINUTE);
  afterAll(async () => {
    await site.close();
    rmSync(folder, { recursive: true });
  });

  test("shows tree, facts, snapshots and a picture of what is allocated", async () => {
    await page.locator("#files").setInputFiles([place("top.qcow2"), place("base.qcow2")]);
    await page.locator("#top").selectOption("top.qcow2");
    await page.locator("#status", { hasText: "Open, read-only" }).waitFor({ timeout: MINUTE });
    const tree = await page.locator("#tree").innerText();
    expect(tree).toContain("image: qcow2, 16 MiB, top.qcow2");
    expect(tree).toContain("backing: qcow2, 16 MiB, base.qcow2");
    const facts = await page.locator("#facts").innerText();
    expect(facts).toContain("cluster size\n64 KiB");
    expect(facts).toContain("backing file\nbase.qcow2");
    expect(await page.locator("#snapshots tbody tr").allInnerTexts()).toEqual([expect.stringMatching(/^1\s+before\s/)]);
    const legend = await page.locator("#legend").innerText();
    expect(legend).toContain("data: 5 MiB");
    expect(legend).toContain("in an image below: 1 MiB");
    expect(legend).toContain("zeroes: 64 KiB");
    // A dot is 512 bytes: the middle of each range has the colour of its kind.
    const dots = [512 * 1024, 1536 * 1024, 4 << 20, (8 << 20) + 4096, 14 << 20].map((at) => at / 512);
    const colours = await page.evaluate(`(() => {
      const context = document.querySelector("#map").getContext("2d");
      return ${JSON.stringify(dots)}.map((dot) => context.getImageData(dot % 512, Math.floor(dot / 512), 1, 1).data.join());
    })()`);
    expect(colours).toEqual([
      "244,164,96,255",
      "34,102,170,255",
      "236,236,236,255",
      "176,196,222,255",
      "34,102,170,255",
    ]);
  });

  test.each([
    ["the disk", "", [] as string[]],
    ["a snapshot", "1", ["-l", "snapshot.id=1"]],
  ])("exports %s as raw, as qemu-img does", async (_what, source, more) => {
    run("qemu-img", ["convert", ...more, "-O", "raw", "top.qcow2", "wanted.raw"]);
    await page.locator("#source").selectOption(source);
    const [download] = await Promise.all([page.waitForEvent("download"), page.locator("#export").click()]);
    expect(download.suggestedFilename()).toBe("top.raw");
    await download.saveAs(place("got.raw"));
    const sha = (name: string): string =>
      createHash("sha256")
        .update(readFileSync(place(name)))
        .digest("hex");
    expect(sha("got.raw")).toBe(sha("wanted.raw"));
  });

  test("says which image is missing, and what is wrong with one that is none", async () => {
    await page.locator("#files").setInputFiles([place("top.qcow2")]);
    await page.locator("#status", { hasText: "Open, read-only" }).waitFor({ timeout: MINUTE });
    expect(await page.locator("#error").innerText()).toMatch(/'base.qcow2' was not chosen/);
    await page.locator("#format").selectOption("vdi");
    await page.locator("#status", { hasText: "No image is open" }).waitFor({ timeout: MINUTE });
    expect(await page.locator("#error").innerText()).toMatch(/top\.qcow2/);
    expect(complaints).toEqual([]);
  });
});
