/**
 * Registers of a VGA and their bits, as far as they have names here.
 * Source: IBM Personal System/2 Hardware Interface Technical Reference, "Video subsystem" (1992); IBM VGA XGA Technical Reference (1992).
 */

/** Sequencer, ports 3C4 and 3C5. */
export const SEQ = { RESET: 0, CLOCK: 1, MAP_MASK: 2, FONT: 3, MEMORY: 4 } as const;
/** Bits of the sequencer's clocking mode. */
export const CLOCK = { DOTS_8: 0x01, HALF: 0x08, OFF: 0x20 } as const;
/** Bits of the sequencer's memory mode. */
export const MEMORY = { SEQUENTIAL: 0x04, CHAIN4: 0x08, EXTENDED: 0x02 } as const;

/** Graphics controller, ports 3CE and 3CF. */
export const GFX = {
  SET_RESET: 0,
  ENABLE_SET_RESET: 1,
  COMPARE: 2,
  ROTATE: 3,
  READ_MAP: 4,
  MODE: 5,
  MISC: 6,
  DONT_CARE: 7,
  BIT_MASK: 8,
} as const;

/** CRT controller, ports 3D4 and 3D5 (3B4 and 3B5 in monochrome modes). */
export const CRTC = {
  H_DISPLAY_END: 0x01,
  OVERFLOW: 0x07,
  PRESET_ROW: 0x08,
  MAX_SCAN: 0x09,
  CURSOR_START: 0x0a,
  CURSOR_END: 0x0b,
  START_HIGH: 0x0c,
  START_LOW: 0x0d,
  CURSOR_HIGH: 0x0e,
  CURSOR_LOW: 0x0f,
  V_RETRACE_END: 0x11,
  V_DISPLAY_END: 0x12,
  OFFSET: 0x13,
  UNDERLINE: 0x14,
  MODE: 0x17,
  LINE_COMPARE: 0x18,
} as const;

/** Attribute controller, port 3C0; registers 0 to 15 are the palette. */
export const ATTR = { MODE: 0x10, OVERSCAN: 0x11, PLANES: 0x12, PAN: 0x13, SELECT: 0x14 } as const;
/** Bits of the attribute controller's mode. */
export const ATTR_MODE = {
  GRAPHICS: 1,
  MONO: 2,
  LINE_GRAPHICS: 4,
  BLINK: 8,
  PAN_SPLIT: 0x20,
  DAC_SELECT: 0x80,
} as const;

/** Registers of each block, as many as are kept. */
export const COUNT = { seq: 8, gfx: 16, crtc: 32, attr: 21 } as const;

/** Bits of the sequencer's registers that exist. */
export const SEQ_MASK: Uint8Array = Uint8Array.of(0x03, 0x3d, 0x0f, 0x3f, 0x0e, 0x00, 0x00, 0xff);
/** Bits of the graphics controller's registers that exist. */
export const GFX_MASK: Uint8Array = Uint8Array.of(
  0x0f,
  0x0f,
  0x0f,
  0x1f,
  0x03,
  0x7b,
  0x0f,
  0x0f,
  0xff,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
);
/** Bits of the attribute controller's registers that exist, from 16 on. */
export const ATTR_MASK: Uint8Array = Uint8Array.of(0xef, 0xff, 0x3f, 0x0f, 0x0f);
