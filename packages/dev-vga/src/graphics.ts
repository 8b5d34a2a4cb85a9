import type { LinearMode } from "./dispi.ts";
import type { Picture, Source } from "./picture.ts";
import { CLOCK, GFX, SEQ } from "./registers.ts";
import type { LinePlace } from "./scan.ts";
import { findLine, scanOf } from "./scan.ts";
import type { VgaState } from "./state.ts";

/** What turns the words of a line into pixels: `count` of them from word `word` on, after leaving out `skip`. */
type Shifter = (memory: Source, place: LinePlace, colors: Uint32Array, skip: number, pixels: Uint32Array) => void;

const wordAt = (memory: Source, place: LinePlace, column: number): number =>
  memory.word(((place.word + column) & ~place.mask) | place.bits);

/** 16 colours: each plane gives one bit of a pixel. */
const planar: Shifter = (memory, place, colors, skip, pixels) => {
  for (let column = 0, x = -skip; x < pixels.length; column++) {
    const word = wordAt(memory, place, column);
    for (let bit = 7; bit >= 0; bit--, x++) {
      if (x < 0 || x >= pixels.length) continue;
      const lanes = word >>> bit;
      pixels[x] = colors[(lanes & 1) | ((lanes >>> 7) & 2) | ((lanes >>> 14) & 4) | ((lanes >>> 21) & 8)]!;
    }
  }
};

/** Four colours as CGA had them: two bits of a plane are a pixel; planes 0 and 2, then planes 1 and 3. */
const interleaved: Shifter = (memory, place, colors, skip, pixels) => {
  for (let column = 0, x = -skip; x < pixels.length; column++) {
    const word = wordAt(memory, place, column);
    for (let n = 0; n < 8; n++, x++) {
      if (x < 0 || x >= pixels.length) continue;
      const lanes = word >>> (n < 4 ? 0 : 8);
      const bit = 6 - 2 * (n & 3);
      pixels[x] = colors[((lanes >>> bit) & 3) | (((lanes >>> (16 + bit)) & 3) << 2)]!;
    }
  }
};

/** 256 colours: each plane is a pixel, two dots wide. */
const bytes: Shifter = (memory, place, colors, skip, pixels) => {
  for (let column = 0, x = -(skip & ~1); x < pixels.length; column++) {
    const word = wordAt(memory, place, column);
    for (let n = 0; n < 4; n++) {
      const color = colors[(word >>> (8 * n)) & 0xff]!;
      for (let dot = 0; dot < 2; dot++, x++) if (x >= 0 && x < pixels.length) pixels[x] = color;
    }
  }
};

/** A graphics mode of the VGA itself. `colors`: the 16 of the attribute controller; `dac`: all 256. */
export function graphicsPicture(s: VgaState, memory: Source, colors: Uint32Array, dac: Uint32Array): Picture {
  const c = scanOf(s);
  const shift = (s.gfx[GFX.MODE]! >> 5) & 3;
  const shifter = shift === 0 ? planar : shift === 1 ? interleaved : bytes;
  const wide = shift < 2 && s.seq[SEQ.CLOCK]! & CLOCK.HALF ? 2 : 1;
  const used = shift < 2 ? colors : dac;
  const dots = new Uint32Array(c.columns * 8);
  const place: LinePlace = { word: 0, scan: 0, mask: 0, bits: 0, pan: 0 };
  return {
    width: dots.length * wide,
    height: c.height,
    line(y, out) {
      findLine(c, y, place);
      shifter(memory, place, used, place.pan & 7, dots);
      if (wide === 1) out.set(dots);
      else for (let x = 0; x < dots.length; x++) out[2 * x] = out[2 * x + 1] = dots[x]!;
    },
  };
}

/** A mode of the Bochs display interface. */
export function linearPicture(
  mode: LinearMode,
  memory: Source & { readonly bytes: Uint8Array },
  colors: Uint32Array,
  dac: Uint32Array,
): Picture {
  const { width, height, bpp, start, stride } = mode;
  const data = memory.bytes;
  const place: LinePlace = { word: 0, scan: 0, mask: 0, bits: 0, pan: 0 };
  const row = new Uint32Array(width);
  const line = (y: number, out: Uint32Array): void => {
    let at = start + y * stride;
    switch (bpp) {
      case 4:
        place.word = at >> 2;
        planar(memory, place, colors, 0, row);
        out.set(row);
        return;
      case 8:
        for (let x = 0; x < width; x++) out[x] = dac[data[at++]!]!;
        return;
      case 15:
      case 16:
        for (let x = 0; x < width; x++, at += 2) out[x] = fromBits(data[at]! | (data[at + 1]! << 8), bpp);
        return;
      default: {
        const step = bpp >> 3;
        for (let x = 0; x < width; x++, at += step) out[x] = data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16);
      }
    }
  };
  return { width, height, line };
}

/** A pixel of 5, 5 and 5 bits with zeros below, or of 5, 6 and 5 with the highest repeated below: as QEMU's pictures have them. */
function fromBits(value: number, bpp: number): number {
  if (bpp === 15) return ((value & 0x7c00) << 9) | ((value & 0x3e0) << 6) | ((value & 0x1f) << 3);
  const red = ((value >> 8) & 0xf8) | (value >> 13);
  const green = ((value >> 3) & 0xfc) | ((value >> 9) & 3);
  const blue = ((value << 3) & 0xf8) | ((value >> 2) & 7);
  return (red << 16) | (green << 8) | blue;
}
