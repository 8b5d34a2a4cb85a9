import { z } from "zod";
import type { AddressSpace, Registers, Stateful } from "@mimus/machine-core";

/** Selector keys of the fixed items. Source: QEMU "Firmware Configuration (fw_cfg) Device", docs/specs/fw_cfg. */
export const FW_CFG = {
  SIGNATURE: 0x00,
  ID: 0x01,
  UUID: 0x02,
  RAM_SIZE: 0x03,
  NOGRAPHIC: 0x04,
  NB_CPUS: 0x05,
  KERNEL_SIZE: 0x08,
  INITRD_SIZE: 0x0b,
  BOOT_MENU: 0x0e,
  MAX_CPUS: 0x0f,
  KERNEL_DATA: 0x11,
  INITRD_DATA: 0x12,
  CMDLINE_SIZE: 0x14,
  CMDLINE_DATA: 0x15,
  FILE_DIR: 0x19,
  FILE_FIRST: 0x20,
} as const;

/** Bits 13:0 of a selector name the item; bit 14 was a write flag, bit 15 marks items of one architecture. */
const ENTRY_MASK = 0x3fff;
const ARCH_LOCAL = 0x8000;
const INVALID = 0xffff;
const NAME_BYTES = 56;
const DMA = { ERROR: 1, READ: 2, SKIP: 4, SELECT: 8, WRITE: 16 } as const;
/** Bytes moved at a time where the guest's buffer is not one piece of RAM. */
const CHUNK = 64 * 1024;
/** Zeros that one transfer gives beyond the end of an item at most; more is an error instead of seconds of filling memory. */
const BEYOND = 64 * 2 ** 20;

/** Bytes that nobody holds in one piece: they are put together where they are wanted. */
export interface FwCfgContent {
  readonly length: number;
  /** Fills `into` with the bytes from `from` on, all of which are inside. */
  copyTo(from: number, into: Uint8Array): void;
}

/** A file of the directory that the guest may also write. */
export interface FwCfgFile {
  readonly name: string;
  bytes: Uint8Array;
  /** Present when the guest may write the file: called after each write with the range, bytes. */
  readonly written?: (offset: number, length: number) => void;
}

const State = z
  .strictObject({
    entry: z.uint32().max(INVALID).default(INVALID),
    offset: z
      .number()
      .int()
      .min(0)
      .max(2 ** 53)
      .default(0),
    dmaHigh: z.uint32().default(0),
  })
  .meta({ id: "fw-cfg", version: 1 });

/** The store of configuration items, and the selector, data and DMA registers in front of it. All registers are big-endian. */
export class FwCfg implements Stateful {
  #s = State.parse({});
  readonly #fixed: Map<number, Uint8Array | FwCfgContent> = new Map();
  readonly #files: FwCfgFile[] = [];
  readonly #slots: number;
  readonly #dma: AddressSpace | undefined;
  readonly #guestError: (message: string) => void;
  #busy = false;
  /** The directory as it was when it was selected: firmware reads it an entry at a time. */
  #listing: Uint8Array | undefined;

  /** @param slots how many files fit; @param dma where the DMA interface reads and writes, if there is one */
  constructor(slots: number, dma: AddressSpace | undefined, guestError: (message: string) => void) {
    this.#slots = slots;
    this.#dma = dma;
    this.#guestError = guestError;
    this.add(FW_CFG.SIGNATURE, ascii("QEMU"));
    this.add(FW_CFG.ID, u32le(dma === undefined ? 1 : 3));
  }

  reset(): void {
    this.#s = State.parse({ entry: 0 });
    this.#listing = undefined;
  }
  save(): unknown {
    return State.parse(this.#s);
  }
  load(raw: unknown): void {
    this.#s = State.parse(raw);
    this.#listing = undefined;
  }

  /** Sets a fixed item. */
  add(key: number, bytes: Uint8Array | FwCfgContent): void {
    this.#fixed.set(key, bytes);
  }

  addU16(key: number, value: number): void {
    this.add(key, new Uint8Array([value & 0xff, value >>> 8]));
  }

  addU32(key: number, value: number): void {
    this.add(key, u32le(value));
  }

  /** Adds a file, or replaces one of the same name. @throws RangeError when the name is too long or no slot is left */
  addFile(file: FwCfgFile): void {
    const { name } = file;
    if (name.length === 0 || name.length >= NAME_BYTES || !/^[\x20-\x7e]+$/.test(name)) {
      throw new RangeError(`fw_cfg file name "${name}" must be 1 to ${NAME_BYTES - 1} ASCII characters`);
    }
    const at = this.#files.findIndex((f) => f.name === name);
    if (at >= 0) this.#files[at] = file;
    else if (this.#files.length >= this.#slots) {
      throw new RangeError(`no fw_cfg slot is left for "${name}": all ${this.#slots} are used (x-file-slots)`);
    } else this.#files.push(file);
    this.#files.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  file(name: string): FwCfgFile | undefined {
    return this.#files.find((f) => f.name === name);
  }

  /** The selector register. */
  readonly control: Registers = {
    read: () => 0,
    write: (_offset, size, value) => {
      if (size === 2) this.#select(value);
      else this.#guestError(`${size}-byte write of the 2-byte selector`);
    },
  };

  /** The data register: bytes in order, the first one most significant. Writes are ignored, as the DMA interface replaced them. */
  readonly data: Registers = {
    read: (_offset, size) => {
      const item = this.#item();
      const from = item instanceof Uint8Array ? this.#s.offset : 0;
      const bytes = item instanceof Uint8Array ? item : part(item, this.#s.offset, size);
      let value = 0;
      for (let i = 0; i < size; i++) value = value * 256 + (bytes[from + i] ?? 0);
      this.#s.offset += size;
      return value;
    },
    write: () => this.#guestError("write of the data register; use DMA"),
  };

  /** The DMA register: address of a control structure; its low half starts the transfer. Reads give the signature "QEMU CFG". */
  readonly dma: Registers = {
    read: (offset, size) => {
      let value = 0;
      for (let i = 0; i < size; i++) value = value * 256 + ("QEMU CFG".charCodeAt(offset + i) || 0);
      return value;
    },
    write: (offset, size, value) => {
      if (size !== 4) return this.#guestError(`${size}-byte write of the DMA address`);
      if (offset === 0) this.#s.dmaHigh = value;
      else if (offset === 4) {
        const at = this.#s.dmaHigh * 2 ** 32 + value;
        this.#s.dmaHigh = 0;
        this.#transfer(at);
      }
    },
  };

  #select(key: number): void {
    this.#s.offset = 0;
    this.#listing = undefined;
    const known = key & ARCH_LOCAL ? this.#fixed.has(key) : (key & ENTRY_MASK) < FW_CFG.FILE_FIRST + this.#slots;
    this.#s.entry = known ? key & (ARCH_LOCAL | ENTRY_MASK) : INVALID;
  }

  #item(): Uint8Array | FwCfgContent {
    const { entry } = this.#s;
    if (entry === FW_CFG.FILE_DIR) return (this.#listing ??= this.#directory());
    return this.#fixed.get(entry) ?? this.#files[entry - FW_CFG.FILE_FIRST]?.bytes ?? EMPTY;
  }

  #directory(): Uint8Array {
    const out = new Uint8Array(4 + 64 * this.#files.length);
    const view = new DataView(out.buffer);
    view.setUint32(0, this.#files.length);
    for (const [i, file] of this.#files.entries()) {
      const at = 4 + 64 * i;
      view.setUint32(at, file.bytes.length);
      view.setUint16(at + 4, FW_CFG.FILE_FIRST + i);
      out.set(ascii(file.name), at + 8);
    }
    return out;
  }

  /** Carries out the control structure at `at`: control, length, address, big-endian; the result replaces control. */
  #transfer(at: number): void {
    const memory = this.#dma;
    if (memory === undefined) return;
    // A transfer into this device's own registers must not start another one.
    if (this.#busy) return this.#guestError("DMA started from within DMA");
    const block = new Uint8Array(16);
    if (!memory.readBytes(at, block))
      return this.#guestError(`DMA control structure at 0x${at.toString(16)} is not in memory`);
    const view = new DataView(block.buffer);
    const control = view.getUint32(0);
    const length = view.getUint32(4);
    const address = view.getUint32(8) * 2 ** 32 + view.getUint32(12);
    this.#busy = true;
    try {
      if (control & DMA.SELECT) this.#select(control >>> 16);
      const ok = this.#move(memory, control, address, length);
      view.setUint32(0, ok ? 0 : DMA.ERROR);
      memory.writeBytes(at, block.subarray(0, 4));
    } finally {
      this.#busy = false;
    }
  }

  #move(memory: AddressSpace, control: number, address: number, length: number): boolean {
    if (control & DMA.READ) return this.#copyOut(memory, address, length);
    if (control & DMA.WRITE) return this.#copyIn(memory, address, length);
    if (control & DMA.SKIP) this.#s.offset += length;
    return true;
  }

  /** Beyond the end of the item the guest reads zeros. The cost is bounded by the RAM that is really there. */
  #copyOut(memory: AddressSpace, address: number, length: number): boolean {
    const item = this.#item();
    const from = this.#s.offset;
    if (length > Math.max(0, item.length - from) + BEYOND) return false;
    const window = memory.window(address, length);
    if (window === undefined && length > 0) {
      // Looks at the far end first: nothing is copied when the buffer leaves memory.
      if (memory.lookup(address) === undefined || memory.lookup(address + length - 1) === undefined) return false;
    }
    this.#s.offset += length;
    if (window !== undefined) {
      copy(item, from, window);
      memory.markWritten(address, length);
      return true;
    }
    for (let done = 0; done < length; done += CHUNK) {
      const chunk = new Uint8Array(Math.min(CHUNK, length - done));
      copy(item, from + done, chunk);
      if (!memory.writeBytes(address + done, chunk)) return false;
    }
    return true;
  }

  #copyIn(memory: AddressSpace, address: number, length: number): boolean {
    const file = this.#files[this.#s.entry - FW_CFG.FILE_FIRST];
    const from = this.#s.offset;
    if (file?.written === undefined || from + length > file.bytes.length) return false;
    const bytes = new Uint8Array(length);
    if (!memory.readBytes(address, bytes)) return false;
    file.bytes.set(bytes, from);
    this.#s.offset += length;
    file.written(from, length);
    return true;
  }
}

const EMPTY: Uint8Array = new Uint8Array(0);

/** Fills `into` with an item from `from` on, and zeros behind its end. */
function copy(item: Uint8Array | FwCfgContent, from: number, into: Uint8Array): void {
  const inside = Math.max(0, Math.min(into.length, item.length - from));
  if (item instanceof Uint8Array) into.set(item.subarray(from, from + inside));
  else if (inside > 0) item.copyTo(from, into.subarray(0, inside));
  into.fill(0, inside);
}

function part(item: FwCfgContent, from: number, length: number): Uint8Array {
  const out = new Uint8Array(length);
  copy(item, from, out);
  return out;
}

function ascii(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

function u32le(value: number): Uint8Array {
  return new Uint8Array([value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24]);
}
