/** Bytes of each command, its own included, by the lower five bits of most, whole of some. Source: Intel 82078 data sheet (290475), table 5-1. */
const LENGTHS: Readonly<Record<number, number>> = {
  0x02: 9, // read track
  0x03: 3, // specify
  0x04: 2, // sense drive status
  0x05: 9, // write data
  0x06: 9, // read data
  0x07: 2, // recalibrate
  0x08: 1, // sense interrupt status
  0x09: 9, // write deleted data
  0x0a: 2, // read ID
  0x0c: 9, // read deleted data
  0x0d: 6, // format track
  0x0e: 1, // dump registers
  0x0f: 3, // seek
  0x10: 1, // version
  0x11: 9, // scan equal
  0x12: 2, // perpendicular mode
  0x13: 4, // configure
  0x14: 1, // lock
  0x16: 9, // verify
  0x17: 2, // power down mode
  0x18: 1, // part ID
  0x19: 9, // scan low or equal
  0x1d: 9, // scan high or equal
};
const WHOLE: Readonly<Record<number, number>> = {
  0x2e: 1, // save
  0x33: 2, // option
  0x4e: 17, // restore
  0x8e: 6, // drive specification: ends at a byte with bit 7
  0x8f: 3, // relative seek, outwards
  0xcf: 3, // relative seek, inwards
};

/** Commands by their codes without the bits MT, MFM and SK. */
export const COMMAND = {
  READ_TRACK: 0x02,
  SPECIFY: 0x03,
  SENSE_DRIVE: 0x04,
  WRITE: 0x05,
  READ: 0x06,
  RECALIBRATE: 0x07,
  SENSE_INTERRUPT: 0x08,
  WRITE_DELETED: 0x09,
  READ_ID: 0x0a,
  READ_DELETED: 0x0c,
  FORMAT: 0x0d,
  DUMP: 0x0e,
  SEEK: 0x0f,
  VERSION: 0x10,
  SCAN_EQUAL: 0x11,
  PERPENDICULAR: 0x12,
  CONFIGURE: 0x13,
  LOCK: 0x14,
  VERIFY: 0x16,
  POWERDOWN: 0x17,
  PART_ID: 0x18,
  SCAN_LOW: 0x19,
  SCAN_HIGH: 0x1d,
  SAVE: 0x2e,
  OPTION: 0x33,
  RESTORE: 0x4e,
  DRIVE_SPEC: 0x8e,
  SEEK_OUT: 0x8f,
  SEEK_IN: 0xcf,
} as const;

/** A command's code without its option bits, and its length in bytes; undefined for none of this controller's. */
export function commandOf(first: number): { readonly code: number; readonly length: number } | undefined {
  const whole = WHOLE[first];
  if (whole !== undefined) return { code: first, length: whole };
  const code = first & 0x1f;
  const length = LENGTHS[code];
  return length === undefined ? undefined : { code, length };
}

/** Bits of the first byte. */
export const OPTION = { MULTI: 0x80, LOCK: 0x80 } as const;
/** Bits of the status registers. Source: 82078, 6.0 "Status register encoding". */
export const ST0 = { ABNORMAL: 0x40, INVALID: 0x80, CHANGED: 0xc0, SEEK_END: 0x20 } as const;
export const ST1 = {
  END: 0x80,
  DATA_ERROR: 0x20,
  OVERRUN: 0x10,
  NO_DATA: 0x04,
  PROTECTED: 0x02,
  NO_ADDRESS: 0x01,
} as const;
export const ST2 = { DATA_ERROR: 0x20, WRONG_CYLINDER: 0x10, EQUAL: 0x08, NOT_SATISFIED: 0x04 } as const;
