import type { FdtNode } from "./tree.ts";

const MAGIC = 0xd00dfeed;
const BEGIN_NODE = 1;
const END_NODE = 2;
const PROP = 3;
const END = 9;
const HEADER_BYTES = 40;
/** One reservation entry, all zero: the end of an empty list. */
const RESERVED_BYTES = 16;

/**
 * Serialises a tree as a flattened device tree, version 17.
 * Source: Devicetree Specification v0.4, chapter 5.
 */
export function writeFdt(root: FdtNode): Uint8Array {
  const strings = new StringsBlock();
  const structure = new Words();
  emit(root, structure, strings);
  structure.u32(END);
  const structBytes = structure.bytes();
  const stringBytes = strings.bytes();
  const structAt = HEADER_BYTES + RESERVED_BYTES;
  const stringsAt = structAt + structBytes.length;
  const total = (stringsAt + stringBytes.length + 7) & ~7;
  const out = new Uint8Array(total);
  const header = [MAGIC, total, structAt, stringsAt, HEADER_BYTES, 17, 16, 0, stringBytes.length, structBytes.length];
  const view = new DataView(out.buffer);
  for (const [i, word] of header.entries()) view.setUint32(4 * i, word);
  out.set(structBytes, structAt);
  out.set(stringBytes, stringsAt);
  return out;
}

function emit(node: FdtNode, out: Words, strings: StringsBlock): void {
  out.u32(BEGIN_NODE);
  out.padded([...latin1(node.name), 0]);
  for (const [name, value] of node.properties) {
    out.u32(PROP);
    out.u32(value.length);
    out.u32(strings.offset(name));
    out.padded(value);
  }
  for (const child of node.children) emit(child, out, strings);
  out.u32(END_NODE);
}

function latin1(text: string): number[] {
  return Array.from(text, (c) => c.charCodeAt(0) & 0xff);
}

/** Property names, each once. */
class StringsBlock {
  readonly #offsets: Map<string, number> = new Map();
  readonly #bytes: number[] = [];

  offset(name: string): number {
    const known = this.#offsets.get(name);
    if (known !== undefined) return known;
    const at = this.#bytes.length;
    this.#offsets.set(name, at);
    this.#bytes.push(...latin1(name), 0);
    return at;
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

/** Big-endian words and padded bytes, growing. */
class Words {
  readonly #bytes: number[] = [];

  u32(value: number): void {
    this.#bytes.push(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
  }

  padded(bytes: Iterable<number>): void {
    for (const byte of bytes) this.#bytes.push(byte);
    while (this.#bytes.length % 4 !== 0) this.#bytes.push(0);
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}
