import { alignUp, hex } from "@mimus/bits";
import { DIRTY_PAGE, DirtyMap } from "./dirty.ts";
import { MachineError } from "./errors.ts";

/** Bytes that an allocation in the machine memory is aligned to: a WebAssembly page. */
export const MEMORY_PAGE = 65536;

/** A piece of guest memory inside the machine memory. */
export interface RamBlock {
  readonly name: string;
  /** Byte offset in the machine memory. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
  /** The bytes themselves; who writes here calls `dirty.mark`. */
  readonly bytes: Uint8Array;
  readonly dirty: DirtyMap;
  readonly memory: MachineMemory;
}

/** A part of the machine memory, by name: what `info ramblock` lists. */
export interface Allocation {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

/** One linear memory per machine, of a fixed capacity: guest RAM, CPU states and tables in the same bytes. */
export class MachineMemory {
  readonly buffer: ArrayBufferLike;
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly u32: Uint32Array;
  readonly i32: Int32Array;
  readonly view: DataView;
  readonly #blocks: RamBlock[] = [];
  readonly #allocations: Allocation[] = [];
  readonly #codeListeners: ((offset: number, length: number) => void)[] = [];
  readonly #protectListeners: (() => void)[] = [];
  #onMark: (() => void) | undefined;
  #next: number;

  /** `start`: first byte that may be handed out; what lies below stays free (offset 0 is nobody's). */
  constructor(buffer: ArrayBufferLike, start: number = MEMORY_PAGE) {
    this.buffer = buffer;
    const length = alignDown4(buffer.byteLength);
    this.u8 = new Uint8Array(buffer);
    this.u16 = new Uint16Array(buffer, 0, length / 2);
    this.u32 = new Uint32Array(buffer, 0, length / 4);
    this.i32 = new Int32Array(buffer, 0, length / 4);
    this.view = new DataView(buffer);
    this.#next = alignUp(start, MEMORY_PAGE);
  }

  /** Bytes not yet handed out. */
  get free(): number {
    return Math.max(0, this.buffer.byteLength - this.#next);
  }

  /** Everything handed out, in address order. */
  get allocations(): readonly Allocation[] {
    return this.#allocations;
  }

  /** The RAM blocks, in address order. */
  get blocks(): readonly RamBlock[] {
    return this.#blocks;
  }

  /**
   * Hands out `size` bytes for `name`; the answer is their offset, a multiple of 64 KiB. The bytes are zero.
   * @throws MachineError out-of-memory
   */
  allocate(name: string, size: number): number {
    if (!Number.isSafeInteger(size) || size < 0)
      throw new MachineError("out-of-memory", `'${name}' asks for ${size} bytes; expected a non-negative integer`, {
        at: name,
      });
    if (size > this.free)
      throw new MachineError(
        "out-of-memory",
        `'${name}' needs ${hex(size)} bytes but the machine memory of ${hex(this.buffer.byteLength)} bytes has ${hex(this.free)} left; give the machine a larger memory`,
        { at: name },
      );
    const offset = this.#next;
    this.#next = alignUp(offset + size, MEMORY_PAGE);
    this.#allocations.push({ name, offset, size });
    return offset;
  }

  /** A new RAM block of `size` bytes. Names are unique: snapshots find the block by its name. @throws MachineError */
  ram(name: string, size: number): RamBlock {
    if (this.#blocks.some((b) => b.name === name))
      throw new MachineError("duplicate-id", `there are two RAM blocks '${name}'; give them different names`, {
        at: name,
      });
    const offset = this.allocate(name, size);
    const dirty = new DirtyMap(size);
    dirty.onCodeWrite = (at, length) => {
      for (const listener of this.#codeListeners) listener(offset + at, length);
    };
    dirty.onProtect = () => {
      for (const listener of this.#protectListeners) listener();
    };
    dirty.onMark = this.#onMark;
    const block: RamBlock = {
      name,
      offset,
      size,
      bytes: new Uint8Array(this.buffer, offset, size),
      dirty,
      memory: this,
    };
    this.#blocks.push(block);
    return block;
  }

  /** The RAM block that holds the byte at `offset` of the machine memory. */
  blockAt(offset: number): RamBlock | undefined {
    for (const block of this.#blocks) if (offset >= block.offset && offset < block.offset + block.size) return block;
    return undefined;
  }

  /** Turns reporting of writes on or off for the 4 KiB page that holds byte `offset` of the machine memory. */
  watchCode(offset: number, on: boolean): void {
    const block = this.blockAt(offset);
    block?.dirty.setCode(Math.floor((offset - block.offset) / DIRTY_PAGE), on);
  }

  /** Calls `fn` with (offset in the machine memory, length) for every device or DMA write that touches a watched page. */
  onCodeWrite(fn: (offset: number, length: number) => void): void {
    this.#codeListeners.push(fn);
  }

  /** Calls `fn` before each device or DMA write is recorded. One listener. */
  onMark(fn: () => void): void {
    this.#onMark = fn;
    for (const block of this.#blocks) block.dirty.onMark = fn;
  }

  /** Calls `fn` when a client begins to track writes: translations that allow unreported stores must be dropped. */
  onProtect(fn: () => void): void {
    this.#protectListeners.push(fn);
  }
}

function alignDown4(n: number): number {
  return n - (n % 4);
}
