/** Answers of a CD or DVD drive. Source: MMC-5 (T10/1675D revision 4), SPC-3 (T10/1416D revision 23). */

/** Packet commands. */
export const P = {
  TEST_UNIT_READY: 0x00,
  REQUEST_SENSE: 0x03,
  INQUIRY: 0x12,
  START_STOP: 0x1b,
  PREVENT: 0x1e,
  READ_CAPACITY: 0x25,
  READ_10: 0x28,
  SEEK: 0x2b,
  READ_SUBCHANNEL: 0x42,
  READ_TOC: 0x43,
  GET_CONFIGURATION: 0x46,
  EVENT_STATUS: 0x4a,
  DISC_INFORMATION: 0x51,
  MODE_SENSE: 0x5a,
  READ_12: 0xa8,
  READ_DVD_STRUCTURE: 0xad,
  SET_SPEED: 0xbb,
  MECHANISM_STATUS: 0xbd,
  READ_CD: 0xbe,
} as const;

/** Sense key and additional code (with its qualifier in the low byte). */
export const SENSE = {
  NONE: [0, 0],
  NOT_READY: [2, 0x3a],
  READ_ERROR: [3, 0x11],
  ILLEGAL_OPCODE: [5, 0x20],
  OUT_OF_RANGE: [5, 0x21],
  INVALID_FIELD: [5, 0x24],
  INCOMPATIBLE: [5, 0x30],
  LOCKED: [5, 0x53],
  MEDIUM_CHANGED: [6, 0x28],
} as const;

/** Bytes of a block. */
export const BLOCK = 2048;
/** Bytes of a block with its headers and error correction. */
export const RAW = 2352;
/** Blocks of the largest CD: 80 minutes; what has more is a DVD. */
export const CD_BLOCKS: number = 80 * 60 * 75;
const PROFILE = { NONE: 0, CD: 0x0008, DVD: 0x0010 } as const;

function bytes(length: number, fill: (view: DataView, b: Uint8Array) => void): Uint8Array {
  const b = new Uint8Array(length);
  fill(new DataView(b.buffer), b);
  return b;
}

function text(b: Uint8Array, at: number, length: number, value: string): void {
  for (let i = 0; i < length; i++) b[at + i] = i < value.length ? value.charCodeAt(i) & 0x7f : 0x20;
}

export function inquiry(model: string, version: string): Uint8Array {
  return bytes(36, (_v, b) => {
    b.set([0x05, 0x80, 0x00, 0x21, 31, 0, 0, 0]);
    text(b, 8, 8, model.split(" ")[0] ?? "");
    text(b, 16, 16, model);
    text(b, 32, 4, version);
  });
}

/** Sense data in the fixed format. */
export function senseData(key: number, code: number): Uint8Array {
  return bytes(18, (_v, b) => {
    b[0] = 0x70;
    b[2] = key;
    b[7] = 10;
    b[12] = code;
  });
}

/** Minute, second, frame of a block. */
function msf(block: number): [number, number, number] {
  const frame = block + 150;
  return [Math.floor(frame / 4500) & 0xff, Math.floor(frame / 75) % 60, frame % 75];
}

function address(view: DataView, b: Uint8Array, at: number, block: number, asTime: boolean): void {
  if (asTime) b.set([0, ...msf(block)], at);
  else view.setUint32(at, block);
}

/** READ TOC/PMA/ATIP: one session with one data track; undefined: the format or track is not there. */
export function toc(format: number, asTime: boolean, track: number, blocks: number): Uint8Array | undefined {
  if (format === 0) {
    if (track > 1 && track !== 0xaa) return undefined;
    const tracks = track === 0xaa ? [0xaa] : [1, 0xaa];
    return bytes(4 + 8 * tracks.length, (v, b) => {
      v.setUint16(0, b.length - 2);
      b[2] = b[3] = 1;
      tracks.forEach((n, i) => {
        const at = 4 + 8 * i;
        b[at + 1] = n === 1 ? 0x14 : 0x16;
        b[at + 2] = n;
        address(v, b, at + 4, n === 1 ? 0 : blocks, asTime);
      });
    });
  }
  if (format === 1)
    return bytes(12, (v, b) => {
      v.setUint16(0, 10);
      b[2] = b[3] = 1;
      b[5] = 0x14;
      b[6] = 1;
      address(v, b, 8, 0, asTime);
    });
  if (format !== 2) return undefined;
  // The full table: points A0, A1, A2 and the track.
  return bytes(4 + 4 * 11, (v, b) => {
    v.setUint16(0, b.length - 2);
    b[2] = b[3] = 1;
    [0xa0, 0xa1, 0xa2, 1].forEach((point, i) => {
      const at = 4 + 11 * i;
      b.set([1, 0x14, 0, point], at);
      if (point === 0xa0 || point === 0xa1) b[at + 8] = 1;
      else b.set(msf(point === 0xa2 ? blocks : 0), at + 8);
    });
  });
}

/** What the drive can do, for the medium in it (blocks; 0: none). */
export function configuration(blocks: number, first: number, requested: number): Uint8Array {
  const current = blocks === 0 ? PROFILE.NONE : blocks > CD_BLOCKS ? PROFILE.DVD : PROFILE.CD;
  const features: Uint8Array[] = [];
  const feature = (code: number, flags: number, data: readonly number[], now: boolean): void => {
    if (requested === 2 ? code !== first : code < first) return;
    if (requested === 1 && !now) return;
    features.push(Uint8Array.of(code >> 8, code & 0xff, flags | (now ? 1 : 0), data.length, ...data));
  };
  const profile = (p: number): number[] => [p >> 8, p & 0xff, current === p ? 1 : 0, 0];
  feature(0, 0x02, [...profile(PROFILE.DVD), ...profile(PROFILE.CD)], true);
  feature(1, 0x0a, [0, 0, 0, 2, 1, 0, 0, 0], true);
  feature(3, 0x02, [0x29, 0, 0, 0], true);
  feature(0x10, 0x00, [0, 0, 8, 0, 0, 16, 0, 0], current !== PROFILE.NONE);
  feature(0x1e, 0x00, [0, 0, 0, 0], current === PROFILE.CD);
  feature(0x1f, 0x00, [0, 0, 0, 0], current === PROFILE.DVD);
  const length = features.reduce((sum, f) => sum + f.length, 0);
  return bytes(8 + length, (v, b) => {
    v.setUint32(0, 4 + length);
    v.setUint16(6, current);
    let at = 8;
    for (const f of features) {
      b.set(f, at);
      at += f.length;
    }
  });
}

/** MODE SENSE (10); undefined: there is no such page. */
export function modeSense(page: number, locked: boolean): Uint8Array | undefined {
  const pages: Readonly<Record<number, readonly number[]>> = {
    0x01: [0x01, 0x06, 0x00, 0x05, 0, 0, 0, 0],
    0x0e: [0x0e, 0x0e, 0x04, 0, 0, 0, 0, 0, 1, 0xff, 2, 0xff, 0, 0, 0, 0],
    // Reads CD-R, CD-RW, DVD; audio play, mode 2, multisession; locks, ejects, tray.
    0x2a: [
      0x2a, 0x12, 0x3b, 0x00, 0x70, 0x60, 0x29 | (locked ? 2 : 0), 0x00, 0x02, 0xc2, 0x00, 0x02, 0x02, 0x00, 0x02,
      0xc2, 0x00, 0x00, 0x00, 0x00,
    ],
  }; // prettier-ignore
  const chosen = page === 0x3f ? Object.values(pages) : pages[page] === undefined ? [] : [pages[page]];
  if (chosen.length === 0) return undefined;
  const all = chosen.flat();
  return bytes(8 + all.length, (v, b) => {
    v.setUint16(0, b.length - 2);
    b[2] = 0x70;
    b.set(all, 8);
  });
}

/** READ DISC INFORMATION of a finished disc with one session. */
export function discInformation(): Uint8Array {
  return bytes(34, (v, b) => {
    v.setUint16(0, 32);
    b.set([0x0e, 1, 1, 1, 1, 0x20], 2);
    b.fill(0xff, 16, 24);
  });
}

/** READ DVD STRUCTURE: physical format, copyright, list; undefined: not one of these. */
export function dvdStructure(format: number, blocks: number): Uint8Array | undefined {
  if (format === 0)
    return bytes(2052, (v, b) => {
      v.setUint16(0, 2050);
      b.set([0x01, 0x0f, 0x01, 0x00], 4);
      v.setUint32(8, 0x30000);
      v.setUint32(12, 0x30000 + blocks - 1);
    });
  if (format === 1) return bytes(8, (v) => v.setUint16(0, 6));
  if (format !== 0xff) return undefined;
  return bytes(12, (v, b) => {
    v.setUint16(0, 10);
    b.set([0x00, 0x40, 0x08, 0x04, 0x01, 0x40, 0x00, 0x08], 4);
  });
}

/** A whole raw sector of mode 1 around 2048 bytes; error correction is left empty. */
export function rawSector(block: number, data: Uint8Array): Uint8Array {
  const bcd = (n: number): number => ((n / 10) << 4) | (n % 10);
  return bytes(RAW, (_v, b) => {
    b.fill(0xff, 1, 11);
    b.set(msf(block).map(bcd), 12);
    b[15] = 1;
    b.set(data, 16);
  });
}
