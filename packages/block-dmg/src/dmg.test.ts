import type { BlockNode } from "@mimus/block";
import { MemoryFile, openImage } from "@mimus/block";
import { portable } from "@mimus/compress";
import { testFormat } from "@mimus/testkit";
import { describe, expect, it } from "vitest";
import { KIND } from "./chunks.ts";
import { dmg } from "./index.ts";

interface Part {
  readonly kind: number;
  readonly sectors: number;
  readonly bytes: Uint8Array;
  /** What it reads as, repeated. */
  readonly text: string;
}

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

function fromBase64(text: string): Uint8Array {
  const sixes = Array.from(text.replaceAll("=", ""), (c) => DIGITS.indexOf(c).toString(2).padStart(6, "0")).join("");
  return Uint8Array.from(sixes.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
}

function toBase64(bytes: Uint8Array): string {
  const bits = Array.from(bytes, (b) => b.toString(2).padStart(8, "0")).join("");
  const sixes = bits.match(/.{1,6}/g) ?? [];
  return (
    sixes.map((six) => DIGITS[Number.parseInt(six.padEnd(6, "0"), 2)]).join("") +
    "=".repeat((3 - (bytes.length % 3)) % 3)
  );
}

async function parts(): Promise<Part[]> {
  const filled = (byte: number, length: number): Uint8Array => new Uint8Array(length).fill(byte);
  const adc = Uint8Array.from(Array.from({ length: 4 }, () => [0xff, ...filled(0x41, 128)]).flat());
  return [
    { kind: KIND.raw, sectors: 1, bytes: filled(0x52, 512), text: "R" },
    { kind: KIND.zero, sectors: 3, bytes: new Uint8Array(0), text: "\0" },
    { kind: KIND.zlib, sectors: 2, bytes: await portable.deflate(filled(0x5a, 1024), 6), text: "Z" },
    { kind: KIND.ignore, sectors: 1, bytes: new Uint8Array(0), text: "\0" },
    { kind: KIND.adc, sectors: 1, bytes: adc, text: "A" },
    {
      kind: KIND.bzip2,
      sectors: 2,
      bytes: fromBase64("QlpoOTFBWSZTWfJm9hEAAAREAMAAEAAACCAAMMwFU2piKDxdyRThQkPJm9hE"),
      text: "B",
    },
    {
      kind: KIND.lzfse,
      sectors: 10,
      bytes: fromBase64(
        "YnZ4MgAUAAAMADAAAAQAcABABSr8DwAAigAAACPAgAyPAHAIHAIAAIcAAAAA8Bg8Go8CPAoAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAj86j8+g8OgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAJ/B/8H8AYnZ4JA==",
      ),
      text: "ABCD",
    },
    {
      kind: KIND.lzfse,
      sectors: 2,
      bytes: fromBase64("YnZ4bgAEAAAWAAAAaAFW8P/w//D/8LjiVlYGAAAAAAAAAGJ2eCQ="),
      text: "V",
    },
    {
      kind: KIND.lzma,
      sectors: 2,
      bytes: fromBase64(
        "/Td6WFoAAATm1rRGAgAhARwAAAAQz1jM4AP/AAtdACxv+7/+o7De4HIAAADwQKZwXoPwhwABJ4AIAAAALnmurbHEZ/sCAAAAAARZWg==",
      ),
      text: "X",
    },
  ];
}

/** A "mish" table of all parts; the data of part i lie at `offsets[i]`. */
function table(all: readonly Part[], offsets: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(204 + 40 * (all.length + 2));
  const view = new DataView(bytes.buffer);
  bytes.set(ascii("mish"));
  view.setUint32(4, 1);
  view.setUint32(200, all.length + 2);
  view.setUint32(204, KIND.comment);
  let sector = 0;
  for (const [i, part] of all.entries()) {
    const at = 204 + 40 * (i + 1);
    view.setUint32(at, part.kind);
    view.setUint32(at + 12, sector);
    view.setUint32(at + 20, part.sectors);
    view.setUint32(at + 28, offsets[i]!);
    view.setUint32(at + 36, part.bytes.length);
    sector += part.sectors;
  }
  view.setUint32(204 + 40 * (all.length + 1), KIND.end);
  return bytes;
}

async function image(resources: boolean, all?: readonly Part[]): Promise<Uint8Array> {
  const chosen = all ?? (await parts());
  const offsets: number[] = [];
  let end = 0;
  for (const { bytes } of chosen) {
    offsets.push(end);
    end += bytes.length;
  }
  const mish = table(chosen, offsets);
  const list = ascii(`<plist><dict><key>blkx</key><array><dict><key>Data</key><data>\n\t${toBase64(mish)}\n</data>`);
  const fork = new Uint8Array(16 + 4 + mish.length);
  const forkView = new DataView(fork.buffer);
  forkView.setUint32(0, 16);
  forkView.setUint32(8, 4 + mish.length);
  forkView.setUint32(16, mish.length);
  fork.set(mish, 20);
  const map = resources ? fork : list;
  const out = new Uint8Array(end + map.length + 512);
  for (const [i, { bytes }] of chosen.entries()) out.set(bytes, offsets[i]);
  out.set(map, end);
  const koly = new DataView(out.buffer, end + map.length);
  out.set(ascii("koly"), end + map.length);
  koly.setUint32(4, 4);
  koly.setUint32(8, 512);
  koly.setUint32((resources ? 40 : 216) + 4, end);
  koly.setUint32((resources ? 48 : 224) + 4, map.length);
  return out;
}

async function open(bytes: Uint8Array): Promise<BlockNode> {
  const file = new MemoryFile("x.dmg");
  await file.write(0, bytes);
  return openImage(dmg, file, { readOnly: true });
}

testFormat(dmg, {
  images: [new Map([["disk.img", await image(false)]]), new Map([["disk.img", await image(true)]])],
  counts: { mutations: 300 },
});

describe("dmg", () => {
  it.each([false, true])("reads every kind of chunk (resource fork: %s)", async (resources) => {
    const node = await open(await image(resources));
    const all = new Uint8Array(node.size);
    await node.read(0, all);
    let at = 0;
    for (const { sectors, text, kind } of await parts()) {
      const wanted = Uint8Array.from({ length: sectors * 512 }, (_, i) => text.charCodeAt(i % text.length));
      expect(all.subarray(at, at + wanted.length), `kind ${kind}`).toEqual(wanted);
      at += wanted.length;
    }
    expect(at).toBe(node.size);
    const middle = new Uint8Array(3000);
    await node.read(777, middle);
    expect(middle).toEqual(all.subarray(777, 3777));
  });

  it("says where zeroes and raw chunks are", async () => {
    const node = await open(await image(false));
    expect(await node.blockStatus?.(0, node.size)).toMatchObject({ length: 512, data: true, offset: 0 });
    expect(await node.blockStatus?.(512, 5000)).toMatchObject({ length: 1536, zero: true, data: false });
    expect(await node.blockStatus?.(2048, 5000)).toMatchObject({ length: 1024, compressed: true });
  });

  it("refuses chunks that overlap, leave the file, or are too large", async () => {
    const zero = { kind: KIND.zero, bytes: new Uint8Array(0), text: "" };
    const raw = (sectors: number): Part => ({ kind: KIND.raw, sectors, bytes: new Uint8Array(512), text: "" });
    await expect(open(await image(false, [raw(2)]))).rejects.toThrow(/raw chunk length 512/);
    await expect(open(await image(false, [{ ...zero, kind: KIND.zlib, sectors: 131073 }]))).rejects.toThrow(
      /chunk sectors/,
    );
    await expect(open(await image(false, [{ ...zero, kind: 77, sectors: 1 }]))).rejects.toThrow(/chunk type 0x4d/);
    const two = await image(true, [raw(1), raw(1)]);
    const mish = two.length - 512 - (204 + 40 * 4);
    two[mish + 204 + 80 + 15] = 0;
    await expect(open(two)).rejects.toThrow(/overlaps/);
    for (const [resources, table] of [
      [false, "<data>"],
      [true, "mish"],
    ] as const) {
      const none = await image(resources);
      for (let at = 0; at < none.length; at++)
        if (ascii(table).every((byte, i) => none[at + i] === byte)) none[at] = 0x2e;
      await expect(open(none)).rejects.toThrow(/no block table \(mish\) in the (property list|resource fork)/);
    }
    await expect(open(new Uint8Array(1024))).rejects.toMatchObject({ kind: "not-this-format" });
  });
});
