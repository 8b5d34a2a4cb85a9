import type { BlockNode } from "@mimus/block";
import { oneLine, resolveBeside } from "@mimus/block";
import type { Arguments } from "../arguments.ts";
import { ToolError } from "../errors.ts";
import { describeImage, imageText } from "../describe-image.ts";
import { prettyJson } from "../json.ts";
import type { Tools } from "../tools.ts";
import { isJson, oneName } from "./given.ts";

/** `info`: what an image is, and what lies below it. */
export async function info(args: Arguments, tools: Tools): Promise<number> {
  const json = isJson(args);
  const first = oneName(args);
  const chain = args.has("backing-chain");
  const imageOpts = args.has("image-opts");
  if (imageOpts && args.has("format")) throw new ToolError("--image-opts and --format are mutually exclusive");
  const found: Record<string, unknown>[] = [];
  const seen = new Set<string>();
  let next: { name: string; format?: string | undefined } | undefined = { name: first, format: args.last("format") };
  for (let depth = 0; next !== undefined; depth++) {
    const { name, format }: { name: string; format?: string | undefined } = next;
    if (seen.has(name)) throw new ToolError(`Backing file '${oneLine(name)}' creates an infinite loop.`);
    seen.add(name);
    const node: BlockNode = await tools.open(name, {
      noBacking: true,
      forceShare: args.has("force-share"),
      ...(imageOpts && depth === 0 ? { imageOpts } : { format }),
    });
    const about = await describeImage(
      node,
      tools,
      depth === 0 ? (node.filename === "" ? name : (node.filename ?? name)) : name,
    );
    found.push(about);
    next = undefined;
    const below = about["backing-filename"];
    if (chain && typeof below === "string" && below !== "")
      next = {
        name: String(about["full-backing-filename"] ?? resolveBeside(name, below)),
        format: about["backing-filename-format"] as string | undefined,
      };
    await node.close();
  }
  tools.host.out(json ? `${prettyJson(chain ? found : found[0])}\n` : found.map(imageText).join("\n"));
  return 0;
}
