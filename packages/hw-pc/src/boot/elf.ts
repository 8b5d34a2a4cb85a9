import { BoardError } from "../errors.ts";
import type { ScatteredPiece } from "./image.ts";
import { Scattered } from "./image.ts";

/** What of an ELF file a loader needs. */
export interface ElfImage {
  readonly entry: number;
  /** From the first loaded byte to the last one. */
  readonly image: ScatteredPiece;
  /** First physical address behind everything, with what the file leaves zero. */
  readonly end: number;
}

/** A program header, of either class. */
interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly virtual: number;
  readonly fileSize: number;
  readonly memorySize: number;
}

const LOAD = 1;
const NOTE = 4;
const MACHINE = { i386: 3, x86_64: 62 } as const;
/** Program headers that are read at most: each may name the same notes. */
const MOST_SEGMENTS = 1024;

/** Whether a file begins as ELF files do. */
export function isElf(bytes: Uint8Array): boolean {
  return bytes.length >= 52 && bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}

function segments(bytes: Uint8Array): { entry: number; list: Segment[] } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const bad = (why: string): BoardError => new BoardError("bad-image", `-kernel: ${why}`);
  if (bytes[5] !== 1) throw bad("this ELF file is big-endian; a PC's is little-endian");
  const wide = bytes[4] === 2;
  const machine = view.getUint16(18, true);
  if (machine !== MACHINE.i386 && machine !== MACHINE.x86_64)
    throw bad(`this ELF file is for machine ${machine}, not for x86 (3, 62)`);
  try {
    const word = (at: number): number =>
      wide ? view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32 : view.getUint32(at, true);
    const table = word(wide ? 32 : 28);
    const size = view.getUint16(wide ? 54 : 42, true);
    const count = view.getUint16(wide ? 56 : 44, true);
    if (count > MOST_SEGMENTS || (count > 0 && size < (wide ? 56 : 32)))
      throw bad(`this ELF file has ${count} program headers of ${size} bytes; at most ${MOST_SEGMENTS} are read`);
    const list: Segment[] = [];
    for (let i = 0; i < count; i++) {
      const at = table + i * size;
      list.push(
        wide
          ? {
              type: view.getUint32(at, true), offset: word(at + 8), virtual: word(at + 16), address: word(at + 24),
              fileSize: word(at + 32), memorySize: word(at + 40),
            }
          : {
              type: view.getUint32(at, true), offset: word(at + 4), virtual: word(at + 8), address: word(at + 12),
              fileSize: word(at + 16), memorySize: word(at + 20),
            },
      ); // prettier-ignore
    }
    return { entry: word(24), list };
  } catch (error) {
    if (error instanceof BoardError) throw error;
    throw bad("this ELF file is cut off in its headers");
  }
}

/** The loaded parts of an ELF file, all of which lie in the first `ram` bytes of memory. @throws BoardError */
export function elf32(bytes: Uint8Array, ram: number): ElfImage {
  const { entry, list } = segments(bytes);
  const loads = list.filter((s) => s.type === LOAD && s.memorySize > 0);
  if (loads.length === 0) throw new BoardError("bad-image", "-kernel: this ELF file loads nothing");
  const low = Math.min(...loads.map((s) => s.address));
  const end = Math.max(...loads.map((s) => s.address + s.memorySize));
  if (!(end <= ram))
    throw new BoardError(
      "too-large",
      `-kernel: this ELF file needs RAM up to 0x${end.toString(16)}, and there is RAM up to 0x${ram.toString(16)}; give the machine more memory (-m)`,
    );
  const parts: { at: number; bytes: Uint8Array }[] = [];
  let physical = entry;
  for (const s of loads) {
    if (s.offset + s.fileSize > bytes.length || s.fileSize > s.memorySize)
      throw new BoardError("bad-image", `-kernel: this ELF file is cut off: it ends before a segment at ${s.offset}`);
    parts.push({ at: s.address - low, bytes: bytes.subarray(s.offset, s.offset + s.fileSize) });
    if (entry >= s.virtual && entry < s.virtual + s.memorySize) physical = entry - s.virtual + s.address;
  }
  return { entry: physical, image: { address: low, bytes: new Scattered(end - low, parts) }, end };
}

/** The notes of an ELF file: owner, type, contents. */
export function* notes(bytes: Uint8Array): Iterable<{ owner: string; type: number; contents: Uint8Array }> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const s of segments(bytes).list) {
    if (s.type !== NOTE) continue;
    const end = Math.min(bytes.length, s.offset + s.fileSize);
    for (let at = s.offset; at + 12 <= end;) {
      const [ownerSize, size] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
      const type = view.getUint32(at + 8, true);
      const contents = at + 12 + Math.ceil(ownerSize / 4) * 4;
      if (contents + size > end) break;
      const owner = String.fromCharCode(...bytes.subarray(at + 12, at + 12 + Math.max(0, Math.min(ownerSize, 64) - 1)));
      yield { owner, type, contents: bytes.subarray(contents, contents + size) };
      at = contents + Math.ceil(size / 4) * 4;
    }
  }
}
