/** Files that this process keeps for the next one: code in them is run, so nobody else may have written them. */
import {
  closeSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Beside what Node itself keeps, and where its variables say; nobody else may write there. Undefined: nothing is to be kept. */
export function cacheFolder(): string | undefined {
  if (process.env["NODE_DISABLE_COMPILE_CACHE"] !== undefined) return undefined;
  const folder = join(process.env["NODE_COMPILE_CACHE"] ?? tmpdir(), `mimus-code-${process.getuid?.() ?? 0}`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return isOwn(lstatSync(folder)) ? folder : undefined;
  } catch {
    return undefined;
  }
}

/** A file of this user that nobody else can write. */
export function readOwn(path: string): Buffer | undefined {
  try {
    const fd = openSync(path, "r");
    try {
      return isOwn(fstatSync(fd)) ? readFileSync(fd) : undefined;
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}

/** Puts a file in its place at once. A failure is none of the command: the next run tries again. */
export function writeOwn(path: string, parts: readonly Uint8Array[]): void {
  const part = `${path}.${process.pid}`;
  try {
    const fd = openSync(part, "wx", 0o600);
    try {
      for (const bytes of parts) writeSync(fd, bytes);
      // A machine that loses power must not leave a name without its content: V8 does not look at what it gets.
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(part, path);
  } catch {
    rmSync(part, { force: true });
  }
}

/** Of this user, and nobody else can write it. */
const isOwn = ({ uid, mode }: Stats): boolean => uid === (process.getuid?.() ?? uid) && (mode & 0o022) === 0;
