import { VectorError } from "../case.ts";

/** Lines of a file with their numbers, without empty ones. */
export function* lines(text: string): Generator<{ line: number; text: string }> {
  let line = 0;
  for (let from = 0; from < text.length;) {
    let to = text.indexOf("\n", from);
    if (to < 0) to = text.length;
    line++;
    const content = text.slice(from, to).trim();
    if (content !== "") yield { line, text: content };
    from = to + 1;
  }
}

/**
 * One JSON object.
 * @throws VectorError kind "malformed"
 */
export function parseObject<T>(text: string, line: number): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new VectorError("malformed", `line ${line}: not JSON (${(cause as Error).message})`, { cause });
  }
  if (typeof value !== "object" || value === null)
    throw new VectorError("malformed", `line ${line}: not a JSON object`);
  return value as T;
}

/** Hexadecimal digits, two a byte. */
export function hexBytes(text: string): Uint8Array {
  const bytes = Buffer.from(text, "hex");
  if (bytes.length * 2 !== text.length)
    throw new SyntaxError(`"${text.slice(0, 40)}" is not pairs of hexadecimal digits`);
  return bytes;
}

/** A number given as little-endian bytes in hexadecimal. */
export function littleEndian(text: string): bigint {
  const bytes = hexBytes(text).toReversed();
  return BigInt(`0x${Buffer.from(bytes).toString("hex") || "0"}`);
}

/** A number in hexadecimal. */
export function hex(text: string): bigint {
  if (!/^[0-9a-fA-F]+$/.test(text)) throw new SyntaxError(`"${text}" is not a hexadecimal number`);
  return BigInt(`0x${text}`);
}

/** Joins single bytes at consecutive addresses into regions. */
export function regions(pairs: readonly (readonly [number, number])[]): { address: number; bytes: Uint8Array }[] {
  const sorted = [...new Map(pairs)].sort(([a], [b]) => a - b);
  const out: { address: number; bytes: number[] }[] = [];
  for (const [address, byte] of sorted) {
    const last = out.at(-1);
    if (last && last.address + last.bytes.length === address) last.bytes.push(byte);
    else out.push({ address, bytes: [byte] });
  }
  return out.map(({ address, bytes }) => ({ address, bytes: Uint8Array.from(bytes) }));
}

/** Runs `make` for each line, turning what it throws into an error that names the line. */
export function* eachLine<T>(text: string, from: number, make: (text: string, line: number) => T): Generator<T> {
  for (const entry of lines(text)) {
    if (entry.line < from) continue;
    try {
      yield make(entry.text, entry.line);
    } catch (cause) {
      if (cause instanceof VectorError) throw cause;
      throw new VectorError("malformed", `line ${entry.line}: ${(cause as Error).message}`, { cause });
    }
  }
}
