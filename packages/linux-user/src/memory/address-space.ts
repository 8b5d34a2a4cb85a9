/** The address space of a program: mappings, what each page may be used for, and the bytes themselves. */
import type { Abi } from "../abi.ts";
import { E, fail } from "../errno.ts";
import { PROT, type Area, type GuestMemory, type MapRequest } from "../guest-memory.ts";
import type { Fields, Layout, Values } from "../layout.ts";
import { Mappings } from "./mappings.ts";
import { PAGE, PAGE_BITS, PG, PageTable } from "./page-table.ts";

/** Why an access is refused. */
const FAULT = { NONE: 0, UNMAPPED: 1, DENIED: 2, BEYOND_FILE: 3 } as const;
export type Fault = (typeof FAULT)[keyof typeof FAULT];

const CAN_READ = PG.MAPPED | PG.LAZY | PG.READ;
const IS_READABLE = PG.MAPPED | PG.READ;
const CAN_WRITE = PG.MAPPED | PG.LAZY | PG.WRITE | PG.CODE;
const IS_WRITABLE = PG.MAPPED | PG.WRITE;
const PATH_MAX = 4096;

/** Where the pieces of an address space lie in the machine memory. */
export interface AddressSpaceConfig {
  readonly abi: Abi;
  /** Machine address of guest address 0, a multiple of 64 KiB. */
  readonly base: number;
  /** Bytes of address space, a multiple of 64 KiB. */
  readonly size: number;
  /** The machine memory. */
  readonly buffer: ArrayBufferLike;
  /** Machine address of the window tables, one behind the other. */
  readonly windows: number;
  /** Their length in bytes. */
  readonly windowsLength: number;
}

/** Called when something that the engine caches has changed. */
export interface AddressSpaceEvents {
  /** Mappings went away or lost a permission. */
  flush(): void;
  /** Bytes with translated code were changed by others than the program; `ramOffset` in the machine memory. */
  codeWritten(ramOffset: number, length: number): void;
  /** 2 MiB or more were mapped at once by the program, without a file. */
  mappedMuch(): void;
}

/** The memory of a program: mappings, what each page may be used for, and the bytes themselves. */
export class AddressSpace implements GuestMemory {
  readonly abi: Abi;
  readonly size: number;
  readonly base: number;
  readonly machine: Uint8Array;
  readonly view: DataView;
  /** @internal */
  readonly pages: PageTable;
  /** @internal */
  readonly mappings: Mappings;
  /** @internal */
  events: AddressSpaceEvents = { flush: () => {}, codeWritten: () => {}, mappedMuch: () => {} };
  readonly #flags: Uint8Array;

  /** @internal */
  constructor(config: AddressSpaceConfig) {
    this.abi = config.abi;
    this.size = config.size;
    this.base = config.base;
    this.machine = new Uint8Array(config.buffer);
    this.view = new DataView(config.buffer);
    const windows = new Uint8Array(config.buffer, config.windows, config.windowsLength);
    this.pages = new PageTable(config.size, windows);
    this.#flags = this.pages.flags;
    this.mappings = new Mappings(this);
  }

  /** @internal Makes a byte accessible if it may be. `wanted`: one of {@link PROT}. */
  access(address: number, wanted: number): Fault {
    if (!(address >= 0 && address < this.size)) return FAULT.UNMAPPED;
    const page = Math.floor(address / PAGE);
    const flags = this.#flags[page]!;
    if ((flags & PG.MAPPED) === 0) return FAULT.UNMAPPED;
    if ((flags & wanted) === 0) return FAULT.DENIED;
    if ((flags & PG.LAZY) !== 0 && !this.mappings.populate(page)) return FAULT.BEYOND_FILE;
    return FAULT.NONE;
  }

  /** Protection of the page of an address, as PROT bits. */
  protection(address: number): number {
    return this.#flags[address >>> PAGE_BITS]! & PG.PROT;
  }

  /** How many bytes from `address` on may be accessed now. */
  reachable(address: number, length: number, access: "r" | "w"): number {
    if (!(address >= 0 && address < this.size)) return 0;
    const end = Math.min(address + length, this.size);
    const mask = access === "r" ? CAN_READ : CAN_WRITE;
    const good = access === "r" ? IS_READABLE : IS_WRITABLE;
    for (let at = address; at < end; at = (Math.floor(at / PAGE) + 1) * PAGE) {
      if ((this.#flags[Math.floor(at / PAGE)]! & mask) === good) continue;
      if (this.access(at, access === "r" ? PROT.READ : PROT.WRITE) !== FAULT.NONE) return Math.max(at - address, 0);
      if (access === "w") this.#codeGone(at);
    }
    return end - address;
  }

  #codeGone(address: number): void {
    const page = Math.floor(address / PAGE);
    if ((this.#flags[page]! & PG.CODE) !== 0) this.events.codeWritten(this.base + page * PAGE, PAGE);
  }

  /** Place in the machine memory of `length` bytes that may be accessed so. */
  at(address: number, length: number, access: "r" | "w"): number {
    const page = address / PAGE;
    if (page >= 0 && (address % PAGE) + length <= PAGE) {
      const flags = this.#flags[Math.floor(page)];
      if (flags !== undefined) {
        if (access === "r" ? (flags & CAN_READ) === IS_READABLE : (flags & CAN_WRITE) === IS_WRITABLE)
          return this.base + address;
      }
    }
    if (length > 0 && this.reachable(address, length, access) < length) fail(E.FAULT);
    return this.base + address;
  }

  bytes(address: number, length: number, access: "r" | "w"): Uint8Array {
    if (length === 0) return this.machine.subarray(0, 0);
    const at = this.at(address, length, access);
    return this.machine.subarray(at, at + length);
  }

  stringBytes(address: number, limit: number = PATH_MAX): Uint8Array {
    for (let length = 0; ;) {
      const room = PAGE - ((address + length) % PAGE);
      const at = this.at(address + length, 1, "r");
      const end = this.machine.subarray(at, at + room).indexOf(0);
      if (end >= 0 && length + end < limit) return this.machine.subarray(this.base + address, at + end);
      length += room;
      if (end >= 0 || length >= limit) fail(E.NAMETOOLONG);
    }
  }

  string(address: number, limit: number = PATH_MAX): string {
    return decodeUtf8(this.stringBytes(address, limit));
  }

  u8(address: number): number {
    return this.machine[this.at(address, 1, "r")]!;
  }
  u16(address: number): number {
    return this.view.getUint16(this.at(address, 2, "r"), !this.abi.bigEndian);
  }
  u32(address: number): number {
    return this.view.getUint32(this.at(address, 4, "r"), !this.abi.bigEndian);
  }
  s32(address: number): number {
    return this.view.getInt32(this.at(address, 4, "r"), !this.abi.bigEndian);
  }
  u64(address: number): number {
    const at = this.at(address, 8, "r");
    const little = !this.abi.bigEndian;
    const [low, high] = little ? [at, at + 4] : [at + 4, at];
    return this.view.getUint32(high, little) * 2 ** 32 + this.view.getUint32(low, little);
  }
  word(address: number): number {
    return this.abi.wordBits === 64 ? this.u64(address) : this.u32(address);
  }
  setU8(address: number, value: number): void {
    this.machine[this.at(address, 1, "w")] = value;
  }
  setU16(address: number, value: number): void {
    this.view.setUint16(this.at(address, 2, "w"), value, !this.abi.bigEndian);
  }
  setU32(address: number, value: number): void {
    this.view.setUint32(this.at(address, 4, "w"), value, !this.abi.bigEndian);
  }
  setU64(address: number, value: number): void {
    const at = this.at(address, 8, "w");
    const little = !this.abi.bigEndian;
    this.view.setUint32(little ? at : at + 4, value, little);
    this.view.setUint32(little ? at + 4 : at, Math.floor(value / 2 ** 32), little);
  }
  setWord(address: number, value: number): void {
    if (this.abi.wordBits === 64) this.setU64(address, value);
    else this.setU32(address, value);
  }
  get<F extends Fields>(layout: Layout<F>, address: number): Values<F> {
    const bound = layout.on(this.abi);
    return bound.read(this.view, this.at(address, bound.size, "r"));
  }
  put<F extends Fields>(layout: Layout<F>, address: number, values: Partial<Values<F>>): void {
    const bound = layout.on(this.abi);
    bound.write(this.view, this.at(address, bound.size, "w"), values);
  }

  map(request: MapRequest): number {
    return this.mappings.map(request);
  }
  unmap(address: number, length: number): void {
    this.mappings.unmap(address, length);
  }
  protect(address: number, length: number, prot: number): void {
    this.mappings.protect(address, length, prot);
  }
  remap(address: number, length: number, newLength: number, flags: number, newAddress: number): number {
    return this.mappings.remap(address, length, newLength, flags, newAddress);
  }
  brk(address: number): number {
    return this.mappings.heap.move(address);
  }
  advise(address: number, length: number, advice: number): void {
    this.mappings.advise(address, length, advice);
  }
  sync(address: number, length: number): void {
    this.mappings.sync(address, length);
  }
  syncFile(key: unknown, direction: "to-file" | "from-file"): void {
    this.mappings.syncFile(key, direction);
  }
  close(): void {
    this.mappings.close();
  }
  resident(address: number, length: number): Uint8Array {
    return this.mappings.resident(address, length);
  }
  areas(): readonly Area[] {
    return this.mappings.areas.list;
  }
}

/** UTF-8 as text; what is not UTF-8 becomes U+DC80..U+DCFF, one for each byte, and {@link encodeUtf8} gives the bytes back. */
export function decodeUtf8(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length;) {
    const first = bytes[i]!;
    if (first < 0x80) {
      text += String.fromCharCode(first);
      i++;
      continue;
    }
    const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    let code = first & (0xff >> (length + 1));
    let good = first >= 0xc2 && first <= 0xf4 && i + length <= bytes.length;
    for (let k = 1; good && k < length; k++) {
      const next = bytes[i + k]!;
      good = (next & 0xc0) === 0x80;
      code = (code << 6) | (next & 0x3f);
    }
    if (good) good = code >= [0, 0, 0x80, 0x800, 0x10000][length]! && code <= 0x10ffff && (code & ~0x7ff) !== 0xd800;
    text += good ? String.fromCodePoint(code) : String.fromCharCode(0xdc00 + first);
    i += good ? length : 1;
  }
  return text;
}

/** The bytes of a text; the inverse of {@link decodeUtf8}. */
export function encodeUtf8(text: string): Uint8Array {
  const out: number[] = [];
  for (const char of text) {
    const code = char.codePointAt(0)!;
    if (code < 0x80) out.push(code);
    else if (code >= 0xdc80 && code <= 0xdcff) out.push(code - 0xdc00);
    else if (code < 0x800) out.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) out.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else out.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
  }
  return Uint8Array.from(out);
}
