import { BoardError } from "./errors.ts";

/** A loadable segment, where it goes and how much of it is zero. */
interface ElfSegment {
  /** Physical address. */
  readonly address: number;
  readonly bytes: Uint8Array;
  /** Bytes in memory; what `bytes` does not cover is zero. */
  readonly memorySize: number;
}

/** An executable ready to be copied into memory. */
export interface ElfImage {
  readonly xlen: 32 | 64;
  readonly entry: number;
  readonly segments: readonly ElfSegment[];
  /** Lowest physical address, and the first one behind the image. */
  readonly low: number;
  readonly high: number;
}

const EM_RISCV = 243;
const PT_LOAD = 1;
const MAX_SEGMENTS = 4096;

/** Whether a file begins like an ELF file. */
export function isElf(file: Uint8Array): boolean {
  return file.length >= 4 && file[0] === 0x7f && file[1] === 0x45 && file[2] === 0x4c && file[3] === 0x46;
}

/**
 * Reads the loadable segments of a RISC-V executable. The file is untrusted: every offset and size is checked against its length.
 * Source: System V ABI, "Object files"; RISC-V ELF psABI 1.0. @param what names the file in messages @throws BoardError
 */
export function readElf(file: Uint8Array, what: string): ElfImage {
  const bad = (message: string, at?: number): BoardError => new BoardError("bad-elf", `${what}: ${message}`, at);
  if (!isElf(file)) throw bad("not an ELF file", 0);
  if (file.length < 52) throw bad(`truncated: ${file.length} bytes hold no ELF header`, 0);
  const xlen = file[4] === 2 ? 64 : file[4] === 1 ? 32 : 0;
  if (xlen === 0) throw bad(`ELF class ${file[4]} is neither 32 nor 64 bits`, 4);
  if (file[5] !== 1) throw bad("big-endian ELF file on a little-endian machine", 5);
  const wide = xlen === 64;
  if (wide && file.length < 64) throw bad(`truncated: ${file.length} bytes hold no 64-bit ELF header`, 0);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const machine = view.getUint16(18, true);
  if (machine !== EM_RISCV) throw bad(`is for ELF machine ${machine}, wanted ${EM_RISCV} (RISC-V)`, 18);

  /** A value of the file's word size; beyond 2^53 it cannot be an address or size of this machine. */
  const word = (at: number): number =>
    wide ? view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true) : view.getUint32(at, true);
  const entry = word(24);
  const tableAt = word(wide ? 32 : 28);
  const entrySize = view.getUint16(wide ? 54 : 42, true);
  const count = view.getUint16(wide ? 56 : 44, true);
  if (count === 0) throw bad("has no program headers, so nothing to load");
  if (count > MAX_SEGMENTS) throw bad(`has ${count} program headers, at most ${MAX_SEGMENTS} are read`);
  if (entrySize < (wide ? 56 : 32)) throw bad(`program headers of ${entrySize} bytes are too small`);
  if (tableAt + count * entrySize > file.length) {
    throw bad(`truncated: program headers end at ${tableAt + count * entrySize}, the file at ${file.length}`, tableAt);
  }

  const segments: ElfSegment[] = [];
  let low = Infinity;
  let high = 0;
  for (let i = 0; i < count; i++) {
    const at = tableAt + i * entrySize;
    if (view.getUint32(at, true) !== PT_LOAD) continue;
    const fileAt = word(at + (wide ? 8 : 4));
    const address = word(at + (wide ? 24 : 12));
    const fileSize = word(at + (wide ? 32 : 16));
    const memorySize = word(at + (wide ? 40 : 20));
    if (memorySize === 0) continue;
    if (fileAt + fileSize > file.length) {
      throw bad(`truncated: segment ${i} ends at ${fileAt + fileSize}, the file at ${file.length}`, at);
    }
    if (fileSize > memorySize) throw bad(`segment ${i} has more bytes in the file than in memory`, at);
    if (address + memorySize > Number.MAX_SAFE_INTEGER) throw bad(`segment ${i} is not addressable`, at);
    segments.push({ address, bytes: file.subarray(fileAt, fileAt + fileSize), memorySize });
    low = Math.min(low, address);
    high = Math.max(high, address + memorySize);
  }
  if (segments.length === 0) throw bad("has no loadable segments");
  return { xlen, entry, segments, low, high };
}
