import { decodeUtf8, encodeUtf8 } from "@mimus/bits";

/** A request that ends with an error: `code` is a POSIX name. */
export class P9Error extends Error {
  readonly code: string;

  constructor(code: string, message: string = code) {
    super(message);
    this.name = "P9Error";
    this.code = code;
  }
}

/** Linux's error numbers. Source: Linux include/uapi/asm-generic/errno*.h */
const ERRNO: Readonly<Record<string, number>> = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ETXTBSY: 26,
  EFBIG: 27,
  ENOSPC: 28,
  ESPIPE: 29,
  EROFS: 30,
  EMLINK: 31,
  ERANGE: 34,
  ENAMETOOLONG: 36,
  ENOSYS: 38,
  ENOTEMPTY: 39,
  ELOOP: 40,
  EPROTO: 71,
  EOVERFLOW: 75,
  EOPNOTSUPP: 95,
  ENOTSUP: 95,
  EDQUOT: 122,
};

/** The number of whatever a host threw; EIO for what has none. */
export function errnoOf(error: unknown): number {
  const code = typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
  return ERRNO[code] ?? 5;
}

/** Reads the fields of a message; a message that is too short is EPROTO. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = at;
  }
  #take(n: number): number {
    const at = this.#at;
    if (at + n > this.#bytes.length) throw new P9Error("EPROTO", "message is too short");
    this.#at = at + n;
    return at;
  }
  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }
  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }
  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }
  /** Exact up to 2^53; more is EOVERFLOW. */
  u64(): number {
    const at = this.#take(8);
    const high = this.#view.getUint32(at + 4, true);
    if (high >= 2 ** 21) throw new P9Error("EOVERFLOW");
    return high * 2 ** 32 + this.#view.getUint32(at, true);
  }
  bytes(n: number): Uint8Array {
    const at = this.#take(n);
    return this.#bytes.subarray(at, at + n);
  }
  text(): string {
    return decodeUtf8(this.bytes(this.u16()));
  }
}

/** Builds a reply: size and header are filled in by `done`. */
export class Writer {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #at = 7;

  #room(n: number): number {
    const at = this.#at;
    if (at + n > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#bytes.length * 2, at + n));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#at = at + n;
    return at;
  }
  get length(): number {
    return this.#at;
  }
  u8(v: number): this {
    this.#view.setUint8(this.#room(1), v);
    return this;
  }
  u16(v: number): this {
    this.#view.setUint16(this.#room(2), v, true);
    return this;
  }
  u32(v: number): this {
    this.#view.setUint32(this.#room(4), v, true);
    return this;
  }
  u64(v: number): this {
    const at = this.#room(8);
    this.#view.setUint32(at, v >>> 0, true);
    this.#view.setUint32(at + 4, Math.floor(v / 2 ** 32) >>> 0, true);
    return this;
  }
  text(s: string): this {
    const bytes = encodeUtf8(s);
    this.u16(bytes.length);
    return this.put(bytes);
  }
  put(bytes: Uint8Array): this {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }
  /** A file's identity: type, version, number. */
  qid(mode: number, inode: number, version = 0): this {
    const type = (mode & 0o170000) === 0o040000 ? 0x80 : (mode & 0o170000) === 0o120000 ? 0x02 : 0;
    return this.u8(type).u32(version).u64(inode);
  }
  /** Patches four bytes written before. */
  setU32(at: number, v: number): void {
    this.#view.setUint32(at, v, true);
  }
  setU16(at: number, v: number): void {
    this.#view.setUint16(at, v, true);
  }
  done(type: number, tag: number): Uint8Array {
    this.#view.setUint32(0, this.#at, true);
    this.#view.setUint8(4, type);
    this.#view.setUint16(5, tag, true);
    return this.#bytes.subarray(0, this.#at);
  }
}
