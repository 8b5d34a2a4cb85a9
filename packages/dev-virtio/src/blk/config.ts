/** Bytes of the configuration space. Source: VIRTIO 1.2, 5.2.4. */
export const CONFIG_BYTES = 60;
/** Offset of the write-cache byte. */
export const WCE_AT = 32;

/** What the configuration space tells besides the size. */
export interface BlkConfig {
  readonly segMax: number;
  readonly cylinders: number;
  readonly heads: number;
  readonly sectors: number;
  /** Bytes. */
  readonly logicalBlock: number;
  readonly physicalBlock: number;
  readonly minIo: number;
  readonly optIo: number;
  readonly queues: number;
  readonly maxDiscardSectors: number;
  /** Bytes. */
  readonly discardGranularity: number;
  readonly maxWriteZeroesSectors: number;
}

/** Fills in the whole space. */
export function fillConfig(v: DataView, little: boolean, c: BlkConfig, size: number, writeCache: boolean): void {
  const sectors = Math.floor(size / 512);
  v.setUint32(little ? 0 : 4, sectors >>> 0, little);
  v.setUint32(little ? 4 : 0, Math.floor(sectors / 4294967296), little);
  v.setUint32(8, 0, little); // size_max: not offered
  v.setUint32(12, c.segMax, little);
  v.setUint16(16, c.cylinders, little);
  v.setUint8(18, c.heads);
  v.setUint8(19, c.sectors);
  v.setUint32(20, c.logicalBlock, little);
  v.setUint8(24, Math.log2(c.physicalBlock / c.logicalBlock));
  v.setUint8(25, 0); // alignment_offset
  v.setUint16(26, Math.floor(c.minIo / c.logicalBlock), little);
  v.setUint32(28, Math.floor(c.optIo / c.logicalBlock), little);
  v.setUint8(WCE_AT, writeCache ? 1 : 0);
  v.setUint8(33, 0);
  v.setUint16(34, c.queues, little);
  v.setUint32(36, c.maxDiscardSectors, little);
  v.setUint32(40, 1, little); // max_discard_seg
  v.setUint32(44, Math.max(1, Math.floor(c.discardGranularity / 512)), little);
  v.setUint32(48, c.maxWriteZeroesSectors, little);
  v.setUint32(52, 1, little); // max_write_zeroes_seg
  v.setUint8(56, 1); // write_zeroes_may_unmap
  v.setUint8(57, 0);
  v.setUint16(58, 0);
}

/** Cylinders, heads and sectors for a disk of this many bytes when the user gives none: ATA's default translation. */
export function guessGeometry(size: number): { cylinders: number; heads: number; sectors: number } {
  const cylinders = Math.floor(size / 512 / (16 * 63));
  return { cylinders: Math.max(2, Math.min(16383, cylinders)), heads: 16, sectors: 63 };
}
