import { chainStatus, chainStatusNow } from "@mimus/block";
import type { ChainStatus } from "@mimus/block";
import type { Arguments } from "../arguments.ts";
import { AsciiOutput } from "../ascii-output.ts";
import { ToolError, usage } from "../errors.ts";
import { bytesOf } from "../sizes.ts";
import type { Tools } from "../tools.ts";
import { chainOf, explained } from "../tools.ts";
import { isJson, openGiven } from "./given.ts";

/** Prints the stretch of `length` bytes at `start`. */
type Print = (s: ChainStatus, start: number, length: number, last: boolean) => void;

/** What a map of no bytes consists of. */
const NOTHING: ChainStatus = {
  ...{ length: 0, depth: 0, present: false, zero: false, data: false, compressed: false },
  ...{ offset: undefined, file: undefined },
};

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
  const chain = chainOf(node);
  const out = new AsciiOutput(tools.host);
  const print = json ? jsonPrinter(out) : textPrinter(out, node.filename);
  if (!json) out.ascii(`${"Offset".padEnd(16)}${"Length".padEnd(16)}${"Mapped to".padEnd(16)}File\n`);
  const end = most === undefined ? node.size : Math.min(node.size, start + most);
  try {
    let current: ChainStatus | undefined;
    let from = start;
    for (let at = start; at < end;) {
      tools.checkInterrupt();
      const next =
        chainStatusNow(chain, at, end - at) ??
        (await chainStatus(node, at, end - at).catch((e: unknown) => {
          throw explained("Failed to read image metadata", e);
        }));
      if (current === undefined || !joins(current, next, at - from)) {
        if (current !== undefined) print(current, from, at - from, false);
        current = next;
        from = at;
      }
      at += next.length;
    }
    print(current ?? NOTHING, from, Math.max(0, end - from), true);
  } finally {
    out.end();
  }
  return 0;
}

/** Whether `b` goes on `after` bytes behind where `a` began. */
function joins(a: ChainStatus, b: ChainStatus, after: number): boolean {
  return (
    a.zero === b.zero &&
    a.data === b.data &&
    a.present === b.present &&
    a.compressed === b.compressed &&
    a.depth === b.depth &&
    (a.file === b.file || a.file?.filename === b.file?.filename) &&
    (a.offset === undefined ? b.offset === undefined : a.offset + after === b.offset)
  );
}

function jsonPrinter(out: AsciiOutput): Print {
  let before = "[";
  /** What stands between length and offset, by depth and flags. */
  const middles: string[] = [];
  return (s, start, length, last) => {
    const { depth, present, zero, data, offset } = s;
    const key = depth * 8 + (present ? 4 : 0) + (zero ? 2 : 0) + (data ? 1 : 0);
    out.ascii(before);
    out.ascii('{ "start": ');
    out.number(start);
    out.ascii(', "length": ');
    out.number(length);
    out.ascii((middles[key] ??= `, "depth": ${depth}, "present": ${present}, "zero": ${zero}, "data": ${data}`));
    if (offset !== undefined) {
      out.ascii(', "offset": ');
      out.number(offset);
    }
    out.ascii(last ? "}]\n" : "},\n");
    before = "";
  };
}

function textPrinter(out: AsciiOutput, filename: string): Print {
  const hex = (n: number): string => (n === 0 ? "0" : `0x${n.toString(16)}`).padEnd(16);
  return (s, start, length) => {
    if (!s.data) return;
    if (s.offset === undefined) throw new ToolError("File contains external, encrypted or compressed clusters.");
    if (s.zero) return;
    out.ascii(`${hex(start)}${hex(length)}${hex(s.offset)}`);
    out.text(`${s.file?.filename ?? filename}\n`);
  };
}
