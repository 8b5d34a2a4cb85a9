import { ATTR, ATTR_MODE, CRTC } from "./registers.ts";
import type { VgaState } from "./state.ts";

/** The CRT controller's programme, from its registers. Source: IBM PS/2 Hardware Interface Technical Reference, "CRT controller". */
export interface Scan {
  /** Characters of 8 or 9 dots across. */
  readonly columns: number;
  /** Lines. */
  readonly height: number;
  /** Lines of a character row. */
  readonly rowLines: number;
  /** Each line is shown twice. */
  readonly twice: boolean;
  /** First word of the picture. */
  readonly start: number;
  /** Words from one row to the next. */
  readonly offset: number;
  /** The last line before the picture starts again at word 0. */
  readonly compare: number;
  /** The row scan with which the picture begins. */
  readonly preset: number;
  /** Dots that the picture is shifted to the left, as the attribute controller has it. */
  readonly pan: number;
  /** The lower part of a split picture is not shifted. */
  readonly splitStays: boolean;
  /** Bits of a word's number that the row scan replaces, as CGA and Hercules pictures have it; 0 for none. */
  readonly bit0: number;
  readonly bit1: number;
}

export function scanOf({ crtc, attr }: VgaState): Scan {
  const overflow = crtc[CRTC.OVERFLOW]!;
  const maxScan = crtc[CRTC.MAX_SCAN]!;
  const byteMode = (crtc[CRTC.MODE]! >> 6) & 1;
  return {
    columns: crtc[CRTC.H_DISPLAY_END]! + 1,
    height: (crtc[CRTC.V_DISPLAY_END]! | ((overflow & 2) << 7) | ((overflow & 0x40) << 3)) + 1,
    rowLines: (maxScan & 0x1f) + 1,
    twice: (maxScan & 0x80) !== 0,
    start: ((crtc[CRTC.START_HIGH]! << 8) | crtc[CRTC.START_LOW]!) + ((crtc[CRTC.PRESET_ROW]! >> 5) & 3),
    offset: crtc[CRTC.OFFSET]! * 2,
    compare: crtc[CRTC.LINE_COMPARE]! | ((overflow & 0x10) << 4) | ((maxScan & 0x40) << 3),
    preset: crtc[CRTC.PRESET_ROW]! & 0x1f,
    pan: attr[ATTR.PAN]!,
    splitStays: (attr[ATTR.MODE]! & ATTR_MODE.PAN_SPLIT) !== 0,
    bit0: crtc[CRTC.MODE]! & 1 ? 0 : 1 << (12 + byteMode),
    bit1: crtc[CRTC.MODE]! & 2 ? 0 : 1 << (13 + byteMode),
  };
}

/** Where a line's data is. */
export interface LinePlace {
  /** First word. */
  word: number;
  /** Line within its character row. */
  scan: number;
  /** Bits to replace in each word's number: which, and by what. */
  mask: number;
  bits: number;
  pan: number;
}

/** Finds line `y` of the picture; writes it into `place`. */
export function findLine(c: Scan, y: number, place: LinePlace): void {
  const below = y > c.compare;
  const line = below ? y - c.compare - 1 : y;
  const counted = (c.twice ? line >> 1 : line) + (below ? 0 : c.preset);
  const row = Math.floor(counted / c.rowLines);
  place.scan = counted - row * c.rowLines;
  place.word = (below ? 0 : c.start) + row * c.offset;
  place.mask = c.bit0 | c.bit1;
  place.bits = (place.scan & 1 ? c.bit0 : 0) | (place.scan & 2 ? c.bit1 : 0);
  place.pan = below && c.splitStays ? 0 : c.pan;
}
