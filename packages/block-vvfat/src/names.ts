// Source: Microsoft FAT32 File System Specification 1.03 (2000), "Long Directory Entries" and "Name Limits and Character Sets".

/** Bytes of a directory entry. */
export const ENTRY = 32;
export const ATTR = { readOnly: 1, hidden: 2, system: 4, label: 8, folder: 16, archive: 32, long: 15 } as const;
/** UTF-16 units in one long entry, and where they lie. */
const UNITS = 13;
const PLACES = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30];
const MAX_UNITS = 255;
/** Code page 437 from 0x80 on: what short names are in. */
const CP437 =
  "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0";

/** A name as a directory keeps it. */
export interface FatName {
  /** Eleven characters, padded with blanks. */
  readonly short: string;
  /** UTF-16; absent where the short name says it all. */
  readonly long?: string;
}

/** Chooses the short name for a host's name. `taken`: short names of the folder; grows. Undefined for a name that FAT cannot have. */
export function fatName(name: string, taken: Set<string>): FatName | undefined {
  // oxlint-disable-next-line no-control-regex
  if (name.length === 0 || name.length > MAX_UNITS || /[\u0000-\u001f"*/:<>?\\|]|[. ]$/.test(name)) return undefined;
  const dot = name.lastIndexOf(".");
  const [base, extension] = dot > 0 ? [name.slice(0, dot), name.slice(dot + 1)] : [name, ""];
  const plainBase = plain(base);
  const plainExtension = plain(extension).slice(0, 3);
  const exact = plainBase.length <= 8 && joined(plainBase, plainExtension) === name;
  const short = pad(plainBase.slice(0, 8), plainExtension);
  if (exact && !taken.has(short)) {
    taken.add(short);
    return { short };
  }
  const lossless = plainBase.length <= 8 && joined(plainBase, plainExtension) === name.toUpperCase();
  if (lossless && !taken.has(short)) {
    taken.add(short);
    return { short, long: name };
  }
  for (let n = 1; n < 1_000_000; n++) {
    const tail = `~${n}`;
    const numbered = pad((plainBase || "_").slice(0, 8 - tail.length) + tail, plainExtension);
    if (taken.has(numbered)) continue;
    taken.add(numbered);
    return { short: numbered, long: name };
  }
  return undefined;
}

/** Upper case with what short names cannot have replaced; blanks and dots left out. */
function plain(part: string): string {
  return part
    .toUpperCase()
    .replaceAll(/[ .]/g, "")
    .replaceAll(/[^A-Z0-9!#$%&'()\-@^_`{}~]/g, "_");
}

function joined(base: string, extension: string): string {
  return extension === "" ? base : `${base}.${extension}`;
}

function pad(base: string, extension: string): string {
  return base.padEnd(8) + extension.padEnd(3);
}

/** Entries that a name takes. */
export function entriesOf(name: FatName): number {
  return 1 + (name.long === undefined ? 0 : Math.ceil(name.long.length / UNITS));
}

/** Writes the long entries and the name of the short one at `at`; returns the offset of the short one. */
export function putName(bytes: Uint8Array, at: number, name: FatName): number {
  const { short, long = "" } = name;
  const sum = checksum(short);
  const count = Math.ceil(long.length / UNITS);
  for (let n = count; n >= 1; n--, at += ENTRY) {
    bytes[at] = n | (n === count ? 0x40 : 0);
    bytes[at + 11] = ATTR.long;
    bytes[at + 13] = sum;
    for (const [i, place] of PLACES.entries()) {
      const index = (n - 1) * UNITS + i;
      const unit = index < long.length ? long.charCodeAt(index) : index === long.length ? 0 : 0xffff;
      bytes[at + place] = unit & 255;
      bytes[at + place + 1] = unit >> 8;
    }
  }
  for (let i = 0; i < 11; i++) bytes[at + i] = short.charCodeAt(i);
  return at;
}

/** Sum of a short name that its long entries carry. */
function checksum(short: string): number {
  let sum = 0;
  for (let i = 0; i < 11; i++) sum = (((sum & 1) << 7) + (sum >> 1) + short.charCodeAt(i)) & 255;
  return sum;
}

/** Collects long entries while a directory is read from its start. */
export class LongName {
  #units: number[] = [];
  #next = 0;
  #sum = 0;

  /** Takes one long entry. */
  add(entry: Uint8Array): void {
    const order = entry[0]!;
    if (order & 0x40) {
      this.#units = [];
      this.#next = order & 0x3f;
      this.#sum = entry[13]!;
    } else if (order !== this.#next || entry[13] !== this.#sum) {
      this.#next = 0;
      return;
    }
    this.#units.unshift(...PLACES.map((at) => entry[at]! | (entry[at + 1]! << 8)));
    this.#next--;
    if (this.#next === 0) this.#next = -1;
  }

  /** The name for the short entry that follows, when the long entries belong to it; forgets it. */
  take(short: string): string | undefined {
    const whole = this.#next === -1 && this.#sum === checksum(short);
    const units = this.#units;
    this.#units = [];
    this.#next = 0;
    if (!whole) return undefined;
    const end = units.indexOf(0);
    return String.fromCharCode(...(end < 0 ? units : units.slice(0, end)));
  }
}

/** The name of a short entry as people see it; bits 3 and 4 of byte 12 say that base and extension are in lower case. */
export function shortText(entry: Uint8Array): string {
  const part = (from: number, to: number, lower: boolean): string => {
    let text = "";
    for (let i = from; i < to; i++) {
      const byte = i === 0 && entry[0] === 5 ? 0xe5 : entry[i]!;
      text += byte < 0x80 ? String.fromCharCode(byte) : CP437[byte - 0x80]!;
    }
    text = text.trimEnd();
    return lower ? text.toLowerCase() : text;
  };
  const base = part(0, 8, (entry[12]! & 8) !== 0);
  const extension = part(8, 11, (entry[12]! & 16) !== 0);
  return joined(base, extension);
}

/** The eleven characters of a short entry. */
export function shortKey(entry: Uint8Array): string {
  return String.fromCharCode(...entry.subarray(0, 11));
}
