import { bumpAllocator, FEATURE, RingDriver, STATUS } from "@mimus/bus-virtio";
import type { AddressSpace } from "@mimus/machine-core";
import { MemoryRegion } from "@mimus/machine-core";
import { Bench, BENCH_RAM } from "@mimus/testkit";
import plugin from "../src/index.ts";

const ECAM = 0x3000_0000;
const MMIO = 0x4000_0000;
const PIO = 0x0300_0000;

/** A driver of virtio over PCI, modern or legacy, with polling or MSI-X: what firmware and Linux do, in small. */
class PciDriver {
  readonly space: AddressSpace;
  readonly alloc: (bytes: number, align?: number) => number = bumpAllocator(BENCH_RAM + 0x1000);
  readonly cfg: number;
  readonly queues: RingDriver[] = [];
  readonly areas: Map<number, number> = new Map();
  readonly capAt: Map<number, number> = new Map();
  msixCap = 0;
  legacy = false;

  constructor(space: AddressSpace, devfn: number) {
    this.space = space;
    this.cfg = ECAM + devfn * 0x1000;
    this.#map();
    let cap = this.c(0x34, 1);
    for (let n = 0; cap !== 0 && n < 48; n++) {
      const id = this.c(cap, 1);
      if (id === 0x11) this.msixCap = cap;
      if (id === 0x09) {
        const type = this.c(cap + 3, 1);
        this.capAt.set(type, cap);
        if (type < 5) this.areas.set(type, MMIO + 0x100000 + this.c(cap + 8, 4));
      }
      cap = this.c(cap + 1, 1);
    }
  }
  c(at: number, size: 1 | 2 | 4): number {
    return this.space.read(this.cfg + at, size);
  }
  setC(at: number, size: 1 | 2 | 4, value: number): void {
    this.space.write(this.cfg + at, size, value);
  }
  #map(): void {
    this.setC(0x10, 4, 0x1000);
    this.setC(0x14, 4, MMIO);
    this.setC(0x20, 4, MMIO + 0x100000);
    this.setC(0x24, 4, 0);
    this.setC(0x04, 2, 7);
  }

  common(at: number, size: 1 | 2 | 4): number {
    return this.space.read(this.areas.get(1)! + at, size);
  }
  setCommon(at: number, size: 1 | 2 | 4, value: number): void {
    this.space.write(this.areas.get(1)! + at, size, value);
  }
  io(at: number, size: 1 | 2 | 4): number {
    return this.space.read(PIO + 0x1000 + at, size);
  }
  setIo(at: number, size: 1 | 2 | 4, value: number): void {
    this.space.write(PIO + 0x1000 + at, size, value);
  }
  isr(): number {
    return this.legacy ? this.io(0x13, 1) : this.space.read(this.areas.get(3)!, 1);
  }

  /** Vector `n` writes `data` to `addr`. */
  enableMsix(vectors: readonly { addr: number; data: number }[]): void {
    vectors.forEach(({ addr, data }, n) => {
      const at = MMIO + n * 16;
      this.space.write(at, 4, addr);
      this.space.write(at + 4, 4, 0);
      this.space.write(at + 8, 4, data);
      this.space.write(at + 12, 4, 0);
    });
    this.setC(this.msixCap + 2, 2, 0x8000);
  }

  startModern(count: number, size: number, opts: { packed?: boolean; features?: readonly number[] } = {}): boolean {
    this.legacy = false;
    this.setCommon(0x14, 1, 0);
    this.setCommon(0x14, 1, 3);
    const bits = [...(opts.features ?? []), FEATURE.VERSION_1, ...(opts.packed ? [FEATURE.RING_PACKED] : [])];
    for (const word of [0, 1]) {
      this.setCommon(0x08, 4, word);
      this.setCommon(0x0c, 4, bits.filter((b) => b >> 5 === word).reduce((v, b) => v | (1 << (b & 31)), 0) >>> 0);
    }
    this.setCommon(0x14, 1, 11);
    if ((this.common(0x14, 1) & STATUS.FEATURES_OK) === 0) return false;
    this.setCommon(0x10, 2, 0);
    for (let q = 0; q < count; q++) {
      this.setCommon(0x16, 2, q);
      const ring = new RingDriver(this.space, this.alloc, {
        size: Math.min(size, this.common(0x18, 2)),
        packed: opts.packed ?? false,
      });
      this.queues[q] = ring;
      this.setCommon(0x18, 2, ring.size);
      this.setCommon(0x1a, 2, q + 1);
      for (const [at, addr] of [
        [0x20, ring.desc],
        [0x28, ring.driver],
        [0x30, ring.device],
      ] as const) {
        this.setCommon(at, 4, addr);
        this.setCommon(at + 4, 4, 0);
      }
      this.setCommon(0x1c, 2, 1);
    }
    this.setCommon(0x14, 1, 15);
    return true;
  }

  startLegacy(count: number, features: readonly number[] = []): void {
    this.legacy = true;
    this.setIo(0x12, 1, 0);
    this.setIo(0x12, 1, 3);
    this.setIo(0x04, 4, features.reduce((v, b) => v | (1 << b), 0) >>> 0);
    for (let q = 0; q < count; q++) {
      this.setIo(0x0e, 2, q);
      const size = this.io(0x0c, 2);
      this.queues[q] = new RingDriver(this.space, this.alloc, { size, legacyAlign: 4096 });
      this.setIo(0x08, 4, this.queues[q]!.desc / 4096);
    }
    this.setIo(0x12, 1, 7);
  }

  kick(q: number): void {
    if (this.legacy) this.setIo(0x10, 2, q);
    else this.space.write(this.areas.get(2)! + 4 * q, 2, q);
  }
}

/** A machine with a PCI Express host and one virtio device in slot 1. */
export function pciRig(
  type: string,
  props: Record<string, unknown>,
  backends: Record<string, Record<string, unknown>> = {},
) {
  const bench = new Bench({ plugins: [plugin] });
  for (const [kind, list] of Object.entries(backends))
    for (const [id, object] of Object.entries(list)) bench.machine.registerBackend(kind, id, object);
  const host = bench.device("gpex-pcihost", {}, { map: false });
  const { root } = bench.machine.system;
  const [ecam, memory, io] = host.regions;
  root.add(ECAM, ecam!);
  root.add(MMIO, MemoryRegion.alias("mmio", memory!, MMIO, 0x4000_0000));
  root.add(PIO, MemoryRegion.alias("pio", io!, 0, 0x10000));
  const device = bench.machine.createDevice(type, props, { id: "dut", realize: true });
  bench.machine.reset();
  const driver = new PciDriver(bench.machine.system, 8);
  const irq = (): boolean => [0, 1, 2, 3].some((n) => host.irqOut("sysbus-irq", n).level);
  return { bench, host, device, driver, irq };
}
