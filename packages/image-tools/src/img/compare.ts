import { chainStatus, isZero } from "@mimus/block";
import type { BlockNode, ChainStatus } from "@mimus/block";
import type { Arguments } from "../arguments.ts";
import { messageOf, ToolError, usage } from "../errors.ts";
import type { Progress } from "../progress.ts";
import type { Tools } from "../tools.ts";
import { cacheOptions, Interrupted } from "../tools.ts";

const CHUNK = 2 << 20;
const SECTOR = 512;
/** Chunks that are read at the same time. */
const DEPTH = 3;
const DIFFERENT = 1;

/** An image under comparison, with the name that the user gave it. */
interface Side {
  readonly node: BlockNode;
  readonly name: string;
}
/** What the first difference is; undefined = none. */
type Finding = string | undefined;

/** `compare`: tells whether two images have the same content. */
export async function compare(args: Arguments, tools: Tools): Promise<number> {
  const { operands } = args;
  if (operands.length !== 2) throw usage("Expecting two image file names");
  const [a, b] = await openBoth(args, tools);
  const quiet = args.has("quiet");
  const say = (text: string): void => {
    if (!quiet) tools.host.out(`${text}\n`);
  };
  const progress = tools.progress(args);
  const strict = args.has("s");
  progress.set(0, 1);
  let found: Finding;
  if (strict && a.node.size !== b.node.size) found = "Strict mode: Image size mismatch!";
  else {
    found = await common(a, b, strict, tools, progress);
    if (found === undefined && a.node.size !== b.node.size) {
      say("Warning: Image size mismatch!");
      found = await rest(a.node.size > b.node.size ? a : b, Math.min(a.node.size, b.node.size), tools, progress);
    }
  }
  if (found === undefined) progress.set(1, 1);
  say(found ?? "Images are identical.");
  progress.end();
  return found === undefined ? 0 : DIFFERENT;
}

async function openBoth(args: Arguments, tools: Tools): Promise<[Side, Side]> {
  const [name1 = "", name2 = ""] = args.operands;
  try {
    const cache = args.last("T") ?? "writeback";
    cacheOptions(cache, "source cache option");
    const imageOpts = args.has("image-opts");
    if (imageOpts && args.has("format")) throw new ToolError("--image-opts and --format are mutually exclusive");
    const how = { cache, imageOpts, forceShare: args.has("force-share") };
    const first = await tools.open(name1, { ...how, ...(imageOpts ? {} : { format: args.last("format") }) });
    const second = await tools.open(name2, { ...how, ...(imageOpts ? {} : { format: args.last("F") }) });
    return [
      { node: first, name: name1 },
      { node: second, name: name2 },
    ];
  } catch (error) {
    if (error instanceof ToolError) throw new ToolError(error.message, { code: 2, cause: error });
    throw error;
  }
}

/** The part that both have. */
async function common(a: Side, b: Side, strict: boolean, tools: Tools, progress: Progress): Promise<Finding> {
  const end = Math.min(a.node.size, b.node.size);
  const waiting: Promise<Finding>[] = [];
  const buffers = Array.from({ length: DEPTH }, () => [new Uint8Array(CHUNK), new Uint8Array(CHUNK)] as const);
  let turn = 0;
  const add = async (work: (pair: readonly [Uint8Array, Uint8Array]) => Promise<Finding>): Promise<Finding> => {
    const found = waiting.length >= DEPTH ? await waiting.shift() : undefined;
    const pair = buffers[turn++ % DEPTH];
    if (found === undefined && pair !== undefined) {
      const running = work(pair);
      running.catch(() => undefined);
      waiting.push(running);
    }
    return found;
  };
  for (let at = 0; at < end;) {
    tools.checkInterrupt();
    const here = at;
    const s = await status(a, at, end - at);
    const t = await status(b, at, end - at);
    let length = Math.min(s.length, t.length);
    if (
      strict &&
      (s.data !== t.data || s.zero !== t.zero || s.present !== t.present || s.compressed !== t.compressed)
    ) {
      const earlier = await first(waiting);
      return earlier ?? `Strict mode: Offset ${at} block status mismatch!`;
    }
    if (!(s.zero && t.zero)) {
      length = Math.min(length, CHUNK);
      const found = await add(async ([p, q]) => {
        if (s.zero || t.zero) return onlyZeroes(s.zero ? b : a, here, p.subarray(0, length), tools);
        return same(a, b, here, p.subarray(0, length), q.subarray(0, length), tools);
      });
      if (found !== undefined) return found;
    }
    at += length;
    progress.set(at, Math.max(a.node.size, b.node.size));
  }
  return first(waiting);
}

/** What the longer image has beyond the end of the other must be zero. */
async function rest(side: Side, from: number, tools: Tools, progress: Progress): Promise<Finding> {
  const buffer = new Uint8Array(CHUNK);
  for (let at = from; at < side.node.size;) {
    tools.checkInterrupt();
    const s = await status(side, at, side.node.size - at);
    const length = s.zero ? s.length : Math.min(s.length, CHUNK);
    const found = s.zero ? undefined : await onlyZeroes(side, at, buffer.subarray(0, length), tools);
    if (found !== undefined) return found;
    at += length;
    progress.set(at, side.node.size);
  }
  return undefined;
}

async function first(waiting: readonly Promise<Finding>[]): Promise<Finding> {
  for (const finding of waiting) {
    const found = await finding;
    if (found !== undefined) return found;
  }
  return undefined;
}

async function status(side: Side, at: number, length: number): Promise<ChainStatus> {
  try {
    return await chainStatus(side.node, at, length);
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    throw new ToolError(`Sector allocation test failed for ${side.name}`, { code: 3, cause: error });
  }
}

async function read(side: Side, at: number, into: Uint8Array): Promise<void> {
  try {
    await side.node.read(at, into);
  } catch (error) {
    throw new ToolError(`Error while reading offset ${at} of ${side.name}: ${messageOf(error)}`, {
      code: 4,
      cause: error,
    });
  }
}

async function same(a: Side, b: Side, at: number, p: Uint8Array, q: Uint8Array, tools: Tools): Promise<Finding> {
  await Promise.all([read(a, at, p), read(b, at, q)]);
  const equal = tools.host.same ?? equalBytes;
  if (equal(p, q)) return undefined;
  for (let i = 0; i < p.length; i += SECTOR)
    if (!equalBytes(p.subarray(i, i + SECTOR), q.subarray(i, i + SECTOR)))
      return `Content mismatch at offset ${at + i}!`;
  return undefined;
}

async function onlyZeroes(side: Side, at: number, buffer: Uint8Array, tools: Tools): Promise<Finding> {
  void tools;
  await read(side, at, buffer);
  if (isZero(buffer)) return undefined;
  for (let i = 0; i < buffer.length; i += SECTOR)
    if (!isZero(buffer.subarray(i, i + SECTOR))) return `Content mismatch at offset ${at + i}!`;
  return undefined;
}

/** Whether two pieces of the same length have the same bytes. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
