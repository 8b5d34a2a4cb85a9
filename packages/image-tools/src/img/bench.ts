import type { BlockNode } from "@mimus/block";
import type { Arguments } from "../arguments.ts";
import { ToolError } from "../errors.ts";
import { bytesOf, countOf } from "../sizes.ts";
import type { Tools } from "../tools.ts";
import { explained } from "../tools.ts";
import { isAio, oneName, openGiven, targetCache } from "./given.ts";

const MAX_INT = 2 ** 31 - 1;

interface Run {
  readonly write: boolean;
  readonly count: number;
  readonly depth: number;
  readonly size: number;
  readonly step: number;
  readonly offset: number;
  readonly pattern: number;
  readonly flushEvery: number;
  readonly drain: boolean;
}

/** `bench`: sends requests one after the other and tells how long they took. */
export async function bench(args: Arguments, tools: Tools): Promise<number> {
  const run = read(args);
  const name = oneName(args);
  const node = await openGiven(args, tools, name, { writable: run.write, cache: targetCache(args) });
  if (node.size < run.size) throw new ToolError("The image is smaller than one request");
  const what = run.write ? "write" : "read";
  tools.host.out(
    `Sending ${run.count} ${what} requests, ${run.size} bytes each, ${run.depth} in parallel (starting at offset ${run.offset}, step size ${run.step})\n`,
  );
  if (run.flushEvery > 0) tools.host.out(`Sending flush every ${run.flushEvery} requests\n`);
  const started = tools.host.now();
  await send(node, run, tools);
  tools.host.out(`Run completed in ${((tools.host.now() - started) / 1e9).toFixed(3)} seconds.\n`);
  return 0;
}

function read(args: Arguments): Run {
  const write = args.has("w");
  const aio = args.last("i") ?? "threads";
  if (!isAio(aio)) throw new ToolError(`Invalid aio option: ${aio}`);
  if (aio === "native" && !["none", "directsync"].includes(args.last("t") ?? ""))
    throw new ToolError("aio=native needs a cache mode that goes past the host's: -t none or -t directsync");
  const size = args.has("s") ? bytesOf("buffer size", args.last("s") ?? "", 1, MAX_INT) : 4096;
  const step = args.has("S") ? bytesOf("step_size", args.last("S") ?? "", 0, MAX_INT) : 0;
  const run: Run = {
    write,
    size,
    step: step === 0 ? size : step,
    count: countOf("Invalid request count specified", args.last("c") ?? "75000", 0, MAX_INT),
    depth: countOf("Invalid queue depth specified", args.last("d") ?? "64", 1, MAX_INT),
    offset: args.has("o") ? bytesOf("offset", args.last("o") ?? "") : 0,
    pattern: countOf("Invalid pattern byte specified", args.last("pattern") ?? "0", 0, 255),
    flushEvery: countOf("Invalid flush interval specified", args.last("flush-interval") ?? "0", 0, MAX_INT),
    drain: !args.has("no-drain"),
  };
  if (!write && run.flushEvery > 0) throw new ToolError("--flush-interval is only available in write tests");
  if (run.flushEvery > 0 && run.flushEvery < run.depth)
    throw new ToolError("Flush interval can't be smaller than depth");
  return run;
}

async function send(node: BlockNode, run: Run, tools: Tools): Promise<void> {
  let next = run.offset;
  let left = run.count;
  let sinceFlush = 0;
  let flushing: Promise<void> | undefined;
  const worker = async (): Promise<void> => {
    const buffer = new Uint8Array(run.size).fill(run.pattern);
    while (left > 0) {
      tools.checkInterrupt();
      if (run.drain && flushing !== undefined) await flushing;
      left--;
      const at = next;
      next = next + run.step + run.size > node.size ? 0 : next + run.step;
      await (run.write ? node.write(at, buffer) : node.read(at, buffer)).catch((e: unknown) => {
        throw explained("Failed request", e);
      });
      if (run.flushEvery > 0 && ++sinceFlush >= run.flushEvery) {
        sinceFlush = 0;
        flushing = node.flush();
        await flushing;
        flushing = undefined;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(run.depth, Math.max(1, run.count)) }, worker));
}
