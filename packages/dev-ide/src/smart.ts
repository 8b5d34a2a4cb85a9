/** SMART of a disk that never fails. Source: ATA/ATAPI-7 volume 1, 6.54; attribute values as disks commonly have them. */

/** Number, flags, threshold, and the raw value. */
const ATTRIBUTES: readonly (readonly [id: number, flags: number, threshold: number, raw: number])[] = [
  [1, 0x03, 6, 0],
  [3, 0x03, 0, 16],
  [4, 0x02, 20, 100],
  [5, 0x03, 36, 0],
  [9, 0x03, 0, 1],
  [12, 0x03, 0, 0],
  [190, 0x03, 50, 31],
];

function sealed(bytes: Uint8Array): Uint8Array {
  let sum = 0;
  for (let i = 0; i < 511; i++) sum += bytes[i]!;
  bytes[511] = -sum & 0xff;
  return bytes;
}

/** The answer to SMART READ DATA. */
export function smartData(autosave: boolean): Uint8Array {
  const b = new Uint8Array(512);
  b[0] = 1;
  ATTRIBUTES.forEach(([id, flags, , raw], n) => b.set([id, flags, 0, 100, 100, raw], 2 + 12 * n));
  b[362] = autosave ? 0x82 : 0x02; // off-line data collection was completed
  b[364] = 30;
  b[367] = 0x19;
  b.set([3, 0], 368);
  b[370] = 1;
  b[372] = 2;
  b[373] = 54;
  return sealed(b);
}

/** The answer to SMART READ THRESHOLDS. */
export function smartThresholds(): Uint8Array {
  const b = new Uint8Array(512);
  b[0] = 1;
  ATTRIBUTES.forEach(([id, , threshold], n) => b.set([id, threshold], 2 + 12 * n));
  return sealed(b);
}

/** A log: 0 the directory, 1 summary of errors, 6 self-tests; undefined: there is none. */
export function smartLog(number: number): Uint8Array | undefined {
  const b = new Uint8Array(512);
  if (number === 0) {
    b[0] = 1;
    b[2] = 1;
    b[12] = 1;
    return b;
  }
  if (number !== 1 && number !== 6) return undefined;
  b[0] = 1;
  return sealed(b);
}
