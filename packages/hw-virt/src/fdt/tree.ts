/** A property value: bytes, a list of 32-bit cells, one or more strings, or nothing (a flag). */
export type FdtValue = Uint8Array | readonly number[] | string | readonly string[] | true;

/** A node of a device tree under construction. Properties and children keep the order in which they were added. */
export class FdtNode {
  readonly name: string;
  readonly properties: Map<string, Uint8Array> = new Map();
  readonly children: FdtNode[] = [];

  constructor(name: string) {
    this.name = name;
  }

  /** Sets a property, in place of one of the same name. */
  set(name: string, value: FdtValue): this {
    this.properties.set(name, encode(value));
    return this;
  }

  /** Adds an empty child. */
  child(name: string): FdtNode {
    const node = new FdtNode(name);
    this.children.push(node);
    return node;
  }

  /** The child of this name, or of this name before its unit address when that is unique. */
  find(name: string): FdtNode | undefined {
    return this.children.find((c) => c.name === name) ?? this.children.find((c) => c.name.split("@")[0] === name);
  }

  /** The node at a path of names below this one ("soc/plic@c000000"). */
  at(path: string): FdtNode | undefined {
    let node: FdtNode | undefined = this;
    for (const part of path.split("/").filter((p) => p !== "")) node = node?.find(part);
    return node;
  }
}

/** A 64-bit number (up to 2^53) as two cells. */
export function cells64(value: number): [number, number] {
  return [Math.floor(value / 2 ** 32), value >>> 0];
}

/** A string in a property: Latin-1, each character one byte, with its terminator. */
function encode(value: FdtValue): Uint8Array {
  if (value === true) return new Uint8Array(0);
  if (value instanceof Uint8Array) return value;
  if (typeof value === "string") return strings([value]);
  if (value.length === 0) return new Uint8Array(0);
  return typeof value[0] === "string" ? strings(value as readonly string[]) : cells(value as readonly number[]);
}

function cells(values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  for (const [i, v] of values.entries()) view.setUint32(4 * i, v);
  return new Uint8Array(view.buffer);
}

/** Bytes of a text in UTF-8: `bootargs` may hold any character. */
function utf8(text: string): number[] {
  const escaped = encodeURIComponent(text).replace(/%([0-9A-F]{2})/g, (_, h: string) =>
    String.fromCharCode(parseInt(h, 16)),
  );
  return Array.from(escaped, (c) => c.charCodeAt(0));
}

function strings(values: readonly string[]): Uint8Array {
  return Uint8Array.from(values.flatMap((v) => [...utf8(v), 0]));
}
