import type { BlockBackend, FaultyFile } from "@mimus/block";
import { BENCH_RAM } from "@mimus/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { DONE, drive, image, Rig, settle, ST } from "./rig.ts";

describe("ide-hd", () => {
  const content = image(512 * 1024);
  let r: Rig;
  let backend: BlockBackend;
  let file: FaultyFile;
  beforeEach(async () => {
    r = new Rig();
    ({ backend, file } = await drive(content.slice()));
    r.add("ide-hd", backend, { serial: "SER1", wwn: "0x5000c50015ea71aa" });
  });

  it("shows the signature of a disk after reset, and nothing where there is no unit", () => {
    expect([1, 2, 3, 4, 5].map((n) => r.reg(n))).toEqual([1, 1, 1, 0, 0]);
    expect(r.status).toBe(DONE);
    r.reg(6, 0xb0);
    expect([r.reg(7), r.reg(6)]).toEqual([0, 0xb0]);
  });

  it("identifies itself", async () => {
    expect(await r.run(0xec)).toBe(DONE | ST.DRQ);
    expect(r.irq).toBe(true);
    const id = r.words(256);
    const word = (n: number): number => id[2 * n]! | (id[2 * n + 1]! << 8);
    const text = (n: number, count: number): string =>
      Array.from({ length: count }, (_, i) => String.fromCharCode(word(n + i) >> 8, word(n + i) & 0xff))
        .join("")
        .trim();
    expect([text(10, 10), text(27, 20), text(23, 4)]).toEqual(["SER1", "QEMU HARDDISK", "2.5+"]);
    expect([word(60) | (word(61) << 16), word(100), word(1), word(3), word(6)]).toEqual([1024, 1024, 2, 16, 63]);
    expect([word(108), word(111), word(255) & 0xff]).toEqual([0x5000, 0x71aa, 0xa5]);
    expect(id.reduce((a, b) => (a + b) & 0xff, 0)).toBe(0);
    expect([r.status, r.reg(7), r.irq]).toEqual([DONE, DONE, false]);
  });

  it("reads sector by sector, with an interrupt for each", async () => {
    r.aim(3, 2);
    expect(await r.run(0x20)).toBe(DONE | ST.DRQ);
    for (const sector of [3, 4]) {
      expect(r.irq).toBe(true);
      r.reg(7);
      expect(r.irq).toBe(false);
      expect(r.words(256)).toEqual(content.subarray(sector * 512, sector * 512 + 512));
    }
    expect([r.status, r.irq, r.reg(3), r.reg(2)]).toEqual([DONE, false, 4, 0]);
  });

  it("reads and writes blocks of several sectors, 32 bits at a time too", async () => {
    r.reg(2, 4);
    await r.run(0xc6);
    r.aim(0, 6);
    await r.run(0xc4);
    const got = new Uint8Array(2048);
    for (let i = 0; i < 512; i++) new DataView(got.buffer).setUint32(4 * i, r.io.read(0x1f0, 4), true);
    expect(got).toEqual(content.subarray(0, 2048));
    expect(r.words(512)).toEqual(content.subarray(2048, 3072));
    expect(r.status).toBe(DONE);
    r.aim(8, 5);
    expect(await r.run(0xc5)).toBe(DONE | ST.DRQ);
    r.put(new Uint8Array(2048).fill(0xaa));
    await settle();
    expect(r.status).toBe(DONE | ST.DRQ);
    r.put(new Uint8Array(512).fill(0xbb));
    await settle();
    expect([r.status, r.irq]).toEqual([DONE, true]);
    const back = new Uint8Array(512 * 6);
    await backend.read(8 * 512, back);
    expect([back[0], back[2047], back[2048], back[2559], back[2560]]).toEqual([
      0xaa,
      0xaa,
      0xbb,
      0xbb,
      content[13 * 512],
    ]);
  });

  it("takes addresses of 48 bits, and tells them back", async () => {
    r.aim(1000, 1, true);
    expect(await r.run(0x24)).toBe(DONE | ST.DRQ);
    expect(r.words(256)).toEqual(content.subarray(512_000, 512_512));
    r.aim(2 ** 40, 1, true);
    expect(await r.run(0x24)).toBe(DONE | ST.ERR);
    expect(r.reg(1)).toBe(0x10);
    r.io.write(0x3f6, 1, 0x80);
    expect(r.reg(5)).toBe(1);
    await r.run(0x27);
    expect([r.reg(3), r.reg(4)]).toEqual([0xff, 3]);
  });

  it("takes cylinders, heads and sectors", async () => {
    r.reg(6, 0xa1);
    r.reg(2, 1);
    r.reg(3, 1);
    r.reg(4, 0);
    r.reg(5, 0);
    await r.run(0x20);
    expect(r.words(256)).toEqual(content.subarray(63 * 512, 64 * 512));
    r.reg(3, 0);
    expect(await r.run(0x20)).toBe(DONE | ST.ERR);
  });

  it("moves data by the bus master", async () => {
    r.aim(2, 5);
    r.table([0x1000, 512], [0x3000, 1024], [0x2000, 1024]);
    await r.dma(0xc8, false);
    expect([r.status, r.irq, r.io.read(0xc002, 1)]).toEqual([DONE, true, 4]);
    expect(r.memory(0x1000, 512)).toEqual(content.subarray(1024, 1536));
    expect(r.memory(0x3000, 1024)).toEqual(content.subarray(1536, 2560));
    expect(r.memory(0x2000, 1024)).toEqual(content.subarray(2560, 3584));
    r.io.write(0xc000, 1, 0);
    r.aim(100, 2, true);
    r.table([0x1000, 1024]);
    r.bench.machine.system.writeBytes(BENCH_RAM + 0x1000, new Uint8Array(1024).fill(0x5a));
    await r.dma(0x35, true);
    expect([r.status, r.io.read(0xc002, 1)]).toEqual([DONE, 4]);
    const back = new Uint8Array(1024);
    await backend.read(51_200, back);
    expect(back.every((b) => b === 0x5a)).toBe(true);
  });

  it("has moved what the host's memory has when the bus master was started", async () => {
    file.quick = true;
    r.aim(2, 3);
    r.table([0x1000, 512], [0x3000, 1024]);
    const done = r.dma(0xc8, false);
    expect([r.status, r.irq, r.io.read(0xc002, 1)]).toEqual([DONE, true, 4]);
    expect(r.memory(0x1000, 512)).toEqual(content.subarray(1024, 1536));
    expect(r.memory(0x3000, 1024)).toEqual(content.subarray(1536, 2560));
    expect([backend.stats.readOps, backend.stats.readBytes, backend.inFlight]).toEqual([1, 1536, 0]);
    await done;
    expect(file.calls.filter(({ op }) => op === "read")).toHaveLength(1);
  });

  it("keeps what the host has stopped out of the next transfer, whenever the drive answers", async () => {
    for (let late = 0; late < 40; late++) {
      let answer = (): void => undefined;
      file.gate = () => new Promise((resolve) => (answer = resolve));
      r.io.write(0xc000, 1, 0);
      r.aim(100, 2);
      r.table([0x1000, 1024]);
      await r.dma(0xc8, false);
      r.io.write(0xc000, 1, 0);
      file.gate = undefined;
      r.aim(2, 2);
      r.reg(7, 0xc8);
      r.io.write(0xc000, 1, 9);
      for (let n = 0; n < late; n++) await Promise.resolve();
      answer();
      await settle();
      expect(r.memory(0x1000, 1024)).toEqual(content.subarray(1024, 2048));
    }
  });

  it("moves more in one command than the drive is asked for at once", async () => {
    const [large, bytes] = [new Rig(), image(3 << 20)];
    const { backend } = await drive(bytes);
    large.add("ide-hd", backend);
    const { system } = large.bench.machine;
    large.aim(7, 4100, true);
    // 2 MiB of data in 512 KiB of memory: what comes later lies over what came before.
    const entries = Array.from({ length: 33 }, (_, n): [number, number] => [0x10_000 * (1 + (n % 8)), n < 32 ? 0x10_000 : 2048]); // prettier-ignore
    large.table(...entries);
    await large.dma(0x25, false);
    expect(large.status).toBe(DONE);
    const end = (7 + 4096) * 512;
    expect(large.memory(0x10_000, 2048)).toEqual(bytes.subarray(end, end + 2048));
    expect(large.memory(0x10_000 + 2048, 0x8_0000 - 2048)).toEqual(bytes.subarray(end - 0x8_0000 + 2048, end));
    large.io.write(0xc000, 1, 0);
    system.writeBytes(BENCH_RAM + 0x10_000, new Uint8Array(0x10_000).fill(0x33));
    large.aim(0, 2200, true);
    large.table(...Array.from({ length: 18 }, (): [number, number] => [0x10_000, 0x10_000]));
    await large.dma(0x35, true);
    const back = new Uint8Array(2202 * 512);
    await backend.read(0, back);
    expect(back.findIndex((b) => b !== 0x33)).toBe(2200 * 512);
  });

  it("stays active with a table that is too long, and says nothing with one too short", async () => {
    r.aim(0, 1);
    r.table([0x1000, 4096]);
    await r.dma(0xc8, false);
    expect([r.io.read(0xc002, 1), r.irq]).toEqual([5, true]);
    r.reg(7);
    r.io.write(0xc000, 1, 0);
    r.aim(0, 4);
    r.table([0x1000, 1024]);
    await r.dma(0xc8, false);
    expect([r.io.read(0xc002, 1), r.irq, r.status]).toEqual([0, false, DONE]);
  });

  it("survives tables that loop, point at registers, or nowhere", async () => {
    const { system } = r.bench.machine;
    for (let n = 0; n < 0x2000; n++) {
      system.write(BENCH_RAM + 8 * n, 4, [0x3fff_0000, 0xffff_fff0, BENCH_RAM][n % 3]!);
      system.write(BENCH_RAM + 8 * n + 4, 4, 2);
    }
    r.io.write(0xc004, 4, BENCH_RAM);
    r.aim(0, 0);
    await r.dma(0xc8, false);
    expect(r.status).toBe(DONE);
    r.table([0x1_0000_0000 - BENCH_RAM - 16, 0]);
    r.aim(0, 128);
    await r.dma(0xc8, false);
    expect(r.status).toBe(DONE);
  });

  it("reports errors of the drive where they happened", async () => {
    file.fail({ at: 0, ops: ["read"] });
    r.aim(7, 1);
    expect(await r.run(0x20)).toBe(DONE | ST.ERR);
    expect([r.reg(1), r.reg(3)]).toEqual([0x40, 7]);
  });

  it("flushes, trims, and tells of its health", async () => {
    expect(await r.run(0xe7)).toBe(DONE);
    expect(backend.stats.flushOps).toBe(1);
    const range = new Uint8Array(512);
    new DataView(range.buffer).setUint32(0, 16, true);
    range[6] = 8;
    r.bench.machine.system.writeBytes(BENCH_RAM + 0x1000, range);
    r.reg(1, 1);
    r.aim(0, 1, true);
    r.table([0x1000, 512]);
    await r.dma(0x06, true);
    expect([r.status, backend.stats.discardOps]).toEqual([DONE, 1]);
    r.reg(1, 0xda);
    r.reg(4, 0x4f);
    r.reg(5, 0xc2);
    await r.run(0xb0);
    expect([r.status, r.reg(4), r.reg(5)]).toEqual([DONE, 0x4f, 0xc2]);
    r.reg(1, 0xd0);
    await r.run(0xb0);
    expect(r.words(256).reduce((a, b) => (a + b) & 0xff, 0)).toBe(0);
  });

  it("is reset by software in the middle of a transfer", async () => {
    r.aim(0, 10);
    r.reg(7, 0x20);
    r.io.write(0x3f6, 1, 4);
    expect(r.status).toBe(ST.BUSY);
    r.io.write(0x3f6, 1, 0);
    await settle();
    expect([r.status, r.reg(1), r.reg(3), r.irq]).toEqual([DONE, 1, 1, false]);
    r.reg(6, 0xb0);
    r.reg(7, 0x90);
    expect([r.status, r.reg(1), r.irq]).toEqual([DONE, 1, true]);
  });

  it("refuses what it does not know, and packets", async () => {
    for (const code of [0x00, 0xa0, 0xa1, 0xf1, 0x87]) expect(await r.run(code)).toBe(DONE | ST.ERR);
    expect(r.reg(1)).toBe(4);
  });

  it("keeps interrupts back while the host does not want them", async () => {
    r.io.write(0x3f6, 1, 2);
    await r.run(0xe5);
    expect([r.irq, r.reg(2)]).toEqual([false, 0xff]);
  });

  it("goes on after a snapshot in the middle of a block", async () => {
    r.aim(5, 2);
    await r.run(0x20);
    const first = r.words(100);
    const { machine } = r.bench;
    const channelBus = machine.findBus("ide.0")!;
    const unit = channelBus.children[0]!;
    const saved = structuredClone(unit.saveParts());
    r.words(200);
    for (const [name, part] of unit.parts) part.load(saved[name]);
    expect([...first, ...r.words(156)]).toEqual([...content.subarray(5 * 512, 6 * 512)]);
  });
});

it("does without bus mastering on ISA", async () => {
  const r = new Rig(false);
  const { backend } = await drive(65536);
  r.add("ide-hd", backend);
  r.aim(0, 1);
  expect(await r.run(0xc8)).toBe(DONE | ST.ERR);
  await r.run(0xec);
  const id = r.words(256);
  expect(id[99]! & 1).toBe(0);
});
