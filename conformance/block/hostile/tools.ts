/** `mimus img` and `mimus io` on files in memory: what they print, how they end, what they open. */
import { type HostFile, MemoryFiles } from "@mimus/block";
import { img, io, type ToolHost } from "@mimus/image-tools";
import type { Registry } from "@mimus/qom";
import { testHost } from "@mimus/testkit";
import { QUICK_HOST } from "../../fuzz/seeds.ts";

/** How a tool ended. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** What ended it that is no message for a user. */
  readonly crash: string | undefined;
  readonly ms: number;
  /** Bytes of buffers that it asked for, all in all. */
  readonly bytes: number;
  /** Files that it asked the host for. */
  readonly opened: readonly string[];
}

/** Text beyond this is no answer any more. */
const MOST_TEXT = 1 << 22;

/** Files in memory that note which were asked for. */
export class NotedFiles extends MemoryFiles {
  readonly asked: string[] = [];

  override async open(path: string, opts: { writable: boolean; create?: boolean }): Promise<HostFile> {
    this.asked.push(path);
    return super.open(path, opts);
  }
}

/** Runs a tool. `allocated`: bytes of buffers asked for until now */
export async function runTool(
  tool: "img" | "io",
  args: readonly string[],
  files: NotedFiles,
  registry: Registry,
  allocated: () => number,
): Promise<Ended> {
  let [out, err, crash, code] = ["", "", undefined as string | undefined, -1];
  const grow = (text: string, more: string): string => (text.length > MOST_TEXT ? text : text + more);
  const host: ToolHost = {
    program: `mimus ${tool}`,
    version: "0",
    registry,
    files,
    format: { ...testHost(), ...QUICK_HOST } as ToolHost["format"],
    out: (text) => void (out = grow(out, text)),
    err: (text) => void (err = grow(err, text)),
    now: () => performance.now() * 1e6,
    delay: async () => undefined,
  };
  const before = allocated();
  const from = files.asked.length;
  const start = performance.now();
  const processor = process.cpuUsage();
  try {
    code = await (tool === "img" ? img : io)(args, host);
  } catch (e) {
    crash = e instanceof Error ? (e.stack ?? e.message) : String(e);
  }
  const { user, system } = process.cpuUsage(processor);
  // Somebody else may have had the processor.
  const ms = Math.min(performance.now() - start, (user + system) / 1000);
  return { code, out, err, crash, ms, bytes: allocated() - before, opened: files.asked.slice(from) };
}
