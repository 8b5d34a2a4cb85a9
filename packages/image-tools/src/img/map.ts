import type { Arguments } from "../arguments.ts";
import { chainStatus } from "../chain-status.ts";
import type { ChainStatus } from "../chain-status.ts";
import { ToolError, usage } from "../errors.ts";
import { bytesOf } from "../sizes.ts";
import type { ToolHost } from "../host.ts";
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
  const out = new Output(tools.host);
  const print = json ? jsonPrinter(out) : textPrinter(out, node.filename);
  if (!json) out.write(`${"Offset".padEnd(16)}${"Length".padEnd(16)}${"Mapped to".padEnd(16)}File\n`);
  const end = most === undefined ? node.size : Math.min(node.size, start + most);
  try {
    let current: Entry = { start, length: 0, depth: 0, present: false, zero: false, data: false, compressed: false };
    for (let at = start; at < end;) {
      tools.checkInterrupt();
      const next = await chainStatus(node, at, end - at).catch((e: unknown) => {
        throw explained("Failed to read image metadata", e);
      });
      if (current.length > 0 && joins(current, next, at))
        current = { ...current, length: current.length + next.length };
      else {
        if (current.length > 0) print(current, false);
        current = { ...next, start: at };
      }
      at += next.length;
    }
    print(current, true);
  } finally {
    out.end();
  }
  return 0;
}

/** Lines are written some at a time: a system call for each was half of the time. */
class Output {
  readonly #host: ToolHost;
  #held = "";

  constructor(host: ToolHost) {
    this.#host = host;
  }

  write(text: string): void {
    this.#held += text;
    if (this.#held.length > 1 << 16) this.end();
  }
  end(): void {
    if (this.#held !== "") this.#host.out(this.#held);
    this.#held = "";
  }
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

function jsonPrinter(out: Output): (e: Entry, last: boolean) => void {
  let first = true;
  return (e, last) => {
    const place = e.offset === undefined ? "" : `, "offset": ${e.offset}`;
    out.write(
      `${first ? "[" : ""}{ "start": ${e.start}, "length": ${e.length}, "depth": ${e.depth}, "present": ${e.present}, ` +
        `"zero": ${e.zero}, "data": ${e.data}${place}}${last ? "]\n" : ",\n"}`,
    );
    first = false;
  };
}

function textPrinter(out: Output, filename: string): (e: Entry) => void {
  const hex = (n: number): string => (n === 0 ? "0" : `0x${n.toString(16)}`).padEnd(16);
  return (e) => {
    if (!e.data || e.zero) {
      if (!e.data) return;
    }
    if (e.offset === undefined) throw new ToolError("File contains external, encrypted or compressed clusters.");
    if (e.zero) return;
    out.write(`${hex(e.start)}${hex(e.length)}${hex(e.offset)}${e.file?.filename ?? filename}\n`);
  };
}
