import type { Chain } from "@mimus/bus-virtio";

/** Request types. Source: VIRTIO 1.2, 5.2.6. */
export const TYPE = { IN: 0, OUT: 1, SCSI_CMD: 2, FLUSH: 4, GET_ID: 8, DISCARD: 11, WRITE_ZEROES: 13 } as const;
/** Status bytes. */
export const S = { OK: 0, IOERR: 1, UNSUPP: 2 } as const;

/** Bytes of the header that starts each request. */
export const HEADER = 16;
/** Bytes of the answer to GET_ID. */
export const ID_BYTES = 20;
/** Bytes of one range of DISCARD and WRITE_ZEROES. */
const RANGE = 16;
/** A legacy flag on the type that asks for ordering; without effect. */
const BARRIER = 0x80000000;

/** The header, copied out of guest memory once. */
export interface Header {
  readonly type: number;
  /** Byte offset on the disk: 512 times the sector. Not exact above 2^53, where no disk is. */
  readonly at: number;
}

/** The header of a request; undefined when the buffers are too short for one. */
export function readHeader(chain: Chain, little: boolean): Header | undefined {
  const bytes = new Uint8Array(HEADER);
  if (chain.readOut(0, bytes) < HEADER) return undefined;
  const v = new DataView(bytes.buffer);
  return { type: (v.getUint32(0, little) & ~BARRIER) >>> 0, at: sector(v, 8, little) };
}

/** A range of DISCARD or WRITE_ZEROES, bytes. */
export interface Range {
  readonly at: number;
  readonly length: number;
  readonly flags: number;
}

/** The only range of a request; undefined when there is not exactly one. */
export function readRange(chain: Chain, little: boolean): Range | undefined {
  if (chain.outBytes !== HEADER + RANGE) return undefined;
  const bytes = new Uint8Array(RANGE);
  chain.readOut(HEADER, bytes);
  const v = new DataView(bytes.buffer);
  return { at: sector(v, 0, little), length: v.getUint32(8, little) * 512, flags: v.getUint32(12, little) };
}

function sector(v: DataView, at: number, little: boolean): number {
  const lo = v.getUint32(at + (little ? 0 : 4), little);
  const hi = v.getUint32(at + (little ? 4 : 0), little);
  return (hi * 4294967296 + lo) * 512;
}
