import { BlockError } from "@mimus/block";
import { messageOf } from "../errors.ts";
import type { Session } from "./session.ts";

const SUFFIXES = [" bytes", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"];

/** `64 KiB`, `1.938 MiB`, `40 bytes`: up to three decimals. */
export function amount(value: number): string {
  let step = 0;
  let scaled = value;
  while (scaled >= 1024 && step < SUFFIXES.length - 1) {
    scaled /= 1024;
    step++;
  }
  return `${decimals(scaled).replace(/\.000$/, "")}${SUFFIXES[step]}`;
}

/** Three decimals; what lies in the middle of two (an odd number of sixteenths) goes to the even one, as printf(3) has it. */
function decimals(value: number): string {
  const middle = Number.isInteger(value * 16) && (value * 16) % 2 !== 0;
  return (middle ? (2 * Math.round(value * 500)) / 1000 : value).toFixed(3);
}

/** What a request did and how fast. */
export interface Report {
  readonly what: string;
  readonly at: number;
  /** Bytes asked for. */
  readonly asked: number;
  readonly bytes: number;
  readonly requests: number;
  readonly ns: number;
  /** One line of numbers: bytes, requests, time, bytes a second, requests a second. */
  readonly machine: boolean;
}

/** Prints the statistics of one command. */
export function printReport(session: Session, r: Report): void {
  const seconds = Math.max(r.ns, 1) / 1e9;
  if (r.machine) {
    session.print(
      `${r.bytes},${r.requests},${fixedTime(seconds)},${(r.bytes / seconds).toFixed(3)},${(r.requests / seconds).toFixed(3)}\n`,
    );
    return;
  }
  session.print(`${r.what} ${r.bytes}/${r.asked} bytes at offset ${r.at}\n`);
  session.print(
    `${amount(r.bytes)}, ${r.requests} ops; ${plainTime(seconds)} (${amount(r.bytes / seconds)}/sec and ${(r.requests / seconds).toFixed(4)} ops/sec)\n`,
  );
}

const two = (n: number): string => String(Math.floor(n)).padStart(2, "0");

function fixedTime(s: number): string {
  return `${Math.floor(s / 3600)}:${two((s / 60) % 60)}:${two(s % 60)}.${two((s * 100) % 100)}`;
}

function plainTime(s: number): string {
  return s < 60 ? `${two(s)}.${two((s * 100) % 100)} sec` : fixedTime(s);
}

/** Sixteen bytes a line, with their offset in the image. */
export function dump(bytes: Uint8Array, at: number): string {
  const lines: string[] = [];
  for (let i = 0; i < bytes.length; i += 16) {
    const row = bytes.subarray(i, i + 16);
    let hex = "";
    let text = "";
    for (const b of row) {
      hex += ` ${b.toString(16).padStart(2, "0")}`;
      text += b > 0x20 && b < 0x7f ? String.fromCharCode(b) : ".";
    }
    lines.push(`${(at + i).toString(16).padStart(8, "0")}: ${hex}  ${text}\n`);
  }
  return lines.join("");
}

/** Texts of error numbers that images and disks give. */
const ERRNO: Readonly<Record<string, string>> = {
  "1": "Operation not permitted",
  "2": "No such file or directory",
  "5": "Input/output error",
  "12": "Cannot allocate memory",
  "13": "Permission denied",
  "22": "Invalid argument",
  "28": "No space left on device",
  "95": "Operation not supported",
  EPERM: "Operation not permitted",
  EACCES: "Permission denied",
  EIO: "Input/output error",
  EINVAL: "Invalid argument",
  ENOSPC: "No space left on device",
  EDQUOT: "Disk quota exceeded",
  EFBIG: "File too large",
  ENOTSUP: "Operation not supported",
};
const KIND: Readonly<Record<string, string>> = {
  "out-of-range": "Input/output error",
  io: "Input/output error",
  corrupt: "Input/output error",
  shrunk: "Input/output error",
  "no-space": "No space left on device",
  "read-only": "Operation not permitted",
  permission: "Permission denied",
  "bad-option": "Invalid argument",
  "unsupported-feature": "Operation not supported",
  "not-found": "No such file or directory",
};

/** The short text of an error, as the C library has it for the error number behind it. */
export function errorText(error: unknown): string {
  for (let e: unknown = error; typeof e === "object" && e !== null; e = (e as { cause?: unknown }).cause) {
    const code = "code" in e ? String(e.code) : "errno" in e ? String(e.errno) : "";
    const known = ERRNO[code];
    if (known !== undefined) return known;
  }
  if (error instanceof BlockError) return KIND[error.kind] ?? error.message;
  return messageOf(error);
}
