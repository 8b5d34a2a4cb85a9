import type { BlockBackend } from "@mimus/block";
import { beforeEach, describe, expect, it } from "vitest";
import { DONE, drive, image, Rig, settle, ST } from "./rig.ts";

describe("ide-cd", () => {
  const content = image(2048 * 100);
  let r: Rig;
  let backend: BlockBackend;
  beforeEach(async () => {
    r = new Rig();
    ({ backend } = await drive(content.slice(), "cdrom"));
    r.add("ide-cd", backend);
    r.reg(6, 0xa0);
  });

  /** Sends a packet; the answer comes in blocks of at most `limit` bytes. */
  async function packet(bytes: number[], limit = 0xfffe, dma = false): Promise<Uint8Array> {
    r.reg(1, dma ? 1 : 0);
    r.reg(4, limit & 0xff);
    r.reg(5, limit >> 8);
    await r.run(0xa0);
    expect([r.status & ST.DRQ, r.reg(2)]).toEqual([ST.DRQ, 1]);
    r.put(Uint8Array.from({ length: 12 }, (_, n) => bytes[n] ?? 0));
    await settle();
    const all: number[] = [];
    if (dma) return Uint8Array.from(all);
    while ((r.status & ST.DRQ) !== 0) {
      expect(r.reg(2)).toBe(2);
      const length = r.reg(4) | (r.reg(5) << 8);
      expect(length).toBeLessThanOrEqual(limit);
      all.push(...r.words((length + 1) >> 1).subarray(0, length));
      await settle();
    }
    expect(r.reg(2)).toBe(3);
    return Uint8Array.from(all);
  }
  async function sense(): Promise<number[]> {
    const s = await packet([0x03, 0, 0, 0, 18]);
    return [s[2]!, s[12]!];
  }

  it("shows its signature, and refuses IDENTIFY DEVICE with it", async () => {
    expect([r.reg(4), r.reg(5), r.status]).toEqual([0x14, 0xeb, 0]);
    expect((await r.run(0xec)) & ST.ERR).toBe(ST.ERR);
    expect([r.reg(4), r.reg(5)]).toEqual([0x14, 0xeb]);
    await r.run(0xa1);
    expect(r.words(256)[1]).toBe(0x85);
  });

  it("tells what it is and what is in it", async () => {
    const text = String.fromCharCode(...(await packet([0x12, 0, 0, 0, 36])));
    expect([text.charCodeAt(0), text.slice(8)]).toEqual([5, "QEMU    QEMU DVD-ROM    2.5+"]);
    expect([...(await packet([0x25]))]).toEqual([0, 0, 0, 99, 0, 0, 8, 0]);
    const toc = await packet([0x43, 2, 0, 0, 0, 0, 0, 0, 20]);
    expect([...toc.subarray(0, 12)]).toEqual([0, 18, 1, 1, 0, 0x14, 1, 0, 0, 0, 2, 0]);
    expect([...(await packet([0x46, 0, 0, 0, 0, 0, 0, 0, 8]))].slice(6)).toEqual([0, 8]);
    expect([...(await packet([0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8]))]).toEqual([0, 6, 4, 16, 0, 2, 0, 0]);
  });

  it("reads blocks in bursts of the host's size", async () => {
    const data = await packet([0x28, 0, 0, 0, 0, 2, 0, 0, 3], 1000);
    expect(data).toEqual(content.subarray(4096, 4096 + 6144));
    const many = await packet([0xa8, 0, 0, 0, 0, 0, 0, 0, 0, 90], 2048);
    expect(many).toEqual(content.subarray(0, 90 * 2048));
  });

  it("reads by the bus master", async () => {
    r.table([0x2000, 3000], [0x8000, 0x8000]);
    r.reg(1, 1);
    r.io.write(0xc000, 1, 9);
    await packet([0x28, 0, 0, 0, 0, 5, 0, 0, 10], 0, true);
    expect([r.status, r.reg(2), r.io.read(0xc002, 1) & 6]).toEqual([DONE, 3, 4]);
    expect(r.memory(0x2000, 3000)).toEqual(content.subarray(10240, 13240));
    expect(r.memory(0x8000, 17480)).toEqual(content.subarray(13240, 30720));
  });

  it("reads more than 65,536 blocks in one command", async () => {
    const many = 65_538;
    const { backend: large, file } = await drive(many * 2048, "cdrom");
    await file.write(65_537 * 2048, Uint8Array.of(1, 2, 3, 4));
    r = new Rig();
    r.add("ide-cd", large);
    r.reg(6, 0xa0);
    // A table whose entries point at the same 64 KiB, but the last.
    const entries = Array.from({ length: 2048 }, (): [number, number] => [0x10_0000, 0x1_0000]);
    r.table(...entries, [0x8000, 0x1000]);
    r.reg(1, 1);
    r.io.write(0xc000, 1, 9);
    await packet([0xa8, 0, 0, 0, 0, 0, 0, 1, 0, 2], 0, true);
    while ((r.status & ST.BUSY) !== 0) await settle();
    expect([r.status, r.reg(2), r.io.read(0xc002, 1) & 6]).toEqual([DONE, 3, 4]);
    expect(r.memory(0x8800, 4)).toEqual(Uint8Array.of(1, 2, 3, 4));
  });

  it("tells in sense data why it refused", async () => {
    await packet([0x28, 0, 0, 0, 0, 99, 0, 0, 2]);
    expect(r.status & ST.ERR).toBe(ST.ERR);
    expect(r.reg(1) >> 4).toBe(5);
    expect(await sense()).toEqual([5, 0x21]);
    await packet([0x99]);
    expect(await sense()).toEqual([5, 0x20]);
    expect(await sense()).toEqual([0, 0]);
  });

  it("locks, ejects and takes another medium", async () => {
    await packet([0x1e, 0, 0, 0, 1]);
    await packet([0x1b, 0, 0, 0, 2]);
    expect(await sense()).toEqual([5, 0x53]);
    await packet([0x1e]);
    await packet([0x1b, 0, 0, 0, 2]);
    await packet([0x00]);
    expect(await sense()).toEqual([2, 0x3a]);
    const { backend: other } = await drive(image(2048 * 7), "cdrom");
    backend.setNode(other.node);
    await packet([0x00]);
    expect(await sense()).toEqual([6, 0x28]);
    expect([...(await packet([0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8]))][4]).toBe(2);
    expect([...(await packet([0x25]))][3]).toBe(6);
  });
});

it("has no medium in an empty drive", async () => {
  const r = new Rig();
  r.add("ide-cd", undefined);
  r.reg(6, 0xa0);
  await r.run(0xa0);
  r.put(new Uint8Array(12));
  expect([r.status, r.reg(1) >> 4]).toEqual([DONE | ST.ERR, 2]);
});
