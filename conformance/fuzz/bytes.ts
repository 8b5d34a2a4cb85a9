/** Parsers of one piece of bytes: damaged, parsed, undone. */
import { processorMs } from "./processor.ts";
import { Damage, ScratchFile, Seeded } from "@mimus/testkit";
import type { FuzzCounts, FuzzOptions, Parser } from "./parser.ts";

/** A parser and what it is fed with. */
export interface ByteParser {
  readonly name: string;
  readonly what: string;
  seeds(): Promise<readonly Uint8Array[]> | readonly Uint8Array[];
  /** @throws what {@link refusal} knows */
  parse(bytes: Uint8Array, run: number): void | Promise<void>;
  /** Whether an error is an answer. */
  refusal(e: unknown): boolean;
}

/** Runs between two reports. */
const REPORT = 256;
const LIMIT_MS = 1000;
const LIMIT_BYTES = 1 << 26;

/** `allocated`: bytes of buffers asked for until now */
export function byteParser(parser: ByteParser, allocated: () => number): Parser {
  return { name: parser.name, what: parser.what, run: (options) => runBytes(parser, options, allocated) };
}

async function runBytes(parser: ByteParser, options: FuzzOptions, allocated: () => number): Promise<FuzzCounts> {
  const { count, seed, first, started, progress } = options;
  const subjects = (await parser.seeds()).map((bytes) => ({
    file: new ScratchFile("input", bytes),
    damage: new Damage(new Map([["input", bytes]])),
  }));
  let [taken, refused, longestMs] = [0, 0, 0];
  let n = first;
  const fail = (what: string, cause?: unknown): Error => new Error(`seed ${seed}, run ${n}: ${what}`, { cause });
  const one = async (clock: () => number): Promise<number> => {
    const subject = subjects[n % subjects.length];
    if (subject === undefined) throw new RangeError("nothing to damage");
    const random = new Seeded((Math.imul(seed, 0x9e3779b1) + Math.imul(n, 0x85ebca6b)) >>> 0);
    for (let k = 0; k < 4; k++) random.next();
    subject.damage.apply([subject.file], random);
    const { file } = subject;
    // A copy of what was cut off: nobody may see beyond its end.
    const bytes = file.length < file.bytes.length ? file.bytes.slice(0, file.length) : file.bytes;
    const before = allocated();
    const start = clock();
    try {
      const parsing = parser.parse(bytes, n);
      if (parsing) await parsing;
      taken++;
    } catch (e) {
      if (!parser.refusal(e)) throw fail(e instanceof Error ? (e.stack ?? e.message) : String(e), e);
      const { message } = e as Error;
      if (message.includes("\n") || message === "") throw fail(`a message that is not one line: ${message}`, e);
      refused++;
    } finally {
      file.undo();
    }
    const bytesAsked = allocated() - before;
    if (bytesAsked > LIMIT_BYTES) throw fail(`asked for ${bytesAsked} bytes of memory`);
    return clock() - start;
  };
  while (n < first + count) {
    started(n);
    // Somebody else may have had the processor: what seems slow is measured better.
    let ms = await one(() => performance.now());
    const counted = [taken, refused] as const;
    for (let again = 0; again < 2 && ms > LIMIT_MS; again++) ms = Math.min(ms, await one(processorMs));
    [taken, refused] = counted;
    if (ms > LIMIT_MS) throw fail(`took ${Math.round(ms)} ms`);
    longestMs = Math.max(longestMs, ms);
    n++;
    if ((n - first) % REPORT === 0 && progress(n - first)) break;
  }
  return { runs: n - first, taken, refused, longestMs };
}
