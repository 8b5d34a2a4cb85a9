import type { RamBlock } from "@mimus/machine-core";
import { GFX, MEMORY, SEQ } from "./registers.ts";
import type { VgaState } from "./state.ts";

/** Four bits to four bytes: what a set of planes is in a 32-bit word of all planes. */
const LANES: Uint32Array = Uint32Array.from({ length: 16 }, (_, n) =>
  [0, 1, 2, 3].reduce((word, plane) => (n & (1 << plane) ? (word | (0xff << (8 * plane))) >>> 0 : word), 0),
);

/** Where the window at A0000h shows memory, by bits 2 and 3 of the miscellaneous graphics register: first byte and length. */
const WINDOW_AT: readonly number[] = [0, 0, 0x10000, 0x18000];
const WINDOW_SIZE: readonly number[] = [0x20000, 0x10000, 0x8000, 0x8000];

/** The graphics controller lets the processor's bytes through: write mode 0, all bits, no rotation, no set and reset. */
function storesBytes(gfx: Uint8Array): boolean {
  return (
    gfx[GFX.BIT_MASK] === 0xff && gfx[GFX.ROTATE] === 0 && gfx[GFX.ENABLE_SET_RESET] === 0 && (gfx[GFX.MODE]! & 3) === 0
  );
}

/**
 * Video memory behind the graphics controller: latches, four write modes, two read modes, chains. The four planes lie side by side: byte
 * _n_ of plane _p_ is byte 4_n_ + _p_ of the memory, so that chained memory is linear.
 * Source: IBM PS/2 Hardware Interface Technical Reference, "Video subsystem", "Graphics controller".
 */
export class VgaMemory {
  readonly #s: VgaState;
  readonly #block: RamBlock;
  readonly #bytes: Uint8Array;
  readonly #words: Uint32Array;
  /** Bytes of the bank that the window at A0000h starts with. */
  bank = 0;
  /** What {@link VgaMemory.arrange} found. */
  #from = 0;
  #to = 0;
  #text = false;
  /** Set by every write; whoever has drawn clears it. */
  touched = true;

  constructor(s: VgaState, block: RamBlock) {
    this.#s = s;
    this.#block = block;
    this.#bytes = block.bytes;
    this.#words = new Uint32Array(block.bytes.buffer, block.bytes.byteOffset, block.size >>> 2);
  }

  /** Reads the registers that say where and how the memory is seen. Call after they changed. */
  arrange(): void {
    const { seq, gfx } = this.#s;
    const window = (gfx[GFX.MISC]! >> 2) & 3;
    this.#from = WINDOW_AT[window]!;
    this.#to = this.#from + WINDOW_SIZE[window]!;
    const odd = (seq[SEQ.MEMORY]! & (MEMORY.CHAIN4 | MEMORY.SEQUENTIAL)) === 0;
    // As text is written: characters into the first plane, attributes into the second.
    this.#text = odd && seq[SEQ.MAP_MASK] === 3 && storesBytes(gfx);
  }

  /** What of the memory lies in the window just as it is: [offset in the window, offset in memory, bytes]; undefined when nothing does. */
  direct(): readonly [at: number, memory: number, size: number] | undefined {
    const { seq, gfx } = this.#s;
    const plain =
      (seq[SEQ.MEMORY]! & MEMORY.CHAIN4) !== 0 &&
      seq[SEQ.MAP_MASK] === 0x0f &&
      gfx[GFX.ENABLE_SET_RESET] === 0 &&
      gfx[GFX.ROTATE] === 0 &&
      (gfx[GFX.MODE]! & 0x0b) === 0 &&
      gfx[GFX.BIT_MASK] === 0xff;
    if (!plain) return undefined;
    const window = (gfx[GFX.MISC]! >> 2) & 3;
    const size = WINDOW_SIZE[window]!;
    const left = this.#block.size - this.bank;
    return left < size ? undefined : [WINDOW_AT[window]!, this.bank, size];
  }

  /** `offset` from A0000h. */
  read(offset: number, size: number): number {
    let value = 0;
    for (let i = 0; i < size; i++) value |= this.#readByte(offset + i) << (8 * i);
    return value >>> 0;
  }

  write(offset: number, size: number, value: number): void {
    this.#writeByte(offset, value & 0xff);
    for (let i = 1; i < size; i++) this.#writeByte(offset + i, (value >>> (8 * i)) & 0xff);
  }

  /** The offset in the window's memory, -1 outside of the window. */
  #at(offset: number): number {
    return offset >= this.#from && offset < this.#to ? offset - this.#from + this.bank : -1;
  }

  #readByte(offset: number): number {
    const at = this.#at(offset);
    if (at < 0) return 0xff;
    const { seq, gfx } = this.#s;
    let word: number;
    let plane: number;
    if (seq[SEQ.MEMORY]! & MEMORY.CHAIN4) {
      word = at >>> 2;
      plane = at & 3;
    } else if (gfx[GFX.MODE]! & 0x10) {
      word = at >>> 1;
      plane = (gfx[GFX.READ_MAP]! & 2) | (at & 1);
    } else {
      word = at;
      plane = gfx[GFX.READ_MAP]!;
    }
    if (word >= this.#words.length) return 0xff;
    const latch = this.#words[word]!;
    this.#s.latch = latch;
    if (!(gfx[GFX.MODE]! & 8)) return (latch >>> (8 * plane)) & 0xff;
    // Which pixels have the colour, as far as the planes matter.
    const differs = (latch ^ LANES[gfx[GFX.COMPARE]!]!) & LANES[gfx[GFX.DONT_CARE]!]!;
    return ~(differs | (differs >>> 8) | (differs >>> 16) | (differs >>> 24)) & 0xff;
  }

  #writeByte(offset: number, value: number): void {
    const at = this.#at(offset);
    if (at < 0) return;
    if (this.#text) return this.#store(at >>> 1, at & 1, value);
    const { seq, gfx } = this.#s;
    let word: number;
    let planes = seq[SEQ.MAP_MASK]!;
    if (seq[SEQ.MEMORY]! & MEMORY.CHAIN4) {
      word = at >>> 2;
      planes &= 1 << (at & 3);
    } else if (seq[SEQ.MEMORY]! & MEMORY.SEQUENTIAL) word = at;
    else {
      word = at >>> 1;
      planes &= at & 1 ? 0x0a : 0x05;
    }
    if (planes === 0 || word >= this.#words.length) return;
    const lanes = LANES[planes]!;
    this.#words[word] = (this.#words[word]! & ~lanes) | (this.#made(value, gfx) & lanes);
    this.#block.dirty.mark(word * 4, 4);
    this.touched = true;
  }

  /** A byte of one plane, as it is. */
  #store(word: number, plane: number, value: number): void {
    if (word >= this.#words.length) return;
    this.#bytes[word * 4 + plane] = value;
    this.#block.dirty.mark(word * 4, 4);
    this.touched = true;
  }

  /** What a byte of the processor becomes for all planes. */
  #made(value: number, gfx: Uint8Array): number {
    const { latch } = this.#s;
    const mode = gfx[GFX.MODE]! & 3;
    if (mode === 1) return latch;
    let mask = gfx[GFX.BIT_MASK]!;
    let word: number;
    if (mode === 2) word = LANES[value & 0x0f]!;
    else {
      const turn = gfx[GFX.ROTATE]! & 7;
      const turned = ((value >>> turn) | (value << (8 - turn))) & 0xff;
      if (mode === 0) {
        const set = LANES[gfx[GFX.ENABLE_SET_RESET]!]!;
        word = (Math.imul(turned, 0x01010101) & ~set) | (LANES[gfx[GFX.SET_RESET]!]! & set);
      } else {
        mask &= turned;
        word = LANES[gfx[GFX.SET_RESET]!]!;
      }
    }
    switch (gfx[GFX.ROTATE]! >> 3) {
      case 1:
        word &= latch;
        break;
      case 2:
        word |= latch;
        break;
      case 3:
        word ^= latch;
        break;
      default:
    }
    const pixels = Math.imul(mask, 0x01010101);
    return (word & pixels) | (latch & ~pixels);
  }

  /** Byte `at` of the memory; what is beyond its end reads as what is at its start. */
  byte(at: number): number {
    return this.#bytes[at % this.#bytes.length]!;
  }

  /** All planes at word `at`. */
  word(at: number): number {
    return this.#words[at % this.#words.length]!;
  }

  get size(): number {
    return this.#block.size;
  }
}
