/** What the tests of IDE share: a drive on a file in memory, and the driver's side of channel 0. */
import blockPlugin, { BlockGraph, FaultyFile, MemoryFile, MemoryFiles, openDrive } from "@mimus/block";
import type { BlockBackend } from "@mimus/block";
import busIsa, { type IsaBus } from "@mimus/bus-isa";
import busPci from "@mimus/bus-pci";
import { Registry } from "@mimus/qom";
import { Bench, BENCH_RAM } from "@mimus/testkit";
import plugin from "../src/index.ts";

export const plugins = [busIsa, busPci];

export const ST = { ERR: 1, DRQ: 8, READY: 0x40, BUSY: 0x80 };
export const DONE = 0x50;

export async function settle(): Promise<void> {
  for (let n = 0; n < 60; n++) await Promise.resolve();
}

export async function drive(
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
export class Rig {
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

export function image(bytes: number): Uint8Array {
  const out = new Uint8Array(bytes);
  for (let i = 0; i < bytes; i++) out[i] = (i >> 9) + i * 7;
  return out;
}
