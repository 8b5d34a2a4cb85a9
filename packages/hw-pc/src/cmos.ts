import { MIB } from "./memmap.ts";
import type { RamSplit } from "./memmap.ts";

/** The clock chip's memory as the board sets it. */
export interface CmosMemory {
  setCmos(index: number, value: number): void;
  cmos(index: number): number;
  /** Called at the clock's alarm. */
  onAlarm?: (() => void) | undefined;
}

/** Bytes of the CMOS memory that firmware reads. Source: QEMU's SeaBIOS, "CMOS registers"; PC/AT Technical Reference (1985), 1-59. */
export const CMOS = {
  shutdown: 0x0f,
  floppy: 0x10,
  disks: 0x12,
  equipment: 0x14,
  baseMemory: 0x15,
  extendedMemory: 0x17,
  disk0Type: 0x19,
  disk1Type: 0x1a,
  disk0Geometry: 0x1b,
  disk1Geometry: 0x24,
  extendedMemory2: 0x30,
  bootFlags: 0x38,
  diskTranslation: 0x39,
  bootOrder: 0x3d,
  above16M: 0x34,
  above4G: 0x5b,
  cpus: 0x5f,
} as const;

/** Code that firmware finds after a reset that ends a sleep. Source: BIOS shutdown codes; QEMU's value for S3. */
export const SHUTDOWN_S3 = 0xfe;

/** Memory sizes and the number of processors. */
export function setMemory(cmos: CmosMemory, ram: RamSplit, cpus: number): void {
  const u16 = (index: number, value: number): void => {
    cmos.setCmos(index, value & 0xff);
    cmos.setCmos(index + 1, (value >>> 8) & 0xff);
  };
  u16(CMOS.baseMemory, Math.min(Math.floor(ram.below / 1024), 640));
  const extended = Math.min(Math.max(0, Math.floor((ram.below - MIB) / 1024)), 65535);
  u16(CMOS.extendedMemory, extended);
  u16(CMOS.extendedMemory2, extended);
  u16(CMOS.above16M, Math.min(Math.max(0, Math.floor((ram.below - 16 * MIB) / 65536)), 65535));
  const above = Math.floor(ram.above / 65536);
  u16(CMOS.above4G, above & 0xffff);
  cmos.setCmos(CMOS.above4G + 2, Math.floor(above / 65536) & 0xff);
  cmos.setCmos(CMOS.cpus, cpus - 1);
}

/** Codes of the boot order by drive letter: floppy, disk, CD, network. */
const BOOT: Readonly<Record<string, number>> = { a: 1, b: 1, c: 2, d: 3, n: 4 };

/** @throws RangeError naming a letter that no PC boots from */
export function setBootOrder(cmos: CmosMemory, order: string, checkFloppy = true): void {
  if (order.length > 3) throw new RangeError(`boot order '${order}': a PC takes at most 3 devices`);
  const codes = Array.from(order, (letter) => {
    const code = BOOT[letter];
    if (code === undefined)
      throw new RangeError(
        `boot order '${order}': a PC has no boot device '${letter}'; expected letters of a, c, d, n`,
      );
    return code;
  });
  cmos.setCmos(CMOS.bootOrder, ((codes[1] ?? 0) << 4) | (codes[0] ?? 0));
  cmos.setCmos(CMOS.bootFlags, ((codes[2] ?? 0) << 4) | (checkFloppy ? 0 : 1));
}

/** Floppy types, the equipment byte: x87, PS/2 mouse, drives. `types` are CMOS codes, 0 for no drive. */
export function setEquipment(cmos: CmosMemory, types: readonly [number, number], x87 = true): void {
  cmos.setCmos(CMOS.floppy, (types[0] << 4) | types[1]);
  const drives = types.filter((t) => t !== 0).length;
  const floppies = drives === 0 ? 0 : drives === 1 ? 0x01 : 0x41;
  cmos.setCmos(CMOS.equipment, 0x04 | (x87 ? 0x02 : 0) | floppies);
}

/** Geometry of a disk as the BIOS of an AT has it. */
export interface DiskGeometry {
  readonly cylinders: number;
  readonly heads: number;
  readonly sectors: number;
}

/** The first two disks, and how addresses are translated for all four (2 bits each). */
export function setDisks(cmos: CmosMemory, disks: readonly (DiskGeometry | undefined)[]): void {
  cmos.setCmos(CMOS.disks, (disks[0] ? 0xf0 : 0) | (disks[1] ? 0x0f : 0));
  for (const [i, type, at] of [
    [0, CMOS.disk0Type, CMOS.disk0Geometry],
    [1, CMOS.disk1Type, CMOS.disk1Geometry],
  ] as const) {
    const disk = disks[i];
    if (disk === undefined) continue;
    const { cylinders, heads, sectors } = disk;
    cmos.setCmos(type, 47);
    const bytes = [
      cylinders & 0xff, cylinders >>> 8, heads, 0xff, 0xff, 0xc0 | (heads > 8 ? 8 : 0), cylinders & 0xff, cylinders >>> 8, sectors,
    ]; // prettier-ignore
    for (const [k, byte] of bytes.entries()) cmos.setCmos(at + k, byte);
  }
  let translation = 0;
  for (const [i, disk] of disks.entries()) {
    if (disk === undefined) continue;
    // 0: none, 1: LBA; a disk within the BIOS's own limits needs none.
    const lba = disk.cylinders > 1024 || disk.heads > 16 || disk.sectors > 63;
    translation |= (lba ? 1 : 0) << (2 * i);
  }
  cmos.setCmos(CMOS.diskTranslation, translation);
}
