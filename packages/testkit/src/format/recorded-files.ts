import { BlockError, type HostFile, type HostFiles, MemoryFile, MemoryFiles } from "@mimus/block";
import type { Seeded } from "../random.ts";

/** One change of a host file, or a flush that makes the file's earlier changes last. */
export type FileEvent =
  | { readonly file: string; readonly op: "write"; readonly at: number; readonly data: Uint8Array }
  | { readonly file: string; readonly op: "zero" | "punch"; readonly at: number; readonly length: number }
  | { readonly file: string; readonly op: "truncate"; readonly size: number }
  | { readonly file: string; readonly op: "create" | "flush" }
  /** Put there by a test: "everything before was acknowledged to the guest". */
  | { readonly file: ""; readonly op: "mark"; readonly mark: number };

/** Bytes of a disk that change as one: a power cut never leaves half of them. */
export const SECTOR = 512;

/** Files in memory that keep a log of every change, and can be had as a power cut would leave them. */
export class RecordedFiles implements HostFiles {
  /** Every change since the last `settle`. */
  readonly log: FileEvent[] = [];
  /** False: nothing is logged, for long runs. */
  recording = true;
  /** The files as they are now. */
  readonly memory: MemoryFiles = new MemoryFiles();
  /** Called before each operation of a file: throws to make it fail. */
  fail: ((op: string, file: string) => void) | undefined;

  async open(path: string, opts: { writable: boolean; create?: boolean }): Promise<HostFile> {
    this.fail?.("open", path);
    if (!this.memory.files.has(path)) {
      if (!opts.create) throw new BlockError("not-found", `Could not open '${path}': no such file`);
      this.note({ file: path, op: "create" });
    }
    const file = await this.memory.open(path, opts);
    if (opts.create) {
      this.note({ file: path, op: "truncate", size: 0 });
      await file.truncate(0);
    }
    return new RecordedFile(file, this);
  }

  async read(path: string): Promise<Uint8Array> {
    return this.memory.read(path);
  }

  /** Forgets the log: what there is now lasts. */
  settle(): void {
    this.log.length = 0;
  }

  /** Logs that everything before was acknowledged. */
  mark(mark: number): void {
    this.note({ file: "", op: "mark", mark });
  }

  /** Appends to the log. */
  note(event: FileEvent): void {
    if (this.recording) this.log.push(event);
  }

  /**
   * Files as a power cut before event number `cut` would leave them: what a flush covered is there, of everything later
   * some sectors are and some are not. `base`: the files when the log began.
   */
  static async afterCut(
    base: ReadonlyMap<string, Uint8Array>,
    log: readonly FileEvent[],
    cut: number,
    random: Seeded,
  ): Promise<MemoryFiles> {
    const files = new MemoryFiles();
    for (const [name, content] of base) files.add(name, new MemoryFile(name, content));
    const flushed = new Map<string, number>();
    for (let i = 0; i < cut; i++) {
      const event = log[i];
      if (event?.op === "flush") flushed.set(event.file, i);
    }
    // Each cut has its own mood: from "nothing more arrived" to "all of it did".
    const odds = random.below(5);
    for (let i = 0; i < cut; i++) {
      const event = log[i];
      if (!event || event.op === "mark" || event.op === "flush") continue;
      const lasting = event.op === "create" || i < (flushed.get(event.file) ?? -1);
      const file = await files.open(event.file, { writable: true, create: true });
      await applyEvent(file, event, (): boolean => lasting || random.below(4) < odds);
    }
    return files;
  }
}

async function applyEvent(file: HostFile, event: FileEvent, arrives: () => boolean): Promise<void> {
  switch (event.op) {
    case "truncate":
      if (arrives()) await file.truncate(event.size);
      return;
    case "zero":
    case "punch":
      if (arrives()) await file[event.op]?.(event.at, event.length);
      return;
    case "write":
      // Sectors are written whole or not at all, in any order.
      for (let done = 0; done < event.data.length;) {
        const piece = Math.min(SECTOR - ((event.at + done) % SECTOR), event.data.length - done);
        if (arrives()) await file.write(event.at + done, event.data.subarray(done, done + piece));
        done += piece;
      }
      return;
    default:
  }
}

class RecordedFile implements HostFile {
  readonly path: string;
  readonly #file: HostFile;
  readonly #files: RecordedFiles;

  constructor(file: HostFile, files: RecordedFiles) {
    this.path = file.path;
    this.#file = file;
    this.#files = files;
  }

  size(): Promise<number> {
    return this.#file.size();
  }
  async read(at: number, into: Uint8Array): Promise<number> {
    this.#files.fail?.("read", this.path);
    return this.#file.read(at, into);
  }
  async write(at: number, from: Uint8Array): Promise<number> {
    this.#files.fail?.("write", this.path);
    if (this.#files.recording) this.#files.note({ file: this.path, op: "write", at, data: from.slice() });
    return this.#file.write(at, from);
  }
  async flush(): Promise<void> {
    this.#files.fail?.("flush", this.path);
    this.#files.note({ file: this.path, op: "flush" });
  }
  async truncate(size: number): Promise<void> {
    this.#files.fail?.("truncate", this.path);
    this.#files.note({ file: this.path, op: "truncate", size });
    return this.#file.truncate(size);
  }
  async punch(at: number, length: number): Promise<void> {
    this.#files.fail?.("punch", this.path);
    this.#files.note({ file: this.path, op: "punch", at, length });
    await this.#file.punch?.(at, length);
  }
  async zero(at: number, length: number): Promise<void> {
    this.#files.fail?.("zero", this.path);
    this.#files.note({ file: this.path, op: "zero", at, length });
    await this.#file.zero?.(at, length);
  }
  async close(): Promise<void> {}
}
