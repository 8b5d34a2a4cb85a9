/** Maps a program's segments. Source: System V ABI gABI, chapter 5, "Program Loading". */
import { Errno } from "../errno.ts";
import { LinuxUserError } from "../errors.ts";
import { MAP, PROT } from "../guest-memory.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import { PAGE } from "../memory/page-table.ts";
import { ET, PT, type ElfFile, type Segment } from "./header.ts";

/** Position-independent programs go here when it is free: below is room for the heap's growth, above for everything else. */
const PIE_BASE = 0x200_0000;

const down = (n: number): number => Math.floor(n / PAGE) * PAGE;
const up = (n: number): number => Math.ceil(n / PAGE) * PAGE;

/** Where an ELF file was put. */
export interface LoadedElf {
  /** Added to the file's addresses. */
  readonly bias: number;
  readonly entry: number;
  /** Address of the program headers in memory, 0 when no segment holds them. */
  readonly phdr: number;
  readonly phnum: number;
  readonly phentsize: number;
  /** First address, and the first behind all segments. */
  readonly start: number;
  readonly end: number;
  readonly startCode: number;
  readonly endCode: number;
  readonly startData: number;
  readonly endData: number;
}

/** Maps the segments of a program or interpreter. @throws LinuxUserError when they can't be mapped */
export function loadElf(memory: AddressSpace, elf: ElfFile, role: "program" | "interpreter"): LoadedElf {
  const loads = elf.segments.filter(({ type, memsz }) => type === PT.LOAD && memsz > 0);
  const bad = (why: string): never => {
    throw new LinuxUserError("bad-elf", `${elf.path}: ${why}`);
  };
  if (loads.length === 0) bad("no segment of it is to be loaded");
  for (const segment of loads) check(segment, elf.file.size(), memory.size, bad);
  const low = Math.min(...loads.map(({ vaddr }) => down(vaddr)));
  const high = Math.max(...loads.map(({ vaddr, memsz }) => up(vaddr + memsz)));
  const bias = elf.type === ET.EXEC ? 0 : place(memory, elf, loads, low, high, role) - low;
  try {
    for (const segment of loads) mapSegment(memory, elf, segment, bias);
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    const range = `0x${(low + bias).toString(16)} to 0x${(high + bias).toString(16)}`;
    throw new LinuxUserError("no-memory", `${elf.path}: no room for it at ${range} (${error.message})`);
  }
  const code = loads.filter(({ flags }) => flags & 1);
  const data = loads.filter(({ flags }) => flags & 2);
  const headers = loads.find(({ offset, filesz }) => offset <= elf.phoff && elf.phoff < offset + filesz);
  const declared = elf.segments.find(({ type }) => type === PT.PHDR);
  const phdr = declared?.vaddr ?? (headers === undefined ? undefined : headers.vaddr + (elf.phoff - headers.offset));
  const edge = (list: readonly Segment[], pick: "first" | "last"): number =>
    list.length === 0
      ? 0
      : bias +
        (pick === "first" ? Math.min(...list.map((s) => s.vaddr)) : Math.max(...list.map((s) => s.vaddr + s.filesz)));
  return {
    bias,
    entry: elf.entry + bias,
    phdr: phdr === undefined ? 0 : phdr + bias,
    phnum: elf.segments.length,
    phentsize: elf.phentsize,
    start: low + bias,
    end: high + bias,
    startCode: edge(code, "first"),
    endCode: edge(code, "last"),
    startData: edge(data, "first"),
    endData: edge(data, "last"),
  };
}

function check(
  { vaddr, offset, filesz, memsz }: Segment,
  size: number,
  space: number,
  bad: (why: string) => never,
): void {
  const name = `the segment for address 0x${vaddr.toString(16)}`;
  if (filesz > memsz) bad(`${name} has ${filesz} bytes in the file and ${memsz} in memory`);
  if (vaddr % PAGE !== offset % PAGE)
    bad(`${name} lies at offset 0x${offset.toString(16)}, which is another place in a page`);
  if (offset + filesz > size) bad(`${name} ends at ${offset + filesz} in the file, which has ${size} bytes`);
  if (vaddr + memsz > space)
    bad(`${name} of ${memsz} bytes does not fit into the address space of ${Math.round(space / 2 ** 20)} MiB`);
}

/** Where a position-independent file goes. */
function place(
  memory: AddressSpace, elf: ElfFile, loads: readonly Segment[], low: number, high: number, role: string,
): number {
  const align = Math.max(PAGE, ...loads.map((s) => (Number.isInteger(Math.log2(s.align)) && s.align <= 2 ** 30 ? s.align : 0)));
  const length = high - low;
  const { areas, ceiling } = memory.mappings;
  const skew = low % align;
  if (role === "program") {
    const at = Math.ceil(PIE_BASE / align) * align + skew;
    if (at + length <= memory.size && areas.free(at, at + length)) return at;
  }
  const gap = areas.findGap(length + align - PAGE, PAGE * 16, ceiling);
  if (gap === undefined) throw new LinuxUserError("no-memory", `${elf.path}: no room for its ${length} bytes`);
  return Math.floor((gap + (align - PAGE) - skew) / align) * align + skew;
} // prettier-ignore

function mapSegment(memory: AddressSpace, elf: ElfFile, segment: Segment, bias: number): void {
  const { offset, filesz, memsz, flags } = segment;
  const vaddr = segment.vaddr + bias;
  const prot = (flags & 4 ? PROT.READ : 0) | (flags & 2 ? PROT.WRITE : 0) | (flags & 1 ? PROT.EXEC : 0);
  const start = down(vaddr);
  const fileEnd = filesz === 0 ? start : up(vaddr + filesz);
  if (filesz > 0) {
    memory.map({
      address: start,
      length: fileEnd - start,
      prot,
      flags: MAP.PRIVATE | MAP.FIXED,
      file: elf.file,
      offset: offset - (vaddr - start),
    });
  }
  const end = up(vaddr + memsz);
  if (end > fileEnd)
    memory.map({ address: fileEnd, length: end - fileEnd, prot, flags: MAP.PRIVATE | MAP.ANONYMOUS | MAP.FIXED });
  // What follows the file's part in its last page is zero, if anything of the segment is to be there.
  if (memsz > filesz && filesz > 0 && prot & PROT.WRITE && (vaddr + filesz) % PAGE !== 0)
    memory.bytes(vaddr + filesz, fileEnd - (vaddr + filesz), "w").fill(0);
}
