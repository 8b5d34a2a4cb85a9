import type { BlockNode } from "@mimus/block";
import { FLAG, MAX_REQUEST } from "../constants.ts";
import { encode, put16, put32, put64, be, join } from "../bytes.ts";
import { INFO } from "../constants.ts";

/** What changed since some moment: exported as the context `qemu:dirty-bitmap:NAME`. */
export interface ExportedBitmap {
  /** Unique among the bitmaps of the export. */
  readonly name: string;
  /** The run that starts at a byte: at most `length` bytes, all dirty or all clean. */
  run(at: number, length: number): { readonly length: number; readonly dirty: boolean };
}

/** A block node that clients may open by a name. */
export interface NbdExport {
  /** Up to 4096 bytes of UTF-8; empty = the default export. */
  readonly name: string;
  /** For people; up to 4096 bytes. */
  readonly description?: string;
  /** What is read and written; it stays the caller's. */
  readonly node: BlockNode;
  /** Clients may write. A node that is read-only stays so. */
  readonly writable: boolean;
  /** Offers the context `qemu:allocation-depth`. */
  readonly allocationDepth?: boolean;
  /** What changed since some moments. */
  readonly bitmaps?: readonly ExportedBitmap[];
  /** Clients may use several connections at once; default true: all of them see the same node. */
  readonly multiConn?: boolean;
}

/** Flags of an export. `structured`: the client understands structured replies. */
export function exportFlags(of: NbdExport, structured: boolean): number {
  let flags = FLAG.HAS_FLAGS | FLAG.SEND_FLUSH | FLAG.SEND_FUA | FLAG.SEND_CACHE;
  if (of.multiConn !== false) flags |= FLAG.CAN_MULTI_CONN;
  if (of.writable) flags |= FLAG.SEND_TRIM | FLAG.SEND_WRITE_ZEROES | FLAG.SEND_FAST_ZERO;
  else flags |= FLAG.READ_ONLY;
  return structured ? flags | FLAG.SEND_DF : flags;
}

/** The information about an export that a client asked for, and what it needs in any case: one payload each. */
export function exportInfo(of: NbdExport, asked: ReadonlySet<number>, structured: boolean): Uint8Array[] {
  const out: Uint8Array[] = [];
  if (asked.has(INFO.NAME)) out.push(join(be(16, INFO.NAME), encode(of.name)));
  if (asked.has(INFO.DESCRIPTION) && of.description !== undefined)
    out.push(join(be(16, INFO.DESCRIPTION), encode(of.description)));
  const sizes = new Uint8Array(14);
  put16(sizes, 0, INFO.BLOCK_SIZE);
  put32(sizes, 2, 1);
  put32(sizes, 6, preferred(of.node));
  put32(sizes, 10, MAX_REQUEST);
  const own = new Uint8Array(12);
  put16(own, 0, INFO.EXPORT);
  put64(own, 2, of.node.size);
  put16(own, 10, exportFlags(of, structured));
  return [...out, sizes, own];
}

/** 4096, or the node's own sector when that is larger. */
function preferred(node: BlockNode): number {
  return Math.max(4096, node.sectorSize);
}
