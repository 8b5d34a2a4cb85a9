import type { TextScreen } from "@mimus/display";
import type { Picture, Source } from "./picture.ts";
import { ATTR, ATTR_MODE, CLOCK, CRTC, SEQ } from "./registers.ts";
import type { LinePlace, Scan } from "./scan.ts";
import { findLine, scanOf } from "./scan.ts";
import type { VgaState } from "./state.ts";

/** Bytes of a font from one character to the next. */
const GLYPH = 32;

/** Which of its two states what blinks is in. */
export interface Blink {
  readonly cursor: boolean;
  readonly characters: boolean;
}

/** First byte in plane 2 of font number `n`. Source: IBM PS/2 Hardware Interface Technical Reference, "Character map select register". */
function fontAt(n: number): number {
  return ((n & 3) << 14) | ((n & 4) << 11);
}

/** The word where the cursor is; -1 when it is off. */
function cursorWord({ crtc }: VgaState): number {
  return crtc[CRTC.CURSOR_START]! & 0x20 ? -1 : (crtc[CRTC.CURSOR_HIGH]! << 8) | crtc[CRTC.CURSOR_LOW]!;
}

/** A text mode: plane 0 has characters, plane 1 attributes, plane 2 the fonts. */
export function textPicture(s: VgaState, memory: Source, colors: Uint32Array, blink: Blink): Picture {
  const c = scanOf(s);
  const dots = s.seq[SEQ.CLOCK]! & CLOCK.DOTS_8 ? 8 : 9;
  const wide = s.seq[SEQ.CLOCK]! & CLOCK.HALF ? 2 : 1;
  const mode = s.attr[ATTR.MODE]!;
  const fonts = s.seq[SEQ.FONT]!;
  const fontA = fontAt(((fonts >> 2) & 3) | ((fonts >> 3) & 4));
  const fontB = fontAt((fonts & 3) | ((fonts >> 2) & 4));
  const cursor = blink.cursor ? cursorWord(s) : -1;
  const cursorFrom = s.crtc[CRTC.CURSOR_START]! & 0x1f;
  const cursorTo = s.crtc[CRTC.CURSOR_END]! & 0x1f;
  const underline = mode & ATTR_MODE.MONO ? s.crtc[CRTC.UNDERLINE]! & 0x1f : -1;
  const place: LinePlace = { word: 0, scan: 0, mask: 0, bits: 0, pan: 0 };
  const width = c.columns * dots * wide;
  return {
    width,
    height: c.height,
    line(y, out) {
      findLine(c, y, place);
      const { scan } = place;
      let x = -shift(place.pan, dots) * wide;
      for (let column = 0; x < width; column++) {
        const at = place.word + column;
        const word = memory.word(at);
        const code = word & 0xff;
        const attribute = (word >> 8) & 0xff;
        const font = attribute & 8 ? fontA : fontB;
        let bits = memory.byte(4 * (font + code * GLYPH + scan) + 2) << 1;
        // The ninth dot repeats the eighth in the characters that draw lines, and is background in others.
        if (mode & ATTR_MODE.LINE_GRAPHICS && code >= 0xc0 && code <= 0xdf) bits |= (bits >> 1) & 1;
        if (scan === underline && (attribute & 7) === 1) bits = 0x1ff;
        if (at === cursor && scan >= cursorFrom && scan <= cursorTo) bits = 0x1ff;
        let back = attribute >> 4;
        if (mode & ATTR_MODE.BLINK) {
          back &= 7;
          if (attribute & 0x80 && !blink.characters && at !== cursor) bits = 0;
        }
        const fore = colors[attribute & 15]!;
        const ground = colors[back]!;
        for (let dot = 0; dot < dots; dot++) {
          const color = bits & (0x100 >> dot) ? fore : ground;
          for (let n = 0; n < wide; n++, x++) if (x >= 0 && x < width) out[x] = color;
        }
      }
    },
  };
}

/** Dots to the left. With nine dots, 8 means none. */
function shift(pan: number, dots: number): number {
  if (dots === 8) return pan & 7;
  return pan >= 8 ? 0 : pan + 1;
}

/** Characters of the largest text screen. */
const MOST_CELLS = 256 * 256;

/** The characters that a text mode shows; undefined for a size that no text mode has. */
export function textScreen(s: VgaState, memory: Source): TextScreen | undefined {
  const c: Scan = scanOf(s);
  const columns = c.columns;
  const rows = Math.floor(c.height / (c.rowLines * (c.twice ? 2 : 1)));
  if (rows < 1 || columns * rows > MOST_CELLS) return undefined;
  const cells = new Uint16Array(columns * rows);
  const place: LinePlace = { word: 0, scan: 0, mask: 0, bits: 0, pan: 0 };
  const wanted = cursorWord(s);
  let cursor: TextScreen["cursor"];
  for (let row = 0; row < rows; row++) {
    findLine(c, row * c.rowLines * (c.twice ? 2 : 1), place);
    for (let column = 0; column < columns; column++) {
      const at = place.word + column;
      cells[row * columns + column] = memory.word(at) & 0xffff;
      if (at === wanted) cursor = { column, row };
    }
  }
  return { columns, rows, cells, cursor };
}
