import { Fields } from "@mimus/block";
import { COPIED } from "./constants.ts";

/** An L1 table in memory: where the L2 tables lie. Source: qcow2 specification, "Cluster mapping". */
export class L1Table {
  readonly filename: string;
  readonly clusterSize: number;
  /** Offset in the file, and entries that are in use. */
  at: number;
  count: number;
  /** Whole sectors; what is beyond `count` is zero. */
  bytes: Uint8Array;
  view: DataView;
  /** Changed sectors, by index. */
  readonly dirty: Set<number> = new Set();

  constructor(filename: string, clusterSize: number, at: number, count: number, bytes: Uint8Array) {
    this.filename = filename;
    this.clusterSize = clusterSize;
    this.at = at;
    this.count = count;
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes of a table of so many entries, in whole sectors. */
  static bytesFor(count: number): number {
    return Math.ceil((count * 8) / 512) * 512;
  }

  /** Offset of an L2 table; 0 = none, -1 = not an offset where a table may lie. */
  placeOf(index: number): number {
    const high = this.view.getUint32(index * 8) & 0x00ffffff;
    const at = high * 2 ** 32 + ((this.view.getUint32(index * 8 + 4) & 0xfffffe00) >>> 0);
    return high < 1 << 21 && at % this.clusterSize === 0 ? at : -1;
  }

  /** Offset of an L2 table; 0 = none. @throws BlockError "corrupt" */
  offset(index: number): number {
    const high = this.view.getUint32(index * 8) & 0x00ffffff;
    const low = this.view.getUint32(index * 8 + 4) & 0xfffffe00;
    const at = high * 2 ** 32 + (low >>> 0);
    if (high >= 1 << 21 || at % this.clusterSize !== 0) throw this.wrong(index, at, "must be aligned and below 2^53");
    return at;
  }

  /** The refcount of the L2 table is exactly one: it may be changed in place. */
  copied(index: number): boolean {
    return (this.view.getUint32(index * 8) & COPIED) !== 0;
  }

  set(index: number, at: number, copied: boolean): void {
    this.view.setUint32(index * 8, (Math.floor(at / 2 ** 32) | (copied ? COPIED : 0)) >>> 0);
    this.view.setUint32(index * 8 + 4, at >>> 0);
    this.dirty.add(index >>> 6);
  }

  /** Makes an entry say this and nothing else: flags and reserved bits of old images may be wrong. */
  correct(index: number, at: number, copied: boolean): void {
    const high = (Math.floor(at / 2 ** 32) | (copied ? COPIED : 0)) >>> 0;
    if (this.view.getUint32(index * 8) !== high || this.view.getUint32(index * 8 + 4) !== at >>> 0)
      this.set(index, at, copied);
  }

  wrong(index: number, at: number, rule: string): Error {
    const f = new Fields(this.bytes, { filename: this.filename, littleEndian: false, base: this.at });
    return f.wrong(`L2 table offset (L1 index ${index})`, `0x${at.toString(16)}`, rule, index * 8);
  }
}
