import type { BlockNode } from "./node.ts";

/** Where the content of a range comes from: what maps, copies and exports ask before they read. */
export interface BlockStatus {
  /** Bytes from the asked offset on to which all of this applies: at least 1, at most what was asked. */
  readonly length: number;
  /** This node itself says what the range reads as; otherwise its backing node does, or zeroes without one. */
  readonly allocated: boolean;
  /** The range reads as zeroes. False when it is not known to. */
  readonly zero: boolean;
  /** Bytes are stored for the range. */
  readonly data: boolean;
  /** The bytes are compressed: they have no place of their own. */
  readonly compressed?: boolean;
  /** The bytes lie as they are at this offset of `file`. */
  readonly offset?: number;
  /** The node of `offset`. */
  readonly file?: BlockNode;
}

/** Status of a range; a node that cannot tell has data everywhere. */
export async function statusOf(node: BlockNode, at: number, length: number): Promise<BlockStatus> {
  const known = await node.blockStatus?.(at, length);
  return known ?? { length, allocated: true, zero: false, data: true, offset: at, file: node };
}
