import { BoardError } from "../errors.ts";
import type { ElfImage } from "./elf.ts";
import { notes } from "./elf.ts";
import type { KernelImage, LoaderInput } from "./image.ts";
import { text } from "./image.ts";
import { joinModules, MODULE_ALIGN } from "./modules.ts";

/** The note with the 32-bit entry point. Source: Xen, public/elfnote.h, "XEN_ELFNOTE_PHYS32_ENTRY". */
const PHYS32_ENTRY = 18;
/** Source: Xen, public/arch-x86/hvm/start_info.h. */
const START_INFO = { magic: 0x336ec578, version: 1, size: 56, moduleSize: 32 } as const;
const INFO = 0x20000;
const STACK_TOP = 0xfff0;
const LINE_MAX = 0x8000;

/** The physical address at which a PVH kernel starts. */
export function pvhEntry(kernel: Uint8Array): number | undefined {
  for (const { owner, type, contents } of notes(kernel))
    if (owner === "Xen" && type === PHYS32_ENTRY && contents.length >= 4)
      return new DataView(contents.buffer, contents.byteOffset).getUint32(0, true);
  return undefined;
}

/** A kernel that starts in protected mode with a structure that describes the machine. @throws BoardError */
export function pvhImage({ initrd, append, lowRam }: LoaderInput, elf: ElfImage, entry: number): KernelImage {
  const { piece, list } = joinModules(
    initrd === undefined ? [] : [{ bytes: initrd, line: "" }],
    Math.ceil(elf.end / MODULE_ALIGN) * MODULE_ALIGN,
  );
  if (elf.end > lowRam || (piece !== undefined && piece.address + piece.bytes.length > lowRam))
    throw new BoardError(
      "too-large",
      "-kernel: kernel and initrd do not fit into RAM; give the machine more memory (-m)",
    );
  const line = text(append);
  if (line.length > LINE_MAX) throw new BoardError("bad-option", `-append: more than ${LINE_MAX} characters`);
  const lineAt = START_INFO.size + START_INFO.moduleSize * list.length;
  const info = new Uint8Array(lineAt + line.length);
  const view = new DataView(info.buffer);
  view.setUint32(0, START_INFO.magic, true);
  view.setUint32(4, START_INFO.version, true);
  view.setUint32(12, list.length, true);
  view.setUint32(16, list.length > 0 ? INFO + START_INFO.size : 0, true);
  view.setUint32(24, INFO + lineAt, true);
  for (const [i, { start, end }] of list.entries()) {
    view.setUint32(START_INFO.size + START_INFO.moduleSize * i, start, true);
    view.setUint32(START_INFO.size + START_INFO.moduleSize * i + 8, end - start, true);
  }
  info.set(line, lineAt);
  return {
    mode: "pvh",
    setup: { address: INFO, bytes: info },
    kernel: elf.image,
    commandLine: { address: INFO + STACK_TOP, bytes: new Uint8Array(0) },
    initrd: piece,
    entry,
  };
}
