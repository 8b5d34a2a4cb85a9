import type { ClusterMap, ClusterNodeOptions } from "./cluster-map.ts";
import { UNALLOCATED, ZEROES } from "./cluster-map.ts";
import { readBelow } from "./below.ts";
import { MappedNode, MOST_CHANGED } from "./mapped-node.ts";
import { Mutex } from "./mutex.ts";
import { zeroRange } from "./node.ts";
import type { BlockStatus } from "./status.ts";

/** Which sectors of a block are the image's own; "all", or a test. */
export type OwnSectors = "all" | ((sector: number) => boolean);

/** A {@link ClusterMap} whose clusters may hold some sectors only: the others come from below. */
export interface SectorMap extends ClusterMap {
  /** Bytes. */
  readonly sectorSize: number;
  /** Own sectors of a block that has a place, when that is in memory. */
  peekOwn(block: number, place: number): OwnSectors | undefined;
  /** The same, read from the image when it must be. */
  loadOwn(block: number, place: number): Promise<OwnSectors>;
  /** Sectors become the image's own. They were written before. */
  own(block: number, place: number, first: number, count: number): Promise<void>;
  /** Points a block at its place: all of its sectors are its own, or none yet. */
  setOwn(block: number, place: number, own: "all" | "none"): Promise<void>;
}

const ZERO_PIECE = 1 << 20;
const PAD = new Uint8Array(512);

/** The bytes of a differencing image: large blocks, in which single sectors may be the image's own. */
export class SectorNode extends MappedNode<SectorMap> {
  readonly sectorSize: number;
  readonly #changing: Mutex = new Mutex();

  constructor(opts: ClusterNodeOptions & { readonly map: SectorMap }) {
    super(opts);
    this.sectorSize = opts.map.sectorSize;
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    for (let done = 0; done < into.length;) {
      const run = await this.#run(at + done, into.length - done);
      const part = into.subarray(done, done + run.length);
      if (run.from === "file") await this.file.read(run.at, part);
      else if (run.from === "below") await readBelow(this.backing, at + done, part);
      else part.fill(0);
      done += run.length;
    }
  }

  async write(at: number, from: Uint8Array): Promise<void> {
    await this.firstWrite.done();
    for (let done = 0; done < from.length;) {
      const here = at + done;
      const within = here % this.unit;
      const part = from.subarray(done, done + Math.min(from.length - done, this.unit - within));
      await this.#writePart((here - within) / this.unit, within, part);
      done += part.length;
    }
    if (this.map.changed > MOST_CHANGED) await this.map.commit();
  }

  async writeZeroes(at: number, length: number, unmap: boolean): Promise<void> {
    await this.firstWrite.done();
    const end = at + length;
    for (let here = at; here < end;) {
      const within = here % this.unit;
      const block = (here - within) / this.unit;
      const stop = Math.min(end, here - within + this.unit);
      const place = await this.placeOf(block);
      const whole = within === 0 && (stop === here + this.unit || stop === this.size);
      if (place === ZEROES) here = stop;
      else if (place === UNALLOCATED && whole && this.map.marksZeroes) {
        await this.#changing.run(async () => {
          if ((await this.placeOf(block)) === UNALLOCATED) await this.map.set(block, ZEROES);
        });
        if ((await this.placeOf(block)) === ZEROES) here = stop;
      } else if (place >= 0 && (await this.#own(block, place)) === "all") {
        await zeroRange(this.file, place + within, stop - here, unmap);
        here = stop;
      } else {
        const piece = Math.min(stop - here, ZERO_PIECE);
        await this.#writePart(block, within, new Uint8Array(piece));
        here += piece;
      }
    }
  }

  async blockStatus(at: number, length: number): Promise<BlockStatus> {
    const run = await this.#run(at, length);
    if (run.from === "file")
      return { length: run.length, allocated: true, zero: false, data: true, offset: run.at, file: this.file };
    if (run.from === "zero") return { length: run.length, allocated: true, zero: true, data: false };
    const below = this.backing?.size ?? 0;
    const part = at < below ? Math.min(run.length, below - at) : run.length;
    return { length: part, allocated: false, zero: at >= below, data: false };
  }

  /** Also waits for a commit that runs. */
  flush(): Promise<void> {
    return this.map.commit();
  }

  // ---- places ----

  async #own(block: number, place: number): Promise<OwnSectors> {
    return this.map.peekOwn(block, place) ?? (await this.map.loadOwn(block, place));
  }

  /** The longest run from a byte on, inside its block, that comes from one source. */
  async #run(at: number, most: number): Promise<{ from: "file" | "below" | "zero"; at: number; length: number }> {
    const within = at % this.unit;
    const block = (at - within) / this.unit;
    const length = Math.min(most, this.unit - within);
    const place = await this.placeOf(block);
    if (place < 0) return { from: place === ZEROES ? "zero" : "below", at: 0, length };
    const own = await this.#own(block, place);
    if (own === "all") return { from: "file", at: place + within, length };
    const first = Math.floor(within / this.sectorSize);
    const mine = own(first);
    let stop = (first + 1) * this.sectorSize;
    while (stop < within + length && own(stop / this.sectorSize) === mine) stop += this.sectorSize;
    return { from: mine ? "file" : "below", at: place + within, length: Math.min(length, stop - within) };
  }

  // ---- changes ----

  async #writePart(block: number, within: number, data: Uint8Array): Promise<void> {
    const place = await this.placeOf(block);
    const own = place < 0 ? undefined : await this.#own(block, place);
    if (own !== undefined && this.#gaps(own, within, data.length).length === 0)
      await this.#writeOwn(block, place, own, within, data);
    else await this.#changing.run(() => this.#fillAndWrite(block, within, data));
  }

  /** Sectors that the data covers in part and that are not the image's own: at most the first and the last. */
  #gaps(own: OwnSectors, within: number, length: number): number[] {
    if (own === "all") return [];
    const [first, last] = [Math.floor(within / this.sectorSize), Math.floor((within + length - 1) / this.sectorSize)];
    const gaps: number[] = [];
    if ((within % this.sectorSize !== 0 || within + length < (first + 1) * this.sectorSize) && !own(first))
      gaps.push(first);
    if (last !== first && (within + length) % this.sectorSize !== 0 && !own(last)) gaps.push(last);
    return gaps;
  }

  async #writeOwn(block: number, place: number, own: OwnSectors, within: number, data: Uint8Array): Promise<void> {
    await this.file.write(place + within, data);
    if (own === "all") return;
    const [first, last] = [
      Math.floor(within / this.sectorSize),
      Math.floor((within + data.length - 1) / this.sectorSize),
    ];
    for (let s = first; s <= last; s++)
      if (!own(s)) {
        await this.map.own(block, place, s, last - s + 1);
        return;
      }
  }

  /** One at a time: gives the block a place, and whole sectors to what is written in part. */
  async #fillAndWrite(block: number, within: number, data: Uint8Array): Promise<void> {
    let place = await this.placeOf(block);
    const fresh = place < 0;
    if (fresh) place = await this.#newBlock(block, place);
    const own = await this.#own(block, place);
    const size = this.sectorSize;
    for (const sector of this.#gaps(own, within, data.length)) {
      const bytes = new Uint8Array(size);
      await readBelow(this.backing, block * this.unit + sector * size, bytes);
      await this.file.write(place + sector * size, bytes);
    }
    await this.#writeOwn(block, place, own, within, data);
  }

  async #newBlock(block: number, before: number): Promise<number> {
    const place = this.map.allocate();
    try {
      const end = place + this.unit;
      if (before === ZEROES && this.map.stale?.(place)) await zeroRange(this.file, place, this.unit, true);
      if (this.file.size < end) await this.file.write(end - PAD.length, PAD);
      await this.map.setOwn(block, place, before === ZEROES ? "all" : "none");
    } catch (e) {
      this.map.release?.(place);
      throw e;
    }
    return place;
  }
}
