/** Bytes of a sector: the unit of disks, and what tears as one when power fails (tables are written in it, unless a format has a larger unit). */
export const SECTOR = 512;
