import { createImage, MemoryFile, openImage } from "@mimus/block";
import { testHost } from "@mimus/testkit";
import { describe, expect, it } from "vitest";
import { checksum } from "./footer.ts";
import { vpc } from "./format.ts";
import { utf16, toUtf16 } from "./header.ts";

const host = testHost();
const MIB = 1 << 20;

async function made(size: number, options: Record<string, unknown> = {}): Promise<Uint8Array> {
  const file = new MemoryFile("a.vhd");
  await createImage(vpc, file, size, { host, options });
  return file.content();
}

/** Changes the footer (and its copy) and repairs the checksums. */
function patched(bytes: Uint8Array, change: (footer: DataView) => void): Uint8Array {
  const out = bytes.slice();
  for (const at of [0, out.length - 512]) {
    const footer = out.subarray(at, at + 512);
    if (footer[0] !== 0x63) continue;
    const view = new DataView(footer.buffer, footer.byteOffset, 512);
    change(view);
    view.setUint32(64, checksum(footer, 64));
  }
  return out;
}

async function sizeOf(bytes: Uint8Array, options: Record<string, unknown> = {}): Promise<number> {
  const node = await openImage(vpc, new MemoryFile("a.vhd", bytes), { host, readOnly: true, options });
  await node.close();
  return node.size;
}

describe("the size of a VHD", () => {
  // As qemu-img 7.2 makes them.
  it.each([
    [1, 34816],
    [513, 34816],
    [MIB, 1079296],
    [8 * MIB, 8390656],
    [100 * MIB, 104865792],
    [127 * 1024 * MIB, 136365219840],
    [128 * 1024 * MIB, 137438953472],
    [2040 * 1024 * MIB, 2190433320960],
  ])("asked for %i bytes has %i", async (asked, has) => {
    expect(await sizeOf(await made(asked))).toBe(has);
    expect(await sizeOf(await made(asked, { force_size: "on" }))).toBe(Math.ceil(asked / 512) * 512);
  });

  it("is at most 2040 GiB", async () => {
    await expect(made(2041 * 1024 * MIB)).rejects.toThrow("must be at most 2040 GiB");
  });

  it.each([
    ["vpc ", 104865792],
    ["qemu", 104865792],
    ["vbox", 104865792],
    ["wa\0\0", 104865792],
    ["qem2", 90 * MIB],
    ["win ", 90 * MIB],
    ["d2v ", 90 * MIB],
    ["tap\0", 90 * MIB],
    ["CTXS", 90 * MIB],
  ])("is what the creator '%s' means", async (creator, size) => {
    const bytes = patched(await made(100 * MIB), (f) => {
      for (let i = 0; i < 4; i++) f.setUint8(28 + i, creator.charCodeAt(i));
      f.setUint32(52, 90 * MIB);
    });
    expect(await sizeOf(bytes)).toBe(size);
    expect(await sizeOf(bytes, { force_size_calc: "current_size" })).toBe(90 * MIB);
    expect(await sizeOf(bytes, { force_size_calc: "chs" })).toBe(104865792);
  });
});

describe("footers", () => {
  it("at the end count before what a guest wrote to the first sector of a fixed disk", async () => {
    const dynamic = await made(MIB);
    const fixed = await made(MIB, { subformat: "fixed" });
    fixed.set(dynamic.subarray(0, 512));
    const node = await openImage(vpc, new MemoryFile("a.vhd", fixed), { host, readOnly: true });
    const head = new Uint8Array(8);
    await node.read(0, head);
    expect(new TextDecoder().decode(head)).toBe("conectix");
  });

  it("may be missing at the end of a growing disk, or one of two wrong", async () => {
    const bytes = await made(4 * MIB);
    const cut = bytes.slice(0, bytes.length - 512);
    expect(await sizeOf(cut)).toBe(await sizeOf(bytes));
    const node = await openImage(vpc, new MemoryFile("a.vhd", cut), { host });
    expect(await node.image?.check?.("leaks")).toMatchObject({ leaks: 1, leaksFixed: 1 });
    expect(await node.image?.check?.("none")).toMatchObject({ leaks: 0 });
    const wrong = bytes.slice();
    wrong[70] = (wrong[70] ?? 0) ^ 1;
    const warned: string[] = [];
    await openImage(vpc, new MemoryFile("a.vhd", wrong), { host, warn: (m) => warned.push(m) });
    expect(warned).toEqual(["'a.vhd': one of its two footers has a wrong checksum"]);
    wrong[wrong.length - 440] = (wrong[wrong.length - 440] ?? 0) ^ 1;
    await expect(openImage(vpc, new MemoryFile("a.vhd", wrong), { host })).rejects.toThrow(
      "can only be opened read-only",
    );
    expect(await sizeOf(wrong)).toBe(await sizeOf(bytes));
  });

  it("are refused for fields out of range", async () => {
    const bytes = await made(4 * MIB);
    const refused = (change: (f: DataView) => void, message: string): Promise<void> =>
      expect(sizeOf(patched(bytes, change))).rejects.toThrow(message);
    await refused((f) => f.setUint16(12, 2), "file format version 2 must be 1");
    await refused((f) => f.setUint32(60, 5), "disk type 5 must be 2 to 4");
    await refused((f) => f.setUint32(20, 0x201), "data offset 513 must be a multiple of 512");
    await refused((f) => f.setUint16(56, 65000), "must hold the disk");
    await expect(sizeOf(new Uint8Array(4096))).rejects.toMatchObject({ kind: "not-this-format" });
  });
});

it("texts of headers are UTF-16", () => {
  expect(utf16(toUtf16("Größe", true), true)).toBe("Größe");
  expect(utf16(toUtf16("a\0b", false), false)).toBe("a");
});
