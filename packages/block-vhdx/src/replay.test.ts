import { createImage, FaultyFile, MemoryFile, openImage } from "@mimus/block";
import { testHost } from "@mimus/testkit";
import { describe, expect, it } from "vitest";
import { crc32c, seal } from "./crc32c.ts";
import { vhdx } from "./format.ts";

const MIB = 1 << 20;
const host = testHost();

/** An image as a cut leaves it after a flush: what was written is in the log, and not all of it in place. */
async function cutImage(): Promise<Uint8Array> {
  const memory = new MemoryFile("a.vhdx");
  await createImage(vhdx, memory, 4 * MIB, { host, options: { block_size: MIB } });
  const file = new FaultyFile(memory);
  const node = await openImage(vhdx, file, { host });
  await node.write(5000, new Uint8Array(3000).fill(7));
  await node.flush();
  await node.write(3 * MIB, new Uint8Array(512).fill(8));
  await node.flush();
  const bytes = memory.content();
  // The write of the last table sector did not get there.
  const last = file.calls.findLast((c) => c.op === "write" && c.at >= 2 * MIB && c.at < 3 * MIB);
  if (last?.op !== "write") throw new Error("no write of the block table");
  bytes.fill(0, last.at, last.at + last.data.length);
  return bytes;
}

async function firstBytes(
  bytes: Uint8Array,
  readOnly: boolean,
): Promise<{ got: number[]; file: MemoryFile; warned: string[] }> {
  const file = new MemoryFile("a.vhdx", bytes);
  const warned: string[] = [];
  const node = await openImage(vhdx, file, { host, readOnly, warn: (m) => warned.push(m) });
  const byte = new Uint8Array(1);
  const got: number[] = [];
  for (const at of [4999, 5000, 7999, 8000, 3 * MIB]) {
    await node.read(at, byte);
    got.push(byte[0] ?? -1);
  }
  if (readOnly) expect(await node.image?.info?.()).toMatchObject({ dirty: true });
  await node.close();
  return { got, file, warned };
}

describe("a log with content", () => {
  it("is replayed into memory when the image is read-only", async () => {
    const bytes = await cutImage();
    const { got, file } = await firstBytes(bytes, true);
    expect(got).toEqual([0, 7, 7, 0, 8]);
    expect(file.content().every((b, i) => b === bytes[i])).toBe(true);
  });

  it("is replayed into the file when the image is writable, once", async () => {
    const { got, file, warned } = await firstBytes(await cutImage(), false);
    expect(got).toEqual([0, 7, 7, 0, 8]);
    expect(warned).toEqual(["'a.vhdx' was not closed properly: its log was replayed"]);
    expect((await firstBytes(file.content(), false)).warned).toEqual([]);
  });

  it("is refused when no entry is whole, when the file was cut, and when it is too long", async () => {
    const torn = await cutImage();
    for (let at = MIB; at < 2 * MIB; at += 4096) torn[at + 100] = (torn[at + 100] ?? 0) ^ 0xff;
    await expect(firstBytes(torn, true)).rejects.toThrow("holds no whole sequence of entries");
    const whole = await cutImage();
    await expect(firstBytes(whole.subarray(0, 5 * MIB), true)).rejects.toThrow("it was cut");
    const long = new Uint8Array(40 * MIB);
    long.set(whole);
    for (const at of [64 << 10, 128 << 10]) {
      new DataView(long.buffer).setUint32(at + 68, 32 * MIB, true);
      seal(long.subarray(at, at + 4096));
    }
    await expect(firstBytes(long, true)).rejects.toMatchObject({ kind: "unsupported-feature" });
  });
});

describe("growing", () => {
  it("moves the block table when it has no room", async () => {
    const file = new MemoryFile("a.vhdx");
    await createImage(vhdx, file, 4 * MIB, { host, options: { block_size: MIB } });
    const node = await openImage(vhdx, file, { host });
    await node.write(4 * MIB - 512, new Uint8Array(512).fill(1));
    const size = 200 * 2 ** 30;
    await node.resize?.(size);
    await node.write(size - 512, new Uint8Array(512).fill(2));
    await expect(node.resize?.(MIB)).rejects.toMatchObject({ kind: "unsupported-feature" });
    await node.close();
    const again = await openImage(vhdx, file, { host, readOnly: true });
    expect(again.size).toBe(size);
    const bytes = new Uint8Array(512);
    await again.read(4 * MIB - 512, bytes);
    expect(bytes[0]).toBe(1);
    await again.read(size - 512, bytes);
    expect(bytes[511]).toBe(2);
    expect(await again.image?.check?.("none")).toMatchObject({ corruptions: 0, leaks: 0 });
  });
});

describe("images that other programs make", () => {
  it("have sectors of 4096 bytes", async () => {
    const file = new MemoryFile("a.vhdx");
    await createImage(vhdx, file, 4 * MIB + 512, { host, options: { logical_sector_size: 4096 } });
    const node = await openImage(vhdx, file, { host });
    expect(node.size).toBe(4 * MIB + 4096);
    await node.write(100, new Uint8Array(1).fill(3));
    await node.close();
  });

  it("are refused for options that cannot be", async () => {
    const make = (size: number, options: Record<string, unknown>): Promise<void> =>
      createImage(vhdx, new MemoryFile("a.vhdx"), size, { host, options });
    await expect(make(MIB, { block_size: 3 * MIB })).rejects.toThrow("block_size 3145728 must be a power of two");
    await expect(make(MIB, { log_size: 0 })).rejects.toThrow("log_size 0 must be");
    await expect(make(2 ** 47, {})).rejects.toThrow("at most 64 TiB");
  });

  it("have the checksum of iSCSI", () => {
    expect(crc32c(new TextEncoder().encode("123456789"), 100)).toBe(0xe3069283);
  });
});
