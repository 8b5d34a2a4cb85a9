import type { FormatOps, Measure } from "@mimus/block";
import { complaint } from "@mimus/qom";
import type { Arguments } from "../arguments.ts";
import { CreateOptions, formatOps } from "../create-image.ts";
import { NAMED, ToolError } from "../errors.ts";
import { prettyJson } from "../json.ts";
import { bytesOf } from "../sizes.ts";
import { openSnapshot } from "../snapshot-param.ts";
import type { Tools } from "../tools.ts";
import { isJson, openGiven } from "./given.ts";

/** `measure`: how much space an image would take. */
export async function measure(args: Arguments, tools: Tools): Promise<number> {
  const json = isJson(args);
  const [name, extra] = args.operands;
  const sizeText = args.last("size");
  const size = sizeText === undefined ? undefined : bytesOf("image size", sizeText);
  if (name === undefined && ["image-opts", "format", "l"].some((o) => args.has(o)))
    throw new ToolError("--image-opts, -f, and -l require a filename argument.");
  if ((name === undefined) === (size === undefined) || extra !== undefined)
    throw new ToolError(
      name === undefined || extra !== undefined
        ? "Either --size N or one filename must be specified."
        : "--size N cannot be used together with a filename.",
    );
  const opened = name === undefined ? undefined : await openGiven(args, tools, name);
  const snapshot = args.last("l");
  const source = opened !== undefined && snapshot !== undefined ? await openSnapshot(opened, snapshot) : opened;
  const format = args.last("O") ?? "raw";
  const ops = await formatOps(tools, format);
  const options = parsed(format, ops, args.all("o"));
  if (ops.measure === undefined) throw new ToolError(`Block driver '${format}' does not support size measurement`);
  const result = await ops.measure(source?.size ?? size ?? 0, options, source);
  tools.host.out(json ? `${prettyJson(measureJson(result))}\n` : measureText(result));
  return 0;
}

function parsed(format: string, ops: FormatOps, texts: readonly string[]): Readonly<Record<string, unknown>> {
  const options = new CreateOptions(format, ops);
  try {
    for (const text of texts) options.add(text);
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    throw new ToolError(`${error.message}\n${NAMED}Invalid options for file format '${format}'`, { cause: error });
  }
  const result = ops.createOptions?.safeParse(options.own());
  if (result === undefined) return options.own();
  if (result.success) return result.data;
  throw new ToolError(result.error.issues.map(complaint)[0] ?? "invalid options");
}

function measureJson(m: Measure): Record<string, unknown> {
  return { required: m.required, "fully-allocated": m.fullyAllocated, bitmaps: m.bitmaps };
}

function measureText(m: Measure): string {
  const bitmaps = m.bitmaps === undefined || m.bitmaps === 0 ? "" : `bitmaps size: ${m.bitmaps}\n`;
  return `required size: ${m.required}\nfully allocated size: ${m.fullyAllocated}\n${bitmaps}`;
}
