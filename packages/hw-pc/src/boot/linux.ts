import { BoardError } from "../errors.ts";
import type { KernelImage, LoaderInput } from "./image.ts";
import { Scattered, text } from "./image.ts";

/** Fields of the setup header, bytes from the start of the file. Source: Linux, Documentation/arch/x86/boot.rst, "The real-mode kernel header". */
const AT = {
  setupSectors: 0x1f1,
  videoMode: 0x1fa,
  magic: 0x202,
  version: 0x206,
  loader: 0x210,
  loadFlags: 0x211,
  code32: 0x214,
  initrd: 0x218,
  initrdSize: 0x21c,
  heapEnd: 0x224,
  commandLine: 0x228,
  initrdMax: 0x22c,
  commandLineMax: 0x238,
} as const;
const MAGIC = 0x53726448; // "HdrS"
const FLAG = { loadedHigh: 0x01, canUseHeap: 0x80 } as const;
/** A boot loader without a number of its own. */
const LOADER = 0xff;
/** RAM below 4 GiB that firmware keeps at its end for its tables, and some more. */
const FIRMWARE_TOP = 0x80000;
/** Where older kernels end looking for their initrd. */
const OLD_INITRD_MAX = 0x37ffffff;
const PAGE = 4096;

/** Places for a kernel that is loaded high: setup code and command line below 640 KiB, the rest from 1 MiB on. */
const HIGH = { setup: 0x10000, commandLine: 0x20000, kernel: 0x100000 } as const;
/** Places for a zImage: its kernel at 64 KiB, its setup code high in conventional memory. */
const LOW = { setup: 0x90000, commandLineEnd: 0x9a000, kernel: 0x10000 } as const;

/** Whether a file is a Linux kernel for the boot protocol 2.00 or later. */
export function isLinux(bytes: Uint8Array): boolean {
  return bytes.length > 0x240 && viewOf(bytes).getUint32(AT.magic, true) === MAGIC;
}

/** A Linux kernel, its initial RAM disk and its command line, placed as its setup header asks. @throws BoardError */
export function linuxImage({ kernel, initrd, append, lowRam }: LoaderInput): KernelImage {
  if (kernel.length < 0x400)
    throw new BoardError("bad-image", `-kernel: a file of ${kernel.length} bytes is no kernel`);
  const bytes = kernel.slice();
  // Before protocol 2.00 there is no header: a zImage.
  const version = isLinux(bytes) ? viewOf(bytes).getUint16(AT.version, true) : 0;
  const line = text(append);
  checkCommandLine(line, bytes, version);
  const places = place(bytes, version, line.length);
  writeHeader(bytes, version, places, videoMode(append ?? ""));
  // Last: it completes the header.
  const disk =
    initrd === undefined
      ? undefined
      : { address: placeInitrd(bytes, version, places, initrd.length, lowRam), bytes: initrd };
  return {
    mode: "linux",
    setup: { address: places.setup, bytes: bytes.slice(0, places.setupSize) },
    kernel: {
      address: places.kernel,
      bytes: new Scattered(bytes.length - places.setupSize, [{ at: 0, bytes: bytes.subarray(places.setupSize) }]),
    },
    commandLine: { address: places.commandLine, bytes: line },
    initrd: disk,
    entry: places.kernel,
  };
}

/** Addresses of the parts, and how many bytes of the file are setup code. */
interface Places {
  readonly setup: number;
  readonly commandLine: number;
  readonly kernel: number;
  readonly setupSize: number;
}

function checkCommandLine(line: Uint8Array, bytes: Uint8Array, version: number): void {
  const most = version >= 0x206 ? viewOf(bytes).getUint32(AT.commandLineMax, true) : 255;
  if (line.length - 1 > most)
    throw new BoardError(
      "bad-option",
      `-append: the command line has ${line.length - 1} characters; this kernel takes ${most}`,
    );
}

function place(bytes: Uint8Array, version: number, lineLength: number): Places {
  const high = version >= 0x200 && (bytes[AT.loadFlags]! & FLAG.loadedHigh) !== 0;
  const setup = high ? HIGH.setup : LOW.setup;
  const commandLine = high ? HIGH.commandLine : LOW.commandLineEnd - Math.ceil(lineLength / 16) * 16;
  const kernel = high ? HIGH.kernel : LOW.kernel;
  const setupSize = Math.min(((bytes[AT.setupSectors]! || 4) + 1) * 512, bytes.length);
  if (setupSize > 0x8000 || setup + setupSize > commandLine - 0x100)
    throw new BoardError(
      "bad-image",
      `-kernel: its setup code has ${setupSize} bytes, more than fit below its command line`,
    );
  if (!high && kernel + bytes.length - setupSize > setup)
    throw new BoardError("too-large", `-kernel: this zImage has ${bytes.length} bytes, more than fit below 640 KiB`);
  return { setup, commandLine, kernel, setupSize };
}

/** Fills in what a boot loader tells the setup code. */
function writeHeader(bytes: Uint8Array, version: number, places: Places, mode: number | undefined): void {
  const view = viewOf(bytes);
  if (version >= 0x202) view.setUint32(AT.commandLine, places.commandLine, true);
  else {
    view.setUint16(0x20, 0xa33f, true);
    view.setUint16(0x22, places.commandLine - places.setup, true);
  }
  if (mode !== undefined) view.setUint16(AT.videoMode, mode, true);
  if (version >= 0x200) bytes[AT.loader] = LOADER;
  if (version >= 0x201) {
    bytes[AT.loadFlags]! |= FLAG.canUseHeap;
    view.setUint16(AT.heapEnd, places.commandLine - places.setup - 0x200, true);
  }
}

/** Puts the initial RAM disk as high as kernel and memory allow, and says so in the header. @returns its address */
function placeInitrd(bytes: Uint8Array, version: number, places: Places, length: number, lowRam: number): number {
  if (version < 0x200) throw new BoardError("bad-image", "-initrd: this kernel is too old for an initial RAM disk");
  const view = viewOf(bytes);
  const limit = version >= 0x203 ? view.getUint32(AT.initrdMax, true) : OLD_INITRD_MAX;
  const top = Math.min(limit, lowRam - FIRMWARE_TOP - 1);
  const address = Math.floor((top + 1 - length) / PAGE) * PAGE;
  if (address < places.kernel + bytes.length - places.setupSize)
    throw new BoardError(
      "too-large",
      `-initrd: ${length} bytes do not fit between the kernel and 0x${top.toString(16)}; give the machine more memory (-m)`,
    );
  view.setUint32(AT.initrd, address, true);
  view.setUint32(AT.initrdSize, length, true);
  return address;
}

/** `vga=` of a command line: a mode number, or `normal`, `ext`, `ask`. */
function videoMode(append: string): number | undefined {
  const value = /(?:^| )vga=(\S+)/.exec(append)?.[1];
  if (value === undefined) return undefined;
  const named = ({ normal: 0xffff, ext: 0xfffe, ask: 0xfffd } as Record<string, number>)[value];
  const number = named ?? Number(value);
  return Number.isInteger(number) && number >= 0 && number <= 0xffff ? number : undefined;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
