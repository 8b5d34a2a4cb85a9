import { isZero, zeroRange } from "@mimus/block";
import type { BlockNode } from "@mimus/block";
import type { ToolHost } from "../host.ts";
import { explained } from "../tools.ts";
import { readOrSalvage } from "./salvage.ts";
import type { Readable } from "./source.ts";

/** Bytes of one request. */
const CHUNK: number = 2 << 20;
/** Zeroes need no buffer: one request may clear this much. */
const ZERO_CHUNK = 1 << 30;

/** What is copied where, and how. */
export interface Copy {
  readonly source: Readable;
  readonly target: BlockNode;
  /** Requests in flight. */
  readonly parallel: number;
  /** Writes may begin in any order; otherwise they begin in the order of the disk, which decides where data lies. */
  readonly anyOrder: boolean;
  /** Runs of zeroes at least this long are not written as data; 0: everything is, unallocated parts included. */
  readonly sparse: number;
  readonly compressed: boolean;
  /** The host copies data from file to file where it can (`-C`), zeroes among them. */
  readonly offload?: boolean;
  /** What is not written reads as zeroes. */
  readonly targetIsZero: boolean;
  /** Bytes a second; undefined = no limit. */
  readonly rate?: number | undefined;
  /** Go on after read errors; called with each. */
  readonly salvage?: ((message: string) => void) | undefined;
  readonly progress: (done: number, total: number) => void;
  /** Called between requests. @throws when the work shall end */
  readonly check: () => void;
  readonly host: ToolHost;
}

/** A stretch of the disk to be written. */
interface Task {
  readonly at: number;
  readonly length: number;
  readonly zero: boolean;
}

/** A stretch with its place in the order of writes. */
interface Taken {
  readonly task: Task;
  readonly before: Promise<unknown>;
  readonly begun: () => void;
  readonly ended: () => void;
}

/**
 * Copies: workers take stretches in the order of the disk, read while others write, and write what is not zero. Memory is one
 * buffer a worker, whatever the size of the images.
 * @throws ToolError "error while reading" or "error while writing"
 */
export async function copy(job: Copy): Promise<void> {
  await new Copier(job).run();
}

class Copier {
  readonly #job: Copy;
  readonly #chunk: number;
  /** Runs of zeroes are looked for in units of this. */
  readonly #unit: number;
  /**
   * Writes wait for the one before the last, so that where a format puts data follows the disk: one finds its place long before the
   * next begins, and the file is never idle. A plain file and compressed data gain nothing by it.
   */
  readonly #oneByOne: boolean;
  readonly #started: number;
  #at = 0;
  #done = 0;
  /** A stretch whose status is known and that is not yet given out as a whole. */
  #known: { kind: "data" | "zero" | "below"; end: number } | undefined;
  #taking: Promise<unknown> = Promise.resolve();
  /** The last stretch that was taken is being written. */
  #turn: Promise<void> = Promise.resolve();
  /** The last two stretches that were taken are written. */
  #ends: readonly [Promise<void>, Promise<void>] = [Promise.resolve(), Promise.resolve()];
  #failure: { readonly error: unknown } | undefined;
  /** It is not tried again once the host has refused. */
  #offload: boolean;

  constructor(job: Copy) {
    this.#job = job;
    const cluster = job.target.image?.clusterSize ?? 0;
    this.#chunk = job.compressed && cluster > 0 ? cluster : CHUNK;
    this.#unit = Math.min(this.#chunk, Math.max(job.sparse, cluster));
    this.#oneByOne = cluster > 0 && !job.compressed;
    this.#started = job.host.now();
    this.#offload = job.offload === true;
  }

  async run(): Promise<void> {
    await Promise.all(Array.from({ length: this.#job.parallel }, () => this.#worker()));
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #worker(): Promise<void> {
    let buffer: Uint8Array | undefined;
    try {
      for (;;) {
        const taken = await this.#take();
        if (taken === undefined || this.#failure !== undefined) return;
        const { task, before, begun, ended } = taken;
        try {
          if (this.#offload && !task.zero && (await this.#offloaded(task))) begun();
          else if (task.zero) await this.#clear(task, before, begun);
          else
            await this.#transfer(
              task,
              (buffer ??= new Uint8Array(this.#chunk)).subarray(0, task.length),
              before,
              begun,
            );
        } finally {
          begun();
          ended();
        }
        this.#done += task.length;
        this.#job.progress(this.#done, this.#job.source.size);
        await this.#pace();
      }
    } catch (error) {
      this.#failure ??= { error };
    }
  }

  /** The next stretch, with its place in the order of writes. One worker at a time. */
  #take(): Promise<Taken | undefined> {
    const next = this.#taking.then(async () => {
      if (this.#failure !== undefined) return undefined;
      const task = await this.#next();
      if (task === undefined) return undefined;
      const { anyOrder } = this.#job;
      const before = anyOrder
        ? Promise.resolve()
        : this.#oneByOne
          ? Promise.all([this.#turn, this.#ends[0]])
          : this.#turn;
      let [begun, ended] = [(): void => undefined, (): void => undefined];
      this.#turn = new Promise((resolve) => (begun = resolve));
      this.#ends = [this.#ends[1], new Promise((resolve) => (ended = resolve))];
      return { task, before, begun, ended };
    });
    this.#taking = next.catch(() => undefined);
    return next;
  }

  async #next(): Promise<Task | undefined> {
    const { source, sparse, targetIsZero, check } = this.#job;
    while (this.#at < source.size) {
      check();
      const at = this.#at;
      const known = await this.#status(at);
      if (known.kind === "data" || (known.kind === "zero" && sparse === 0)) return this.#data(at, known.end);
      const end = this.#job.compressed ? this.#wholeClusters(at, known.end) : known.end;
      if (end <= at) return this.#data(at, at + this.#chunk);
      if (known.kind === "zero" && !targetIsZero) {
        const length = Math.min(end - at, ZERO_CHUNK);
        this.#at = at + length;
        return { at, length, zero: true };
      }
      this.#at = end;
      this.#done += end - at;
      this.#job.progress(this.#done, source.size);
    }
    return undefined;
  }

  async #status(at: number): Promise<{ kind: "data" | "zero" | "below"; end: number }> {
    if (this.#known !== undefined && at < this.#known.end) return this.#known;
    const { source } = this.#job;
    const s = await source.status(at, source.size - at).catch((e: unknown) => {
      if (this.#job.salvage === undefined) throw explained(`error while reading block status at offset ${at}`, e);
      return { kind: "data" as const, length: Math.min(this.#chunk, source.size - at) };
    });
    this.#known = { kind: s.kind, end: at + s.length };
    return this.#known;
  }

  /** Requests end at multiples of their size, so that each fills whole clusters. */
  #data(at: number, end: number): Task {
    const { source, compressed } = this.#job;
    const boundary = at - (at % this.#chunk) + this.#chunk;
    const stop = Math.min(boundary, source.size, compressed ? boundary : end);
    this.#at = stop;
    return { at, length: stop - at, zero: false };
  }

  #wholeClusters(at: number, end: number): number {
    return end >= this.#job.source.size ? end : Math.max(at, end - (end % this.#chunk));
  }

  async #clear({ at, length }: Task, before: Promise<unknown>, begun: () => void): Promise<void> {
    await before;
    const running = zeroRange(this.#job.target, at, length, true);
    begun();
    await running.catch((e: unknown) => this.#notWritten(at, e));
  }

  /** The host has copied the stretch. */
  async #offloaded({ at, length }: Task): Promise<boolean> {
    const { source, target } = this.#job;
    const place = await source.place?.(at, length);
    if (place === undefined) return false;
    this.#offload = (await target.copyFrom?.(place.file, place.at, at, length)) ?? false;
    return this.#offload;
  }

  async #transfer(task: Task, bytes: Uint8Array, before: Promise<unknown>, begun: () => void): Promise<void> {
    const { source, salvage } = this.#job;
    await readOrSalvage(source, task.at, bytes, salvage);
    await before;
    if (this.#failure !== undefined) return;
    const running = this.#job.compressed ? this.#compress(task.at, bytes) : this.#store(task.at, bytes);
    begun();
    await running;
  }

  async #compress(at: number, bytes: Uint8Array): Promise<void> {
    const { image } = this.#job.target;
    if (this.#job.sparse > 0 && this.#zero(bytes)) {
      if (!this.#job.targetIsZero)
        await zeroRange(this.#job.target, at, bytes.length, true).catch((e: unknown) => this.#notWritten(at, e));
      return;
    }
    await image?.writeCompressed?.(at, bytes).catch((e: unknown) => this.#notWritten(at, e));
  }

  /** Writes runs of data, and clears runs of zeroes where the target holds something else. */
  async #store(at: number, bytes: Uint8Array): Promise<void> {
    const { target, sparse, targetIsZero } = this.#job;
    if (sparse === 0) return target.write(at, bytes).catch((e: unknown) => this.#notWritten(at, e));
    const writes: Promise<void>[] = [];
    for (let from = 0; from < bytes.length;) {
      const zero = this.#zero(this.#slice(at, bytes, from));
      let to = from + this.#slice(at, bytes, from).length;
      while (to < bytes.length) {
        const piece = this.#slice(at, bytes, to);
        if (this.#zero(piece) !== zero) break;
        to += piece.length;
      }
      const [where, part] = [at + from, from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to)];
      if (!zero) writes.push(target.write(where, part).catch((e: unknown) => this.#notWritten(where, e)));
      else if (!targetIsZero)
        writes.push(zeroRange(target, where, part.length, true).catch((e: unknown) => this.#notWritten(where, e)));
      from = to;
    }
    await Promise.all(writes);
  }

  /** The unit at `from`, as far as it lies in the bytes. */
  #slice(at: number, bytes: Uint8Array, from: number): Uint8Array {
    const unit = this.#unit;
    return bytes.subarray(from, from + unit - ((at + from) % unit));
  }

  #zero(bytes: Uint8Array): boolean {
    return (bytes[0] ?? 0) === 0 && (bytes.at(-1) ?? 0) === 0 && isZero(bytes);
  }

  #notWritten(at: number, error: unknown): never {
    throw explained(`error while writing at byte ${at}`, error);
  }

  /** Waits until the bytes done so far have taken their time. */
  async #pace(): Promise<void> {
    const { rate, host } = this.#job;
    if (rate === undefined || rate <= 0) return;
    const due = (this.#done / rate) * 1e9 - (host.now() - this.#started);
    if (due > 0) await host.delay(due);
  }
}
