import { BlockError } from "@mimus/block";
import { relieve } from "./flush.ts";
import type { Image } from "./image.ts";
import { compressedEntry } from "./l2.ts";
import type { Reader } from "./read.ts";
import { giveUpEntry, ownTable } from "./write.ts";
import type { Writer } from "./write.ts";

/** Deflate window that the format allows: 2^12 bytes. Source: qcow2 specification, "Compressed Clusters Descriptor". */
const WINDOW_BITS = 12;

/** Stores clusters compressed, packed one behind the other. */
export class Compressor {
  readonly #img: Image;
  readonly #reader: Reader;
  readonly #writer: Writer;

  constructor(img: Image, reader: Reader, writer: Writer) {
    this.#img = img;
    this.#reader = reader;
    this.#writer = writer;
  }

  /** Stores whole clusters; the last may be cut by the end of the disk. Data that do not shrink are stored as they are. */
  async write(at: number, from: Uint8Array): Promise<void> {
    const img = this.#img;
    const { clusterSize } = img;
    if (img.external)
      throw new BlockError(
        "unsupported-feature",
        `'${img.filename}': an external data file cannot hold compressed clusters`,
      );
    if (img.header.crypt !== 0)
      throw new BlockError("unsupported-feature", `'${img.filename}' is encrypted: it cannot hold compressed clusters`);
    if (at % clusterSize !== 0 || (from.length % clusterSize !== 0 && at + from.length !== img.size))
      throw new BlockError("bad-option", `Compressed writes must be whole clusters of ${clusterSize} bytes`, { at });
    img.assertUsable();
    if (!img.touched) await img.beforeWrite();
    const going: Promise<void>[] = [];
    for (let done = 0; done < from.length; done += clusterSize) {
      going.push(this.#cluster(at + done, from.subarray(done, Math.min(from.length, done + clusterSize))));
      if (going.length >= 8) await Promise.all(going.splice(0));
    }
    await Promise.all(going);
  }

  async #cluster(at: number, from: Uint8Array): Promise<void> {
    const img = this.#img;
    const { clusterSize } = img;
    let whole = from;
    if (from.length < clusterSize) {
      whole = new Uint8Array(clusterSize);
      whole.set(from);
    }
    const packed = await this.#pack(whole);
    if (packed === undefined || packed.length >= clusterSize) return this.#writer.write(at, from);
    const cluster = at / clusterSize;
    const release = await img.locks.take(cluster, cluster + 1);
    try {
      const place = await img.mutex.run(async () => {
        await relieve(img);
        await ownTable(img, at);
        return this.#takeBytes(packed.length);
      });
      try {
        await img.event("write_compressed");
        await img.file.write(place, packed);
      } catch (e) {
        await img.mutex.run(async () => this.#giveBack(place, packed.length));
        throw e;
      }
      await img.mutex.run(() => this.#link(at, place, packed.length));
    } catch (e) {
      await img.failed(e);
    } finally {
      release();
    }
  }

  async #pack(from: Uint8Array): Promise<Uint8Array | undefined> {
    const { header, ctx, filename } = this.#img;
    const { codecs } = ctx.host;
    if (header.compressionType === 0) return codecs.deflateRaw(from, 6, WINDOW_BITS);
    if (!codecs.zstdCompress)
      throw new BlockError("unsupported-feature", `'${filename}': this host has no encoder for zstd clusters`);
    return codecs.zstdCompress(from, 3);
  }

  /** Room for packed bytes: after the last ones where they fit, else in new clusters. Under the mutex. */
  async #takeBytes(length: number): Promise<number> {
    const img = this.#img;
    const { clusterSize, refs } = img;
    await img.event("cluster_alloc_bytes");
    const end = img.compressedEnd;
    const left = end === 0 ? 0 : (clusterSize - (end % clusterSize)) % clusterSize;
    if (left > 0 && (await refs.get(Math.floor(end / clusterSize))) < refs.entries.max) {
      const shared = Math.floor(end / clusterSize);
      if (length <= left) {
        await refs.add(shared, 1, 1);
        img.compressedEnd = end + length;
        return end;
      }
      const next = await refs.allocate(1);
      if (next.first === shared + 1) {
        await refs.add(shared, 1, 1);
        img.compressedEnd = end + length;
        return end;
      }
      img.compressedEnd = next.first * clusterSize + length;
      return next.first * clusterSize;
    }
    const taken = await refs.allocate(1);
    img.compressedEnd = taken.first * clusterSize + length;
    return taken.first * clusterSize;
  }

  #giveBack(place: number, length: number): void {
    const { clusterSize, refs } = this.#img;
    const first = Math.floor(place / clusterSize);
    refs.free(first, Math.floor((place + length - 1) / clusterSize) - first + 1, "never");
  }

  async #link(at: number, place: number, length: number): Promise<void> {
    const img = this.#img;
    const { map } = img;
    const piece = await map.cache.get(map.sliceOf(img.l1.offset(Math.floor(at / map.coverage)), at));
    const entry = map.entryOf(at);
    await img.event("l2_update_compressed");
    giveUpEntry(img, piece.view.getUint32(entry), piece.view.getUint32(entry + 4), this.#reader);
    const [high, low] = compressedEntry(place, length, img.header.clusterBits);
    piece.view.setUint32(entry, high);
    piece.view.setUint32(entry + 4, low);
    if (map.shape.extended) {
      piece.view.setUint32(entry + 8, 0);
      piece.view.setUint32(entry + 12, 0);
    }
    map.cache.touch(piece, entry, map.entryBytes);
  }
}
