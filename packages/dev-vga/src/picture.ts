/** A picture that can be drawn line by line; made anew for each look at the screen. */
export interface Picture {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Draws line `y` into `out`, one 32-bit pixel each: 0x00RRGGBB. */
  line(y: number, out: Uint32Array): void;
}

/** What the picture is made from. */
export interface Source {
  /** Byte `at` of video memory. */
  byte(at: number): number;
  /** All planes at word `at`. */
  word(at: number): number;
}

/** Nothing to see. */
export function blank(width: number, height: number): Picture {
  return { width, height, line: (_y, out) => void out.fill(0) };
}
