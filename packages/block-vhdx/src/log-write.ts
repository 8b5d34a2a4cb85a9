import type { BlockNode, FormatHost } from "@mimus/block";
import { BlockError } from "@mimus/block";
import type { Header } from "./header.ts";
import { MIB, newGuid, writeHeader } from "./header.ts";
import { NO_GUID } from "./guid.ts";
import { buildEntry, entryBytes, LOG_SECTOR } from "./log-entry.ts";

/**
 * Changes of the tables go through the log: an entry becomes stable, then its sectors are written in place. An entry is done
 * with when the next one is written, because that begins with a flush; each is therefore its own tail.
 * Source: [MS-VHDX] 2.3, "Log".
 */
export class LogWriter {
  readonly #file: BlockNode;
  readonly #host: FormatHost;
  readonly #filename: string;
  #header: Header;
  #logGuid: Uint8Array = NO_GUID;
  #sequence = 0;
  #at = 0;
  #begun = false;
  #dirtied = false;
  /** Bytes of the file that are stable. */
  #stable = 0;

  constructor(file: BlockNode, header: Header, host: FormatHost) {
    this.#file = file;
    this.#header = header;
    this.#host = host;
    this.#filename = file.filename ?? file.name;
  }

  /** Where the log lies; it moves never. */
  get region(): { readonly at: number; readonly bytes: number } {
    return { at: this.#header.logAt, bytes: this.#header.logBytes };
  }

  /** Before the first change of file or disk: both get new identities, so that no one takes them for what they were. */
  async begin(): Promise<void> {
    if (this.#begun) return;
    if (this.#header.logBytes < 16 * LOG_SECTOR)
      throw new BlockError(
        "unsupported-feature",
        `'${this.#filename}': log length ${this.#header.logBytes} is too small to write`,
      );
    this.#header = await writeHeader(this.#file, this.#header, {
      fileWriteGuid: newGuid(this.#host),
      dataWriteGuid: newGuid(this.#host),
    });
    this.#begun = true;
  }

  /** Called before a flush: so long is the file then, at least. */
  noteSize(): void {
    this.#stable = this.#file.size;
  }

  /** Brings changed sectors into the file. Everything written before is stable already. */
  async write(runs: readonly { readonly at: number; readonly bytes: Uint8Array }[]): Promise<void> {
    const sectors = runs.flatMap(({ at, bytes }) =>
      Array.from({ length: bytes.length / LOG_SECTOR }, (_, i) => ({
        at: at + i * LOG_SECTOR,
        bytes: bytes.subarray(i * LOG_SECTOR, (i + 1) * LOG_SECTOR),
      })),
    );
    // At most a third of the log, so that the entry before stays whole while this one is written.
    const most = Math.max(1, Math.floor(this.#header.logBytes / LOG_SECTOR / 3) - 2);
    for (let i = 0; i < sectors.length; i += most) {
      if (i > 0) await this.#file.flush();
      await this.#append(sectors.slice(i, i + most));
    }
  }

  async #append(sectors: readonly { readonly at: number; readonly bytes: Uint8Array }[]): Promise<void> {
    await this.begin();
    const { logAt, logBytes } = this.#header;
    const bytes = entryBytes(sectors.length);
    if (this.#at + bytes > logBytes) this.#at = 0;
    const fresh = this.#logGuid === NO_GUID;
    const logGuid = fresh ? newGuid(this.#host) : this.#logGuid;
    const entry = buildEntry({
      logGuid,
      sequence: this.#sequence + 1,
      tail: this.#at,
      flushedBytes: Math.floor(this.#stable / MIB) * MIB,
      lastBytes: Math.ceil(this.#file.size / MIB) * MIB,
      sectors,
    });
    await this.#file.write(logAt + this.#at, entry);
    await this.#file.flush();
    if (fresh) {
      this.#header = await writeHeader(this.#file, this.#header, { logGuid });
      this.#logGuid = logGuid;
    }
    this.#sequence++;
    this.#at += bytes;
    this.#dirtied = true;
    for (const { at, bytes: content } of sectors) await this.#file.write(at, content);
  }

  /** All changes are in place: the log is empty. */
  async settle(): Promise<void> {
    if (!this.#dirtied) return;
    await this.#file.flush();
    this.#header = await writeHeader(this.#file, this.#header, { logGuid: NO_GUID });
    this.#logGuid = NO_GUID;
    this.#dirtied = false;
  }
}
