import { BoardError } from "../errors.ts";
import { elf32, isElf } from "./elf.ts";
import type { KernelImage, LoaderInput, ScatteredPiece } from "./image.ts";
import { Scattered, text } from "./image.ts";
import { joinModules, MODULE_ALIGN } from "./modules.ts";

/** A multiboot header. Source: Multiboot Specification 0.6.96, 3.1 "OS image format". */
export interface MultibootHeader {
  /** Byte offset in the file. */
  readonly at: number;
  readonly flags: number;
}

const MAGIC = 0x1badb002;
const SEARCH = 8192;
const HEADER_FLAG = { addresses: 0x10000, unknown: 0xfff8 } as const;
/** What the kernel is told is there. Source: the same, 3.3 "Boot information format". */
const INFO_FLAG = { memory: 1, commandLine: 4, modules: 8, map: 0x40, loader: 0x200 } as const;
/** Where the information lies; the loader's stack ends 64 KiB later. */
const INFO = 0x20000;
const STACK_TOP = 0xfff0;
const INFO_SIZE = 120;
/** Most that strings and the list of modules may take. */
const INFO_MAX = 0xc000;

/** The header, in the first 8 KiB, when there is one. */
export function multibootHeader(bytes: Uint8Array): MultibootHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 12 <= Math.min(bytes.length, SEARCH); at += 4) {
    if (view.getUint32(at, true) !== MAGIC) continue;
    const flags = view.getUint32(at + 4, true);
    if (((MAGIC + flags + view.getUint32(at + 8, true)) & 0xffffffff) === 0) return { at, flags };
  }
  return undefined;
}

/** A multiboot kernel with its modules: `-initrd "FILE args,FILE args"`. @throws BoardError */
export function multibootImage({ kernel, initrd, append, lowRam }: LoaderInput, header: MultibootHeader): KernelImage {
  if (header.flags & HEADER_FLAG.unknown)
    throw new BoardError(
      "bad-image",
      `-kernel: its multiboot header needs features that are not there (flags 0x${header.flags.toString(16)})`,
    );
  const { image, entry, end } = placed(kernel, header, lowRam);
  const modules = initrd === undefined ? [] : [{ bytes: initrd, line: "initrd" }];
  const { piece, list } = joinModules(modules, Math.ceil(end / MODULE_ALIGN) * MODULE_ALIGN);
  if (end > lowRam || (piece !== undefined && piece.address + piece.bytes.length > lowRam))
    throw new BoardError(
      "too-large",
      "-kernel: kernel and modules do not fit into RAM; give the machine more memory (-m)",
    );

  const info = new Uint8Array(INFO_MAX);
  const view = new DataView(info.buffer);
  let free = INFO_SIZE;
  const place = (bytes: Uint8Array): number => {
    if (free + bytes.length > INFO_MAX) throw new BoardError("bad-option", "-append: the command line is too long");
    info.set(bytes, free);
    const at = INFO + free;
    free = Math.ceil((free + bytes.length) / 4) * 4;
    return at;
  };
  const table = new Uint8Array(16 * list.length);
  const rows = new DataView(table.buffer);
  for (const [i, { start, end: last, line }] of list.entries()) {
    rows.setUint32(16 * i, start, true);
    rows.setUint32(16 * i + 4, last, true);
    rows.setUint32(16 * i + 8, place(text(line)), true);
  }
  const line = `kernel${append === undefined || append === "" ? "" : ` ${append}`}`;
  view.setUint32(
    0,
    INFO_FLAG.memory | INFO_FLAG.commandLine | INFO_FLAG.modules | INFO_FLAG.map | INFO_FLAG.loader,
    true,
  );
  view.setUint32(4, 640, true);
  view.setUint32(8, Math.floor(lowRam / 1024) - 1024, true);
  view.setUint32(16, place(text(line)), true);
  view.setUint32(20, list.length, true);
  view.setUint32(24, place(table), true);
  view.setUint32(64, place(text("mimus")), true);
  return {
    mode: "multiboot",
    setup: { address: INFO, bytes: info.slice(0, free) },
    kernel: image,
    commandLine: { address: INFO + STACK_TOP, bytes: new Uint8Array(0) },
    initrd: piece,
    entry,
  };
}

/** Where the kernel goes: as its header says, or as an ELF file. */
function placed(
  kernel: Uint8Array,
  { at, flags }: MultibootHeader,
  ram: number,
): { image: ScatteredPiece; entry: number; end: number } {
  if ((flags & HEADER_FLAG.addresses) === 0) {
    if (isElf(kernel)) {
      if (kernel[4] === 2)
        throw new BoardError(
          "bad-image",
          "-kernel: a multiboot kernel must be a 32-bit ELF file; this one has 64 bits",
        );
      return elf32(kernel, ram);
    }
    throw new BoardError("bad-image", "-kernel: a multiboot kernel that is no ELF file must say where it is loaded");
  }
  const view = new DataView(kernel.buffer, kernel.byteOffset, kernel.byteLength);
  const [headerAddress = 0, load = 0, loadEnd = 0, bssEnd = 0, entry = 0] = [12, 16, 20, 24, 28].map((o) =>
    at + o + 4 <= kernel.length ? view.getUint32(at + o, true) : 0,
  );
  const from = at - (headerAddress - load);
  const size = loadEnd === 0 ? kernel.length - from : loadEnd - load;
  if (load > headerAddress || from < 0 || size <= 0 || from + size > kernel.length)
    throw new BoardError("bad-image", "-kernel: the addresses in its multiboot header do not fit the file");
  const end = Math.max(bssEnd, load + size);
  if (end > ram)
    throw new BoardError(
      "too-large",
      `-kernel: its multiboot header asks for RAM up to 0x${end.toString(16)}, and there is RAM up to 0x${ram.toString(16)}; give the machine more memory (-m)`,
    );
  const bytes = new Scattered(end - load, [{ at: 0, bytes: kernel.subarray(from, from + size) }]);
  return { image: { address: load, bytes }, entry, end };
}
