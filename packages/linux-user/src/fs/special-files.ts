/** Devices that are no hardware, and files whose contents are made when they are opened. Source: Linux man-pages, null(4), full(4), random(4), proc(5). */
import { E, fail } from "../errno.ts";
import { encodeUtf8 } from "../memory/address-space.ts";
import { BaseFile, emptyStatFs, makeDev, statOf } from "./base-file.ts";
import { S } from "./constants.ts";
import type { Quota } from "./memory-file.ts";
import type { DirEntry, File, Stat, StatFs } from "./types.ts";

/** A character device by the number that it has on every Linux. */
class DeviceFile extends BaseFile {
  override readonly type: number = S.IFCHR;
  readonly #minor: number;

  constructor(minor: number) {
    super();
    this.#minor = minor;
  }
  override stat(): Stat {
    return statOf({ ino: this.#minor, dev: 5, mode: S.IFCHR | 0o666, rdev: makeDev(1, this.#minor) });
  }
  override read(_into: Uint8Array): number {
    return 0;
  }
  override write(from: Uint8Array): number {
    return from.length;
  }
}

class ZeroFile extends DeviceFile {
  override read(into: Uint8Array): number {
    into.fill(0);
    return into.length;
  }
}

class FullFile extends ZeroFile {
  override write(): number {
    return -E.NOSPC;
  }
}

class RandomFile extends DeviceFile {
  readonly #random: (bytes: Uint8Array) => void;

  constructor(minor: number, random: (bytes: Uint8Array) => void) {
    super(minor);
    this.#random = random;
  }
  override read(into: Uint8Array): number {
    for (let at = 0; at < into.length; at += 65536) this.#random(into.subarray(at, at + 65536));
    return into.length;
  }
}

/** The devices that need no host, by name in /dev. */
export function devices(random: (bytes: Uint8Array) => void): Readonly<Record<string, () => File>> {
  return {
    null: () => new DeviceFile(3),
    zero: () => new ZeroFile(5),
    full: () => new FullFile(7),
    random: () => new RandomFile(8, random),
    urandom: () => new RandomFile(9, random),
  };
}

/** A file that has bytes from the moment when it is opened. */
export class TextFile extends BaseFile {
  override readonly type: number = S.IFREG;
  override readonly seekable = true;
  readonly #bytes: Uint8Array;
  readonly #stat: Stat;
  readonly #fs: number;

  readonly #quota: Quota;

  /** @param quota what all such files may hold together. @throws Errno ENOMEM when it is used up */
  constructor(contents: string | Uint8Array, stat: Stat, fs: number, quota: Quota) {
    super();
    this.#bytes = typeof contents === "string" ? encodeUtf8(contents) : contents;
    this.#quota = quota;
    if (quota.used + this.#bytes.length > quota.limit) fail(E.NOMEM);
    quota.used += this.#bytes.length;
    this.#stat = stat;
    this.#fs = fs;
  }
  override read(into: Uint8Array, at: number): number {
    const part = this.#bytes.subarray(at, at + into.length);
    into.set(part);
    return part.length;
  }
  override stat(): Stat {
    return this.#stat;
  }
  override statfs(): StatFs {
    return emptyStatFs(this.#fs);
  }
  override size(): number {
    return this.#bytes.length;
  }
  override close(): void {
    this.#quota.used -= this.#bytes.length;
  }
}

/** A directory that lists what it has when it is read; a link or a file opened as a path only. */
export class ListFile extends BaseFile {
  override readonly type: number;
  readonly #entries: () => readonly DirEntry[];
  readonly #stat: Stat;
  readonly #fs: number;

  constructor(entries: () => readonly DirEntry[], stat: Stat, fs: number) {
    super();
    this.type = stat.mode & S.IFMT;
    this.#entries = entries;
    this.#stat = stat;
    this.#fs = fs;
  }
  override list(): readonly DirEntry[] {
    return this.type === S.IFDIR ? this.#entries() : fail(E.NOTDIR);
  }
  override stat(): Stat {
    return this.#stat;
  }
  override statfs(): StatFs {
    return emptyStatFs(this.#fs);
  }
  override sync(): void {}
}
