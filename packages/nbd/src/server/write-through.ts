import { type BlockNode, statusOf, zeroRange } from "@mimus/block";

/** The same node, each of whose writes is on stable storage before it is answered. */
export function writeThrough(node: BlockNode): BlockNode {
  const { discard } = node;
  return {
    name: node.name,
    get size(): number {
      return node.size;
    },
    readOnly: node.readOnly,
    sectorSize: node.sectorSize,
    children: { file: node },
    read: (at, into) => node.read(at, into),
    async write(at, from) {
      await node.write(at, from);
      await node.flush();
    },
    async writeZeroes(at, length, unmap) {
      await zeroRange(node, at, length, unmap);
      await node.flush();
    },
    ...(discard ? { discard: discard.bind(node) } : {}),
    flush: () => node.flush(),
    blockStatus: (at, length) => statusOf(node, at, length),
    close: () => node.close(),
  };
}
