import type { PhysicalBus, PhysicalRange } from "@mimus/tcg";

const WASM_PAGE = 65536;
/** Bytes of the pages that an engine watches for code. */
const CODE_PAGE = 4096;

declare const WebAssembly: {
  Memory: new (size: { initial: number; maximum: number; shared: boolean }) => { readonly buffer: ArrayBufferLike };
};

interface Ram extends PhysicalRange {
  readonly end: number;
}

/**
 * A machine's memory with RAM at some guest addresses and nothing else, as an engine wants it: `memory`, `alloc` and, being the bus
 * itself, `physical`. Little-endian.
 */
export class FlatMemory implements PhysicalBus {
  readonly memory: { readonly buffer: ArrayBufferLike };
  lastFault = false;
  readonly #u8: Uint8Array;
  readonly #rams: Ram[] = [];
  readonly #watched: Set<number> = new Set();
  #next = WASM_PAGE;
  #codeWritten: (ramOffset: number, length: number) => void = () => {};

  /** `bytes`: all that there is for RAM and for what the engine allocates; `shared`: threads can have it too. */
  constructor(bytes: number, { shared = false }: { readonly shared?: boolean } = {}) {
    const pages = Math.ceil(bytes / WASM_PAGE);
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
    this.#u8 = new Uint8Array(this.memory.buffer);
  }

  /** Reserves machine memory, in pages of 64 KiB. @throws RangeError when there is too little */
  readonly alloc = (name: string, bytes: number): number => {
    const at = this.#next;
    this.#next += Math.ceil(bytes / WASM_PAGE) * WASM_PAGE;
    if (this.#next > this.#u8.length) throw new RangeError(`No room for ${name}: ${bytes} bytes`);
    return at;
  };

  /** Puts RAM at a guest address, a multiple of 4096. Answers its bytes: what is written there is not told to the engine. */
  addRam(base: number, size: number): Uint8Array {
    const ramOffset = this.alloc(`RAM at ${base.toString(16)}`, size);
    this.#rams.push({ base, size, end: base + size, ramOffset, readonly: false });
    return this.#u8.subarray(ramOffset, ramOffset + size);
  }

  /** Whether one piece of RAM covers the range. */
  has(address: number, length: number): boolean {
    const ram = this.#at(address);
    return ram !== undefined && address + length <= ram.end;
  }

  /** Bytes of RAM. @throws RangeError where there is none */
  view(address: number, length: number): Uint8Array {
    const ram = this.#at(address);
    if (!ram || address + length > ram.end) throw new RangeError(`No RAM at ${address.toString(16)}`);
    const at = ram.ramOffset + address - ram.base;
    return this.#u8.subarray(at, at + length);
  }

  /** Writes as a device does: the engine hears of watched pages that change. @throws RangeError where there is no RAM */
  poke(address: number, bytes: ArrayLike<number>): void {
    const target = this.view(address, bytes.length);
    const start = target.byteOffset;
    const end = start + target.length;
    const changed: number[] = [];
    for (let page = start & -CODE_PAGE; page < end; page += CODE_PAGE) {
      if (!this.#watched.has(page)) continue;
      let at = Math.max(page, start);
      const stop = Math.min(page + CODE_PAGE, end);
      while (at < stop && this.#u8[at] === bytes[at - start]) at++;
      if (at < stop) changed.push(page);
    }
    target.set(bytes);
    for (const page of changed) this.#codeWritten(page, CODE_PAGE);
  }

  lookup(address: number): PhysicalRange | undefined {
    return this.#at(address);
  }

  read(address: number, size: number): number {
    this.lastFault = !this.has(address, size);
    if (this.lastFault) return 0;
    return this.view(address, size).reduceRight((value, byte) => value * 256 + byte, 0);
  }

  write(address: number, size: number, value: number): void {
    this.lastFault = !this.has(address, size);
    if (!this.lastFault)
      this.poke(address, Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24).subarray(0, size));
  }

  readWide(address: number, out: Uint32Array): void {
    const low = this.read(address, 4);
    const fault = this.lastFault;
    out[0] = low;
    out[1] = this.read(address + 4, 4);
    this.lastFault ||= fault;
  }

  writeWide(address: number, lo: number, hi: number): void {
    this.write(address, 4, lo);
    const fault = this.lastFault;
    this.write(address + 4, 4, hi);
    this.lastFault ||= fault;
  }

  watchCode(ramOffset: number, on: boolean): void {
    if (on) this.#watched.add(ramOffset);
    else this.#watched.delete(ramOffset);
  }

  onCodeWrite(fn: (ramOffset: number, length: number) => void): void {
    this.#codeWritten = fn;
  }

  onChange(): void {}

  #at(address: number): Ram | undefined {
    return this.#rams.find(({ base, end }) => address >= base && address < end);
  }
}
