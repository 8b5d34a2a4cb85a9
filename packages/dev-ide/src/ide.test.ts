import blockPlugin, { BlockGraph, FaultyFile, MemoryFile, MemoryFiles, openDrive } from "@mimus/block";
import type { BlockBackend } from "@mimus/block";
import busIsa, { IsaBus } from "@mimus/bus-isa";
import busPci from "@mimus/bus-pci";
import { Registry } from "@mimus/qom";
import { Bench, BENCH_RAM, Seeded, testDevice, testManifest } from "@mimus/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import packageJson from "../package.json" with { type: "json" };
import plugin, { ideCd, isaIde, piix3Ide, piix4Ide } from "./index.ts";

const plugins = [busIsa, busPci];
const isa = (_m: unknown, b: Bench): void => {
  b.device("isabus-bridge");
  b.device("gpex-pcihost");
};
const withChannel = (m: unknown, b: Bench): void => {
  isa(m, b);
  b.device("isa-ide", {}, { map: false });
};
testManifest(packageJson, plugin);
testDevice(isaIde, { plugins, setup: isa });
testDevice(piix3Ide, { plugins, setup: isa });
testDevice(piix4Ide, { plugins, setup: isa });
testDevice(ideCd, { plugins, types: [isaIde], setup: withChannel });

const ST = { ERR: 1, DRQ: 8, READY: 0x40, BUSY: 0x80 };
const DONE = 0x50;

async function settle(): Promise<void> {
  for (let n = 0; n < 60; n++) await Promise.resolve();
}

async function drive(
  content: Uint8Array | number,
  media: "disk" | "cdrom" = "disk",
): Promise<{ backend: BlockBackend; file: FaultyFile }> {
  const files = new MemoryFiles();
  const file = new FaultyFile(new MemoryFile("image", content));
  files.add("image", file);
  const registry = new Registry();
  registry.use(blockPlugin);
  const graph = new BlockGraph({ registry, files, warn: () => undefined });
  const { backend } = await openDrive(
    graph,
    { file: "image", format: "raw", id: "d", if: "none", media },
    { interface: "none", snapshot: false },
  );
  return { backend, file };
}

/** The driver's side of channel 0. */
class Rig {
  readonly bench = new Bench({ plugins: [...plugins, plugin] });
  readonly isa: IsaBus;
  readonly pci: boolean;

  constructor(pci = true) {
    this.pci = pci;
    this.isa = this.bench.device("isabus-bridge").impl as IsaBus;
    this.bench.device("gpex-pcihost");
    const device = this.bench.device(pci ? "piix3-ide" : "isa-ide", pci ? { addr: "1.1" } : {}, { map: false });
    if (!pci) return;
    // The bus master's ports, where no firmware programs BARs.
    const ports = device.regions.find(({ name }) => name === "bmdma")!;
    this.io.root.add(0xc000, ports);
  }
  get io() {
    return this.bench.machine.io!;
  }
  add(type: string, backend: BlockBackend | undefined, props = {}): void {
    if (backend !== undefined) this.bench.machine.registerBackend("drive", backend.id, backend);
    this.bench.device(type, { ...(backend === undefined ? {} : { drive: backend.id }), ...props }, { map: false });
    this.bench.machine.reset();
  }
  reg(n: number, value?: number): number {
    if (value === undefined) return this.io.read(0x1f0 + n, 1);
    this.io.write(0x1f0 + n, 1, value);
    return 0;
  }
  get status(): number {
    return this.io.read(0x3f6, 1);
  }
  get irq(): boolean {
    return this.isa.level(14);
  }
  /** Registers for LBA: the 48-bit form writes each twice. */
  aim(at: number, count: number, wide = false): void {
    this.reg(6, 0xe0 | (wide ? 0 : (at / 2 ** 24) & 15));
    if (wide) {
      this.reg(2, count >> 8);
      this.reg(3, (at / 2 ** 24) & 0xff);
      this.reg(4, (at / 2 ** 32) & 0xff);
      this.reg(5, (at / 2 ** 40) & 0xff);
    }
    this.reg(2, count & 0xff);
    this.reg(3, at & 0xff);
    this.reg(4, (at >> 8) & 0xff);
    this.reg(5, (at >> 16) & 0xff);
  }
  async run(code: number): Promise<number> {
    this.reg(7, code);
    await settle();
    return this.status;
  }
  words(n: number): Uint8Array {
    const out = new Uint8Array(2 * n);
    for (let i = 0; i < n; i++) {
      const w = this.io.read(0x1f0, 2);
      out[2 * i] = w;
      out[2 * i + 1] = w >> 8;
    }
    return out;
  }
  put(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i += 2) this.io.write(0x1f0, 2, bytes[i]! | (bytes[i + 1]! << 8));
  }
  /** A table of physical regions at the start of memory. */
  table(...entries: [at: number, length: number][]): void {
    const { system } = this.bench.machine;
    entries.forEach(([at, length], n) => {
      system.write(BENCH_RAM + 8 * n, 4, BENCH_RAM + at);
      system.write(BENCH_RAM + 8 * n + 4, 4, (length & 0xffff) + (n === entries.length - 1 ? 0x8000_0000 : 0));
    });
    this.io.write(0xc004, 4, BENCH_RAM);
    this.io.write(0xc002, 1, 6);
  }
  async dma(code: number, write: boolean): Promise<void> {
    this.io.write(0xc000, 1, 0);
    this.reg(7, code);
    this.io.write(0xc000, 1, write ? 0 : 8);
    this.io.write(0xc000, 1, write ? 1 : 9);
    await settle();
  }
  memory(at: number, length: number): Uint8Array {
    const out = new Uint8Array(length);
    this.bench.machine.system.readBytes(BENCH_RAM + at, out);
    return out;
  }
}

function image(bytes: number): Uint8Array {
  const out = new Uint8Array(bytes);
  for (let i = 0; i < bytes; i++) out[i] = (i >> 9) + i * 7;
  return out;
}

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

it("outlives drivers that write anything anywhere", async () => {
  const r = new Rig();
  const { backend } = await drive(1 << 20);
  r.add("ide-hd", backend);
  r.add("ide-cd", undefined);
  const seeded = new Seeded(7);
  const bytes = new Uint8Array(8);
  for (let n = 0; n < 20_000; n++) {
    // oxlint-disable-next-line unicorn/no-array-fill-with-reference-type -- no array
    seeded.fill(bytes);
    const [what, value, ...more] = bytes as unknown as number[];
    const port = what! < 200 ? 0x1f0 + (what! & 7) : what! < 220 ? 0x3f6 : 0xc000 + (what! & 7);
    const size = ([1, 2, 4] as const)[more[0]! % 3]!;
    if (more[1]! < 64) r.io.read(port, size);
    else r.io.write(port, size, value! | (more[2]! << 8));
    if (n % 16 === 0) await Promise.resolve();
  }
  await settle();
  r.bench.machine.reset();
  r.io.write(0x3f6, 1, 0);
  r.reg(6, 0xa0);
  expect(await r.run(0xec)).toBe(DONE | ST.DRQ);
});
