/**
 * The Unicode character for a code of the ROM A00 (Japanese) character generator; user-defined ones show as the
 * control pictures U+2400..U+2407, codes that have no ASCII twin as U+FFFD.
 * Source: HD44780U data sheet ADE-207-272(Z), table 4.
 */
export function character(code: number): string {
  if (code < 0x10) return String.fromCharCode(0x2400 + (code & 7));
  if (code === 0x5c) return "¥";
  if (code === 0x7e) return "→";
  if (code === 0x7f) return "←";
  if (code >= 0x20 && code < 0x7e) return String.fromCharCode(code);
  if (code >= 0xa1 && code <= 0xdf) return String.fromCharCode(0xff61 + code - 0xa1);
  if (code === 0xff) return "█";
  return code === 0xa0 ? " " : "\ufffd";
}
