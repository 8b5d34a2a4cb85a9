/** What no tool may do, whatever the image says. */
import { IMAGE } from "./images.ts";
import type { Ended } from "./tools.ts";

/** Milliseconds, and bytes of buffers, that a tool may take. */
interface Bounds {
  readonly ms: number;
  readonly bytes: number;
}

/** Opening alone, and work on the whole image. */
export const OPEN: Bounds = { ms: 1000, bytes: 64 << 20 };
export const WORK: Bounds = { ms: 10_000, bytes: 300 << 20 };

/** What `check` says of an image: lines of any number. */
const FINDINGS = /^(ERROR|WARNING|Leaked|Repairing|Rebuilding|Discarding|warning|No errors|\s|$)/;
/** Of a copy that goes on past errors each place is told. */
const MOST_WARNINGS = 8;
/** In the words of qemu-io, which names no file here. */
const READ_ONLY = "mimus io: Block node is read-only";
/** How `mimus io` says on standard output that a request failed. */
const IO_FAILED = /^(read|write|aio_read|aio_write|flush) failed: /m;

/** `chain`: what is wrong may be with another file of the chain. @returns what is wrong with how a tool ended; nothing when all is well */
export function faultsOf(ended: Ended, bounds: Bounds, codes: readonly number[], chain = false): string[] {
  const { code, out, err, crash, ms, bytes } = ended;
  if (crash !== undefined) return [`internal error: ${crash}`];
  const faults: string[] = [];
  if (!codes.includes(code)) faults.push(`exit status ${code}`);
  if (ms > bounds.ms) faults.push(`took ${Math.round(ms)} ms`);
  if (bytes > bounds.bytes) faults.push(`asked for ${bytes} bytes of memory`);
  if (out.length > 1 << 20) faults.push(`printed ${out.length} characters`);
  if (/\n\s+at /.test(err) || /\bundefined\b|\bNaN\b|\[object /.test(err))
    faults.push(`a message with insides: ${err}`);
  if (hasControls(out)) faults.push(`output with control characters: ${JSON.stringify(out.slice(0, 600))}`);
  if (hasControls(err)) faults.push(`a message with control characters: ${JSON.stringify(err.slice(0, 300))}`);
  const lines = linesOf(err);
  if (code === 1 && (IO_FAILED.test(out) || lines[0] === READ_ONLY)) return faults;
  if (code === 1 && lines.length !== 1 && !lines.some((line) => FINDINGS.test(line)))
    faults.push(`${lines.length} lines of error: ${JSON.stringify(err.slice(0, 400))}`);
  const warnings = err.split("\n").filter((text) => /warning: /i.test(text) && !/error while reading/.test(text));
  if (warnings.length > MOST_WARNINGS) faults.push(`${warnings.length} warnings, ${warnings[0]}`);
  for (const line of lines) if (line.length > 4000) faults.push(`a line of ${line.length} characters`);
  if (
    code === 1 &&
    lines.length === 1 &&
    !lines[0]?.includes(chain ? "'" : IMAGE) &&
    !/^(read|write|flush|map|open) failed/.test(lines[0] ?? "")
  )
    faults.push(`a message that names no file: ${lines[0]}`);
  return faults;
}

/** Lines of error: warnings are not. */
export function linesOf(err: string): string[] {
  return err.split("\n").filter((line) => line !== "" && !/^(mimus (img|io): warning: |WARNING: )/.test(line));
}

function hasControls(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if ((c < 0x20 && c !== 10 && c !== 9) || (c >= 0x7f && c < 0xa0)) return true;
  }
  return false;
}

/** Files that `info` has no business with: it opens the image, and what its own content is spread over. */
export function strangers(opened: readonly string[], own: ReadonlySet<string>): string[] {
  return opened.filter((path) => !own.has(path));
}
