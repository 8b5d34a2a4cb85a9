import type { BlockNode, ImageOps } from "@mimus/block";
import { BlockError, RangeLock } from "@mimus/block";
import type { SectorCipher } from "@mimus/crypto";
import { SECTOR } from "@mimus/crypto";

/** Bytes that are encrypted at once: a millisecond or two, then the event loop runs. */
const PIECE = 256 * 1024;

/** The plain side of an encrypted payload. Sectors that a write covers in part are read, changed and encrypted again. */
export class LuksNode implements BlockNode {
  readonly name: string;
  readonly driver = "luks";
  readonly sectorSize: number = SECTOR;
  readonly image: ImageOps;
  readonly #file: BlockNode;
  readonly #start: number;
  readonly #cipher: SectorCipher | undefined;
  readonly #header: BlockNode | undefined;
  readonly #locks: RangeLock = new RangeLock();
  #readOnly: boolean;

  /** `start`: of the payload in `file`, bytes. Without a cipher the content is locked. `header`: a node of its own for it. */
  constructor(parts: {
    name: string;
    readOnly: boolean;
    file: BlockNode;
    start: number;
    cipher: SectorCipher | undefined;
    header: BlockNode | undefined;
    image: ImageOps;
  }) {
    this.name = parts.name;
    this.#readOnly = parts.readOnly;
    this.#file = parts.file;
    this.#start = parts.start;
    this.#cipher = parts.cipher;
    this.#header = parts.header;
    this.image = parts.image;
  }

  get size(): number {
    return this.#file.size - this.#start;
  }
  get readOnly(): boolean {
    return this.#readOnly;
  }
  get filename(): string {
    return this.#file.filename ?? this.#file.name;
  }
  get children(): Readonly<Record<string, BlockNode>> {
    return this.#header ? { file: this.#file, header: this.#header } : { file: this.#file };
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    const cipher = this.#unlocked();
    for (let done = 0; done < into.length;) {
      const from = at + done;
      const first = from - (from % SECTOR);
      const end = Math.min(first + PIECE, at + into.length);
      const aligned = Math.min(Math.ceil(end / SECTOR) * SECTOR, this.size);
      const whole = first === from && aligned === end;
      const piece = whole ? into.subarray(done, done + end - from) : new Uint8Array(aligned - first);
      await this.#file.read(this.#start + first, piece);
      cipher.decrypt(piece, first / SECTOR);
      if (!whole) into.set(piece.subarray(from - first, end - first), done);
      done += end - from;
    }
  }

  async write(at: number, from: Uint8Array): Promise<void> {
    const cipher = this.#unlocked();
    for (let done = 0; done < from.length;) {
      const to = at + done;
      const first = to - (to % SECTOR);
      const end = Math.min(first + PIECE, at + from.length);
      const aligned = Math.min(Math.ceil(end / SECTOR) * SECTOR, this.size);
      const part = from.subarray(done, done + end - to);
      await this.#locks.run(first, aligned - first, () => this.#store(cipher, first, aligned, to, part));
      done += end - to;
    }
  }

  /** Encrypts and writes the sectors `first` to `end`; `part` goes to `to`, the rest stays. */
  async #store(cipher: SectorCipher, first: number, end: number, to: number, part: Uint8Array): Promise<void> {
    const sectors = new Uint8Array(end - first);
    if (to > first) await this.read(first, sectors.subarray(0, SECTOR));
    const last = end - 1 - ((end - 1) % SECTOR);
    if (to + part.length < end && !(to > first && last === first))
      await this.read(last, sectors.subarray(last - first));
    sectors.set(part, to - first);
    cipher.encrypt(sectors, first / SECTOR);
    await this.#file.write(this.#start + first, sectors);
  }

  async flush(): Promise<void> {
    await this.#file.flush();
  }

  get resize(): ((size: number) => Promise<void>) | undefined {
    if (!this.#file.resize) return undefined;
    return async (size) => this.#file.resize?.(this.#start + size);
  }

  async reopen({ readOnly }: { readOnly: boolean }): Promise<void> {
    if (!readOnly) this.#unlocked();
    this.#readOnly = readOnly;
  }

  async close(): Promise<void> {
    try {
      await this.#header?.close();
    } finally {
      await this.#file.close();
    }
  }

  #unlocked(): SectorCipher {
    if (this.#cipher) return this.#cipher;
    throw new BlockError("permission", `'${this.filename}': Parameter 'key-secret' is required for cipher`);
  }
}
