import { type ClusterNodeOptions, COMPRESSED, UNALLOCATED, ZEROES } from "./cluster-map.ts";
import { readBelow } from "./below.ts";
import { BlockError } from "./errors.ts";
import { MappedNode, MOST_CHANGED } from "./mapped-node.ts";
import { MAX_TRANSFER, zeroRange } from "./node.ts";
import type { BlockStatus } from "./status.ts";
import { statusOf } from "./status.ts";
import { UnpackedClusters } from "./unpacked-clusters.ts";
import { SECTOR } from "./sector.ts";

/** Clusters that one run is looked for in: what a long run of a huge disk may cost. */
const MOST_PEEKED = 1 << 17;
/** Tables that one question about a range may fetch. */
const MOST_LOADED = 64;
const NOTHING = new Uint8Array(0);
const PAD = new Uint8Array(SECTOR);

/**
 * The bytes of an image that maps clusters: everything but the tables, which the format's {@link ClusterMap} has.
 *
 * Entries change only after their data was written, and reach the file at the next flush (or after many changes), data
 * first. Two requests that allocate the same cluster run one after the other; all else runs at once.
 */
export class ClusterNode extends MappedNode {
  readonly sectorSize: number = SECTOR;
  readonly #backingOffset: number;
  readonly #busy: Map<number, Promise<void>> = new Map();
  readonly #unpacked: UnpackedClusters;
  readonly #recurse: boolean;
  #committing: Promise<void> | undefined;

  constructor(opts: ClusterNodeOptions) {
    super(opts);
    this.#unpacked = new UnpackedClusters(opts.map);
    this.#backingOffset = opts.backingOffset ?? 0;
    this.#recurse = opts.preallocated ?? false;
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    const end = at + into.length;
    let first: Promise<void> | undefined;
    let more: Promise<void>[] | undefined;
    for (let here = at; here < end;) {
      const place = this.#placeAt(here) ?? (await this.#place(here));
      const stop = this.#runEnd(here, end, place);
      const part = into.subarray(here - at, stop - at);
      const done = this.#readRun(here, part, place);
      if (first === undefined) first = done;
      else {
        more ??= [first];
        more.push(done);
        done.catch(() => undefined);
      }
      if (stop < end) first.catch(() => undefined);
      here = stop;
    }
    if (more) await Promise.all(more);
    else await first;
  }

  async write(at: number, from: Uint8Array): Promise<void> {
    if (this.firstWrite.pending) await this.firstWrite.done();
    const end = at + from.length;
    const writes: Promise<void>[] = [];
    for (let here = at; here < end;) {
      const place = this.#placeAt(here) ?? (await this.#place(here));
      let stop = this.#runEnd(here, end, place);
      if (place >= 0) writes.push(this.file.write(place + (here % this.unit), from.subarray(here - at, stop - at)));
      else {
        // Neighbours without a place are one piece of work, whatever they read as now.
        while (stop < end) {
          const next = this.#placeAt(stop);
          if (next === undefined || next >= 0) break;
          stop = this.#runEnd(stop, end, next);
        }
        writes.push(this.#allocateAndWrite(here, from.subarray(here - at, stop - at)));
      }
      writes.at(-1)?.catch(() => undefined);
      here = stop;
    }
    await (writes.length === 1 ? writes[0] : Promise.all(writes));
    if (this.map.changed > MOST_CHANGED) await this.#commit();
  }

  async writeZeroes(at: number, length: number, unmap: boolean): Promise<void> {
    await this.firstWrite.done();
    const end = at + length;
    for (let here = at; here < end;) {
      const place = this.#placeAt(here) ?? (await this.#place(here));
      const stop = this.#runEnd(here, end, place);
      if (place >= 0) await zeroRange(this.file, place + (here % this.unit), stop - here, unmap);
      else if (place !== ZEROES && !(place === UNALLOCATED && this.#beyondBacking(here)))
        await this.#zeroClusters(here, stop);
      here = stop;
    }
    if (this.map.changed > MOST_CHANGED) await this.#commit();
  }

  async discard(at: number, length: number): Promise<void> {
    if (!this.file.discard) return;
    await this.firstWrite.done();
    const end = at + length;
    for (let here = at; here < end;) {
      const place = this.#placeAt(here) ?? (await this.#place(here));
      const stop = this.#runEnd(here, end, place);
      if (place >= 0) await this.file.discard(place + (here % this.unit), stop - here);
      here = stop;
    }
  }

  async blockStatus(at: number, length: number): Promise<BlockStatus> {
    const place = this.#placeAt(at) ?? (await this.#place(at));
    const lead = at % this.unit;
    let end = at + length;
    const below = (this.backing?.size ?? 0) - this.#backingOffset;
    if (place === UNALLOCATED && at < below) end = Math.min(end, below);
    let stop = this.#runEnd(at, end, place);
    // Tables that are not in memory yet may go on with the same: a few are fetched.
    for (let n = 0; n < MOST_LOADED && stop < end && this.#placeAt(stop) === undefined; n++) {
      const next = await this.#place(stop);
      if (next !== (place < 0 ? place : place + (stop - at) + lead)) break;
      stop = this.#runEnd(stop, end, next);
    }
    const run = stop - at;
    if (place >= 0) return this.#dataStatus(place + lead, run);
    if (place === COMPRESSED) return { length: run, allocated: true, zero: false, data: true, compressed: true };
    if (place === ZEROES) return { length: run, allocated: true, zero: true, data: false };
    return { length: run, allocated: false, zero: at >= below, data: false };
  }

  async #dataStatus(offset: number, length: number): Promise<BlockStatus> {
    const file = this.file;
    const all = { length, allocated: true, zero: false, data: true, offset, file };
    if (!this.#recurse || offset >= file.size) return all;
    const known = await statusOf(file, offset, Math.min(length, file.size - offset));
    return { ...all, length: known.length, zero: known.zero };
  }

  flush(): Promise<void> {
    return this.map.changed > 0 || this.#committing ? this.#commit() : this.file.flush();
  }

  /** A cluster was stored by other means than this node's requests. */
  forget(cluster: number): void {
    this.#unpacked.forget(cluster);
  }

  // ---- places ----

  #placeAt(at: number): number | undefined {
    return this.map.peek(Math.floor(at / this.unit));
  }

  #place(at: number): Promise<number> {
    return this.placeOf(Math.floor(at / this.unit));
  }

  /** End of the run from `here` on that can be read in one go: neighbours in the file, or all of the same code. */
  #runEnd(here: number, end: number, place: number): number {
    const unit = this.unit;
    const map = this.map;
    const first = Math.floor(here / unit);
    let next = first + 1;
    if (place === UNALLOCATED && map.span) next = first + map.span(first);
    const stop = Math.ceil(end / unit);
    const most = place === COMPRESSED ? 0 : MOST_PEEKED;
    for (let n = 0; next < stop && n < most; n++) {
      if (map.peek(next) !== (place < 0 ? place : place + (next - first) * unit)) break;
      next += place === UNALLOCATED && map.span ? map.span(next) : 1;
    }
    return Math.min(next * unit, end);
  }

  #readRun(at: number, into: Uint8Array, place: number): Promise<void> {
    if (place >= 0) return this.#readFile(at, into, place);
    if (place === UNALLOCATED) return readBelow(this.backing, at + this.#backingOffset, into);
    if (place === COMPRESSED) return this.#readCompressed(at, into);
    into.fill(0);
    return Promise.resolve();
  }

  /** The last cluster of a file may be cut short; one that lies beyond its end is lost. */
  #readFile(at: number, into: Uint8Array, place: number): Promise<void> {
    const offset = place + (at % this.unit);
    const room = this.file.size - offset;
    if (into.length <= room) return this.file.read(offset, into);
    const lost = place + Math.floor((into.length - 1) / this.unit) * this.unit;
    if (lost >= this.file.size)
      return Promise.reject(
        new BlockError(
          "corrupt",
          `'${this.filename ?? this.name}': the cluster of disk offset ${at} lies at ${place}, and the file ends at ${this.file.size}`,
          { at: place },
        ),
      );
    into.fill(0, Math.max(0, room));
    return room > 0 ? this.file.read(offset, into.subarray(0, room)) : Promise.resolve();
  }

  async #readCompressed(at: number, into: Uint8Array): Promise<void> {
    const bytes = await this.#unpacked.get(Math.floor(at / this.unit));
    const start = at % this.unit;
    into.set(bytes.subarray(start, start + into.length));
  }

  #beyondBacking(at: number): boolean {
    return this.backing === undefined || at + this.#backingOffset >= this.backing.size;
  }

  // ---- changes ----

  /** One commit at a time; who asks while one runs needs the next one. */
  async #commit(): Promise<void> {
    while (this.#committing) await this.#committing.catch(() => undefined);
    const work = this.map.commit().finally(() => (this.#committing = undefined));
    this.#committing = work;
    await work;
  }

  /** Holds clusters against other requests that would allocate them, for as long as `work` runs. */
  async #hold(first: number, last: number, work: () => Promise<void>): Promise<void> {
    for (let c = first; c <= last;) {
      const other = this.#busy.get(c);
      if (other) {
        await other;
        c = first;
      } else c++;
    }
    let release!: () => void;
    const held = new Promise<void>((resolve) => (release = resolve));
    for (let c = first; c <= last; c++) this.#busy.set(c, held);
    try {
      await work();
    } finally {
      for (let c = first; c <= last; c++) {
        this.#busy.delete(c);
        this.#unpacked.forget(c);
      }
      release();
    }
  }

  async #allocateAndWrite(at: number, from: Uint8Array): Promise<void> {
    const unit = this.unit;
    const first = Math.floor(at / unit);
    const last = Math.floor((at + from.length - 1) / unit);
    let again = false;
    await this.#hold(first, last, async () => {
      const before: number[] = [];
      for (let c = first; c <= last; c++) before.push(this.map.peek(c) ?? (await this.#place(c * unit)));
      if (before.some((p) => p >= 0)) again = true;
      else if (this.map.store) await this.#storeEach(at, from, before);
      else await this.#writeNew(at, from, before);
    });
    // Another request gave some of the clusters a place meanwhile.
    if (again) await this.write(at, from);
  }

  /** Whole clusters for the format to store as it likes, in order; it may work on several at once. */
  async #storeEach(at: number, from: Uint8Array, before: readonly number[]): Promise<void> {
    const unit = this.unit;
    const end = at + from.length;
    const stored: Promise<void>[] = [];
    for (let here = at, i = 0; here < end; i++) {
      const start = here - (here % unit);
      const stop = Math.min(end, start + unit);
      let bytes = from.subarray(here - at, stop - at);
      if (bytes.length < unit) {
        bytes = new Uint8Array(unit);
        await this.#readRun(start, bytes.subarray(0, Math.min(unit, this.size - start)), before[i] ?? UNALLOCATED);
        bytes.set(from.subarray(here - at, stop - at), here - start);
      }
      const done = this.map.store?.(start / unit, bytes) ?? Promise.resolve();
      done.catch(() => undefined);
      stored.push(done);
      here = stop;
    }
    for (const r of await Promise.allSettled(stored)) if (r.status === "rejected") throw r.reason;
  }

  async #writeNew(at: number, from: Uint8Array, before: readonly number[]): Promise<void> {
    const unit = this.unit;
    const first = Math.floor(at / unit);
    const end = at + from.length;
    const places: number[] = [];
    try {
      for (let i = 0; i < before.length; i++) places.push(this.map.allocate());
      const writes: Promise<void>[] = [];
      for (let i = 0; i < places.length;) {
        let n = 1;
        while (i + n < places.length && places[i + n] === (places[i] ?? 0) + n * unit) n++;
        const start = Math.max(at, (first + i) * unit);
        const stop = Math.min(end, (first + i + n) * unit);
        const data = from.subarray(start - at, stop - at);
        writes.push(this.#writeRun(start, data, places[i] ?? 0, before[i] ?? 0, before[i + n - 1] ?? 0));
        i += n;
      }
      const results = await Promise.allSettled(writes);
      for (const r of results) if (r.status === "rejected") throw r.reason;
      for (const [i, place] of places.entries()) await this.map.set(first + i, place);
    } catch (e) {
      for (const [i, place] of places.entries()) if (this.map.peek(first + i) !== place) this.map.release?.(place);
      throw e;
    }
  }

  /** Writes neighbours at a new place; what lies around the data in the first and last cluster comes along. */
  async #writeRun(at: number, data: Uint8Array, place: number, before: number, beforeLast: number): Promise<void> {
    const unit = this.unit;
    const lead = at % unit;
    const end = at + data.length;
    const trail = (unit - (end % unit)) % unit;
    const all = this.map.stale?.(place) ?? false;
    const head = await this.#around(at - lead, lead, before, all);
    const tail = await this.#around(end, trail, beforeLast, all);
    const pieces = [head, data, tail].filter((p) => p.length > 0);
    const start = place + (head.length > 0 ? 0 : lead);
    const { writev } = this.file;
    if (pieces.length > 1 && writev) await writev.call(this.file, start, pieces);
    else {
      let here = start;
      for (const p of pieces) {
        await this.file.write(here, p);
        here += p.length;
      }
    }
    // The file reaches to the end of its last cluster.
    if (trail > 0 && tail.length === 0) {
      const pad = PAD.subarray(0, Math.min(trail, SECTOR));
      await this.file.write(place + lead + data.length + trail - pad.length, pad);
    }
  }

  /** Old bytes beside new ones in a cluster; nothing when those are zeroes and the new room is so, too. */
  async #around(at: number, length: number, place: number, all: boolean): Promise<Uint8Array> {
    if (length === 0) return NOTHING;
    if (!all && (place === ZEROES || (place === UNALLOCATED && this.#beyondBacking(at - (at % this.unit)))))
      return NOTHING;
    const bytes = new Uint8Array(length);
    const inside = Math.max(0, Math.min(length, this.size - at));
    await this.#readRun(at, bytes.subarray(0, inside), place);
    return bytes;
  }

  async #zeroClusters(at: number, end: number): Promise<void> {
    const unit = this.unit;
    for (let here = at; here < end;) {
      const start = here - (here % unit);
      const whole = here === start && (end >= start + unit || end >= this.size);
      if (whole && this.map.marksZeroes) {
        const stop = Math.min(end, start + unit);
        const cluster = start / unit;
        await this.#hold(cluster, cluster, () => this.map.set(cluster, ZEROES));
        here = stop;
      } else {
        const stop = Math.min(end, start + unit, here + MAX_TRANSFER);
        await this.write(here, new Uint8Array(stop - here));
        here = stop;
      }
    }
  }
}
