/** Every field and table entry of an image at its edges; ends cut; texts that lead elsewhere. */
import { CONTENT, type ScratchFile } from "@mimus/testkit";
import type { ByteOrder } from "./fields.ts";
import type { GoodImage } from "./images.ts";

/** One way to damage an image. */
export interface Change {
  /** The class that it is counted under. */
  readonly kind: "header field" | "table entry" | "pointer" | "cut" | "name" | "number" | "double entry";
  /** For people: which field, and its new value. */
  readonly what: string;
  apply(file: ScratchFile): void;
}

const B32 = 2n ** 32n;
const B53 = 2n ** 53n;
const B63 = 2n ** 63n;
const B64 = 2n ** 64n;
/** Values that are wrong wherever they stand, or nearly. */
const EDGES: readonly bigint[] = [
  ...[0n, 1n, 2n, 3n, 7n, 8n, 9n, 31n, 32n, 63n, 64n, 127n, 128n, 255n, 256n, 511n, 512n, 513n, 4095n, 4096n, 65535n, 65536n],
  ...[2n ** 24n, B32 / 2n - 1n, B32 / 2n, B32 / 2n + 1n, B32 - 512n, B32 - 2n, B32 - 1n, B32, B32 + 512n],
  ...[2n ** 40n, 2n ** 48n, B53 - 512n, B53 - 1n, B53, B53 + 1n, B53 + 512n, 2n ** 55n, 2n ** 56n - 512n, 2n ** 62n],
  ...[B63 - 512n, B63 - 1n, B63, B63 + 0x10000n, B64 - 4096n, B64 - 512n, B64 - 2n, B64 - 1n],
]; // prettier-ignore
const FILLER = CONTENT * 0x01010101;
/** Table entries that are damaged of one image, and offsets in it that others are given. */
const MOST_ENTRIES = 160;
const MOST_TARGETS = 12;

/** All changes of the image's first file, in a fixed order. */
export function* changesOf(image: GoodImage): Iterable<Change> {
  const [bytes] = image.files.values();
  if (bytes === undefined) return;
  const entries = entriesOf(bytes, image);
  const targets = targetsOf(bytes, entries, image.order);
  for (const [name, at, width] of image.fields)
    if (at + width <= bytes.length) yield* fieldChanges(name, at, width, bytes, image.order, targets, "header field");
  for (const at of entries) {
    yield* fieldChanges("", at, 4, bytes, image.order, targets, "table entry");
    if (at % 8 === 0 && at + 8 <= bytes.length)
      yield* fieldChanges("", at, 8, bytes, image.order, targets, "table entry");
    yield* doubles(at, bytes);
  }
  yield* cuts(bytes, entries);
  for (const [name, file] of image.files) yield* textChanges(name, file, bytes);
}

/** Words outside the header that are neither empty nor content: tables, directories, metadata. */
function entriesOf(bytes: Uint8Array, { fields }: GoodImage): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const inHeader = (at: number): boolean => fields.some(([, from, width]) => at >= from && at < from + width);
  const out: number[] = [];
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    const word = view.getUint32(at);
    if (word !== 0 && word !== FILLER && !inHeader(at)) out.push(at);
  }
  if (out.length <= MOST_ENTRIES) return out;
  // Most of what is many is alike: the first ones, the last ones, and some between.
  const third = Math.floor(MOST_ENTRIES / 4);
  const step = (out.length - 2 * third) / (2 * third);
  const middle = Array.from({ length: 2 * third }, (_, i) => out[third + Math.floor(i * step)] ?? 0);
  return [...new Set([...out.slice(0, third), ...middle, ...out.slice(-third)])];
}

/** What words of the image hold that may be a place in it: where others may point as well. */
function targetsOf(bytes: Uint8Array, entries: readonly number[], order: ByteOrder): bigint[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const out = new Set<bigint>();
  for (const at of entries) {
    if (at + 8 > bytes.length) continue;
    const value = view.getBigUint64(at, order === "little");
    if ((value & (2n ** 56n - 1n)) < BigInt(bytes.length) * 2n && value > 255n) out.add(value);
    if (out.size >= MOST_TARGETS) break;
  }
  return [...out];
}

function* fieldChanges(
  name: string,
  at: number,
  width: number,
  bytes: Uint8Array,
  order: ByteOrder,
  targets: readonly bigint[],
  kind: Change["kind"],
): Iterable<Change> {
  if (width > 8) return yield* textField(name, at, width);
  const old = get(bytes, at, width, order);
  const most = 2n ** BigInt(8 * width);
  const size = BigInt(bytes.length);
  const flags = width === 8 ? old & (0xffn << 56n) : 0n;
  const aligned = ((size + 65535n) / 65536n) * 65536n;
  const near = [old + 1n, old - 1n, old + 512n, old * 2n, old / 2n, old ^ (most / 2n)];
  const places = [size, size - 1n, size + 1n, size - 512n, aligned, BigInt(at), size / 512n, size / 512n + 1n];
  const all: [Change["kind"], bigint][] = [
    ...[...EDGES, ...near].map((v): [Change["kind"], bigint] => [kind, v]),
    ...[...places, ...places.map((v) => v | flags), ...targets, ...targets.map((v) => v / 512n)].map(
      (v): [Change["kind"], bigint] => ["pointer", v],
    ),
  ];
  const seen = new Set<bigint>([old]);
  for (const [which, value] of all) {
    if (value < 0n || value >= most || seen.has(value)) continue;
    seen.add(value);
    const put = word(value, width, order);
    yield { kind: which, what: `${name === "" ? "word" : name} (${width} bytes at ${at}) = ${value}`, apply: (file) => file.patch(at, put) }; // prettier-ignore
  }
}

/** A field that is text or bytes: no end, only ends, other letters. */
function* textField(name: string, at: number, width: number): Iterable<Change> {
  for (const byte of [0, 0x41, 0xff, 0x0a, 0x2f])
    yield {
      kind: "header field",
      what: `${name} (${width} bytes at ${at}) all ${byte}`,
      apply: (file) => file.patch(at, new Uint8Array(width).fill(byte)),
    };
}

/** An entry becomes its neighbour: two entries lead to one place. */
function* doubles(at: number, bytes: Uint8Array): Iterable<Change> {
  for (const [width, other] of [
    [4, at + 4],
    [4, at - 4],
    [8, at + 8],
    [8, at - 8],
    [8, at + 16],
    [16, at + 16],
  ] as const)
    if (other >= 0 && other + width <= bytes.length && at + width <= bytes.length)
      yield {
        kind: "double entry",
        what: `the ${width} bytes at ${at} again at ${other}`,
        apply: (file) => file.patch(other, file.bytes.slice(at, at + width)),
      };
}

function* cuts(bytes: Uint8Array, entries: readonly number[]): Iterable<Change> {
  const ends = new Set([0, 1, 4, 7, 8, 71, 72, 103, 104, 105, 511, 512, 513, 591, 592, 1024, 4095, 4096, 65535, 65536, 65537, 1 << 20]); // prettier-ignore
  for (const at of entries) ends.add(at).add(at + 1);
  for (const n of [1, 2, 3, 511, 512, 513, 1024, 4096, 65536]) ends.add(bytes.length - n);
  for (const end of ends)
    if (end >= 0 && end < bytes.length)
      yield { kind: "cut", what: `cut after ${end} bytes`, apply: (file) => file.cut(end) };
  for (const more of [1, 511, 512, 4096, 1 << 20])
    yield { kind: "cut", what: `${more} zeroes at its end`, apply: (file) => file.cut(bytes.length + more) };
}

/** Names that lead out of the folder, to protocols, to devices, to itself, or break lines. */
const NAMES: readonly string[] = [
  "", ".", "..", "/", "disk.img", "./disk.img", "../disk.img", "../../../../etc/passwd", "/etc/passwd", "a/../../b", "file:/etc/passwd",
  "file:///etc/passwd", "json:{}", 'json:{"driver":"file","filename":"/etc/passwd"}', "json:[[[[", "nbd://127.0.0.1:1/x", "nbd:127.0.0.1:1",
  "http://127.0.0.1:1/x", "ssh://127.0.0.1/x", "fat:rw:/etc", "vvfat:/", "blkdebug::disk.img", "null-co://", "/dev/zero", "/dev/stdin",
  "/proc/self/environ", "C:\\x", "a\nb", "a\rb", "a\u001b[2J", "a'b", "\u00ff\u00fe", "x".repeat(255), "x".repeat(1023), "x".repeat(1024), "y".repeat(5000),
]; // prettier-ignore

const NUMBERS = ["0", "1", "-1", "+1", "00", "2147483647", "2147483648", "4294967295", "4294967296", "9007199254740991", "9007199254740993", "9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616", "99999999999999999999999999", "1e9", "1.5", "0x10", "1024k", "NaN", "", " ", "1 1"]; // prettier-ignore

/** Numbers and words in texts of a file: descriptors, property lists, names. */
function* textChanges(name: string, bytes: Uint8Array, first: Uint8Array): Iterable<Change> {
  if (bytes !== first) return;
  for (const [from, to] of textsOf(bytes)) {
    const text = String.fromCharCode(...bytes.subarray(from, to));
    const replace = (kind: Change["kind"], at: number, length: number, by: string): Change => ({
      kind,
      what: `${name}: '${text.slice(at, at + Math.min(length, 40))}' at ${from + at} = ${JSON.stringify(by.slice(0, 60))}`,
      apply: (file) => file.splice(from + at, from + at + length, latin1(by), 8192),
    });
    for (const m of text.matchAll(/\b\d+\b/g))
      for (const by of NUMBERS) yield replace("number", m.index, m[0].length, by);
    for (const m of text.matchAll(/"([^"\n]{0,300})"|[\w.&;-]*\.(?:img|vmdk|data|vpc|vhdx|vdi)/g))
      for (const by of NAMES) yield replace("name", m.index, m[0].length, m[0].startsWith('"') ? `"${by}"` : by);
    for (const m of text.matchAll(/[^\n]+\n/g)) {
      yield replace("name", m.index, m[0].length, "");
      yield replace("name", m.index, m[0].length, m[0].repeat(2));
      yield replace("name", m.index, m[0].length, m[0].repeat(200));
    }
  }
}

function textsOf(bytes: Uint8Array): [number, number][] {
  const out: [number, number][] = [];
  let start = 0;
  for (let i = 0; i <= bytes.length && out.length < 40; i++) {
    const c = bytes[i] ?? 0;
    if (c !== CONTENT && (c === 10 || c === 13 || c === 9 || (c >= 0x20 && c < 0x7f))) continue;
    if (i - start >= 6) out.push([start, i]);
    start = i + 1;
  }
  return out;
}

const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0) & 0xff);

function get(bytes: Uint8Array, at: number, width: number, order: ByteOrder): bigint {
  let value = 0n;
  for (let i = 0; i < width; i++) value = value * 256n + BigInt(bytes[at + (order === "big" ? i : width - 1 - i)] ?? 0);
  return value;
}

function word(value: bigint, width: number, order: ByteOrder): Uint8Array {
  const out = new Uint8Array(width);
  let rest = value;
  for (let i = 0; i < width; i++) {
    out[order === "big" ? width - 1 - i : i] = Number(rest & 255n);
    rest >>= 8n;
  }
  return out;
}
