import type { PhysicalBus, PhysicalRange } from "@mimus/tcg";
import type { MemoryBytes } from "../case.ts";

declare const WebAssembly: {
  readonly Memory: new (descriptor: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
};

const PAGE = 65536;

interface Piece extends PhysicalRange {
  readonly end: number;
}

/**
 * A machine memory with RAM only at the given guest addresses (multiples of 4096), as an engine wants it. Everything else
 * is unassigned.
 */
export class FlatMemory implements PhysicalBus {
  readonly memory: { readonly buffer: ArrayBuffer };
  lastFault = false;
  readonly #u8: Uint8Array;
  readonly #pieces: Piece[] = [];
  readonly #watched: Set<number> = new Set();
  #next = PAGE;
  #codeWritten: (ramOffset: number, length: number) => void = () => {};

  constructor(bytes: number) {
    this.memory = new WebAssembly.Memory({ initial: bytes / PAGE, maximum: bytes / PAGE });
    this.#u8 = new Uint8Array(this.memory.buffer);
  }

  /** Reserves machine memory; the engine's `alloc`. */
  readonly allocate = (name: string, size: number): number => {
    const at = this.#next;
    this.#next += Math.ceil(size / PAGE) * PAGE;
    if (this.#next > this.#u8.length) throw new RangeError(`No room for ${name}: ${size} bytes`);
    return at;
  };

  addRam(base: number, size: number): void {
    const ramOffset = this.allocate(`ram at ${base.toString(16)}`, size);
    this.#pieces.push({ base, size, end: base + size, ramOffset, readonly: false });
  }

  /** Whether RAM covers the range. */
  has(address: number, length: number): boolean {
    const piece = this.#at(address);
    return piece !== undefined && address + length <= piece.end;
  }

  view(address: number, length: number): Uint8Array {
    const piece = this.#at(address);
    if (!piece || address + length > piece.end) throw new RangeError(`No RAM at ${address.toString(16)}`);
    const at = piece.ramOffset + address - piece.base;
    return this.#u8.subarray(at, at + length);
  }

  /** Writes from outside: translated code of pages that change is thrown away. */
  write(address: number, sizeOrBytes: number | Uint8Array): void {
    if (typeof sizeOrBytes === "number") {
      this.lastFault = true;
      return;
    }
    const target = this.view(address, sizeOrBytes.length);
    if (Buffer.compare(target, sizeOrBytes) === 0) return;
    target.set(sizeOrBytes);
    const first = target.byteOffset & ~4095;
    for (let page = first; page < target.byteOffset + target.length; page += 4096) {
      if (this.#watched.has(page)) this.#codeWritten(page, 4096);
    }
  }

  load(regions: readonly MemoryBytes[]): void {
    for (const { address, bytes } of regions) this.write(address, bytes);
  }

  lookup(address: number): PhysicalRange | undefined {
    return this.#at(address);
  }

  read(): number {
    this.lastFault = true;
    return 0;
  }

  readWide(_address: number, out: Uint32Array): void {
    this.lastFault = true;
    out.fill(0);
  }

  writeWide(): void {
    this.lastFault = true;
  }

  watchCode(page: number, on: boolean): void {
    if (on) this.#watched.add(page);
    else this.#watched.delete(page);
  }

  onCodeWrite(fn: (ramOffset: number, length: number) => void): void {
    this.#codeWritten = fn;
  }

  onChange(): void {}

  #at(address: number): Piece | undefined {
    return this.#pieces.find(({ base, end }) => address >= base && address < end);
  }
}
