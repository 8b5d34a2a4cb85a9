/** Registers and codes of ATA. Source: ATA/ATAPI-6 (T13/1410D revision 3b), ATA/ATAPI-7 volume 1 (T13/1532D revision 4b). */

/** Status register. */
export const ST = { ERR: 0x01, DRQ: 0x08, SEEK: 0x10, FAULT: 0x20, READY: 0x40, BUSY: 0x80 } as const;
/** Error register. */
export const ER = { ABORT: 0x04, NOT_FOUND: 0x10, UNCORRECTABLE: 0x40 } as const;
/** Device control register. */
export const CONTROL = { NIEN: 0x02, SRST: 0x04, HOB: 0x80 } as const;
/** Device register. */
export const DEVICE = { UNIT: 0x10, LBA: 0x40, FIXED: 0xa0 } as const;

/** Bytes of a sector. */
export const SECTOR = 512;
/** Most sectors of one block of READ MULTIPLE. */
export const MULTIPLE = 16;
/** Bytes that are asked of the drive at once. */
export const CHUNK: number = 128 * 1024;
/** The same for a bus master's transfer; Linux asks for 512 KiB to 1 MiB. */
export const DMA: number = 1024 * 1024;

/** Commands. */
export const C = {
  NOP: 0x00,
  DATA_SET: 0x06,
  DEVICE_RESET: 0x08,
  RECALIBRATE: 0x10,
  READ: 0x20,
  READ_ONCE: 0x21,
  READ_EXT: 0x24,
  READ_DMA_EXT: 0x25,
  NATIVE_MAX_EXT: 0x27,
  READ_MULTIPLE_EXT: 0x29,
  WRITE: 0x30,
  WRITE_ONCE: 0x31,
  WRITE_EXT: 0x34,
  WRITE_DMA_EXT: 0x35,
  SET_MAX_EXT: 0x37,
  WRITE_MULTIPLE_EXT: 0x39,
  WRITE_DMA_FUA: 0x3d,
  VERIFY: 0x40,
  VERIFY_ONCE: 0x41,
  VERIFY_EXT: 0x42,
  SEEK: 0x70,
  DIAGNOSE: 0x90,
  SPECIFY: 0x91,
  STANDBY_NOW_OLD: 0x94,
  CHECK_POWER_OLD: 0x98,
  PACKET: 0xa0,
  IDENTIFY_PACKET: 0xa1,
  SMART: 0xb0,
  READ_MULTIPLE: 0xc4,
  WRITE_MULTIPLE: 0xc5,
  SET_MULTIPLE: 0xc6,
  READ_DMA: 0xc8,
  READ_DMA_ONCE: 0xc9,
  WRITE_DMA: 0xca,
  WRITE_DMA_ONCE: 0xcb,
  WRITE_MULTIPLE_FUA: 0xce,
  STANDBY_NOW: 0xe0,
  CHECK_POWER: 0xe5,
  SLEEP: 0xe6,
  FLUSH: 0xe7,
  FLUSH_EXT: 0xea,
  IDENTIFY: 0xec,
  SET_FEATURES: 0xef,
  NATIVE_MAX: 0xf8,
  SET_MAX: 0xf9,
} as const;
