/** A disk as plain bytes: what an image is compared with. */
export class DiskModel {
  /** The content now. */
  bytes: Uint8Array;
  /** 1 where the content is not defined: a discard may leave anything. */
  unknown: Uint8Array;
  /** By name. */
  readonly snapshots: Map<string, { readonly bytes: Uint8Array; readonly unknown: Uint8Array }> = new Map();

  readonly #noise: boolean;

  /** `noise`: what was never written may read as anything. */
  constructor(size: number, noise = false) {
    this.#noise = noise;
    this.bytes = new Uint8Array(size);
    this.unknown = new Uint8Array(size).fill(noise ? 1 : 0);
  }

  /** Bytes. */
  get size(): number {
    return this.bytes.length;
  }

  /** Puts bytes at `at`. */
  write(at: number, from: Uint8Array): void {
    this.bytes.set(from, at);
    this.unknown.fill(0, at, at + from.length);
  }
  /** Makes a range zero. */
  zero(at: number, length: number): void {
    this.bytes.fill(0, at, at + length);
    this.unknown.fill(0, at, at + length);
  }
  /** The content of a range is not defined any more. */
  discard(at: number, length: number): void {
    this.unknown.fill(1, at, at + length);
  }
  /** Cuts off, or adds zeroes. */
  resize(size: number): void {
    const before = this.size;
    [this.bytes, this.unknown] = [resized(this.bytes, size), resized(this.unknown, size)];
    if (this.#noise && size > before) this.unknown.fill(1, before);
  }
  /** Keeps the content under a name. */
  snapshot(name: string): void {
    this.snapshots.set(name, { bytes: this.bytes.slice(), unknown: this.unknown.slice() });
  }
  /** The content is as it was when the snapshot was made. */
  apply(name: string): void {
    const s = this.snapshots.get(name);
    if (!s) throw new Error(`no snapshot ${name}`);
    [this.bytes, this.unknown] = [s.bytes.slice(), s.unknown.slice()];
  }

  /** First difference between what was read at `at` and the model; undefined when there is none. */
  difference(at: number, got: Uint8Array): string | undefined {
    const { bytes, unknown } = this;
    for (let i = 0; i < got.length; i++) {
      if (got[i] === bytes[at + i] || unknown[at + i] === 1) continue;
      return `byte ${at + i} is ${got[i]}, not ${bytes[at + i]}`;
    }
    return undefined;
  }
}

function resized(bytes: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(size);
  out.set(bytes.subarray(0, size));
  return out;
}
