/** What a monitor says about itself. */
export interface Monitor {
  /** Pixels of the mode that it likes best. */
  readonly width: number;
  readonly height: number;
  /** Hertz. */
  readonly refresh: number;
}

/** Bytes of the base block. */
const BLOCK = 128;
const NAME = "Mimus Monitor";
/** Established timings I and II: 640x480, 800x600 and 1024x768 at 60 Hz. Source: VESA E-EDID 1.4, table 3.18. */
const ESTABLISHED: readonly number[] = [0x21, 0x08, 0x00];
/** Standard timings: (width / 8 - 31, shape and refresh - 60). Source: VESA E-EDID 1.4, 3.9.2. */
const STANDARD: readonly (readonly [width: number, shape: number])[] = [
  [1920, 0xc0],
  [1600, 0x00],
  [1680, 0x00],
  [1440, 0x00],
  [1280, 0x80],
  [1280, 0x40],
  [1280, 0xc0],
  [1152, 0x40],
];

/**
 * The identification of a digital monitor: one base block with the mode that it likes best.
 * Source: VESA Enhanced Extended Display Identification Data Standard, release A, revision 2 (E-EDID 1.4), section 3.
 */
export function edid({ width, height, refresh }: Monitor): Uint8Array {
  const b = new Uint8Array(BLOCK);
  b.set([0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00]);
  b.set([0x49, 0x14], 8); // manufacturer "RHT", which drivers of virtual screens know
  b.set([0x34, 0x12], 10);
  b.set([42, 2014 - 1990, 1, 4], 16); // week, year, version 1.4
  b.set([0xa5, millimetres(width) / 10, millimetres(height) / 10, 120, 0x06], 20); // digital, 8 bits; size in cm; gamma 2.2
  b.set([0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54], 25); // sRGB
  b.set(ESTABLISHED, 35);
  for (const [n, [w, shape]] of STANDARD.entries()) b.set([w / 8 - 31, shape], 38 + 2 * n);
  b.set(timing({ width, height, refresh }), 54);
  b.set([0, 0, 0, 0xfd, 0, 50, 125, 30, 160, 255, 0x0a, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20], 72); // ranges
  b.set([0, 0, 0, 0xfc, 0, ...Array.from(NAME, (c) => c.charCodeAt(0))].slice(0, 18), 90);
  b.set([0, 0, 0, 0x10], 108); // dummy
  b[127] = 256 - (b.reduce((sum, byte) => sum + byte, 0) % 256);
  return b;
}

/** At 100 dots an inch. */
function millimetres(pixels: number): number {
  return Math.min(2550, Math.round((pixels * 254) / 1000));
}

/** A detailed timing with blanking of a third across and a twentieth down. Source: VESA E-EDID 1.4, 3.10.2. */
function timing({ width, height, refresh }: Monitor): number[] {
  const across = (Math.ceil(width / 3) + 7) & ~7;
  const down = Math.ceil(height / 20);
  const clock = Math.min(0xffff, Math.round(((width + across) * (height + down) * refresh) / 10_000));
  const front = Math.min(across >> 2, 0x3ff);
  const sync = Math.min(across >> 2, 0x3ff);
  const [frontDown, syncDown] = [Math.min(3, down), Math.min(6, down)];
  const [w, h] = [millimetres(width), millimetres(height)];
  return [
    clock & 0xff,
    clock >> 8,
    width & 0xff,
    across & 0xff,
    ((width >> 8) << 4) | (across >> 8),
    height & 0xff,
    down & 0xff,
    ((height >> 8) << 4) | (down >> 8),
    front & 0xff,
    sync & 0xff,
    (frontDown << 4) | syncDown,
    ((front >> 8) << 6) | ((sync >> 8) << 4),
    w & 0xff,
    h & 0xff,
    ((w >> 8) << 4) | (h >> 8),
    0,
    0,
    0x18,
  ];
}
