/**
 * Scan codes of a 101/102-key keyboard by the numbers of Linux's input event codes.
 * Source: IBM Personal System/2 Hardware Interface Technical Reference (S84F-9808), "Keyboard (101- and 102-key)"; Linux
 * include/uapi/linux/input-event-codes.h for the numbers; Microsoft "Keyboard Scan Code Specification" 1.3a for the keys of later keyboards.
 */

/** What the keyboard controller makes of a byte of set 2: the code of set 1. Source: the same, "Keyboard controller", translation table. */
export const TRANSLATION: Uint8Array = Uint8Array.from({ length: 256 }, (_, i) => i);
TRANSLATION.set(
  // prettier-ignore
  [
    0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29, 0x59,
    0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11, 0x03, 0x5b,
    0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14, 0x13, 0x06, 0x5d,
    0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e, 0x6a, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5f,
    0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0c, 0x61,
    0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36, 0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76,
    0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c, 0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f,
    0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45, 0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54,
    0x80, 0x81, 0x82, 0x41, 0x54,
  ],
);

/** Set 2 by the code of set 1. Two codes have the same translation; the keyboard sends 83 (F7) and 84 (Alt+SysRq). */
const SET2: Uint8Array = new Uint8Array(128);
for (let code = 0x84; code > 0; code--) {
  const one = TRANSLATION[code]!;
  if (one < 0x80 && SET2[one] === 0) SET2[one] = code;
}

/** Codes of set 1, with 0xe000 for the prefix E0. Codes 1 to 88 of Linux are those of set 1 and not repeated here. */
const SET1_LATER: Readonly<Record<number, number>> = {
  89: 0x73, // ro
  90: 0x78, // katakana
  91: 0x77, // hiragana
  92: 0x79, // henkan
  93: 0x70, // katakana/hiragana
  94: 0x7b, // muhenkan
  95: 0x5c, // keypad comma (Japan)
  96: 0xe01c, // keypad enter
  97: 0xe01d, // right control
  98: 0xe035, // keypad /
  100: 0xe038, // right alt
  102: 0xe047, // home
  103: 0xe048,
  104: 0xe049,
  105: 0xe04b,
  106: 0xe04d,
  107: 0xe04f,
  108: 0xe050,
  109: 0xe051,
  110: 0xe052,
  111: 0xe053,
  113: 0xe020, // mute
  114: 0xe02e,
  115: 0xe030,
  116: 0xe05e, // power
  117: 0x59, // keypad =
  121: 0x7e, // keypad comma
  122: 0x72, // hangul
  123: 0x71, // hanja
  124: 0x7d, // yen
  125: 0xe05b, // left meta
  126: 0xe05c,
  127: 0xe05d, // menu
  128: 0xe068, // stop
  138: 0xe075, // help
  139: 0xe01e, // menu
  140: 0xe021, // calculator
  142: 0xe05f, // sleep
  143: 0xe063, // wake
  155: 0xe06c, // mail
  156: 0xe066, // bookmarks
  157: 0xe06b, // computer
  158: 0xe06a, // back
  159: 0xe069, // forward
  163: 0xe019, // next
  164: 0xe022, // play
  165: 0xe010, // previous
  166: 0xe024, // stop
  171: 0xe06d, // media
  172: 0xe032, // home page
  173: 0xe067, // refresh
  183: 0x5d, // F13
  184: 0x5e,
  185: 0x5f,
};

/** Set 3 by the number of the key: one byte each. */
const SET3: Readonly<Record<number, number>> = {
  1: 0x08,
  14: 0x66,
  15: 0x0d,
  28: 0x5a,
  29: 0x11,
  41: 0x0e,
  42: 0x12,
  43: 0x5c,
  54: 0x59,
  55: 0x7e,
  56: 0x19,
  57: 0x29,
  58: 0x14,
  59: 0x07,
  60: 0x0f,
  61: 0x17,
  62: 0x1f,
  63: 0x27,
  64: 0x2f,
  65: 0x37,
  66: 0x3f,
  67: 0x47,
  68: 0x4f,
  69: 0x76,
  70: 0x5f,
  74: 0x84,
  78: 0x7c,
  86: 0x13,
  87: 0x56,
  88: 0x5e,
  96: 0x79,
  97: 0x58,
  98: 0x77,
  99: 0x57,
  100: 0x39,
  102: 0x6e,
  103: 0x63,
  104: 0x6f,
  105: 0x61,
  106: 0x6a,
  107: 0x65,
  108: 0x60,
  109: 0x6d,
  110: 0x67,
  111: 0x64,
  119: 0x62,
  125: 0x8b,
  126: 0x8c,
  127: 0x8d,
};

/** Numbers of keys that are more than one code. */
export const KEY = {
  CTRL: 29,
  SHIFT: 42,
  SHIFT_R: 54,
  ALT: 56,
  PRINT: 99,
  CTRL_R: 97,
  ALT_R: 100,
  PAUSE: 119,
} as const;

/** Code of set 1 for a key, 0xe000 for the prefix; 0 for a key that this keyboard has not. */
function set1(key: number): number {
  return key >= 1 && key <= 88 ? key : (SET1_LATER[key] ?? 0);
}

/** Modifiers that change what Print and Pause send. */
export interface Modifiers {
  readonly shift: boolean;
  readonly ctrl: boolean;
  readonly alt: boolean;
}

const NONE: readonly number[] = [];

/** The bytes that a key sends in set 1 or 2 when it goes down or up; empty for an unknown key. */
export function scanBytes(set: 1 | 2, key: number, down: boolean, held: Modifiers): readonly number[] {
  if (key === KEY.PAUSE) {
    if (!down) return NONE;
    // Ctrl+Pause is Break: code E0 46, make and break at once. Pause itself has no break code.
    if (held.ctrl) return [...one(set, 0xe046, true), ...one(set, 0xe046, false)];
    return set === 1 ? [0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5] : [0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77];
  }
  if (key === KEY.PRINT) {
    if (held.alt) return one(set, 0x54, down);
    if (held.shift || held.ctrl) return one(set, 0xe037, down);
    return down
      ? [...one(set, 0xe02a, true), ...one(set, 0xe037, true)]
      : [...one(set, 0xe037, false), ...one(set, 0xe02a, false)];
  }
  const code = set1(key);
  return code === 0 ? NONE : one(set, code, down);
}

function one(set: 1 | 2, code: number, down: boolean): number[] {
  const prefix = code >= 0xe000 ? [0xe0] : [];
  const low = code & 0xff;
  if (set === 1) return [...prefix, down ? low : low | 0x80];
  return [...prefix, ...(down ? [] : [0xf0]), SET2[low]!];
}

/** The code of a key in set 3; 0 for a key that has none. */
export function set3Code(key: number): number {
  const own = SET3[key];
  if (own !== undefined) return own;
  const code = set1(key);
  return code >= 0xe000 ? 0 : SET2[code]!;
}
