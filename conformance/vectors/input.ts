import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { VectorError } from "./case.ts";

const MIB = 1024 * 1024;
/** No file of vectors comes near this; a compressed bomb would. */
const LIMIT = 1024 * MIB;

/**
 * The text of a plain, gzip or xz file.
 * @throws VectorError kind "unreadable"
 */
export function readText(file: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw new VectorError("unreadable", `${file}: ${reason(cause)}`, { cause });
  }
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      bytes = gunzipSync(bytes, { maxOutputLength: LIMIT });
    } catch (cause) {
      throw new VectorError("unreadable", `${file}: damaged gzip data (${(cause as Error).message})`, { cause });
    }
  } else if (bytes.subarray(0, 6).equals(Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]))) {
    bytes = unxz(file, bytes);
  }
  if (bytes.length >= LIMIT) throw new VectorError("unreadable", `${file}: ${bytes.length} bytes, more than ${LIMIT}`);
  return bytes.toString("utf8");
}

function unxz(file: string, bytes: Buffer): Buffer {
  const { error, status, stdout, stderr } = spawnSync("xz", ["--decompress", "--stdout"], {
    input: bytes,
    maxBuffer: LIMIT,
  });
  if (error && (error as NodeJS.ErrnoException).code === "ENOENT") {
    throw new VectorError(
      "unreadable",
      `${file}: is xz-compressed and there is no xz program; unpack it with "xz -d" first`,
    );
  }
  if (error || status !== 0) {
    throw new VectorError("unreadable", `${file}: damaged xz data (${error?.message ?? stderr.toString().trim()})`);
  }
  return stdout;
}

function reason(cause: unknown): string {
  switch ((cause as NodeJS.ErrnoException).code) {
    case "ENOENT":
      return "no such file";
    case "EISDIR":
      return "is a directory; name the files in it";
    case "EACCES":
      return "permission denied";
    default:
      return (cause as Error).message;
  }
}
