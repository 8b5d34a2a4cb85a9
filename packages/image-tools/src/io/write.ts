import { MAX_TRANSFER } from "@mimus/block";
import type { Command, Given } from "./command.ts";
import { CommandError, misused, programError } from "./command.ts";
import { lengthOf, numberOf, patternOf, sectorAligned } from "./numbers.ts";
import { errorText, printReport } from "./report.ts";
import { vectorOf } from "./read.ts";
import type { Session } from "./session.ts";

const PATTERN = 0xcd;

/** `write`. */
export const write: Command = {
  name: "write",
  alias: "w",
  args: "[-bcCfnquz] [-P pattern | -s source_file] off len",
  summary: "write a pattern, zeroes or the bytes of a file",
  details: `
 'write 512 1k' writes a kilobyte of the byte 0xcd at offset 512.
 -b, -- to the saved state of the machine instead of the disk
 -c, -- compressed
 -f, -- to stable storage before it is done
 -n, -- with -z: fail where zeroes have to be written as data
 -P, -- this byte
 -s, -- the bytes of a file, over and over
 -C, -- statistics as numbers between commas
 -p, -- accepted
 -q, -- no statistics
 -u, -- with -z: space may be given back
 -z, -- zeroes, without sending them
`,
  least: 2,
  most: -1,
  letters: "bcCfnpP:qs:uz",
  async run(session, given) {
    checkLetters(given);
    const patternText = given.value("P");
    const pattern = patternText === undefined ? PATTERN : patternOf(patternText);
    const [offText, lengthText, extra] = given.operands;
    if (offText === undefined || lengthText === undefined || extra !== undefined) throw misused();
    const at = numberOf(offText);
    const length = lengthOf(lengthText, given.has("n"));
    if (given.has("b") || given.has("c")) {
      sectorAligned("offset", at);
      sectorAligned("count", length);
    }
    refuseReadOnly(session);
    const started = session.tools.host.now();
    const source = given.value("s");
    const buffer = given.has("z")
      ? undefined
      : source === undefined
        ? new Uint8Array(length).fill(pattern)
        : await fromFile(session, source, length);
    try {
      await store(session, given, at, length, buffer);
      if (given.has("f")) await session.node.flush();
    } catch (error) {
      session.print(`write failed: ${error instanceof CommandError ? error.message : errorText(error)}\n`);
      return false;
    }
    report(session, given, at, length, started);
    return true;
  },
};

/** `writev`. */
export const writev: Command = {
  name: "writev",
  args: "[-Cfq] [-P pattern] off len [len..]",
  summary: "write from several buffers with one request",
  details: `
 'writev 512 1k 1k' writes two kilobytes at offset 512, from two buffers.
 -P, -- this byte instead of 0xcd
 -C, -- statistics as numbers between commas
 -f, -- to stable storage before it is done
 -q, -- no statistics
`,
  least: 2,
  most: -1,
  letters: "CfqP:",
  async run(session, given) {
    const patternText = given.value("P");
    const pattern = patternText === undefined ? PATTERN : patternOf(patternText);
    const { at, buffers, whole } = vectorOf(given);
    refuseReadOnly(session);
    whole.fill(pattern);
    const started = session.tools.host.now();
    try {
      await session.node.writev(at, buffers);
      if (given.has("f")) await session.node.flush();
    } catch (error) {
      session.print(`writev failed: ${errorText(error)}\n`);
      return false;
    }
    report(session, given, at, whole.length, started);
    return true;
  },
};

/** `aio_write`. */
export const aioWrite: Command = {
  name: "aio_write",
  args: "[-Cfiquz] [-P pattern] off len [len..]",
  summary: "begin to write; the outcome is told later",
  details: `
 'aio_write 512 1k' begins to write; what becomes of it is told when it has ended, at the latest by aio_flush.
 -P, -- this byte instead of 0xcd
 -C, -- statistics as numbers between commas
 -f, -- to stable storage before it is done
 -i, -- count a request that is not valid
 -q, -- no statistics
 -u, -- with -z: space may be given back
 -z, -- zeroes, without sending them
`,
  least: 2,
  most: -1,
  letters: "CfiP:quz",
  async run(session, given) {
    if (given.has("i")) {
      session.print("injecting invalid write request\n");
      return true;
    }
    const patternText = given.value("P");
    const pattern = patternText === undefined ? PATTERN : patternOf(patternText);
    if (given.has("u") && !given.has("z")) throw new CommandError("-u requires -z to be specified");
    if (given.has("z") && patternText !== undefined)
      throw new CommandError("-z and -P cannot be specified at the same time");
    if (given.has("z") && given.operands.length !== 2)
      throw new CommandError("-z supports only a single length parameter");
    const { at, buffers, whole } = vectorOf(given);
    refuseReadOnly(session);
    whole.fill(pattern);
    const { node } = session;
    const started = session.tools.host.now();
    session.start(
      (async () => {
        try {
          await (given.has("z") ? node.writeZeroes(at, whole.length, given.has("u")) : node.writev(at, buffers));
          if (given.has("f")) await node.flush();
        } catch (error) {
          session.print(`aio_write failed: ${errorText(error)}\n`);
          return;
        }
        report(session, given, at, whole.length, started);
      })(),
    );
    return true;
  },
};

/** `discard`. */
export const discard: Command = {
  name: "discard",
  alias: "d",
  args: "[-Cq] off len",
  summary: "give up the content of a range",
  details: `
 'discard 512 1k' gives up the kilobyte at offset 512.
 -C, -- statistics as numbers between commas
 -q, -- no statistics
`,
  least: 2,
  most: -1,
  letters: "Cq",
  async run(session, given) {
    const [offText, lengthText, extra] = given.operands;
    if (offText === undefined || lengthText === undefined || extra !== undefined) throw misused();
    const at = numberOf(offText);
    const length = lengthOf(lengthText, true);
    refuseReadOnly(session);
    const started = session.tools.host.now();
    try {
      await session.node.discard?.(at, length);
    } catch (error) {
      session.print(`discard failed: ${errorText(error)}\n`);
      return false;
    }
    report(session, given, at, length, started, "discard");
    return true;
  },
};

function checkLetters(given: Given): void {
  if (given.has("b") && given.has("c")) throw new CommandError("-b and -c cannot be specified at the same time");
  if (given.has("b") && given.has("z")) throw new CommandError("-b and -z cannot be specified at the same time");
  if (given.has("n") && !given.has("z")) throw new CommandError("-n requires -z to be specified");
  if (given.has("u") && !given.has("z")) throw new CommandError("-u requires -z to be specified");
  if (["z", "P", "s"].filter((l) => given.has(l)).length > 1)
    throw new CommandError("Only one of -z, -P, and -s can be specified at the same time");
}

function refuseReadOnly(session: Session): void {
  if (session.node.readOnly) throw programError("Block node is read-only");
}

async function store(
  session: Session,
  given: Given,
  at: number,
  length: number,
  buffer: Uint8Array | undefined,
): Promise<void> {
  const { node } = session;
  if (buffer === undefined) return node.writeZeroes(at, length, given.has("u"));
  if (given.has("b")) {
    if (node.image?.vmState === undefined) throw new CommandError("Operation not supported");
    return node.image.vmState.write(at, buffer);
  }
  if (given.has("c")) {
    if (node.image?.writeCompressed === undefined) throw new CommandError("Operation not supported");
    const cluster = node.image.clusterSize ?? 65536;
    if (at % cluster !== 0 || (length % cluster !== 0 && at + length !== node.size))
      throw new CommandError("Invalid argument");
    for (let done = 0; done < length; done += cluster)
      await node.image.writeCompressed(at + done, buffer.subarray(done, done + cluster));
    return;
  }
  for (let done = 0; done < length || done === 0; done += MAX_TRANSFER)
    await node.write(at + done, buffer.subarray(done, done + MAX_TRANSFER));
}

async function fromFile(session: Session, path: string, length: number): Promise<Uint8Array> {
  const bytes = await session.tools.host.files.read(path).catch((error: unknown) => {
    throw new CommandError(`${path}: ${errorText(error)}`, { place: "err" });
  });
  if (bytes.length === 0) throw new CommandError(`${path}: the file is empty`, { place: "err" });
  const out = new Uint8Array(length);
  for (let done = 0; done < length; done += bytes.length) out.set(bytes.subarray(0, length - done), done);
  return out;
}

function report(session: Session, given: Given, at: number, length: number, started: number, what = "wrote"): void {
  if (given.has("q")) return;
  const ns = session.tools.host.now() - started;
  printReport(session, { what, at, asked: length, bytes: length, requests: 1, ns, machine: given.has("C") });
}
