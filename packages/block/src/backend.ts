import { asBlockError, BlockError } from "./errors.ts";
import type { BlockNode } from "./node.ts";
import type { ThrottleClock, ThrottleGroup } from "./throttle.ts";
import { MAX_TRANSFER, totalLength, zeroRange } from "./node.ts";

/** What to do when a request fails: tell the guest, stop the machine, stop only when space ran out, or carry on. */
export type ErrorPolicy = "report" | "stop" | "enospc" | "ignore";

/** A failed request, as told to the machine (QMP BLOCK_IO_ERROR). */
export interface IoErrorEvent {
  /** Id of the drive. */
  readonly device: string;
  /** Name of the node behind it. */
  readonly node: string;
  readonly operation: "read" | "write";
  /** What the policy decided. */
  readonly action: "report" | "stop" | "ignore";
  /** The host's disk is full: the guest may go on when there is room again. */
  readonly noSpace: boolean;
  /** For people. */
  readonly reason: string;
}

/** Counters since start, for query-blockstats. */
export interface BlockStats {
  /** Requests that were made, failed ones included; `write` counts zeroing too. */
  readOps: number;
  readBytes: number;
  writeOps: number;
  writeBytes: number;
  flushOps: number;
  discardOps: number;
  discardBytes: number;
  /** Failed requests of all kinds; each kind's own count follows. */
  failedOps: number;
  failedReads: number;
  failedWrites: number;
  failedFlushes: number;
  failedDiscards: number;
  /** Host time that requests took, nanoseconds; 0 without a clock. */
  readTimeNs: number;
  writeTimeNs: number;
  flushTimeNs: number;
  discardTimeNs: number;
  /** Host milliseconds when the last request ended. */
  lastAccess: number;
  /** Bytes from the start of the disk to the end of the last byte that was written. */
  highestWrite: number;
}

type Operation = "read" | "write" | "flush" | "discard";
const TIME = { read: "readTimeNs", write: "writeTimeNs", flush: "flushTimeNs", discard: "discardTimeNs" } as const;
const FAILED = {
  read: "failedReads",
  write: "failedWrites",
  flush: "failedFlushes",
  discard: "failedDiscards",
} as const;

/**
 * A drive as a device sees it: a node plus the policies that belong to the device. A backend without a node is an empty
 * drive. One device at a time holds it ({@link attach}).
 */
export class BlockBackend {
  /** What `-drive id=` named, or the name of the node that a device uses without a drive. */
  readonly id: string;
  /** Made for a device that names a node: there is no drive of this id. */
  anonymous = false;
  /** Policy for failed writes, flushes and discards. */
  werror: ErrorPolicy = "enospc";
  /** Policy for failed reads. */
  rerror: ErrorPolicy = "report";
  /** False: every write is flushed before it completes (cache=writethrough). */
  writeCache = true;
  /** Called for each error that a policy decided about; "stop" expects the machine to stop. */
  onIoError: ((event: IoErrorEvent) => void) | undefined;
  /** Called after `resize` changed the size. */
  onResize: (() => void) | undefined;
  /** Counters since the backend was made; they outlive a change of the medium. */
  readonly stats: BlockStats = {
    readOps: 0,
    readBytes: 0,
    writeOps: 0,
    writeBytes: 0,
    flushOps: 0,
    discardOps: 0,
    discardBytes: 0,
    failedOps: 0,
    failedReads: 0,
    failedWrites: 0,
    failedFlushes: 0,
    failedDiscards: 0,
    readTimeNs: 0,
    writeTimeNs: 0,
    flushTimeNs: 0,
    discardTimeNs: 0,
    lastAccess: 0,
    highestWrite: 0,
  };
  /** Limits that the drive shares with others, or has alone. */
  throttle: ThrottleGroup | undefined;
  readonly #clock: ThrottleClock | undefined;
  #node: BlockNode | undefined;
  #owner: string | undefined;
  #parked: ((again: boolean) => void)[] = [];
  #ioStatus: "ok" | "failed" | "nospace" = "ok";
  #inFlight = 0;
  #idle: (() => void)[] = [];

  constructor(id: string, node?: BlockNode, clock?: ThrottleClock) {
    this.id = id;
    this.#node = node;
    this.#clock = clock;
  }

  /** The medium; undefined: the drive is empty. */
  get node(): BlockNode | undefined {
    return this.#node;
  }
  /** Bytes of the medium; 0 without one. */
  get size(): number {
    return this.#node?.size ?? 0;
  }
  /** Whether the medium can only be read; false without one. */
  get readOnly(): boolean {
    return this.#node?.readOnly ?? false;
  }
  /** Requests that have begun and not ended, those that wait for retry included. */
  get inFlight(): number {
    return this.#inFlight;
  }
  /** Why the first request since the last {@link retry} stopped the machine; undefined where no error stops it. */
  get ioStatus(): "ok" | "failed" | "nospace" | undefined {
    const stops = [this.werror, this.rerror].some((policy) => policy === "stop" || policy === "enospc");
    return stops ? this.#ioStatus : undefined;
  }
  /** Requests that wait for {@link retry} because their policy stopped the machine. */
  get parked(): number {
    return this.#parked.length;
  }
  /** Whether discards reach the node; otherwise they do nothing. */
  get canDiscard(): boolean {
    return this.#node?.discard !== undefined;
  }

  /** Gives the drive to a device. @throws BlockError "in-use" when another one has it. */
  attach(owner: string): void {
    if (this.#owner !== undefined)
      throw new BlockError(
        "in-use",
        `Drive '${this.id}' is already used by ${this.#owner}: a drive belongs to one device`,
      );
    this.#owner = owner;
  }
  /** The device gives the drive up. */
  detach(): void {
    this.#owner = undefined;
    this.onResize = undefined;
  }
  /** The device that holds the drive. */
  get owner(): string | undefined {
    return this.#owner;
  }

  /** Changes the medium. The caller has drained the drive. */
  setNode(node: BlockNode | undefined): void {
    this.#node = node;
    this.onResize?.();
  }

  /** Fills the pieces with bytes from `at` on. Rejects as `read` does. */
  readv(at: number, into: readonly Uint8Array[]): Promise<void> {
    this.stats.readOps++;
    const length = totalLength(into);
    this.stats.readBytes += length;
    return this.#run("read", at, length, (node) => pieces(at, into, (a, p) => many(node, a, p, "read")));
  }

  /**
   * A read that takes no waiting.
   * @returns false: it has not been done and is not counted; {@link readv} does it
   */
  readNow(at: number, into: readonly Uint8Array[]): boolean {
    const node = this.#node;
    const length = totalLength(into);
    if (!node?.readNow || this.throttle || at < 0 || at + length > node.size) return false;
    const start = this.#clock?.now() ?? 0;
    if (!node.readNow(at, into)) return false;
    this.stats.readOps++;
    this.stats.readBytes += length;
    if (this.#clock) {
      const end = this.#clock.now();
      this.stats.readTimeNs += (end - start) * 1e6;
      this.stats.lastAccess = end;
    }
    return true;
  }

  /** Writes the pieces one after another from `at` on. Rejects as `write` does. */
  writev(at: number, from: readonly Uint8Array[]): Promise<void> {
    this.stats.writeOps++;
    const length = totalLength(from);
    this.stats.writeBytes += length;
    if (at + length > this.stats.highestWrite) this.stats.highestWrite = at + length;
    return this.#run("write", at, length, async (node) => {
      await pieces(at, from, (a, p) => many(node, a, p, "write"));
      if (!this.writeCache) await node.flush();
    });
  }

  /**
   * Fills `into` with bytes from `at` on. Rejects with a BlockError when the policy is to tell the guest; a request that stopped the machine waits for
   * {@link retry}.
   */
  read(at: number, into: Uint8Array): Promise<void> {
    return this.readv(at, [into]);
  }
  /** Writes bytes at `at`, through the limits of `throttle`. Rejects as `read` does. */
  write(at: number, from: Uint8Array): Promise<void> {
    return this.writev(at, [from]);
  }

  /** Resolves when all writes that had completed are on stable storage. */
  flush(): Promise<void> {
    this.stats.flushOps++;
    return this.#run("flush", 0, 0, (node) => node.flush());
  }

  /** Gives up the content of a range, bytes: a hint. */
  discard(at: number, length: number): Promise<void> {
    this.stats.discardOps++;
    this.stats.discardBytes += length;
    return this.#run("discard", at, length, async (node) => {
      await node.discard?.(at, length);
    });
  }

  /** Makes a range read as zeroes; `unmap` allows giving its space back. */
  writeZeroes(at: number, length: number, unmap: boolean): Promise<void> {
    this.stats.writeOps++;
    return this.#run("write", at, length, async (node) => {
      await zeroRange(node, at, length, unmap);
      if (!this.writeCache) await node.flush();
    });
  }

  /** Changes the size of the medium, bytes, and calls `onResize`. @throws BlockError when the node cannot */
  async resize(size: number): Promise<void> {
    const node = this.#node;
    if (!node?.resize) throw new BlockError("unsupported-feature", `Drive '${this.id}' cannot be resized`);
    await node.resize(size);
    this.onResize?.();
  }

  /** The machine runs again: requests that stopped it are tried once more. */
  retry(): void {
    this.#ioStatus = "ok";
    for (const go of this.#parked.splice(0)) go(true);
  }

  /** The machine is reset: requests that wait for {@link retry} fail, and nobody waits for their answer any more. */
  abandon(): void {
    this.#ioStatus = "ok";
    for (const go of this.#parked.splice(0)) go(false);
  }

  /** Resolves when no request is in flight, except those that wait for {@link retry}. */
  async drain(): Promise<void> {
    while (this.#inFlight > this.#parked.length) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  async #run(what: Operation, at: number, bytes: number, act: (node: BlockNode) => Promise<void>): Promise<void> {
    this.#inFlight++;
    const clock = this.#clock;
    const start = clock ? clock.now() : 0;
    const operation = what === "read" ? "read" : "write";
    try {
      if (this.throttle && clock && what !== "flush") await this.throttle.admit(what !== "read", bytes, clock);
      for (;;) {
        try {
          if (!this.#node) throw new BlockError("not-found", `Drive '${this.id}' has no medium`);
          // A file node grows on write: the disk of a guest does not.
          if (at < 0 || at + bytes > this.#node.size)
            throw new BlockError(
              "out-of-range",
              `${what} of ${bytes} bytes at ${at} lies outside drive '${this.id}' (${this.#node.size} bytes)`,
              { at },
            );
          await act(this.#node);
          return;
        } catch (e) {
          const error = asBlockError(e, `${operation} on drive '${this.id}'`);
          this.stats.failedOps++;
          this.stats[FAILED[what]]++;
          const action = this.#decide(operation, error);
          if (action === "ignore") return;
          if (action === "report") throw error;
          const again = await new Promise<boolean>((resolve) => {
            this.#parked.push(resolve);
            this.#settle();
          });
          if (!again) throw error;
        }
      }
    } finally {
      if (clock) {
        const end = clock.now();
        this.stats[TIME[what]] += (end - start) * 1e6;
        this.stats.lastAccess = end;
      }
      this.#inFlight--;
      this.#settle();
    }
  }

  #decide(operation: "read" | "write", error: BlockError): "report" | "stop" | "ignore" {
    const noSpace = error.kind === "no-space";
    const policy = operation === "read" ? this.rerror : this.werror;
    const action = policy === "enospc" ? (noSpace ? "stop" : "report") : policy;
    const node = this.#node?.name ?? "";
    // Without anybody to stop the machine a parked request would hang the guest for ever.
    const final = action === "stop" && !this.onIoError ? "report" : action;
    if (final === "stop" && this.#ioStatus === "ok") this.#ioStatus = noSpace ? "nospace" : "failed";
    this.onIoError?.({ device: this.id, node, operation, action: final, noSpace, reason: error.message });
    return final;
  }

  #settle(): void {
    if (this.#inFlight <= this.#parked.length) for (const resolve of this.#idle.splice(0)) resolve();
  }
}

/** One request to the node for a list of pieces. */
async function many(node: BlockNode, at: number, list: readonly Uint8Array[], way: "read" | "write"): Promise<void> {
  const only = list[0];
  if (list.length === 1 && only) return way === "read" ? node.read(at, only) : node.write(at, only);
  const vector = way === "read" ? node.readv : node.writev;
  if (vector) return vector.call(node, at, list);
  for (const piece of list) {
    await (way === "read" ? node.read(at, piece) : node.write(at, piece));
    at += piece.length;
  }
}

/** Cuts a request into parts of at most MAX_TRANSFER bytes, one after the other. */
async function pieces(
  at: number,
  list: readonly Uint8Array[],
  act: (at: number, part: readonly Uint8Array[]) => Promise<void>,
): Promise<void> {
  if (totalLength(list) <= MAX_TRANSFER) return act(at, list);
  let part: Uint8Array[] = [];
  let bytes = 0;
  for (const whole of list) {
    for (let from = 0; from < whole.length;) {
      const cut = whole.subarray(from, from + MAX_TRANSFER - bytes);
      part.push(cut);
      from += cut.length;
      bytes += cut.length;
      if (bytes < MAX_TRANSFER) continue;
      await act(at, part);
      at += bytes;
      part = [];
      bytes = 0;
    }
  }
  if (bytes > 0) await act(at, part);
}
