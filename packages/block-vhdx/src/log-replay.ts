import type { BlockNode } from "@mimus/block";
import { BlockError, zeroRange } from "@mimus/block";
import type { Header } from "./header.ts";
import { MIB } from "./header.ts";
import type { EntryHeader, LogChange } from "./log-entry.ts";
import { LOG_SECTOR, parseEntry, parseEntryHeader } from "./log-entry.ts";

/** Larger logs are refused: an image that is opened is not worth more. Programs write logs of 1 MiB. */
const MOST_LOG_BYTES = 16 * MIB;

/** No file of this format is larger: 64 TiB of disk, and tables. */
const MOST_FILE_BYTES = 2 ** 47;

interface Entry {
  readonly at: number;
  readonly header: EntryHeader;
}

/** A run of entries whose numbers follow each other and that holds the tail of its last one. */
interface Sequence {
  readonly entries: readonly Entry[];
  readonly head: EntryHeader;
}

/** What replaying a log does: changes in order, and how long the file is afterwards. */
export interface Replay {
  readonly changes: readonly LogChange[];
  readonly fileBytes: number;
  /** Sequence number of the newest entry. */
  readonly sequence: number;
}

/**
 * Finds what a log holds. Source: [MS-VHDX] 2.3.3, "Log Replay".
 * @throws BlockError "corrupt" when there is a log and no sequence in it is whole
 */
export async function readLog(file: BlockNode, header: Header, filename: string): Promise<Replay> {
  const { logAt, logBytes, logGuid } = header;
  if (logBytes > MOST_LOG_BYTES)
    throw new BlockError(
      "unsupported-feature",
      `'${filename}': log length ${logBytes} must be at most ${MOST_LOG_BYTES} to be replayed`,
    );
  const log = new Uint8Array(logBytes);
  await file.read(logAt, log);
  const active = findActive(log, logGuid);
  if (!active)
    throw new BlockError("corrupt", `'${filename}': the log must be replayed and holds no whole sequence of entries`, {
      at: logAt,
    });
  if (active.head.flushedBytes > file.size)
    throw new BlockError(
      "corrupt",
      `'${filename}': the file has ${file.size} bytes, and its log says ${active.head.flushedBytes}: it was cut`,
    );
  const changes: LogChange[] = [];
  let on = false;
  for (const { at, header: h } of active.entries) {
    on ||= at === active.head.tail;
    if (!on) continue;
    changes.push(...(parseEntry(entryAt(log, at, h.bytes), h) ?? []));
  }
  let zeroed = 0;
  for (const c of changes) {
    guard(c, header, filename);
    if (c.kind === "zero") zeroed += Math.max(0, Math.min(c.length, file.size - c.at));
  }
  if (zeroed > 4 * file.size || active.head.lastBytes > MOST_FILE_BYTES)
    throw new BlockError(
      "corrupt",
      `'${filename}': the log zeroes ${zeroed} bytes and ends the file at ${active.head.lastBytes}`,
    );
  return { changes, fileBytes: Math.max(file.size, active.head.lastBytes), sequence: active.head.sequence };
}

/** The log changes neither headers nor itself, and nothing where no file of this format reaches. */
function guard(c: LogChange, header: Header, filename: string): void {
  const length = c.kind === "zero" ? c.length : LOG_SECTOR;
  const meets = (at: number, bytes: number): boolean => c.at < at + bytes && at < c.at + length;
  if (meets(0, 192 << 10) || meets(header.logAt, header.logBytes) || c.at + length > MOST_FILE_BYTES)
    throw new BlockError("corrupt", `'${filename}': a log entry changes ${length} bytes at ${c.at}, where it may not`);
}

function findActive(log: Uint8Array, logGuid: Uint8Array): Sequence | undefined {
  const known = new Map<number, Entry | undefined>();
  // Each byte of a log belongs to one entry, or to what is left of another: more is made up to keep us busy.
  const budget = { bytes: 4 * log.length };
  const entry = (at: number): Entry | undefined => {
    if (!known.has(at)) known.set(at, readEntry(log, at, logGuid, budget));
    return known.get(at);
  };
  let best: Sequence | undefined;
  for (let tail = 0; tail < log.length;) {
    const first = entry(tail);
    if (!first) {
      tail += LOG_SECTOR;
      continue;
    }
    const sequence = follow(first, entry, log.length);
    const head = sequence.at(-1) ?? first;
    if (sequence.some((e) => e.at === head.header.tail) && (!best || head.header.sequence > best.head.sequence))
      best = { entries: sequence, head: head.header };
    tail += LOG_SECTOR;
  }
  return best;
}

/** Entries behind each other, around the end of the log, at most once. */
function follow(first: Entry, entry: (at: number) => Entry | undefined, logBytes: number): Entry[] {
  const out = [first];
  let total = first.header.bytes;
  for (let last = first; total < logBytes;) {
    const next = entry((last.at + last.header.bytes) % logBytes);
    if (!next || next.header.sequence !== last.header.sequence + 1) break;
    out.push(next);
    total += next.header.bytes;
    last = next;
  }
  return out;
}

function readEntry(log: Uint8Array, at: number, logGuid: Uint8Array, budget: { bytes: number }): Entry | undefined {
  const header = parseEntryHeader(log.subarray(at, at + LOG_SECTOR), logGuid, log.length);
  if (!header || (budget.bytes -= header.bytes) < 0) return undefined;
  if (!parseEntry(entryAt(log, at, header.bytes), header)) return undefined;
  return { at, header };
}

/** The bytes of an entry, which may go around the end of the log. */
function entryAt(log: Uint8Array, at: number, bytes: number): Uint8Array {
  if (at + bytes <= log.length) return log.subarray(at, at + bytes);
  const out = new Uint8Array(bytes);
  const first = log.subarray(at);
  out.set(first);
  out.set(log.subarray(0, bytes - first.length), first.length);
  return out;
}

/** Brings the changes into the file. They are stable afterwards. */
export async function replayIntoFile(file: BlockNode, replay: Replay): Promise<void> {
  for (const c of replay.changes) {
    if (c.kind === "data") await file.write(c.at, c.bytes);
    else await zeroInside(file, c.at, c.length);
  }
  if (file.size < replay.fileBytes) await file.resize?.(replay.fileBytes);
  await file.flush();
}

/** Beyond the end of the file there is nothing to make zero: it grows with zeroes. */
async function zeroInside(file: BlockNode, at: number, length: number): Promise<void> {
  const inside = Math.min(length, file.size - at);
  if (inside > 0) await zeroRange(file, at, inside, false);
}

/** The file as it would be after the replay, which a read-only image does not write. */
export class ReplayedFile implements BlockNode {
  readonly name: string;
  readonly driver: string = "file";
  readonly readOnly: boolean = true;
  readonly sectorSize: number;
  readonly size: number;
  readonly #file: BlockNode;
  readonly #changes: readonly LogChange[];

  constructor(file: BlockNode, replay: Replay) {
    this.#file = file;
    this.name = file.name;
    this.sectorSize = file.sectorSize;
    this.size = replay.fileBytes;
    this.#changes = replay.changes;
  }

  get filename(): string {
    return this.#file.filename ?? "";
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    const inside = Math.max(0, Math.min(into.length, this.#file.size - at));
    if (inside > 0) await this.#file.read(at, into.subarray(0, inside));
    into.fill(0, inside);
    for (const c of this.#changes) {
      const end = c.at + (c.kind === "zero" ? c.length : LOG_SECTOR);
      const [from, to] = [Math.max(at, c.at), Math.min(at + into.length, end)];
      if (from >= to) continue;
      if (c.kind === "zero") into.fill(0, from - at, to - at);
      else into.set(c.bytes.subarray(from - c.at, to - c.at), from - at);
    }
  }

  async write(): Promise<void> {
    throw new BlockError("read-only", `'${this.filename}' is read-only`);
  }
  flush(): Promise<void> {
    return Promise.resolve();
  }
  close(): Promise<void> {
    return this.#file.close();
  }
}
