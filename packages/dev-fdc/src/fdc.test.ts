import blockPlugin, { BlockGraph, FaultyFile, MemoryFile, MemoryFiles, openDrive } from "@mimus/block";
import type { BlockBackend } from "@mimus/block";
import busIsa, { IsaBus } from "@mimus/bus-isa";
import type { DmaMode, IsaDmaChannel, IsaDmaHandler, IsaDmaTransfer } from "@mimus/bus-isa";
import { AddressSpace } from "@mimus/machine-core";
import { Registry } from "@mimus/qom";
import { Bench, Seeded, testDevice, testManifest } from "@mimus/testkit";
import { describe, expect, it } from "vitest";
import packageJson from "../package.json" with { type: "json" };
import plugin, { floppy, FloppyDrive, geometryFor, isaFdc, kindFor } from "./index.ts";

testManifest(packageJson, plugin);
const isa = { plugins: [busIsa], setup: (_m: unknown, b: Bench) => void b.device("isabus-bridge") };
testDevice(isaFdc, isa);
testDevice(floppy, {
  plugins: [busIsa],
  types: [isaFdc],
  setup: (_m, b) => {
    b.device("isabus-bridge");
    b.device("isa-fdc", {}, { map: false });
  },
});

/** One DMA channel with a buffer instead of memory. */
class Channel implements IsaDmaChannel {
  mode: DmaMode = "write";
  memory: Uint8Array = new Uint8Array(0);
  position = 0;
  masked = false;
  #request = false;
  #handler: IsaDmaHandler | undefined;
  attach(handler: IsaDmaHandler | undefined): void {
    this.#handler = handler;
  }
  setRequest(level: boolean): void {
    this.#request = level;
    this.go();
  }
  program(mode: DmaMode, memory: Uint8Array): void {
    this.mode = mode;
    this.memory = memory;
    this.position = 0;
  }
  go(): void {
    while (this.#request && !this.masked && this.position < this.memory.length) {
      const before = this.position;
      const t: IsaDmaTransfer = {
        mode: this.mode,
        length: this.memory.length,
        position: before,
        read: (into, offset, length) => {
          into.set(this.memory.subarray(this.position, this.position + length), offset);
          return length;
        },
        write: (from, offset, length) => {
          this.memory.set(from.subarray(offset, offset + length), this.position);
          return length;
        },
        advance: (bytes) => {
          this.position += bytes;
          (t as { position: number }).position = this.position;
        },
      };
      this.#handler?.transfer(t);
      if (this.position === before) return;
    }
  }
}

async function settle(): Promise<void> {
  for (let i = 0; i < 60; i++) await Promise.resolve();
}

const BYTES = 2880 * 512;

async function rig(opts: { bytes?: number; readOnly?: boolean; empty?: boolean; type?: string } = {}) {
  const content = Uint8Array.from({ length: opts.bytes ?? BYTES }, (_, i) => (i >> 9) ^ (i & 0xff));
  const disk = new MemoryFile("a.img", content);
  const file = new FaultyFile(disk);
  const files = new MemoryFiles().add("a.img", file);
  const graph = new BlockGraph({ registry: new Registry().use(blockPlugin), files, warn: () => undefined });
  const options = opts.empty
    ? { id: "fd0", if: "floppy" }
    : { file: "a.img", format: "raw", id: "fd0", "read-only": opts.readOnly ? "on" : "off" };
  const { backend } = await openDrive(graph, options, { interface: "floppy", snapshot: false });
  const bench = new Bench({ plugins: [busIsa, plugin] });
  const bus = bench.device("isabus-bridge").impl as IsaBus;
  const channel = new Channel();
  bus.addDmaController(false, { channel: () => channel });
  bench.machine.registerBackend("drive", "fd0", backend);
  bench.device("isa-fdc", {}, { map: false });
  bench.device("floppy", { drive: "fd0", ...(opts.type === undefined ? {} : { "drive-type": opts.type }) });
  bench.device("floppy", {}, { id: "b" });
  bench.machine.reset();
  const io = new AddressSpace("io", bus.io);
  const r = {
    bench,
    io,
    channel,
    backend: backend as BlockBackend,
    content,
    file,
    sector: async (n: number): Promise<Uint8Array> => {
      const bytes = new Uint8Array(512);
      await (backend as BlockBackend).read(n * 512, bytes);
      return bytes;
    },
    irq: (): boolean => bus.level(6),
    msr: (): number => io.read(0x3f4, 1),
    send: (...bytes: number[]): void => {
      for (const byte of bytes) {
        expect(r.msr() & 0xc0).toBe(0x80);
        io.write(0x3f5, 1, byte);
      }
    },
    results: (): number[] => {
      const list: number[] = [];
      while ((r.msr() & 0xd0) === 0xd0 && list.length < 20) list.push(io.read(0x3f5, 1));
      return list;
    },
    /** A command that ends with an interrupt, and its results. */
    run: async (...bytes: number[]): Promise<number[]> => {
      r.send(...bytes);
      for (let n = 0; n < 50 && !r.irq(); n++) await settle();
      expect(r.irq()).toBe(true);
      return r.results();
    },
    /** Resets, answers the four interrupts, sets 500 kbit/s and DMA, and finds track 0. */
    start: (): void => {
      io.write(0x3f2, 1, 0x08);
      io.write(0x3f2, 1, 0x1c);
      expect(r.irq()).toBe(true);
      for (let n = 0; n < 4; n++) {
        r.send(0x08);
        expect(r.results()).toEqual([0xc0 | n, 0]);
      }
      expect(r.irq()).toBe(false);
      io.write(0x3f7, 1, 0);
      r.send(0x03, 0xdf, 0x02);
      r.seek(0);
    },
    seek: (track: number): void => {
      r.send(0x0f, 0, track);
      expect(r.irq()).toBe(true);
      r.send(0x08);
      expect(r.results()).toEqual([0x20, track]);
    },
  };
  return r;
}

describe("geometry", () => {
  it.each([
    [1474560, "144", 18, 80, 2, 0],
    [737280, "144", 9, 80, 2, 2],
    [2949120, "288", 36, 80, 2, 3],
    [1228800, "120", 15, 80, 2, 0],
    [368640, "120", 9, 40, 2, 1],
  ] as const)("of %i bytes", (bytes, kind, sectors, tracks, heads, rate) => {
    expect(kindFor(bytes)).toBe(kind);
    expect(geometryFor(kind, bytes)).toEqual({ sectors, tracks, heads, rate });
  });
  it("of other sizes is that of the drive", () => {
    expect(kindFor(12345)).toBeUndefined();
    expect(geometryFor("288", 12345)?.sectors).toBe(36);
    expect(geometryFor("none", 1474560)).toBeUndefined();
  });
});

describe("the controller", () => {
  it("tells after a reset that all drives changed", async () => {
    const r = await rig();
    r.start();
    expect(r.msr()).toBe(0x80);
    r.send(0x08);
    expect(r.results()).toEqual([0x80]);
    r.send(0x10);
    expect(r.results()).toEqual([0x90]);
    r.send(0x1f);
    expect(r.results()).toEqual([0x80]);
    r.send(0x0e);
    expect(r.results()).toEqual([0, 0, 0, 0, 0xdf, 0x02, 0, 0, 0, 0]);
    r.send(0x94);
    expect(r.results()).toEqual([0x10]);
    r.send(0x13, 0, 0x57, 0);
    r.start();
    r.send(0x0e);
    expect(r.results().slice(7)).toEqual([0x80, 0x57, 0]);
  });

  it("reads sectors by DMA, over the heads of a cylinder", async () => {
    const r = await rig();
    r.start();
    r.seek(3);
    r.channel.program("write", new Uint8Array(512 * 5));
    expect(await r.run(0xe6, 0, 3, 0, 16, 2, 18, 0x1b, 0xff)).toEqual([0x04, 0, 0, 3, 1, 3, 2]);
    const first = 3 * 36 + 15;
    expect(r.channel.memory).toEqual(r.content.subarray(first * 512, (first + 5) * 512));
    r.channel.program("write", new Uint8Array(512));
    expect(await r.run(0xe6, 4, 3, 1, 18, 2, 18, 0x1b, 0xff)).toEqual([0x00, 0, 0, 4, 0, 1, 2]);
    expect(r.irq()).toBe(false);
  });

  it("says that the track has ended when DMA has not", async () => {
    const r = await rig();
    r.start();
    r.channel.program("write", new Uint8Array(512 * 40));
    expect(await r.run(0x46, 0, 0, 0, 18, 2, 18, 0x1b, 0xff)).toEqual([0x40, 0x80, 0, 1, 0, 1, 2]);
    expect(r.channel.position).toBe(512);
  });

  it("waits for the channel to be unmasked", async () => {
    const r = await rig();
    r.start();
    r.channel.program("write", new Uint8Array(512));
    r.channel.masked = true;
    r.send(0x46, 0, 0, 0, 1, 2, 18, 0x1b, 0xff);
    await settle();
    expect([r.irq(), r.msr()]).toEqual([false, 0x10]);
    r.channel.masked = false;
    r.channel.go();
    await settle();
    expect(r.results()).toEqual([0, 0, 0, 0, 0, 2, 2]);
  });

  it("writes, fills up the last sector with zeros, and formats", async () => {
    const r = await rig();
    r.start();
    r.channel.program("read", new Uint8Array(600).fill(0x77));
    expect(await r.run(0xc5, 0, 0, 0, 2, 2, 18, 0x1b, 0xff)).toEqual([0, 0, 0, 0, 0, 4, 2]);
    expect(await r.sector(1)).toEqual(new Uint8Array(512).fill(0x77));
    expect((await r.sector(2)).slice(86, 90)).toEqual(Uint8Array.of(0x77, 0x77, 0, 0));
    r.channel.program("read", Uint8Array.of(0, 1, 1, 2, 0, 1, 3, 2));
    expect((await r.run(0x4d, 4, 2, 2, 0x54, 0xf6)).slice(0, 3)).toEqual([4, 0, 0]);
    expect((await r.sector(18))[0]).toBe(0xf6);
    expect((await r.sector(19))[0]).toBe(r.content[19 * 512]);
    expect((await r.sector(20))[511]).toBe(0xf6);
  });

  it("moves bytes without DMA", async () => {
    const r = await rig();
    r.start();
    r.send(0x03, 0xdf, 0x03);
    r.send(0x46, 0, 0, 0, 1, 2, 1, 0x1b, 0xff);
    await settle();
    const bytes: number[] = [];
    while (r.msr() === 0xf0) bytes.push(r.io.read(0x3f5, 1));
    expect(bytes).toEqual([...r.content.subarray(0, 512)]);
    expect(r.results()).toEqual([0x40, 0x80, 0, 1, 0, 1, 2]);
    r.send(0x45, 0, 0, 0, 5, 2, 5, 0x1b, 0xff);
    let n = 0;
    while (r.msr() === 0xb0) r.io.write(0x3f5, 1, n++);
    await settle();
    expect([n, r.results()]).toEqual([512, [0x40, 0x80, 0, 1, 0, 1, 2]]);
    expect((await r.sector(4))[255]).toBe(255);
  });

  it("compares, verifies, reads IDs and whole tracks", async () => {
    const r = await rig();
    r.start();
    r.channel.program("read", r.content.slice(0, 512));
    expect((await r.run(0xd1, 0, 0, 0, 1, 2, 18, 0x1b, 1)).slice(0, 3)).toEqual([0, 0, 0x08]);
    r.channel.program("read", new Uint8Array(512).fill(0xfe));
    expect((await r.run(0x51, 0, 0, 0, 1, 2, 1, 0x1b, 1)).slice(0, 3)).toEqual([0, 0, 0x04]);
    r.channel.program("read", new Uint8Array(512).fill(0xff));
    expect((await r.run(0xd9, 0, 0, 0, 1, 2, 18, 0x1b, 1))[2]).toBe(0x08);
    expect(await r.run(0x56, 0, 0, 0, 1, 2, 18, 0x1b, 0xff)).toEqual([0, 0, 0, 1, 0, 1, 2]);
    expect(await r.run(0x56, 0x80, 0, 0, 1, 2, 18, 0x1b, 4)).toEqual([0, 0, 0, 0, 0, 5, 2]);
    expect(await r.run(0x4a, 4)).toEqual([4, 0, 0, 0, 1, 1, 2]);
    r.channel.program("write", new Uint8Array(512 * 2));
    await r.run(0x42, 0, 0, 0, 9, 2, 18, 0x1b, 0xff);
    expect(r.channel.memory).toEqual(r.content.subarray(0, 1024));
  });

  it("seeks by itself only when it is told to", async () => {
    const r = await rig();
    r.start();
    r.channel.program("write", new Uint8Array(512));
    expect((await r.run(0x46, 0, 5, 0, 1, 2, 18, 0x1b, 0xff)).slice(0, 3)).toEqual([0x40, 0x04, 0x10]);
    r.send(0x13, 0, 0x40, 0);
    expect((await r.run(0x46, 0, 5, 0, 1, 2, 18, 0x1b, 0xff)).slice(0, 3)).toEqual([0, 0, 0]);
    r.send(0xcf, 0, 3);
    r.send(0x08);
    expect(r.results()).toEqual([0x20, 8]);
    r.send(0x07, 0);
    r.send(0x08);
    expect(r.results()).toEqual([0x20, 0]);
    r.send(0x04, 0);
    expect(r.results()).toEqual([0x38]);
  });

  it.each([
    ["no medium", { empty: true }, [0x46, 0, 0, 0, 1, 2, 18, 0x1b, 0xff], [0x40, 0x05, 0]],
    ["a medium that is protected", { readOnly: true }, [0x45, 0, 0, 0, 1, 2, 18, 0x1b, 0xff], [0x40, 0x02, 0]],
    ["a sector that is not there", {}, [0x46, 0, 0, 0, 19, 2, 36, 0x1b, 0xff], [0x40, 0x04, 0]],
    ["sector 0", {}, [0x46, 0, 0, 0, 0, 2, 18, 0x1b, 0xff], [0x40, 0x04, 0]],
    ["another sector size", {}, [0x46, 0, 0, 0, 1, 3, 18, 0x1b, 0xff], [0x40, 0x04, 0]],
    ["another data rate", { bytes: 737280 }, [0x4a, 0], [0x40, 0x01, 0]],
    ["a drive that is not there", {}, [0x4a, 3], [0x43, 0x05, 0]],
  ] as const)("answers for %s", async (_what, opts, command, wanted) => {
    const r = await rig(opts);
    r.start();
    r.channel.program("write", new Uint8Array(512));
    expect((await r.run(...command)).slice(0, 3)).toEqual(wanted);
  });

  it("tells that the medium was changed, until the head moves", async () => {
    const r = await rig();
    r.start();
    expect(r.io.read(0x3f7, 1)).toBe(0);
    const node = r.backend.node;
    r.backend.setNode(undefined);
    r.seek(1);
    expect(r.io.read(0x3f7, 1)).toBe(0x80);
    r.backend.setNode(node);
    expect(r.io.read(0x3f7, 1)).toBe(0x80);
    r.seek(2);
    expect(r.io.read(0x3f7, 1)).toBe(0);
  });

  it("tells of a host that cannot read", async () => {
    const r = await rig();
    r.start();
    r.file.fail({ at: 0, ops: ["read"], every: true });
    r.channel.program("write", new Uint8Array(512));
    expect((await r.run(0x46, 0, 0, 0, 1, 2, 18, 0x1b, 0xff)).slice(0, 3)).toEqual([0x40, 0x20, 0x20]);
    r.file.fail(undefined);
    expect((await r.run(0x46, 0, 0, 0, 1, 2, 18, 0x1b, 0xff)).slice(0, 3)).toEqual([0, 0, 0]);
  });
});

it("answers from memory when the medium has been read before", async () => {
  const r = await rig();
  const drive = r.bench.machine.devices().find((d) => d.values["drive"] === "fd0")!.impl as FloppyDrive;
  await drive.prepare();
  r.start();
  const before = r.file.calls.length;
  r.channel.program("write", new Uint8Array(1024));
  r.send(0x46, 0, 0, 0, 5, 2, 18, 0x1b, 0xff);
  expect([r.irq(), r.msr()]).toEqual([false, 0x10]); // not before a moment has passed
  r.bench.advance(20_000);
  expect([r.irq(), r.results().slice(0, 3), r.file.calls.length - before]).toEqual([true, [0, 0, 0], 0]);
  expect(r.channel.memory).toEqual(r.content.subarray(4 * 512, 6 * 512));
  r.channel.program("read", new Uint8Array(512).fill(0x66));
  expect((await r.run(0x45, 0, 0, 0, 5, 2, 18, 0x1b, 0xff)).slice(0, 3)).toEqual([0, 0, 0]);
  expect((await r.sector(4))[0]).toBe(0x66);
  r.channel.program("write", new Uint8Array(512));
  r.send(0x46, 0, 0, 0, 5, 2, 18, 0x1b, 0xff);
  r.bench.advance(20_000);
  expect(r.channel.memory[511]).toBe(0x66);
});

it("survives whatever a guest writes", async () => {
  const r = await rig();
  const random = new Seeded(5);
  for (let n = 0; n < 30_000; n++) {
    const kind = random.below(20);
    if (kind === 0) r.io.write(0x3f1 + random.below(7), 1, random.below(256));
    else if (kind === 1)
      r.channel.program((["read", "write", "verify"] as const)[n % 3]!, new Uint8Array(random.below(70_000)));
    else if (kind < 6) r.io.read(0x3f0 + random.below(8), 1);
    else if (kind === 7) r.io.write(0x3f2, 1, 0x1c);
    else r.io.write(0x3f5, 1, random.below(4) === 0 ? random.below(32) | 0x40 : random.below(256));
    if (n % 10 === 0) await Promise.resolve();
  }
  await settle();
  r.bench.machine.loadState(r.bench.machine.saveState({ ram: false }));
  await settle();
  r.bench.machine.reset();
  r.start();
  r.channel.program("write", new Uint8Array(512));
  expect((await r.run(0x46, 0, 0, 0, 1, 2, 18, 0x1b, 0xff))[0]).toBe(0);
});
