import { BlockError } from "@mimus/block";
import type { Codecs } from "@mimus/block";
import { readAt } from "./file-access.ts";
import type { Image } from "./image.ts";
import type { L1Table } from "./l1-table.ts";
import type { Run } from "./l2.ts";
import { COMPRESSED, compressedPlace, newRun, NORMAL, UNALLOCATED, UNALLOCATED_WITH_PLACE } from "./l2.ts";

/** Reads of one request that go on at once. */
const PARALLEL = 16;

/** Reads through a mapping: the active one, or a snapshot's. */
export class Reader {
  readonly #img: Image;
  readonly #run: Run = newRun();
  /** Compressed clusters unpacked last, by place. */
  readonly #unpacked: Map<string, Promise<Uint8Array>> = new Map();

  constructor(img: Image) {
    this.#img = img;
  }

  /** Forgets unpacked clusters: their places may hold something else from now on. */
  forget(): void {
    this.#unpacked.clear();
  }

  read(l1: L1Table, at: number, into: Uint8Array): Promise<void> {
    const img = this.#img;
    const run = this.#run;
    let found: boolean;
    try {
      found = img.map.find(l1, at, into.length, run);
    } catch (e) {
      return img.failed(e);
    }
    if (found && run.length === into.length && !img.cipher && run.kind !== COMPRESSED)
      return this.#plain(run, at, into);
    return this.#pieces(l1, at, into);
  }

  async #pieces(l1: L1Table, at: number, into: Uint8Array): Promise<void> {
    const img = this.#img;
    const run = newRun();
    let going: Promise<void>[] = [];
    try {
      for (let done = 0; done < into.length;) {
        if (!img.map.find(l1, at + done, into.length - done, run)) {
          await img.loadSlice(run.sliceAt);
          continue;
        }
        const part = into.subarray(done, done + run.length);
        going.push(this.#part(run, at + done, part));
        done += run.length;
        if (going.length < PARALLEL) continue;
        await Promise.all(going);
        going = [];
      }
    } catch (e) {
      await Promise.allSettled(going);
      return img.failed(e);
    }
    await Promise.all(going);
  }

  #part(run: Run, at: number, into: Uint8Array): Promise<void> {
    const img = this.#img;
    if (run.kind === COMPRESSED) return this.#compressed(run.high, run.low, at % img.clusterSize, into);
    if (run.kind !== NORMAL || !img.cipher) return this.#plain(run, at, into);
    return this.#decrypted(run.host, at, into);
  }

  #plain(run: Run, at: number, into: Uint8Array): Promise<void> {
    const img = this.#img;
    if (run.kind === NORMAL) {
      const { host } = run;
      const stopped = img.event("read_aio");
      return stopped ? stopped.then(() => readAt(img.data, host, into)) : readAt(img.data, host, into);
    }
    if (run.kind === UNALLOCATED || run.kind === UNALLOCATED_WITH_PLACE) return img.readBacking(at, into);
    into.fill(0);
    return Promise.resolve();
  }

  async #decrypted(host: number, at: number, into: Uint8Array): Promise<void> {
    const { cipher, data } = this.#img;
    const head = at % 512;
    const whole =
      head === 0 && into.length % 512 === 0 ? into : new Uint8Array(Math.ceil((head + into.length) / 512) * 512);
    await this.#img.event("read_aio");
    await readAt(data, host - head, whole);
    cipher?.decrypt(whole, (cipher.physical ? host - head : at - head) / 512);
    if (whole !== into) into.set(whole.subarray(head, head + into.length));
  }

  async #compressed(high: number, low: number, offset: number, into: Uint8Array): Promise<void> {
    const key = `${high}:${low}`;
    let unpacking = this.#unpacked.get(key);
    if (!unpacking) {
      unpacking = this.#unpack(high, low);
      if (this.#unpacked.size >= 8)
        for (const first of this.#unpacked.keys()) {
          this.#unpacked.delete(first);
          break;
        }
      // Whole clusters are read once, as a rule.
      if (into.length < this.#img.clusterSize) {
        this.#unpacked.set(key, unpacking);
        unpacking.catch(() => this.#unpacked.delete(key));
      }
    }
    const cluster = await unpacking;
    into.set(cluster.subarray(offset, offset + into.length));
  }

  async #unpack(high: number, low: number): Promise<Uint8Array> {
    const { file, filename, ctx, header } = this.#img;
    const { at, length } = compressedPlace(high, low, header.clusterBits);
    if (at >= file.size)
      throw new BlockError(
        "corrupt",
        `'${filename}': compressed cluster offset 0x${at.toString(16)} must be less than the file's ${file.size} bytes`,
        { at },
      );
    const packed = new Uint8Array(length);
    await this.#img.event("read_compressed");
    await readAt(file, at, packed);
    try {
      return await this.#decode(ctx.host.codecs, packed);
    } catch (cause) {
      // The data are bad, the tables need not be: an I/O error, not the corrupt bit.
      throw new BlockError("io", `'${filename}': compressed cluster at 0x${at.toString(16)} cannot be unpacked`, {
        at,
        cause,
      });
    }
  }

  /** One cluster out of packed data; deflate data that go on behind it are cut off there. */
  async #decode(codecs: Codecs, packed: Uint8Array): Promise<Uint8Array> {
    const { clusterSize, header } = this.#img;
    if (header.compressionType === 1) return codecs.zstdDecompress(packed, clusterSize);
    try {
      return await codecs.inflateRaw(packed, clusterSize);
    } catch (e) {
      if (codecs.inflateRawStart) return codecs.inflateRawStart(packed, clusterSize);
      throw e;
    }
  }
}
