/** Bytes in a page of dirty tracking. */
export const DIRTY_PAGE = 4096;

/** Who wants to know which pages were written. */
export type DirtyClient = "migration" | "display";

const CODE = 1;
const BITS: Readonly<Record<DirtyClient, number>> = { migration: 2, display: 4 };

/** Which pages of a RAM block were written, for each client, and which hold translated code. Offsets are bytes in the block. */
export class DirtyMap {
  /** Per page: bit 0 = holds translated code, bits 1 and 2 = written since the client last took it. */
  readonly #pages: Uint8Array;
  #tracking = 0;
  /** Called before control returns to the writer, for a write that touches a code page; offsets in the block. */
  onCodeWrite: ((blockOffset: number, length: number) => void) | undefined;
  /** Called before a write is recorded: who watches pages from another thread has its wishes heard. */
  onMark: (() => void) | undefined;
  /** Called when direct stores must start to be reported again: cached write translations of the block are stale. */
  onProtect: (() => void) | undefined;

  constructor(size: number) {
    this.#pages = new Uint8Array(Math.ceil(size / DIRTY_PAGE));
  }

  /** Number of pages. */
  get pages(): number {
    return this.#pages.length;
  }

  /** Records a write of `length` bytes at `offset`. No allocation. */
  mark(offset: number, length: number): void {
    if (length <= 0) return;
    this.onMark?.();
    const pages = this.#pages;
    const first = (offset / DIRTY_PAGE) | 0;
    const last = ((offset + length - 1) / DIRTY_PAGE) | 0;
    const tracking = this.#tracking;
    let code = 0;
    for (let page = first; page <= last; page++) {
      const bits = pages[page]!;
      code |= bits & CODE;
      pages[page] = bits | tracking;
    }
    if (code !== 0) this.onCodeWrite?.(offset, length);
  }

  /** Marks page number `page` as holding translated code, or no longer. */
  setCode(page: number, on: boolean): void {
    const bits = this.#pages[page];
    if (bits !== undefined) this.#pages[page] = on ? bits | CODE : bits & ~CODE;
  }

  isCode(page: number): boolean {
    return (this.#pages[page]! & CODE) !== 0;
  }

  /** Whether a direct store to `page` may go unreported: no code in it, and already written for every tracking client. */
  isQuiet(page: number): boolean {
    return (this.#pages[page]! & (CODE | this.#tracking)) === this.#tracking;
  }

  /** Whether `client` is tracking. */
  tracks(client: DirtyClient): boolean {
    return (this.#tracking & BITS[client]) !== 0;
  }

  /** Starts tracking for `client`, with every page clean or, for a first full pass, every page dirty. */
  start(client: DirtyClient, allDirty = false): void {
    this.#tracking |= BITS[client];
    const bit = BITS[client];
    for (let page = 0; page < this.#pages.length; page++)
      this.#pages[page] = allDirty ? this.#pages[page]! | bit : this.#pages[page]! & ~bit;
    this.onProtect?.();
  }

  stop(client: DirtyClient): void {
    this.#tracking &= ~BITS[client];
  }

  isDirty(client: DirtyClient, page: number): boolean {
    return (this.#pages[page]! & BITS[client]) !== 0;
  }

  /** Calls `each` with every run of dirty bytes (offset, length) and makes the pages clean. Returns the number of pages. */
  take(client: DirtyClient, each: (offset: number, length: number) => void, offset = 0, length?: number): number {
    const bit = BITS[client];
    const first = Math.floor(offset / DIRTY_PAGE);
    const end =
      length === undefined
        ? this.#pages.length
        : Math.min(this.#pages.length, Math.ceil((offset + length) / DIRTY_PAGE));
    let taken = 0;
    let run = -1;
    for (let page = first; page <= end; page++) {
      const dirty = page < end && (this.#pages[page]! & bit) !== 0;
      if (dirty) {
        this.#pages[page] = this.#pages[page]! & ~bit;
        taken++;
        if (run < 0) run = page;
      } else if (run >= 0) {
        each(run * DIRTY_PAGE, (page - run) * DIRTY_PAGE);
        run = -1;
      }
    }
    if (taken > 0) this.onProtect?.();
    return taken;
  }
}
