import { NAMED, ToolError } from "./errors.ts";

const UNITS = "kmgtpe";

/** Bytes that a text such as `64k`, `1.5G` or `0x200` means; undefined when it is none or not below 2^53. */
export function parseBytes(text: string): number | undefined {
  const m = /^\s*(?:0[xX]([\da-fA-F]+)|(\d+(?:\.\d*)?|\.\d+))([a-zA-Z]?)$/.exec(text);
  if (m === null) return undefined;
  const unit = (m[3] ?? "").toLowerCase();
  const power = unit === "" || unit === "b" ? 0 : UNITS.indexOf(unit) + 1;
  if (power === 0 && unit !== "" && unit !== "b") return undefined;
  const digits = m[2] ?? "";
  if (power === 0 && digits.includes(".")) return undefined;
  const value = m[1] === undefined ? Number(digits) : Number.parseInt(m[1], 16);
  const bytes = Math.floor(value * 1024 ** power);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Bytes between bounds. `what` names the value in the message. @throws ToolError */
export function bytesOf(what: string, text: string, min = 0, max: number = Number.MAX_SAFE_INTEGER): number {
  const bytes = parseBytes(text);
  if (bytes === undefined)
    throw new ToolError(
      `Invalid ${what} specified. You may use k, M, G, T, P or E suffixes for\n` +
        `${NAMED}kilobytes, megabytes, gigabytes, terabytes, petabytes and exabytes.`,
    );
  if (bytes >= min && bytes <= max) return bytes;
  if (min === 0 && max === Number.MAX_SAFE_INTEGER) throw new ToolError(`Invalid ${what} specified.`);
  const bound = max === Number.MAX_SAFE_INTEGER ? `Must be at least ${min}.` : `Must be between ${min} and ${max}.`;
  throw new ToolError(`Invalid ${what} specified. ${bound}`);
}

/** A whole number between bounds. @throws ToolError */
export function countOf(what: string, text: string, min: number, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new ToolError(what);
}

/** `64 MiB`, `1.03 MiB`, `0 B`: three significant digits. */
export function human(bytes: number): string {
  const scaled = (bytes * 1024) / 1000;
  const step = scaled < 1 ? 0 : Math.max(0, Math.min(6, Math.floor(Math.log2(scaled) / 10)));
  return `${three(bytes / 1024 ** step)} ${["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"][step]}B`;
}

/** A number with three significant digits, without zeroes at its end. */
function three(value: number): string {
  if (value === 0) return "0";
  const text = value.toPrecision(3);
  const m = /^(.*)e([+-])(\d+)$/.exec(text);
  const trim = (s: string): string => (s.includes(".") ? s.replace(/\.?0+$/, "") : s);
  return m === null ? trim(text) : `${trim(m[1] ?? "")}e${m[2]}${(m[3] ?? "").padStart(2, "0")}`;
}
