import { FdtNode } from "./tree.ts";

/** A device tree blob that cannot be used; the message says why. */
export class FdtError extends Error {
  override readonly name = "FdtError";
  readonly kind: "truncated" | "not-fdt" | "corrupt" | "too-deep";
  /** Offset in the blob, bytes. */
  readonly at: number;

  constructor(kind: FdtError["kind"], message: string, at: number) {
    super(message);
    this.kind = kind;
    this.at = at;
  }
}

const MAGIC = 0xd00dfeed;
const MAX_DEPTH = 64;

/**
 * Reads a flattened device tree of version 16 or later. The blob is untrusted.
 * Source: Devicetree Specification v0.4, chapter 5. @throws FdtError
 */
export function readFdt(blob: Uint8Array): FdtNode {
  if (blob.length < 40) throw new FdtError("truncated", `device tree of ${blob.length} bytes has no header`, 0);
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const field = (n: number): number => view.getUint32(4 * n);
  if (field(0) !== MAGIC) throw new FdtError("not-fdt", "not a flattened device tree: no d00dfeed at offset 0", 0);
  const total = field(1);
  if (total > blob.length) {
    throw new FdtError("truncated", `device tree says ${total} bytes, but the file has ${blob.length}`, 4);
  }
  if (field(6) > 17 || field(5) < 16)
    throw new FdtError("not-fdt", `device tree version ${field(5)} is not supported`, 20);
  const structAt = field(2);
  const structEnd = structAt + field(9);
  const stringsAt = field(3);
  const stringsEnd = stringsAt + field(8);
  if (structEnd > total || structAt % 4 !== 0) throw new FdtError("corrupt", "structure block is outside the blob", 8);
  if (stringsEnd > total) throw new FdtError("corrupt", "strings block is outside the blob", 12);
  return new Reader(blob, view, structAt, structEnd, stringsAt, stringsEnd).root();
}

class Reader {
  readonly #blob: Uint8Array;
  readonly #view: DataView;
  #at: number;
  readonly #end: number;
  readonly #stringsAt: number;
  readonly #stringsEnd: number;

  constructor(blob: Uint8Array, view: DataView, at: number, end: number, stringsAt: number, stringsEnd: number) {
    this.#blob = blob;
    this.#view = view;
    this.#at = at;
    this.#end = end;
    this.#stringsAt = stringsAt;
    this.#stringsEnd = stringsEnd;
  }

  root(): FdtNode {
    if (this.#token() !== 1) throw this.#corrupt("no root node");
    return this.#node(0);
  }

  #node(depth: number): FdtNode {
    if (depth > MAX_DEPTH) throw new FdtError("too-deep", `device tree is deeper than ${MAX_DEPTH} nodes`, this.#at);
    const name = this.#text(this.#at, this.#end);
    this.#at = (this.#at + name.length + 4) & ~3;
    const node = new FdtNode(name);
    for (;;) {
      const token = this.#token();
      if (token === 1) node.children.push(this.#node(depth + 1));
      else if (token === 2) return node;
      else if (token === 3) this.#property(node);
      else throw this.#corrupt(`unknown token ${token}`);
    }
  }

  #property(node: FdtNode): void {
    if (this.#at + 8 > this.#end) throw this.#corrupt("property is cut off");
    const length = this.#view.getUint32(this.#at);
    const name = this.#text(this.#stringsAt + this.#view.getUint32(this.#at + 4), this.#stringsEnd);
    const from = this.#at + 8;
    if (from + length > this.#end) throw this.#corrupt(`property "${name}" is longer than the structure block`);
    node.properties.set(name, this.#blob.slice(from, from + length));
    this.#at = (from + length + 3) & ~3;
  }

  /** The next token that is not a no-operation. */
  #token(): number {
    for (;;) {
      if (this.#at + 4 > this.#end) throw this.#corrupt("structure block ends inside a node");
      const token = this.#view.getUint32(this.#at);
      this.#at += 4;
      if (token !== 4) return token;
    }
  }

  #text(from: number, end: number): string {
    let to = from;
    while (to < end && this.#blob[to] !== 0) to++;
    if (to >= end) throw this.#corrupt("name has no end");
    let text = "";
    for (let i = from; i < to; i++) {
      const code = this.#blob[i] as number;
      // Names go into messages, which stay one line.
      if (code < 0x20) throw this.#corrupt(`a name has the control character ${code}`);
      text += String.fromCharCode(code);
    }
    return text;
  }

  #corrupt(message: string): FdtError {
    return new FdtError("corrupt", `device tree: ${message}`, this.#at);
  }
}
