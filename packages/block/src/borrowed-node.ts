import type { BlockNode } from "./node.ts";

/** A node that another one refers to by name: everything but `close` is passed on; its owner closes it. */
export function borrow(node: BlockNode, release: () => void): BlockNode {
  const { readv, writev, discard, writeZeroes, resize } = node;
  return {
    name: node.name,
    get size(): number {
      return node.size;
    },
    readOnly: node.readOnly,
    sectorSize: node.sectorSize,
    ...(node.driver === undefined ? {} : { driver: node.driver }),
    ...(node.filename === undefined ? {} : { filename: node.filename }),
    ...(node.children === undefined ? {} : { children: node.children }),
    read: (at, into) => node.read(at, into),
    write: (at, from) => node.write(at, from),
    flush: () => node.flush(),
    ...(readv ? { readv: readv.bind(node) } : {}),
    ...(writev ? { writev: writev.bind(node) } : {}),
    ...(discard ? { discard: discard.bind(node) } : {}),
    ...(writeZeroes ? { writeZeroes: writeZeroes.bind(node) } : {}),
    ...(resize ? { resize: resize.bind(node) } : {}),
    async close() {
      release();
    },
  };
}
