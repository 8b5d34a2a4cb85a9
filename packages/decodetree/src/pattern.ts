import { DecodeTreeError } from "./errors.ts";

/** Fixed bits of an encoding. */
export interface Pattern {
  /** Bits that are fixed. */
  readonly mask: number;
  /** Their values. */
  readonly value: number;
  /** Bits a field must cover. */
  readonly open: number;
}

/** Read a pattern: `0` and `1` fixed, `.` belongs to a field, `-` ignored; spaces are free. Highest bit first. */
export function parsePattern(text: string, width: number, at: string): Pattern {
  const chars = text.replaceAll(/\s/g, "");
  if (chars.length !== width)
    throw new DecodeTreeError("pattern-length", `the pattern has ${chars.length} bits, the table ${width}`, at);
  let mask = 0;
  let value = 0;
  let open = 0;
  for (let i = 0; i < width; i++) {
    const bit = (1 << (width - 1 - i)) >>> 0;
    const c = chars[i];
    if (c === "0") mask |= bit;
    else if (c === "1") {
      mask |= bit;
      value |= bit;
    } else if (c === ".") open |= bit;
    else if (c !== "-")
      throw new DecodeTreeError("pattern-character", `"${c}" in a pattern; use 0, 1, ".", "-" and spaces`, at);
  }
  return { mask: mask >>> 0, value: value >>> 0, open: open >>> 0 };
}
