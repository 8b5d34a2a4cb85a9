/** What a machine's screen on the page shows, as text. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { readText, vgaFont } from "../systems/screen.ts";
import type { MachinePage } from "./page.ts";

const SEABIOS = "/usr/share/seabios";

/** Whether Debian's SeaBIOS is installed. */
export function hasSeaBios(): boolean {
  return existsSync(join(SEABIOS, "bios-256k.bin"));
}

/** A folder that is served as guests: SeaBIOS in `firmware/`, and files by their names there. */
export function pcGuests(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "mimus-guests-"));
  mkdirSync(join(folder, "firmware"));
  for (const name of ["bios-256k.bin", "vgabios-stdvga.bin"])
    copyFileSync(join(SEABIOS, name), join(folder, "firmware", name));
  for (const [name, path] of Object.entries(files)) symlinkSync(path, join(folder, name));
  return folder;
}

/** The text on the canvas; "" where there is no screen. */
async function canvasText({ page }: MachinePage): Promise<string> {
  const font = vgaFont();
  if (font === undefined) throw new Error("the VGA BIOS is missing");
  const shown = (await page.evaluate(`(() => {
    const canvas = document.getElementById("screen");
    if (document.getElementById("screen-box").hidden) return { width: 0, height: 0, bytes: "" };
    const { width, height } = canvas;
    const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
    let bytes = "";
    for (let at = 0; at < data.length; at += 4) bytes += String.fromCharCode(data[at], data[at + 1], data[at + 2]);
    return { width, height, bytes: btoa(bytes) };
  })()`)) as { width: number; height: number; bytes: string };
  const { width, height, bytes } = shown;
  return readText({ width, height, pixels: Buffer.from(bytes, "base64") }, font);
}

/** Waits until the canvas shows `what`. @returns seconds since the page was asked for */
export async function canvasShows(machine: MachinePage, what: string | RegExp, timeoutMs: number): Promise<number> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const text = await canvasText(machine);
    if (typeof what === "string" ? text.includes(what) : what.test(text))
      return (performance.now() - machine.openedAt) / 1000;
    const error = await machine.text("error");
    if (error !== "" || performance.now() > end)
      throw new Error(`${error || `${timeoutMs} ms passed`} before the canvas showed ${what}:\n${text}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
