/** What kind of drive it is: 3.5 inch of 1.44 and 2.88 MB, 5.25 inch of 1.2 MB, or none. */
export type DriveKind = "144" | "288" | "120" | "none";

/** How a disk is divided. */
export interface Geometry {
  readonly tracks: number;
  readonly heads: number;
  readonly sectors: number;
  /** Code of the data rate at which it is written: 0 is 500, 1 is 300, 2 is 250 and 3 is 1000 kbit/s. */
  readonly rate: number;
}

/** Bytes of a sector. */
export const SECTOR = 512;

type Format = readonly [kinds: readonly DriveKind[], sectors: number, tracks: number, heads: number, rate: number];

const INCH3: readonly DriveKind[] = ["144", "288"];

/** Formats by image size; the first of a kind is its standard one. Source: Linux floppy(4), "Autodetected formats"; ECMA-147 and others. */
const FORMATS: readonly Format[] = [
  [INCH3, 18, 80, 2, 0],
  [INCH3, 20, 80, 2, 0],
  [INCH3, 21, 80, 2, 0],
  [INCH3, 21, 82, 2, 0],
  [INCH3, 21, 83, 2, 0],
  [INCH3, 22, 80, 2, 0],
  [INCH3, 23, 80, 2, 0],
  [INCH3, 24, 80, 2, 0],
  [["288"], 36, 80, 2, 3],
  [["288"], 39, 80, 2, 3],
  [["288"], 40, 80, 2, 3],
  [["288"], 44, 80, 2, 3],
  [["288"], 48, 80, 2, 3],
  [INCH3, 9, 80, 2, 2],
  [INCH3, 10, 80, 2, 2],
  [INCH3, 10, 82, 2, 2],
  [INCH3, 10, 83, 2, 2],
  [INCH3, 13, 80, 2, 2],
  [INCH3, 14, 80, 2, 2],
  [["120"], 15, 80, 2, 0],
  [["120"], 18, 80, 2, 0],
  [["120"], 18, 82, 2, 0],
  [["120"], 18, 83, 2, 0],
  [["120"], 20, 80, 2, 0],
  [["120"], 9, 80, 2, 1],
  [["120"], 11, 80, 2, 1],
  [["120"], 9, 40, 2, 1],
  [["120"], 9, 40, 1, 1],
  [["120"], 10, 41, 2, 1],
  [["120"], 10, 42, 2, 1],
  [["120"], 8, 40, 2, 1],
  [["120"], 8, 40, 1, 1],
  [INCH3, 9, 80, 1, 2],
];

const made = ([, sectors, tracks, heads, rate]: Format): Geometry => ({ tracks, heads, sectors, rate });
const bytesOf = ([, sectors, tracks, heads]: Format): number => sectors * tracks * heads * SECTOR;

/** How a medium of `bytes` is divided in a drive of that kind: as its size says, else as is usual for the drive. */
export function geometryFor(kind: DriveKind, bytes: number): Geometry | undefined {
  const fitting = FORMATS.filter(([kinds]) => kinds.includes(kind));
  const usual = kind === "288" ? fitting.find(([, sectors]) => sectors === 36) : fitting[0];
  const found = fitting.find((format) => bytesOf(format) === bytes) ?? usual;
  return found === undefined ? undefined : made(found);
}

/** The kind of drive that a medium of `bytes` is for; undefined when its size says nothing. */
export function kindFor(bytes: number): DriveKind | undefined {
  return FORMATS.find((format) => bytesOf(format) === bytes)?.[0][0];
}
