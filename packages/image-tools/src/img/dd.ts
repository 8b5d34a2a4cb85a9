import { readsZero } from "@mimus/block";
import type { Arguments } from "../arguments.ts";
import { copy } from "../copy/engine.ts";
import { Source } from "../copy/source.ts";
import { createOptions, makeImage } from "../create-image.ts";
import { ToolError } from "../errors.ts";
import { bytesOf } from "../sizes.ts";
import type { Tools } from "../tools.ts";
import { openGiven } from "./given.ts";

const NAMES = ["if", "of", "bs", "count", "skip"];
const MAX_BLOCK = 2 ** 31 - 1;

/** `dd`: copies a part of an image. */
export async function dd(args: Arguments, tools: Tools): Promise<number> {
  const given = operands(args);
  const { if: from, of: to } = given;
  if (from === undefined || to === undefined) throw new ToolError("Must specify both input and output files");
  const block = given["bs"] === undefined ? 512 : bytesOf("bs", given["bs"], 1, MAX_BLOCK);
  const count = given["count"] === undefined ? undefined : bytesOf("count", given["count"]);
  const skip = given["skip"] === undefined ? 0 : bytesOf("skip", given["skip"]);
  const format = args.last("O") ?? "raw";
  if (!tools.host.registry.has(format, "block-format")) throw new ToolError("Unknown file format");
  const node = await openGiven(args, tools, from);
  const end = count === undefined ? node.size : Math.min(node.size, count * block + skip * block);
  const start = skip * block;
  const size = Math.max(0, end - start);
  if (start > node.size) tools.error(`${from}: cannot skip to specified offset`);
  const options = await createOptions(tools, format, []);
  await makeImage(tools, options, to, size).catch((error: unknown) => {
    throw error instanceof ToolError
      ? new ToolError(`${to}: error while creating output image of type '${format}': ${error.message}`, {
          cause: error,
        })
      : error;
  });
  const target = await tools.open(to, { format, writable: true });
  await copy({
    source: new Source([{ node, from: Math.min(start, node.size), size }], false),
    target,
    parallel: 8,
    anyOrder: false,
    sparse: 4096,
    compressed: false,
    targetIsZero: await readsZero(target),
    progress: () => undefined,
    check: () => tools.checkInterrupt(),
    host: tools.host,
  });
  await target.flush();
  return 0;
}

function operands(args: Arguments): Record<string, string> {
  const out: Record<string, string> = {};
  for (const item of args.operands) {
    const equals = item.indexOf("=");
    const name = equals < 0 ? item : item.slice(0, equals);
    if (equals < 0 || !NAMES.includes(name)) throw new ToolError(`unrecognized operand ${name}`);
    out[name] = item.slice(equals + 1);
  }
  return out;
}
