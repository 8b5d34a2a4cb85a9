import type { Seeded } from "../random.ts";
import type { ScratchFile } from "./scratch-file.ts";

/** Values at which parsers break, as 64 bits: high and low word. */
const EDGES: readonly (readonly [number, number])[] = [
  [0, 0],
  [0, 1],
  [0, 2],
  [0, 0x7f],
  [0, 0x80],
  [0, 0xff],
  [0, 0x1ff],
  [0, 0x200],
  [0, 0xffff],
  [0, 0x10000],
  [0, 0x00ff_ffff],
  [0, 0x7fff_ffff],
  [0, 0x8000_0000],
  [0, 0xffff_fe00],
  [0, 0xffff_ffff],
  [1, 0],
  [0x7f, 0xffff_ffff],
  [0x1f_ffff, 0xffff_fe00],
  [0x1f_ffff, 0xffff_ffff],
  [0x20_0000, 0],
  [0x20_0000, 1],
  [0x20_0000, 0x200],
  [0x00ff_ffff, 0xffff_fe00],
  [0x3fff_ffff, 0xffff_fe00],
  [0x4000_0000, 0],
  [0x7fff_ffff, 0xffff_ffff],
  [0x8000_0000, 0],
  [0x8000_0000, 0x10000],
  [0xffff_ffff, 0xffff_fe00],
  [0xffff_ffff, 0xffff_ffff],
];
const WIDTHS = [1, 2, 4, 4, 8, 8] as const;
/** Places that are kept of one file, and values of all. */
const MOST_SITES = 4096;
const MOST_VALUES = 512;
/** Bytes that move when text before them becomes longer or shorter. */
const TEXT_MOVED = 4096;
/** The byte that seeds fill their disks with: what holds it is content, and damage to it shows nothing. */
export const CONTENT = 0x5a;
const FILLER = 0x5a5a_5a5a;

/** Where one file holds something that a parser may look at. */
interface Sites {
  readonly name: string;
  /** Offsets of words that are neither zero nor content, and of all words of the first sectors. */
  readonly words: Uint32Array;
  /** Offsets of letters and digits in longer runs of text. */
  readonly text: Uint32Array;
}

/** Changes images where it hurts: fields become edge values, sizes of files and offsets that stand elsewhere in the image. */
export class Damage {
  readonly #sites: readonly Sites[];
  /** Values found in the image that look like offsets, sizes and counts; sizes of its files. */
  readonly #values: readonly (readonly [number, number])[];
  readonly #word: DataView = new DataView(new ArrayBuffer(8));

  constructor(files: ReadonlyMap<string, Uint8Array>) {
    this.#sites = [...files].map(([name, bytes]) => sitesOf(name, bytes));
    this.#values = valuesOf(files, this.#sites);
  }

  /** Damages some of the files, the first one mostly. */
  apply(files: readonly ScratchFile[], random: Seeded): void {
    for (let k = 1 + (random.below(2) === 0 ? 0 : random.below(6)); k > 0; k--) {
      const which = files.length > 1 && random.below(3) === 0 ? random.below(files.length) : 0;
      const file = files[which];
      const sites = this.#sites[which];
      if (file !== undefined && sites !== undefined && file.length > 0) this.#once(file, sites, random);
    }
  }

  #once(file: ScratchFile, sites: Sites, random: Seeded): void {
    const dice = random.below(100);
    if (sites.text.length > 0 && dice < 25) return text(file, sites.text, random);
    const at = place(file, sites.words, random);
    if (dice < 60) return this.#field(file, at, random);
    if (dice < 85) {
      const bit = Math.min(at + random.below(8), file.length - 1);
      return file.patch(bit, Uint8Array.of((file.bytes[bit] ?? 0) ^ (1 << random.below(8))));
    }
    if (dice < 90) return file.patch(at, random.bytes(1 + random.below(16)));
    if (dice < 96) {
      const from = place(file, sites.words, random);
      return file.patch(at, file.bytes.slice(from, Math.min(file.length, file.bytes.length, from + (8 << random.below(7))))); // prettier-ignore
    }
    const { length } = file;
    const sizes = [length - 1, length + 1, length - 512, length + 512, at, random.below(length), random.below(Math.min(length, 2048)), 0]; // prettier-ignore
    file.cut(Math.max(0, sizes[random.below(sizes.length)] ?? 0));
  }

  /** A field gets another value: of the list, of the image, or a little more or less than it had. */
  #field(file: ScratchFile, at: number, random: Seeded): void {
    const width = WIDTHS[random.below(WIDTHS.length)] ?? 4;
    const start = at - (at % Math.min(width, 4));
    if (start + width > file.bytes.length) return;
    const word = this.#word;
    const little = random.below(2) === 0;
    const dice = random.below(8);
    let [high, low] = EDGES[random.below(EDGES.length)] ?? [0, 0];
    if (dice < 3) {
      [high, low] = this.#values[random.below(this.#values.length)] ?? [0, 0];
      if (dice === 0) [high, low] = plus(high, low, [1, -1, 512, -512][random.below(4)] ?? 0);
    } else if (dice === 3) {
      // What stands there, a little changed.
      for (let i = 0; i < 8; i++) word.setUint8(i, i < width ? (file.bytes[start + i] ?? 0) : 0);
      const at0 = width === 8 && !little ? 4 : 0;
      const had =
        width === 1 ? word.getUint8(0) : width === 2 ? word.getUint16(0, little) : word.getUint32(at0, little);
      const change = [had + 1, had - 1, had * 2, had >>> 1, -had, had + 512][random.below(6)] ?? 0;
      if (width === 1) word.setUint8(0, change);
      else if (width === 2) word.setUint16(0, change, little);
      else word.setUint32(at0, change, little);
      return file.patch(start, new Uint8Array(word.buffer, 0, width));
    }
    if (width === 1) word.setUint8(0, low);
    else if (width === 2) word.setUint16(0, low, little);
    else if (width === 4) word.setUint32(0, low, little);
    else {
      word.setUint32(little ? 4 : 0, high, little);
      word.setUint32(little ? 0 : 4, low, little);
    }
    file.patch(start, new Uint8Array(word.buffer, 0, width));
  }
}

function place(file: ScratchFile, words: Uint32Array, random: Seeded): number {
  if (words.length === 0 || random.below(8) === 0) return random.below(file.length);
  // The first words are headers: they have half of the damage.
  const most = random.below(2) === 0 ? Math.min(words.length, 64) : words.length;
  return Math.min(words[random.below(most)] ?? 0, file.length - 1);
}

const NUMBERS = ["0", "-1", "1", "2147483648", "4294967295", "4294967296", "9007199254740993", "9223372036854775807", "18446744073709551616", "1e99", "0x10", ""]; // prettier-ignore

/** A descriptor in words: numbers become others, letters, quotes and lines go or double. */
function text(file: ScratchFile, sites: Uint32Array, random: Seeded): void {
  const at = sites[random.below(sites.length)] ?? 0;
  const { bytes } = file;
  const digit = (i: number): boolean => (bytes[i] ?? 0) >= 0x30 && (bytes[i] ?? 0) <= 0x39;
  const dice = random.below(8);
  if (dice < 3) {
    let start = at;
    for (let n = 0; n < 200 && !digit(start); n++) start++;
    while (start > 0 && digit(start - 1)) start--;
    let end = start;
    while (digit(end)) end++;
    return splice(file, start, end, NUMBERS[random.below(NUMBERS.length)] ?? "");
  }
  if (dice === 3) return splice(file, at, at + 1 + random.below(12), "");
  if (dice === 4) return splice(file, at, at, ["\n", '"', "\0", "..", "/", "=", " ", "<", ">", "&#x41;", "\u00e9"][random.below(11)] ?? ""); // prettier-ignore
  if (dice === 5) {
    const piece = String.fromCharCode(...bytes.subarray(at, at + 1 + random.below(200)));
    return splice(file, at, at, piece);
  }
  file.patch(at, Uint8Array.of(dice === 6 ? random.below(256) : 0x20 + random.below(95)));
}

/** Replaces text; what follows moves as far as a descriptor goes. */
function splice(file: ScratchFile, start: number, end: number, by: string): void {
  const put = new Uint8Array(by.length);
  for (let i = 0; i < by.length; i++) put[i] = by.charCodeAt(i);
  file.splice(start, end, put, TEXT_MOVED);
}

function plus(high: number, low: number, add: number): [number, number] {
  const sum = low + add;
  return [(high + Math.floor(sum / 2 ** 32)) >>> 0, sum >>> 0];
}

function sitesOf(name: string, bytes: Uint8Array): Sites {
  const words: number[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < Math.min(256, bytes.length); at += 4) words.push(at);
  const found: number[] = [];
  for (let at = 256; at + 4 <= bytes.length; at += 4) {
    const word = view.getUint32(at);
    if (word !== 0 && word !== FILLER) found.push(at);
  }
  // Of many the first, some of the middle, and the last: where footers are.
  const ends = MOST_SITES / 4;
  const step = Math.max(1, (found.length - 2 * ends) / (2 * ends));
  const middle = found.slice(ends, Math.max(ends, found.length - ends));
  words.push(...found.slice(0, ends), ...found.slice(Math.max(ends, found.length - ends)));
  for (let i = 0; i < middle.length; i += step) words.push(middle[Math.floor(i)] ?? 0);
  return { name, words: Uint32Array.from(words), text: textOf(bytes) };
}

function textOf(bytes: Uint8Array): Uint32Array {
  const out: number[] = [];
  let start = 0;
  for (let i = 0; i <= bytes.length && out.length < MOST_SITES; i++) {
    const c = bytes[i] ?? 0;
    if (c !== CONTENT && (c === 10 || c === 13 || c === 9 || (c >= 0x20 && c < 0x7f))) continue;
    if (i - start >= 24) for (let k = start; k < i && out.length < MOST_SITES; k++) out.push(k);
    start = i + 1;
  }
  return Uint32Array.from(out);
}

function valuesOf(files: ReadonlyMap<string, Uint8Array>, sites: readonly Sites[]): [number, number][] {
  const out = new Map<string, [number, number]>();
  const add = (high: number, low: number): void => {
    if (out.size < MOST_VALUES) out.set(`${high}:${low}`, [high, low]);
  };
  let largest = 0;
  for (const bytes of files.values()) {
    largest = Math.max(largest, bytes.length);
    for (const unit of [1, 512, 4096, 65536])
      for (const more of [-1, 0, 1]) {
        const value = Math.max(0, Math.floor(bytes.length / unit) + more);
        add(Math.floor(value / 2 ** 32), value >>> 0);
      }
  }
  const all = [...files.values()];
  sites.forEach(({ words }, which) => {
    const bytes = all[which] ?? new Uint8Array(0);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (const at of words) {
      if (at + 8 > bytes.length || out.size >= MOST_VALUES) continue;
      for (const little of [false, true]) {
        const four = view.getUint32(at, little);
        if (four > 0 && four <= 2 * largest) add(0, four);
        const high = view.getUint32(little ? at + 4 : at, little);
        const low = view.getUint32(little ? at : at + 4, little);
        // Entries with flags in the upper bits, as qcow2 has them.
        if (high >>> 30 !== 0 && (high & 0x3fff_ffff) === 0 && low > 0 && low <= 2 * largest) add(high, low);
      }
    }
  });
  return [...out.values()];
}
