import type { Arguments } from "../arguments.ts";
import { chainStatus } from "../chain-status.ts";
import type { ChainStatus } from "../chain-status.ts";
import { ToolError, usage } from "../errors.ts";
import { bytesOf } from "../sizes.ts";
import type { Tools } from "../tools.ts";
import { explained } from "../tools.ts";
import { isJson, openGiven } from "./given.ts";

/** A stretch of the map. */
interface Entry extends ChainStatus {
  readonly start: number;
}

/** `map`: where the content of an image lies. */
export async function map(args: Arguments, tools: Tools): Promise<number> {
  const json = isJson(args);
  const startText = args.last("start-offset");
  const start = startText === undefined ? 0 : bytesOf("start offset", startText);
  const lengthText = args.last("max-length");
  const most = lengthText === undefined ? undefined : bytesOf("max length", lengthText);
  const [name] = args.operands;
  if (name === undefined || args.operands.length !== 1) throw usage("Expecting one image file name");
  const node = await openGiven(args, tools, name);
  const print = json ? jsonPrinter(tools) : textPrinter(tools, node.filename);
  if (!json) tools.host.out(`${"Offset".padEnd(16)}${"Length".padEnd(16)}${"Mapped to".padEnd(16)}File\n`);
  const end = most === undefined ? node.size : Math.min(node.size, start + most);
  let current: Entry = { start, length: 0, depth: 0, present: false, zero: false, data: false, compressed: false };
  for (let at = start; at < end;) {
    tools.checkInterrupt();
    const next = await chainStatus(node, at, end - at).catch((e: unknown) => {
      throw explained("Failed to read image metadata", e);
    });
    if (current.length > 0 && joins(current, next, at)) current = { ...current, length: current.length + next.length };
    else {
      if (current.length > 0) print(current, false);
      current = { ...next, start: at };
    }
    at += next.length;
  }
  print(current, true);
  return 0;
}

function joins(a: Entry, b: ChainStatus, at: number): boolean {
  return (
    a.zero === b.zero &&
    a.data === b.data &&
    a.present === b.present &&
    a.compressed === b.compressed &&
    a.depth === b.depth &&
    a.file?.filename === b.file?.filename &&
    (a.offset === undefined) === (b.offset === undefined) &&
    (a.offset === undefined || b.offset === undefined || a.offset + (at - a.start) === b.offset)
  );
}

function jsonPrinter(tools: Tools): (e: Entry, last: boolean) => void {
  let first = true;
  return (e, last) => {
    const place = e.offset === undefined ? "" : `, "offset": ${e.offset}`;
    tools.host.out(
      `${first ? "[" : ""}{ "start": ${e.start}, "length": ${e.length}, "depth": ${e.depth}, "present": ${e.present}, ` +
        `"zero": ${e.zero}, "data": ${e.data}${place}}${last ? "]\n" : ",\n"}`,
    );
    first = false;
  };
}

function textPrinter(tools: Tools, filename: string): (e: Entry) => void {
  const hex = (n: number): string => (n === 0 ? "0" : `0x${n.toString(16)}`).padEnd(16);
  return (e) => {
    if (!e.data || e.zero) {
      if (!e.data) return;
    }
    if (e.offset === undefined) throw new ToolError("File contains external, encrypted or compressed clusters.");
    if (e.zero) return;
    tools.host.out(`${hex(e.start)}${hex(e.length)}${hex(e.offset)}${e.file?.filename ?? filename}\n`);
  };
}
