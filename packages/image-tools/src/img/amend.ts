import type { FormatOps } from "@mimus/block";
import type { PropertyHelp } from "@mimus/qom";
import { complaint, describeSchema } from "@mimus/qom";
import type { z } from "zod";
import type { Arguments } from "../arguments.ts";
import { formatOps, optionList } from "../create-image.ts";
import { messageOf, ToolError, usage } from "../errors.ts";
import { asksHelp, keyValues } from "../key-values.ts";
import { bytesOf } from "../sizes.ts";
import type { Tools } from "../tools.ts";
import { oneName, openGiven, targetCache } from "./given.ts";

/** `amend`: changes options of an existing image. */
export async function amend(args: Arguments, tools: Tools): Promise<number> {
  const texts = args.all("o");
  if (texts.length === 0) throw usage("Must specify options (-o)");
  const help = texts.some(asksHelp);
  const given = args.last("format");
  if (help && given !== undefined) return print(tools, given, await formatOps(tools, given));
  const name = oneName(args);
  const progress = tools.progress(args);
  progress.set(0, 1);
  const node = await openGiven(args, tools, name, { writable: true, cache: targetCache(args) });
  const format = node.driver;
  const ops = await formatOps(tools, format);
  if (help) return print(tools, format, ops);
  if (ops.amendOptions === undefined || node.image?.amend === undefined)
    throw new ToolError(`Format driver '${format}' does not support option amendment`);
  const options: Record<string, unknown> = {};
  for (const text of texts)
    for (const [key, value] of Object.entries(keyValues(text))) options[key] = parsed(ops, key, value);
  if (options["backing_file"] !== undefined || options["backing_fmt"] !== undefined)
    throw new ToolError(`'amend' leaves the backing file as it is: '${tools.host.program} rebase' changes it`);
  const { size, ...others } = options;
  try {
    if (Object.keys(others).length > 0) await node.image.amend(others, (done, total) => progress.set(done, total));
    // By the node of the graph: bitmaps change their size with the disk.
    if (typeof size === "number") await node.resize?.(size);
  } catch (e) {
    throw new ToolError(messageOf(e), { cause: e });
  }
  await node.flush();
  progress.set(1, 1);
  progress.end();
  return 0;
}

function print(tools: Tools, format: string, ops: FormatOps): number {
  if (ops.amendOptions === undefined)
    throw new ToolError(`Format driver '${format}' does not support option amendment`);
  tools.host.out(`Amend options for '${format}':\n${optionList(amendable(ops))}`);
  return 0;
}

function amendable(ops: FormatOps): PropertyHelp[] {
  const known = ops.createOptions === undefined ? [] : describeSchema(ops.createOptions);
  const size: PropertyHelp = { name: "size", type: "size", required: false, description: "Virtual disk size" };
  return (ops.amendOptions ?? []).map(
    (name) => [...known, size].find((p) => p.name === name) ?? { name, type: "str", required: false },
  );
}

function parsed(ops: FormatOps, key: string, value: string): unknown {
  const schema = ops.createOptions?.shape[key] as
    | { safeParse(v: unknown): { success: boolean; data?: unknown; error?: z.ZodError } }
    | undefined;
  if (ops.amendOptions?.includes(key) !== true)
    throw new ToolError(
      `Invalid parameter '${key}'${schema === undefined ? "" : "\nThis option is only supported for image creation"}`,
    );
  if (key === "size") return bytesOf("image size", value);
  const result = schema?.safeParse(value);
  if (result === undefined) return value;
  if (result.success) return result.data;
  throw new ToolError(`Parameter '${key}': ${result.error?.issues.map(complaint)[0] ?? "invalid value"}`);
}
