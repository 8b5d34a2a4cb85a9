import { ROM_IMAGE } from "./rom-image.ts";

/** What the option ROM starts. */
export const MODE = { linux: 0, multiboot: 1, pvh: 2 } as const;

/** Offset of the mode in the ROM. */
const MODE_AT = 8;

/** The option ROM that starts the machine's kernel. The sum of its bytes is 0. */
export function bootRom(mode: keyof typeof MODE): Uint8Array {
  const bytes = base64(ROM_IMAGE);
  bytes[MODE_AT] = MODE[mode];
  let sum = 0;
  for (const byte of bytes) sum += byte;
  bytes[bytes.length - 1] = (bytes[bytes.length - 1]! - sum) & 0xff;
  return bytes;
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

function base64(text: string): Uint8Array {
  const digits = text.replace(/=+$/, "");
  const out = new Uint8Array(Math.floor((digits.length * 6) / 8));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const digit of digits) {
    held = ((held << 6) | ALPHABET.indexOf(digit)) & 0xfff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out[at++] = (held >>> bits) & 0xff;
  }
  return out;
}
