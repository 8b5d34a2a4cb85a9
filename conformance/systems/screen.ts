/** What a PC shows on its VGA screen, read as text from its picture. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Console } from "../lib/console.ts";
import { startMimus } from "../lib/mimus.ts";
import { MINUTE, PATIENCE, recordScreen } from "./patience.ts";

/** Pixels of a character; a text mode of 720 pixels has a ninth column between characters. */
const [GLYPH_WIDTH, GLYPH_HEIGHT] = [8, 16];
/** The letter A in the font of 16 lines that VGA BIOSes have, and that Linux draws with. */
const LETTER_A = Uint8Array.of(0, 0, 0x10, 0x38, 0x6c, 0xc6, 0xc6, 0xfe, 0xc6, 0xc6, 0xc6, 0xc6, 0, 0, 0, 0);
const VGA_BIOS = "/usr/share/seabios/vgabios-stdvga.bin";

/** A picture as `screendump` writes it. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Three bytes a pixel. */
  readonly pixels: Uint8Array;
}

/** Characters by their lines, as text; the first of equal ones. */
export type Font = ReadonlyMap<string, string>;

/** The font of 8 by 16 pixels in a VGA BIOS. */
function fontOf(bios: Uint8Array): Font {
  const a = Buffer.from(bios).indexOf(LETTER_A);
  const start = a - 65 * GLYPH_HEIGHT;
  if (a < 0 || start < 0) throw new Error("the VGA BIOS has no font of 16 lines");
  const font = new Map<string, string>();
  for (let c = 32; c < 127; c++) {
    const lines = bios.subarray(start + c * GLYPH_HEIGHT, start + (c + 1) * GLYPH_HEIGHT);
    font.set(lines.join(), String.fromCharCode(c));
  }
  return font;
}

/** The font of Debian's SeaVGABIOS, or undefined where it is not installed. */
export function vgaFont(): Font | undefined {
  return existsSync(VGA_BIOS) ? fontOf(readFileSync(VGA_BIOS)) : undefined;
}

/** Reads a PPM of kind P6. */
function readPpm(bytes: Uint8Array): Picture {
  const head = /^P6\s+(\d+)\s+(\d+)\s+255\s/.exec(Buffer.from(bytes.subarray(0, 64)).toString("latin1"));
  if (head === null) throw new Error("not a PPM picture");
  const picture = { width: Number(head[1]), height: Number(head[2]), pixels: bytes.subarray(head[0].length) };
  if (picture.pixels.length < picture.width * picture.height * 3) throw new Error("a PPM picture ends early");
  return picture;
}

/** The characters that a picture shows, a line each row; what is no character of the font is a space. */
export function readText({ width, height, pixels }: Picture, font: Font): string {
  const step = width === 720 ? 9 : GLYPH_WIDTH;
  const colour = (x: number, y: number): number => {
    const at = (y * width + x) * 3;
    return ((pixels[at] ?? 0) << 16) | ((pixels[at + 1] ?? 0) << 8) | (pixels[at + 2] ?? 0);
  };
  const character = (left: number, top: number): string => {
    const first = colour(left, top);
    const lines = Array.from({ length: GLYPH_HEIGHT }, (_, y) => {
      let line = 0;
      for (let x = 0; x < GLYPH_WIDTH; x++) line = (line << 1) | (colour(left + x, top + y) === first ? 0 : 1);
      return line;
    });
    return font.get(lines.join()) ?? " ";
  };
  const rows: string[] = [];
  for (let y = 0; y + GLYPH_HEIGHT <= height; y += GLYPH_HEIGHT) {
    let row = "";
    for (let x = 0; x + GLYPH_WIDTH <= width; x += step) row += character(x, y);
    rows.push(row.trimEnd());
  }
  return rows.join("\n");
}

/** A PC with its monitor on the terminal and a screen that is only read. */
export class ScreenPc {
  readonly console: Console;
  readonly #font: Font;
  #last = "";
  readonly #folder: string = mkdtempSync(join(tmpdir(), "mimus-screen-"));

  constructor(target: "x86_64" | "i386", args: readonly string[], options: { qemu?: boolean } = {}) {
    const font = vgaFont();
    if (font === undefined) throw new Error(`${VGA_BIOS} is missing: Debian's package seabios`);
    this.#font = font;
    const all = ["-display", "none", "-serial", "none", "-nic", "none", "-monitor", "stdio", ...args];
    this.console =
      options.qemu === true ? new Console(`qemu-system-${target}`, all) : startMimus([`system-${target}`, ...all]);
  }

  /** What the screen shows now, or "" before it shows anything. */
  async text(): Promise<string> {
    const path = join(this.#folder, "screen.ppm");
    rmSync(path, { force: true });
    const from = this.console.log.length;
    await this.console.type(`screendump ${path}\n`);
    for (let tries = 0; tries < 100 * PATIENCE; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      if (existsSync(path))
        try {
          return readText(readPpm(readFileSync(path)), this.#font);
        } catch {
          // Not written yet.
        }
      else if (this.console.log.slice(from).includes("shown nothing")) return "";
    }
    throw new Error(`screendump wrote no picture: ${this.console.log.slice(-500)}`);
  }

  /** Waits until the screen shows `what`, and presses `key` again and again meanwhile. @returns seconds since the start */
  async shows(what: string | RegExp, minutes: number, key?: string): Promise<number> {
    const end = performance.now() + minutes * MINUTE;
    for (;;) {
      const text = await this.text();
      const seconds = (performance.now() - this.console.startedAt) / 1000;
      if (text !== this.#last) recordScreen(text, seconds);
      this.#last = text;
      if (typeof what === "string" ? text.includes(what) : what.test(text)) return seconds;
      if (performance.now() > end) throw new Error(`${minutes} minutes passed before ${what} was shown:\n${text}`);
      if (key !== undefined) await this.keys(key);
      await new Promise((resolve) => setTimeout(resolve, key === undefined ? 2000 : 100));
    }
  }

  /** Presses keys of the monitor's names. */
  async keys(...names: string[]): Promise<void> {
    for (const name of names) {
      await this.console.type(`sendkey ${name}\n`);
      await new Promise((resolve) => setTimeout(resolve, 400));
    }
  }

  async close(): Promise<number> {
    await this.console.type("quit\n");
    const status = await this.console.exit(MINUTE);
    rmSync(this.#folder, { recursive: true, force: true });
    return status;
  }
}
