import type { HostFile } from "./host-file.ts";
import type { LockRequest } from "./lock.ts";

/**
 * A file in which an image is made: empty to look at, emptied before its first change, or at {@link begin}. Until then a refused
 * option costs nobody what was there.
 */
export class FreshFile implements HostFile {
  readonly path: string;
  readonly fixedSize?: boolean;
  readonly writev?: (at: number, from: readonly Uint8Array[]) => Promise<number>;
  readonly punch?: (at: number, length: number) => Promise<void>;
  readonly zero?: (at: number, length: number) => Promise<void>;
  readonly #file: HostFile;
  #begun: Promise<void> | undefined;

  constructor(file: HostFile) {
    this.path = file.path;
    this.#file = file;
    if (file.fixedSize === true) {
      this.fixedSize = true;
      this.#begun = Promise.resolve();
    }
    const { writev, punch, zero } = file;
    if (writev) this.writev = async (at, from) => (await this.begin(), writev.call(file, at, from));
    if (punch) this.punch = async (at, length) => (await this.begin(), punch.call(file, at, length));
    if (zero) this.zero = async (at, length) => (await this.begin(), zero.call(file, at, length));
  }

  /** Empties the file, once. A device keeps its content. */
  begin(): Promise<void> {
    return (this.#begun ??= this.#file.truncate(0));
  }

  async size(): Promise<number> {
    return this.#begun === undefined ? 0 : this.#file.size();
  }
  async read(at: number, into: Uint8Array): Promise<number> {
    return this.#begun === undefined ? 0 : this.#file.read(at, into);
  }
  async write(at: number, from: Uint8Array): Promise<number> {
    await this.begin();
    return this.#file.write(at, from);
  }
  async truncate(size: number): Promise<void> {
    await this.begin();
    return this.#file.truncate(size);
  }
  async lock(request: LockRequest): Promise<void> {
    await this.#file.lock?.(request);
  }
  flush(): Promise<void> {
    return this.#file.flush();
  }
  close(): Promise<void> {
    return this.#file.close();
  }
}
