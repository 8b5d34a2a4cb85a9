/** Modes of a VGA as operations of the test protocol. Source of the values: IBM PS/2 and PC BIOS Interface Technical Reference, video parameter table. */
import type { Seeded } from "@mimus/testkit";

interface VgaMode {
  /** Miscellaneous output, then the registers of sequencer, CRT controller, graphics controller, attribute controller. */
  readonly misc: number;
  readonly seq: string;
  readonly crtc: string;
  readonly gfx: string;
  readonly attr: string;
}
/** Width, height, bits, virtual width, x and y. */
type LinearMode = readonly [width: number, height: number, bpp: number, virtual?: number, x?: number, y?: number];

const CRTC = {
  text80: "5f4f508255 81bf1f004f2000000000009c8e8f281f96b9a3ff",
  text40: "2d27289 02ba0bf1f004f2000000000009c8e8f141f96b9a3ff",
  cga4: "2d2728902b80bf1f00c1000000000000 9c8e8f140096b9a2ff",
  cga6: "5f4f50825480bf1f00c1000000000000 9c8e8f280096b9c2ff",
  low: "2d2728902b80bf1f00c0000000000000 9c8e8f140096b9e3ff",
  high: "5f4f508254800b3e0040000000000000 ea8cdf2800e704e3ff",
  mode13: "5f4f50825480bf1f0041000000000000 9c8e8f284096b9a3ff",
  modeX: "5f4f50825480bf1f0041000000000000 9c8e8f280096b9e3ff",
} as const;
const PALETTE = "000102030405140738393a3b3c3d3e3f";
const EGA = "00010203040506071011121314151617";
const text = (seq: string, crtc: string, attr: string): VgaMode => ({
  misc: 0x67,
  seq,
  crtc,
  gfx: "0000000000100e00ff",
  attr: `${PALETTE}${attr}`,
});
const planar = (seq: string, crtc: string, attr: string, palette = EGA): VgaMode => ({
  misc: 0x63,
  seq,
  crtc,
  gfx: "000000000000050fff",
  attr: `${palette}${attr}`,
});
/** Replaces bytes of a string of registers. */
const but = (registers: string, changes: Readonly<Record<number, number>>): string => {
  const bytes = Buffer.from(registers.replaceAll(" ", ""), "hex");
  for (const [at, value] of Object.entries(changes)) bytes[Number(at)] = value;
  return bytes.toString("hex");
};

export const MODES: Readonly<Record<string, VgaMode | LinearMode>> = {
  text80: text("0300030002", CRTC.text80, "04000f0800"),
  text8dots: text("0301030002", CRTC.text80, "04000f0000"),
  text40: text("0309030002", CRTC.text40, "04000f0000"),
  fonts: text("0300032502", CRTC.text80, "04000f0800"),
  origin: text("0300030002", but(CRTC.text80, { 0x0c: 1, 0x0d: 0x23 }), "04000f0800"),
  cga4: { ...planar("0309030002", CRTC.cga4, "01000300 00".replace(" ", "")), gfx: "0000000000300f00ff" },
  cga6: { ...planar("0301010006", CRTC.cga6, "0100010000"), gfx: "0000000000000d00ff" },
  modeD: planar("03090f0006", CRTC.low, "01000f0000"),
  mode12: planar("03010f0006", CRTC.high, "01000f0000", PALETTE),
  masked: planar("03010f0006", CRTC.high, "0100050000", PALETTE),
  select: planar("03010f0006", CRTC.high, "81000f0007", PALETTE),
  split: planar("03010f0006", but(CRTC.high, { 0x18: 200, 0x07: 0x2e, 0x09: 0, 0x0c: 0x10 }), "01000f0000", PALETTE),
  mode13: {
    ...planar("03010f000e", CRTC.mode13, "41000f0000", "000102030405060708090a0b0c0d0e0f"),
    gfx: "000000000040050fff",
  },
  modeX: { ...planar("03010f0006", CRTC.modeX, "41000f0000"), gfx: "000000000040050fff" },
  vbe8: [640, 480, 8],
  vbe15: [640, 400, 15],
  vbe16: [800, 600, 16],
  vbe24: [640, 480, 24],
  vbe32: [640, 480, 32],
  panned: [320, 200, 32, 512, 100, 50],
  vbe4: [640, 480, 4],
};

const hex = (n: number): string => `0x${n.toString(16)}`;
const out = (port: number, value: number): string => `outb ${hex(port)} ${hex(value)}`;
const bytesOf = (text: string): number[] => [...Buffer.from(text.replaceAll(" ", ""), "hex")];
const FRAMEBUFFER = 0xe000_0000;
const FILLED = 0x80000;

/** Sets a mode, with random colours and memory. */
export function modeOperations(name: string, random: Seeded): string[] {
  const mode = MODES[name];
  if (mode === undefined) throw new Error(`no mode '${name}'; there are: ${Object.keys(MODES).join(", ")}`);
  const lines = ["outl 0xcf8 0x80001010", `outl 0xcfc ${hex(FRAMEBUFFER)}`, "outl 0xcf8 0x80001004", "outw 0xcfc 0x3"];
  const registers = "misc" in mode ? mode : (MODES["mode12"] as VgaMode);
  lines.push(out(0x3c2, registers.misc), out(0x3d4, 0x11), out(0x3d5, 0));
  for (const [n, value] of bytesOf(registers.seq).entries()) lines.push(out(0x3c4, n), out(0x3c5, value));
  for (const [n, value] of bytesOf(registers.crtc).entries())
    lines.push(out(0x3d4, n), out(0x3d5, n === 0x11 ? value & 0x7f : value));
  for (const [n, value] of bytesOf(registers.gfx).entries()) lines.push(out(0x3ce, n), out(0x3cf, value));
  lines.push("inb 0x3da");
  for (const [n, value] of bytesOf(registers.attr).entries()) lines.push(out(0x3c0, n), out(0x3c0, value));
  lines.push(out(0x3c0, 0x20), out(0x3c6, 0xff), out(0x3c8, 0));
  for (let n = 0; n < 768; n++) lines.push(out(0x3c9, random.below(64)));
  if (!("misc" in mode)) {
    const [width, height, bpp, virtual = width, x = 0, y = 0] = mode;
    for (const [index, value] of [
      [1, width],
      [2, height],
      [3, bpp],
      [4, 0x41],
      [6, virtual],
      [8, x],
      [9, y],
    ] as const)
      lines.push(`outw 0x1ce ${hex(index)}`, `outw 0x1d0 ${hex(value)}`);
  }
  const memory = Uint8Array.from({ length: FILLED }, () => random.below(256));
  // Characters B0 to BF repeat their last dot there.
  if (name.startsWith("text") || name === "fonts" || name === "origin")
    for (let at = 0; at < memory.length; at += 4) if ((memory[at]! & 0xf0) === 0xb0) memory[at] = 0x41;
  const piece = 0x4000;
  for (let at = 0; at < FILLED; at += piece)
    lines.push(
      `write ${hex(FRAMEBUFFER + at)} ${hex(piece)} 0x${Buffer.from(memory.subarray(at, at + piece)).toString("hex")}`,
    );
  return lines;
}
