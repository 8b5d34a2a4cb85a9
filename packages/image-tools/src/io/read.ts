import { MAX_TRANSFER } from "@mimus/block";
import type { Command, Given } from "./command.ts";
import { CommandError, misused } from "./command.ts";
import { lengthOf, numberOf, patternOf, sectorAligned } from "./numbers.ts";
import { dump, errorText, printReport } from "./report.ts";
import type { Session } from "./session.ts";

/** `read`. */
export const read: Command = {
  name: "read",
  alias: "r",
  args: "[-abCqv] [-P pattern [-s off] [-l len]] off len",
  summary: "read bytes, show them, compare them with a pattern",
  details: `
 'read -v 512 1k' shows the kilobyte that lies at offset 512.
 -b, -- from the saved state of the machine instead of the disk
 -C, -- statistics as numbers between commas
 -P, -- all bytes must be this one
 -s, -l, -- or only those from an offset in what is read, so many of them
 -a, -p, -- accepted
 -q, -- no statistics
 -v, -- show the bytes
`,
  least: 2,
  most: -1,
  letters: "abCl:pP:qs:v",
  async run(session, given) {
    const [offText, lengthText, extra] = given.operands;
    const lText = given.value("l");
    const sText = given.value("s");
    const part = lText === undefined ? undefined : numberOf(lText);
    const patternText = given.value("P");
    const pattern = patternText === undefined ? undefined : patternOf(patternText);
    const from = sText === undefined ? 0 : numberOf(sText);
    if (offText === undefined || lengthText === undefined || extra !== undefined) throw misused();
    const at = numberOf(offText);
    const length = lengthOf(lengthText);
    if (pattern === undefined && (lText !== undefined || sText !== undefined)) throw misused();
    const count = part ?? length - from;
    if (count < 0 || count + from > length)
      throw new CommandError("pattern verification range exceeds end of read data");
    if (given.has("b")) {
      sectorAligned("offset", at);
      sectorAligned("count", length);
    }
    const buffer = new Uint8Array(length).fill(0xab);
    const started = session.tools.host.now();
    try {
      await (given.has("b") ? readState(session, at, buffer) : readAt(session, at, buffer));
    } catch (error) {
      session.print(`read failed: ${errorText(error)}\n`);
      return false;
    }
    const ns = session.tools.host.now() - started;
    const good = pattern === undefined || verify(session, buffer.subarray(from, from + count), pattern, at + from);
    finish(session, given, { what: "read", at, buffer, ns });
    return good;
  },
};

/** `readv`. */
export const readv: Command = {
  name: "readv",
  args: "[-Cqv] [-P pattern] off len [len..]",
  summary: "read into several buffers with one request",
  details: `
 'readv -v 512 1k 1k' shows two kilobytes from offset 512, read into two buffers.
 -C, -- statistics as numbers between commas
 -P, -- all bytes must be this one
 -v, -- show the bytes
 -q, -- no statistics
`,
  least: 2,
  most: -1,
  letters: "CP:qv",
  async run(session, given) {
    const { at, buffers, whole } = vectorOf(given);
    const patternText = given.value("P");
    const pattern = patternText === undefined ? undefined : patternOf(patternText);
    const { node } = session;
    const started = session.tools.host.now();
    try {
      await node.readv(at, buffers);
    } catch (error) {
      session.print(`readv failed: ${errorText(error)}\n`);
      return false;
    }
    const ns = session.tools.host.now() - started;
    const good = pattern === undefined || verify(session, whole, pattern, at);
    finish(session, given, { what: "read", at, buffer: whole, ns });
    return good;
  },
};

/** `aio_read`. */
export const aioRead: Command = {
  name: "aio_read",
  args: "[-Ciqv] [-P pattern] off len [len..]",
  summary: "begin to read; the outcome is told later",
  details: `
 'aio_read -v 512 1k' begins to read; what becomes of it is told when it has ended, at the latest by aio_flush.
 -C, -- statistics as numbers between commas
 -P, -- all bytes must be this one
 -i, -- count a request that is not valid
 -v, -- show the bytes
 -q, -- no statistics
`,
  least: 2,
  most: -1,
  letters: "CP:iqv",
  async run(session, given) {
    const patternText = given.value("P");
    const pattern = patternText === undefined ? undefined : patternOf(patternText);
    if (given.has("i")) {
      session.print("injecting invalid read request\n");
      return true;
    }
    const { at, buffers, whole } = vectorOf(given);
    const { node } = session;
    const started = session.tools.host.now();
    session.start(
      (async () => {
        try {
          await node.readv(at, buffers);
        } catch (error) {
          session.print(`readv failed: ${errorText(error)}\n`);
          return;
        }
        const ns = session.tools.host.now() - started;
        if (pattern !== undefined) verify(session, whole, pattern, at);
        finish(session, given, { what: "read", at, buffer: whole, ns });
      })(),
    );
    return true;
  },
};

/** Offset and lengths as pieces of one buffer. @throws CommandError */
export function vectorOf(given: Given): { at: number; buffers: Uint8Array[]; whole: Uint8Array } {
  const [offText, ...lengths] = given.operands;
  if (offText === undefined || lengths.length === 0) throw misused();
  const at = numberOf(offText);
  const sizes = lengths.map((text) => lengthOf(text));
  const whole = new Uint8Array(sizes.reduce((a, b) => a + b, 0)).fill(0xab);
  let from = 0;
  const buffers = sizes.map((n) => whole.subarray(from, (from += n)));
  return { at, buffers, whole };
}

/** Reads in pieces that a node takes. */
async function readAt(session: Session, at: number, into: Uint8Array): Promise<void> {
  const { node } = session;
  if (into.length <= MAX_TRANSFER) return node.read(at, into);
  for (let done = 0; done < into.length; done += MAX_TRANSFER)
    await node.read(at + done, into.subarray(done, done + MAX_TRANSFER));
}

async function readState(session: Session, at: number, into: Uint8Array): Promise<void> {
  const state = session.node.image?.vmState;
  if (state === undefined) throw new CommandError("Operation not supported");
  await state.read(at, into);
}

function verify(session: Session, bytes: Uint8Array, pattern: number, at: number): boolean {
  if (bytes.every((b) => b === pattern)) return true;
  session.print(`Pattern verification failed at offset ${at}, ${bytes.length} bytes\n`);
  return false;
}

function finish(
  session: Session,
  given: Given,
  { what, at, buffer, ns }: { what: string; at: number; buffer: Uint8Array; ns: number },
): void {
  if (given.has("q")) return;
  if (given.has("v")) session.print(dump(buffer, at));
  const { length } = buffer;
  printReport(session, { what, at, asked: length, bytes: length, requests: 1, ns, machine: given.has("C") });
}
