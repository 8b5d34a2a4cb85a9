/** Cylinders, heads and sectors a track of an ATA disk. */
export interface Geometry {
  readonly cylinders: number;
  readonly heads: number;
  readonly sectorsPerTrack: number;
}

/** The largest disk that cylinders, heads and sectors can name: 65535 × 16 × 255 sectors, about 127 GiB. */
export const MAX_GEOMETRY_SECTORS: number = 65535 * 16 * 255;
/** The largest disk of the format, sectors: 2040 GiB. */
export const MAX_SECTORS: number = 0xff000000;

/** Sectors that a geometry names. */
export function sectorsOf(g: Geometry): number {
  return g.cylinders * g.heads * g.sectorsPerTrack;
}

/**
 * The geometry for a number of sectors; it may name fewer.
 * Source: Virtual Hard Disk Image Format Specification 1.0, appendix "CHS Calculation".
 */
export function geometryFor(sectors: number): Geometry {
  const total = Math.min(sectors, MAX_GEOMETRY_SECTORS);
  if (total >= 65535 * 16 * 63) return shape(total, 16, 255);
  let tracks = Math.floor(total / 17);
  const heads = Math.max(4, Math.floor((tracks + 1023) / 1024));
  if (tracks < heads * 1024 && heads <= 16) return shape(total, heads, 17);
  tracks = Math.floor(total / 31);
  return tracks < 16 * 1024 ? shape(total, 16, 31) : shape(total, 16, 63);
}

/** The smallest geometry that names at least `sectors` sectors; the largest one when none does. */
export function geometryHolding(sectors: number): Geometry {
  if (sectors >= MAX_GEOMETRY_SECTORS) return geometryFor(MAX_GEOMETRY_SECTORS);
  for (let wanted = sectors; ; wanted++) {
    const g = geometryFor(wanted);
    if (sectorsOf(g) >= sectors) return g;
  }
}

function shape(total: number, heads: number, sectorsPerTrack: number): Geometry {
  return { cylinders: Math.floor(Math.floor(total / sectorsPerTrack) / heads), heads, sectorsPerTrack };
}
