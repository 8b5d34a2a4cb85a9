import { BlockError } from "@mimus/block";
import type { BlockNode } from "@mimus/block";
import { COPIED } from "./constants.ts";
import { relieve } from "./flush.ts";
import type { Image } from "./image.ts";
import type { Run } from "./l2.ts";
import { COMPRESSED, compressedPlace, newRun, NORMAL, UNALLOCATED, ZERO_ALLOCATED, ZERO_PLAIN } from "./l2.ts";
import type { Reader } from "./read.ts";

/** A place for data, taken and not yet linked. */
interface Place {
  /** First cluster of the disk, and how many. */
  readonly first: number;
  readonly count: number;
  readonly host: number;
  /** The clusters had this place before: only their content or flags change. */
  readonly reused: boolean;
  /** Bytes of the request that may go there. */
  readonly room: number;
  /** Clusters whose entries point there already. */
  linked: number;
}

/** Writes data: in place where a cluster is ours alone, into new clusters otherwise. */
export class Writer {
  readonly #img: Image;
  readonly #reader: Reader;
  readonly #run: Run = newRun();

  constructor(img: Image, reader: Reader) {
    this.#img = img;
    this.#reader = reader;
  }

  write(at: number, from: Uint8Array): Promise<void> {
    const img = this.#img;
    const run = this.#run;
    if (img.touched && !img.cipher) {
      try {
        img.assertUsable();
        if (img.map.find(img.l1, at, from.length, run) && run.length === from.length && inPlace(run))
          return this.#overwrite(run.host, at, from);
      } catch (e) {
        return img.failed(e);
      }
    }
    return this.#pieces(at, from).catch((e: unknown) => img.failed(e));
  }

  async #pieces(at: number, from: Uint8Array): Promise<void> {
    const img = this.#img;
    img.assertUsable();
    if (!img.touched) await img.beforeWrite();
    const run = newRun();
    for (let done = 0; done < from.length;) {
      if (!img.map.find(img.l1, at + done, from.length - done, run)) {
        await img.loadSlice(run.sliceAt);
        continue;
      }
      const here = at + done;
      if (inPlace(run)) {
        const { host, length } = run;
        await this.#overwrite(host, here, from.subarray(done, done + length));
        done += length;
      } else done += await this.#place(here, from.subarray(done));
    }
  }

  /** Data onto clusters that are this image's alone. */
  async #overwrite(host: number, at: number, from: Uint8Array): Promise<void> {
    const img = this.#img;
    if (!img.external) {
      const first = Math.floor(host / img.clusterSize);
      const last = Math.floor((host + from.length - 1) / img.clusterSize);
      img.guard.assertFree(first, last - first + 1);
      if (last * img.clusterSize >= img.file.size) await this.#assertCounted(last);
    }
    return this.#store(host, at, from);
  }

  /** A place beyond the end of the file must be one that was given out. */
  async #assertCounted(cluster: number): Promise<void> {
    if ((await this.#img.refs.get(cluster)) > 0) return;
    throw new BlockError(
      "corrupt",
      `'${this.#img.filename}': data cluster ${cluster} lies beyond the end of the file and has refcount 0`,
      { at: cluster * this.#img.clusterSize },
    );
  }

  /** Bytes into the data file, encrypted where the image is. Whole sectors when it is. */
  async #store(host: number, at: number, from: Uint8Array): Promise<void> {
    const { cipher, data } = this.#img;
    const stopped = this.#img.event("write_aio");
    if (stopped) await stopped;
    if (!cipher) return data.write(host, from);
    const head = at % 512;
    const whole = new Uint8Array(Math.ceil((head + from.length) / 512) * 512);
    if (whole.length !== from.length) await this.#reader.read(this.#img.l1, at - head, whole);
    whole.set(from, head);
    cipher.encrypt(whole, (cipher.physical ? host - head : at - head) / 512);
    return data.write(host - head, whole);
  }

  /** Writes the start of `from` into new clusters (as many as fit); answers the bytes written. */
  async #place(at: number, from: Uint8Array): Promise<number> {
    const img = this.#img;
    const { clusterSize, map } = img;
    const first = Math.floor(at / clusterSize);
    const tableEnd = (Math.floor(at / map.coverage) + 1) * map.coverage;
    const end = Math.min(at + from.length, tableEnd);
    const release = await img.locks.take(first, Math.ceil(end / clusterSize));
    try {
      const place = await img.mutex.run(() => this.#findPlace(at, end));
      if (!place) return 0;
      const length = Math.min(end - at, place.room);
      try {
        const [from0, to] = await this.#fill(place, at, from.subarray(0, length));
        await img.mutex.run(() => this.#link(place, from0, to));
      } catch (e) {
        if (!place.reused && !img.external)
          await img.mutex.run(async () =>
            img.refs.free(place.host / clusterSize + place.linked, place.count - place.linked, "never"),
          );
        throw e;
      }
      return length;
    } finally {
      release();
    }
  }

  async #findPlace(at: number, end: number): Promise<Place | undefined> {
    const img = this.#img;
    const { clusterSize } = img;
    await relieve(img);
    await ownTable(img, at);
    const first = Math.floor(at / clusterSize);
    const base = first * clusterSize;
    const run = newRun();
    await this.#findAt(at, run, Math.min(end, base + clusterSize) - at);
    if (inPlace(run)) return undefined;
    const reused = run.copied && run.kind >= ZERO_ALLOCATED && run.kind !== COMPRESSED;
    if (reused && !img.external) img.guard.assertFree(Math.floor(run.host / clusterSize), 1);
    // Subclusters that hold data already may be written by others meanwhile: the run ends before them.
    if (reused)
      return { first, count: 1, host: run.host - (run.host % clusterSize), reused, room: run.length, linked: 0 };
    const count = await this.#countNew(base, Math.ceil((end - base) / clusterSize));
    const room = (n: number): number => base + n * clusterSize - at;
    if (img.external) return { first, count, host: base, reused: false, room: room(count), linked: 0 };
    const taken = await img.refs.allocate(count);
    const host = taken.first * clusterSize;
    return { first, count: taken.count, host, reused: false, room: room(taken.count), linked: 0 };
  }

  /** How many clusters from `base` on need a new place, at most `most`. */
  async #countNew(base: number, most: number): Promise<number> {
    const { clusterSize } = this.#img;
    const run = newRun();
    let count = 0;
    while (count < most) {
      // A cluster of subclusters is judged by its first piece: a place and a flag belong to all of them.
      await this.#findAt(base + count * clusterSize, run, (most - count) * clusterSize);
      if (run.copied && run.kind >= ZERO_ALLOCATED && run.kind !== COMPRESSED) break;
      if (this.#img.map.shape.extended || run.kind === COMPRESSED) count++;
      else count += Math.ceil(run.length / clusterSize);
    }
    return Math.max(1, Math.min(count, most));
  }

  async #findAt(at: number, run: Run, length = 1): Promise<void> {
    while (!this.#img.map.find(this.#img.l1, at, length, run)) await this.#img.loadSlice(run.sliceAt);
    // The flags of an entry hold for subclusters without a place too.
    if (this.#img.map.shape.extended && run.kind < ZERO_ALLOCATED) run.copied = false;
  }

  /** Puts data and what surrounds it in its clusters (or subclusters) into a place; answers the range that is filled. */
  async #fill(place: Place, at: number, from: Uint8Array): Promise<[number, number]> {
    const img = this.#img;
    const { clusterSize, map } = img;
    const unit = map.subclusterSize;
    const base = place.first * clusterSize;
    let start = Math.floor(at / unit) * unit;
    let end = Math.ceil((at + from.length) / unit) * unit;
    const run = newRun();
    if (map.shape.extended && !place.reused) [start, end] = await this.#widen(place, start, end);
    const host = place.host + (start - base);
    await this.#findAt(start, run);
    const fresh = await this.#untouched(host, start, at, at + from.length, end);
    const surrounded = start !== at || end !== at + from.length;
    // In a new cluster there is nothing to be read: what surrounds the data is zero.
    if (surrounded) await img.event(fresh ? "cluster_alloc_space" : "cow_read");
    if (fresh && !img.cipher) {
      await img.event("write_aio");
      await img.data.write(host + (at - start), from);
    } else if (!surrounded) await this.#store(host, start, from);
    else if (from.length >= 1 << 18 && !img.cipher) await this.#around(host, start, end, at, from);
    else {
      const all = new Uint8Array(end - start);
      if (at > start) await this.#reader.read(img.l1, start, all.subarray(0, at - start));
      if (end > at + from.length)
        await this.#reader.read(img.l1, at + from.length, all.subarray(at + from.length - start));
      all.set(from, at - start);
      await img.event("cow_write");
      await this.#store(host, start, all);
    }
    return [start, end];
  }

  async #around(host: number, start: number, end: number, at: number, from: Uint8Array): Promise<void> {
    const { data, l1 } = this.#img;
    const head = new Uint8Array(at - start);
    const tail = new Uint8Array(end - at - from.length);
    await this.#reader.read(l1, start, head);
    await this.#reader.read(l1, at + from.length, tail);
    await this.#img.event("cow_write");
    if (head.length > 0) await data.write(host, head);
    await this.#img.event("write_aio");
    await data.write(host + head.length, from);
    if (tail.length > 0) await data.write(host + head.length + from.length, tail);
  }

  /** A cluster with subclusters that moves takes its content along: the range grows to all of it. */
  async #widen(place: Place, start: number, end: number): Promise<[number, number]> {
    const { clusterSize, map } = this.#img;
    const moved = async (cluster: number): Promise<boolean> => {
      const run = newRun();
      for (let at = cluster * clusterSize; at < (cluster + 1) * clusterSize; at += run.length) {
        await this.#findAt(at, run, (cluster + 1) * clusterSize - at);
        if (run.kind === NORMAL || run.kind === COMPRESSED) return true;
      }
      return false;
    };
    const first = Math.floor(start / clusterSize);
    const last = Math.floor((end - 1) / clusterSize);
    if (start % map.clusterSize !== 0 && (await moved(first))) start = first * clusterSize;
    if (end % map.clusterSize !== 0 && (await moved(last))) end = (last + 1) * clusterSize;
    // Between the ends of several clusters there are no gaps; within one cluster content lies on both sides.
    if (first === last && place.count >= 1 && (await moved(first)))
      [start, end] = [first * clusterSize, (first + 1) * clusterSize];
    return [start, end];
  }

  /** The place lies beyond the end of the file and the parts around the data read as zeroes: they need not be written. */
  async #untouched(host: number, start: number, at: number, dataEnd: number, end: number): Promise<boolean> {
    const img = this.#img;
    if (start === at && end === dataEnd) return false;
    if (img.external || host < img.file.size || img.file.resize === undefined) return false;
    return (await this.#readsZero(start, at)) && (await this.#readsZero(dataEnd, end));
  }

  async #readsZero(from: number, to: number): Promise<boolean> {
    const run = newRun();
    for (let at = from; at < to; at += run.length) {
      await this.#findAt(at, run, to - at);
      const zero =
        run.kind === ZERO_PLAIN || run.kind === ZERO_ALLOCATED || (run.kind === UNALLOCATED && !this.#img.backing);
      if (!zero) return false;
    }
    return true;
  }

  /** Entries point at the place from now on; what they pointed at before is given up. */
  async #link(place: Place, start: number, end: number): Promise<void> {
    const img = this.#img;
    for (let i = 0; i < place.count; i++) {
      const at = (place.first + i) * img.clusterSize;
      const host = place.host + i * img.clusterSize;
      const slice = img.map.sliceOf(img.l1.offset(Math.floor(at / img.map.coverage)), at);
      const piece = await img.map.cache.get(slice);
      const entry = img.map.entryOf(at);
      const high = piece.view.getUint32(entry);
      const low = piece.view.getUint32(entry + 4);
      if (!place.reused) giveUpEntry(img, high, low, this.#reader);
      piece.view.setUint32(entry, (Math.floor(host / 2 ** 32) | COPIED) >>> 0);
      piece.view.setUint32(entry + 4, host >>> 0);
      if (img.map.shape.extended) markSubclusters(img, piece.view, entry, at, start, end, (high & 0x40000000) !== 0);
      img.map.cache.touch(piece, entry, img.map.entryBytes);
      place.linked = i + 1;
    }
  }
}

/** The data of a run may be written over. */
function inPlace(run: Run): boolean {
  return run.kind === NORMAL && run.copied;
}

/** Subclusters in the range hold data from now on. */
function markSubclusters(
  img: Image,
  view: DataView,
  entry: number,
  at: number,
  start: number,
  end: number,
  wasCompressed: boolean,
): void {
  const unit = img.map.subclusterSize;
  const from = Math.max(0, Math.floor((start - at) / unit));
  const to = Math.min(32, Math.ceil((end - at) / unit));
  const mask = (to - from === 32 ? 0xffffffff : ((2 ** (to - from) - 1) << from) >>> 0) >>> 0;
  const zero = wasCompressed ? 0 : view.getUint32(entry + 8);
  const data = wasCompressed ? 0 : view.getUint32(entry + 12);
  view.setUint32(entry + 8, (zero & ~mask) >>> 0);
  view.setUint32(entry + 12, (data | mask) >>> 0);
}

/** What an L2 entry points at loses one reference. */
export function giveUpEntry(img: Image, high: number, low: number, reader: Reader): void {
  if ((high & 0x40000000) !== 0) {
    const { at, length } = compressedPlace(high, low, img.header.clusterBits);
    const first = Math.floor(at / img.clusterSize);
    reader.forget();
    img.refs.free(first, Math.floor((at + length - 1) / img.clusterSize) - first + 1, "other");
    return;
  }
  const top = high & 0x00ffffff;
  const host = top * 2 ** 32 + ((low & 0xfffffe00) >>> 0);
  if (host === 0 || img.external) return;
  if (top >= 1 << 21 || host % img.clusterSize !== 0)
    throw new BlockError(
      "corrupt",
      `'${img.filename}': data cluster offset 0x${host.toString(16)} must be a multiple of ${img.clusterSize}`,
    );
  img.refs.free(host / img.clusterSize, 1, "request");
}

/** Makes the L2 table for a disk offset this image's alone: a new one, or a copy of one that snapshots share. Under the mutex. */
export async function ownTable(img: Image, at: number): Promise<void> {
  const { l1, map, clusterSize, refs, guard } = img;
  const index = Math.floor(at / map.coverage);
  const old = l1.offset(index);
  if (old !== 0 && l1.copied(index)) {
    guard.assertHolds(old / clusterSize, "active-l2");
    return;
  }
  if (old !== 0 && old >= img.file.size) await img.loadSlice(old);
  const cluster = (await refs.allocate(1)).first;
  const table = cluster * clusterSize;
  for (let offset = 0; offset < clusterSize; offset += map.sliceBytes) {
    if (old === 0) {
      if (map.sliceBytes === clusterSize) map.cache.create(table);
      continue;
    }
    await img.event("l2_alloc_cow_read");
    const bytes = (await map.cache.get(old + offset)).bytes.slice();
    if (map.sliceBytes === clusterSize) map.cache.create(table, bytes);
    else await img.file.write(table + offset, bytes);
  }
  if (old === 0 && map.sliceBytes < clusterSize) await writeZeroes(img.file, table, clusterSize);
  if (map.sliceBytes < clusterSize)
    for (let offset = 0; offset < clusterSize; offset += map.sliceBytes) map.cache.drop(table + offset);
  img.freshTables.add(table);
  l1.set(index, table, true);
  guard.claim(cluster, 1, "active-l2");
  if (old === 0) return;
  guard.release(old / clusterSize, 1, "active-l2");
  refs.free(old / clusterSize, 1, "other");
}

async function writeZeroes(file: BlockNode, at: number, length: number): Promise<void> {
  await file.write(at, new Uint8Array(length));
}
