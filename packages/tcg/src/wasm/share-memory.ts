/** Modules made for a memory of one thread, on a memory that threads share. */
import type { WasmMemory } from "../exec/contract.ts";

/** Most pages that a 32-bit memory can have: any shared memory fits an import with this limit. */
const MOST_PAGES = 65536;
const IMPORTS = 2;
const MEMORY = 2;

/** Whether several threads may use a memory at the same time. */
export function isShared(memory: WasmMemory): boolean {
  return typeof SharedArrayBuffer !== "undefined" && memory.buffer instanceof SharedArrayBuffer;
}

/** The module with its imported memory declared as the given one is. Source: WebAssembly Core Specification 3.0, 5.3.9 and 5.5.5. */
export function forMemory(bytes: Uint8Array, memory: WasmMemory): Uint8Array {
  return isShared(memory) ? withSharedImport(bytes) : bytes;
}

function withSharedImport(bytes: Uint8Array): Uint8Array {
  let at = 8;
  while (at < bytes.length) {
    const id = bytes[at]!;
    const size = readU32(bytes, at + 1);
    if (id === IMPORTS) {
      const body = sharedImports(bytes.subarray(size.end, size.end + size.value));
      const head = bytes.subarray(0, at + 1);
      return join([head, u32(body.length), body, bytes.subarray(size.end + size.value)]);
    }
    at = size.end + size.value;
  }
  return bytes;
}

/** The import section's body; everything but the limits of a memory stays. */
function sharedImports(body: Uint8Array): Uint8Array {
  const count = readU32(body, 0);
  let at = count.end;
  for (let n = 0; n < count.value; n++) {
    for (let name = 0; name < 2; name++) {
      const length = readU32(body, at);
      at = length.end + length.value;
    }
    const kind = body[at]!;
    if (kind === MEMORY) {
      const flags = body[at + 1]!;
      const least = readU32(body, at + 2);
      const end = (flags & 1) === 1 ? readU32(body, least.end).end : least.end;
      return join([body.subarray(0, at + 1), [3], u32(least.value), u32(MOST_PAGES), body.subarray(end)]);
    }
    at = afterDescription(body, at);
  }
  return body;
}

/** The place behind the description of an imported function, table or global. */
function afterDescription(body: Uint8Array, at: number): number {
  if (body[at] === 0) return readU32(body, at + 1).end;
  if (body[at] !== 1) return at + 3;
  const least = readU32(body, at + 3);
  return (body[at + 2]! & 1) === 1 ? readU32(body, least.end).end : least.end;
}

function readU32(bytes: Uint8Array, start: number): { value: number; end: number } {
  let value = 0;
  for (let at = start, shift = 0; ; at++, shift += 7) {
    const byte = bytes[at]!;
    value |= (byte & 127) << shift;
    if (byte < 128) return { value: value >>> 0, end: at + 1 };
  }
}

function u32(value: number): number[] {
  const out: number[] = [];
  for (; value > 127; value >>>= 7) out.push((value & 127) | 128);
  out.push(value);
  return out;
}

function join(parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
