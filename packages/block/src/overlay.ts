import { BlockError } from "./errors.ts";
import type { ImageOps } from "./image-ops.ts";
import type { BlockNode } from "./node.ts";

import type { BlockStatus } from "./status.ts";

const PAGE = 4096;
const SLAB = 1 << 20;
const ZERO = new Uint8Array(PAGE);

/**
 * A temporary copy-on-write layer in memory: what snapshot=on puts over an image. The image below is never written.
 * Only pages that the guest writes take memory.
 */
export class OverlayNode implements BlockNode {
  readonly driver: string = "overlay";
  readonly sectorSize: number;
  readonly readOnly: boolean = false;
  readonly name: string;
  readonly size: number;
  readonly filename?: string;
  #below: BlockNode | undefined;
  /** Page number to its bytes. A shared page of zeroes stands for "zero". */
  readonly #pages: Map<number, Uint8Array> = new Map();
  /** Pages whose old content is being fetched, so that two partial writes do not lose each other. */
  readonly #filling: Map<number, Promise<void>> = new Map();
  readonly #limit: number;
  #used = 0;
  #slab = new Uint8Array(0);
  #slabUsed = 0;
  #free: Uint8Array[] = [];

  /** `limit`: most bytes of memory that the layer may take; beyond it writes fail with "no-space". */
  constructor(name: string, below: BlockNode, limit: number = Number.MAX_SAFE_INTEGER) {
    this.name = name;
    this.#below = below;
    this.size = below.size;
    this.sectorSize = below.sectorSize;
    this.#limit = limit;
    if (below.filename !== undefined) this.filename = below.filename;
  }

  /** What commit asks for. */
  readonly image: ImageOps = {
    clusterSize: PAGE,
    makeEmpty: async () => {
      this.#pages.clear();
      this.#used = 0;
      this.#slab = new Uint8Array(0);
      this.#slabUsed = 0;
      this.#free = [];
    },
  };

  /** Bytes of memory that written pages take. */
  get memoryUsed(): number {
    return this.#used;
  }

  get children(): Readonly<Record<string, BlockNode>> {
    return this.#below ? { backing: this.#below } : {};
  }
  setBacking(node: BlockNode | undefined): void {
    this.#below = node;
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    const end = at + into.length;
    for (let here = at; here < end;) {
      const inPage = here % PAGE;
      let stop = Math.min(end, here - inPage + PAGE);
      const page = this.#pages.get(Math.floor(here / PAGE));
      if (page) into.set(page.subarray(inPage, inPage + stop - here), here - at);
      else {
        while (stop < end && !this.#pages.has(stop / PAGE)) stop = Math.min(end, stop + PAGE);
        await this.#under(here, into.subarray(here - at, stop - at));
        // A page written meanwhile may give old or new bytes: the two requests were in flight together.
      }
      here = stop;
    }
  }

  async write(at: number, from: Uint8Array): Promise<void> {
    await this.#put(at, from.length, (page, start, length, done) => {
      page.set(from.subarray(done, done + length), start);
    });
  }

  async writeZeroes(at: number, length: number): Promise<void> {
    await this.#put(at, length, (page, start, n) => page.fill(0, start, start + n), true);
  }

  discard(at: number, length: number): Promise<void> {
    return this.writeZeroes(at, length);
  }

  /** Pages that were written lie here; anything else below. */
  async blockStatus(at: number, length: number): Promise<BlockStatus> {
    const first = this.#pages.get(Math.floor(at / PAGE));
    let end = at - (at % PAGE) + PAGE;
    while (end < at + length) {
      const next = this.#pages.get(end / PAGE);
      if ((next === undefined) !== (first === undefined) || (next === ZERO) !== (first === ZERO)) break;
      end += PAGE;
    }
    const n = Math.min(length, end - at);
    return {
      length: n,
      allocated: first !== undefined,
      zero: first === ZERO,
      data: first !== undefined && first !== ZERO,
    };
  }

  async flush(): Promise<void> {}

  close(): Promise<void> {
    this.#pages.clear();
    return this.#below?.close() ?? Promise.resolve();
  }

  /** What lies below; zeroes where nothing does. */
  async #under(at: number, into: Uint8Array): Promise<void> {
    const inside = Math.max(0, Math.min(into.length, (this.#below?.size ?? 0) - at));
    if (inside > 0) await this.#below?.read(at, into.subarray(0, inside));
    into.fill(0, inside);
  }

  async #put(
    at: number,
    total: number,
    fill: (page: Uint8Array, start: number, length: number, done: number) => void,
    zero = false,
  ): Promise<void> {
    for (let done = 0; done < total;) {
      const start = (at + done) % PAGE;
      const length = Math.min(PAGE - start, total - done);
      const index = Math.floor((at + done) / PAGE);
      const whole = length === PAGE || (start === 0 && at + done + length === this.size);
      if (zero && whole) this.#drop(index);
      else {
        const ready = this.#own(index, whole);
        if (ready) await ready;
        // `await` may have let a zeroing pass by: look again.
        const page = this.#pages.get(index);
        fill(page && page !== ZERO ? page : this.#claim(index, page), start, length, done);
      }
      done += length;
    }
  }

  /** Makes the page present; returns a promise only when its old bytes must come from below. */
  #own(index: number, whole: boolean): Promise<void> | undefined {
    if (this.#pages.has(index)) return undefined;
    const busy = this.#filling.get(index);
    if (busy) return busy;
    if (whole) {
      this.#claim(index);
      return undefined;
    }
    const fetched = this.#fetch(index).finally(() => this.#filling.delete(index));
    this.#filling.set(index, fetched);
    return fetched;
  }

  async #fetch(index: number): Promise<void> {
    const old = new Uint8Array(Math.min(PAGE, this.size - index * PAGE));
    await this.#under(index * PAGE, old);
    if (!this.#pages.has(index)) this.#claim(index).set(old);
  }

  #claim(index: number, was?: Uint8Array): Uint8Array {
    if (this.#used + PAGE > this.#limit)
      throw new BlockError(
        "no-space",
        `Temporary overlay of '${this.filename ?? this.name}' has reached its ${this.#limit} bytes`,
        {
          at: index * PAGE,
        },
      );
    let page = this.#free.pop();
    if (!page) {
      if (this.#slabUsed + PAGE > this.#slab.length) {
        this.#slab = new Uint8Array(SLAB);
        this.#slabUsed = 0;
      }
      page = this.#slab.subarray(this.#slabUsed, this.#slabUsed + PAGE);
      this.#slabUsed += PAGE;
    } else if (was === ZERO) page.fill(0);
    this.#used += PAGE;
    this.#pages.set(index, page);
    return page;
  }

  #drop(index: number): void {
    const page = this.#pages.get(index);
    if (page && page !== ZERO) {
      this.#free.push(page);
      this.#used -= PAGE;
    }
    this.#pages.set(index, ZERO);
  }
}
