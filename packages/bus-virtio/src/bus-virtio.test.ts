import type { DeviceType } from "@mimus/machine-core";
import { defineDevice } from "@mimus/machine-core";
import { Bench, BENCH_RAM, testDevice, testManifest } from "@mimus/testkit";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import packageJson from "../package.json" with { type: "json" };
import type { VirtioDevice, VirtioModel, VirtQueue } from "./index.ts";
import plugin, {
  DESC,
  FEATURE,
  MmioDriver,
  realizeVirtio,
  STATUS,
  VIRTIO_BUS,
  virtioMmio,
  virtioProps,
} from "./index.ts";

/** A device that returns what it is given, upside down: readable bytes come back as their complement. */
class Echo implements VirtioModel {
  readonly deviceId = 77;
  readonly queueSizes = [16, 16];
  readonly configSize = 8;
  device!: VirtioDevice;
  hold = false;
  held: (() => void)[] = [];
  features(): number[] {
    return [0, 3];
  }
  fillConfig(v: DataView): void {
    v.setUint32(0, 0x11223344, true);
  }
  queueNotified(queue: VirtQueue): void {
    for (let n = 0; n < queue.size; n++) {
      const chain = queue.pop();
      if (!chain) break;
      const answer = (): void => {
        const bytes = new Uint8Array(Math.min(chain.outBytes, 65536));
        chain.readOut(0, bytes);
        const n = chain.writeIn(
          0,
          bytes.map((b) => b ^ 0xff),
        );
        queue.push(chain, n);
        queue.notify();
      };
      if (this.hold) this.held.push(answer);
      else answer();
    }
  }
  reset(): void {
    this.held = [];
  }
}
const echo: DeviceType = defineDevice({
  name: "echo-device",
  summary: "returns complements",
  bus: VIRTIO_BUS,
  props: z.strictObject(virtioProps),
  realize(props, dev) {
    const model = new Echo();
    model.device = realizeVirtio(dev, model, props as never);
    return model;
  },
});

function setup(legacy: boolean, props: Record<string, unknown> = { packed: true }) {
  const bench = new Bench({ plugins: [plugin], types: [echo] });
  const slot = bench.device("virtio-mmio", { "force-legacy": legacy }, { id: "slot" });
  const device = bench.device("echo-device", props);
  bench.machine.reset();
  const driver = new MmioDriver(bench.machine.system, bench.base(slot), BENCH_RAM + 0x1000);
  return { bench, slot, driver, chip: device.impl as Echo, irq: () => slot.irqOut("irq").level };
}
const all = [
  { name: "legacy split", legacy: true, packed: false },
  { name: "modern split", legacy: false, packed: false },
  { name: "modern packed", legacy: false, packed: true },
];
const bytes = (...b: number[]): Uint8Array => Uint8Array.from(b);

testManifest(packageJson, plugin);
testDevice(virtioMmio, { plugins: [plugin] });
testDevice(virtioMmio, {
  plugins: [plugin],
  types: [echo],
  props: { "force-legacy": false },
  wire: (d, b) => void b.device("echo-device", { packed: true }, { bus: d.buses[0]!.name }),
});

describe.each(all)("$name ring", ({ legacy, packed }) => {
  it("carries buffers, many more than the ring is long, in order", () => {
    const { driver, irq } = setup(legacy);
    expect(driver.start(2, 16, { packed })).toBe(true);
    const q = driver.queues[0]!;
    for (let i = 0; i < 70; i++) {
      const b = q.add([bytes(i, 2), bytes(3)], [2, 5], { indirect: i % 3 === 0 });
      driver.kick(0);
      expect(irq()).toBe(true);
      driver.ack();
      expect(irq()).toBe(false);
      expect(q.take()).toEqual({ id: b.id, written: 3 });
      expect([...q.contents(b)]).toEqual([i ^ 0xff, 0xfd, 0xfc, 0, 0, 0, 0]);
      expect(q.take()).toBeUndefined();
    }
    expect(driver.status & STATUS.DEVICE_NEEDS_RESET).toBe(0);
  });

  it("returns held buffers in any order", () => {
    const { driver, chip } = setup(legacy);
    driver.start(1, 16, { packed });
    chip.hold = true;
    const q = driver.queues[0]!;
    const given = [1, 2, 3, 4, 5].map((n) => q.add([bytes(n)], [1]));
    driver.kick(0);
    for (const i of [3, 0, 4, 2, 1]) chip.held[i]!();
    const got: number[] = [];
    for (let u = q.take(); u; u = q.take()) got.push(given.findIndex((g) => g.id === u.id));
    expect(got).toEqual([3, 0, 4, 2, 1]);
  });

  it("interrupts only when asked", () => {
    const { driver, irq } = setup(legacy);
    driver.start(1, 16, { packed });
    const q = driver.queues[0]!;
    q.setEvent("none");
    q.add([bytes(1)], [1]);
    driver.kick(0);
    expect([irq(), q.take() !== undefined]).toEqual([false, true]);
    q.setEvent("all");
    q.add([bytes(1)], [1]);
    driver.kick(0);
    expect(irq()).toBe(true);
  });

  it("interrupts at the event index", () => {
    const { driver, irq } = setup(legacy);
    driver.start(1, 16, { packed, eventIdx: true });
    const q = driver.queues[0]!;
    // A buffer takes two places of a packed ring.
    q.setEvent(packed ? 4 | 0x8000 : 2);
    const hits = [0, 1, 2, 3].map(() => {
      q.add([bytes(1)], [1]);
      driver.kick(0);
      const hit = irq();
      driver.ack();
      return hit;
    });
    expect(hits).toEqual([true, false, true, false]); // the first one is sent without looking back
  });

  it.each<[string, (d: MmioDriver) => void]>([
    ["a buffer of length 0", (d) => d.queues[0]!.addRaw([{ addr: BENCH_RAM, length: 0, flags: 0 }])],
    ["a length of 4 GiB", (d) => d.queues[0]!.addRaw([{ addr: BENCH_RAM, length: 0xffffffff, flags: DESC.WRITE }])],
    ["an address that wraps", (d) => d.queues[0]!.addRaw([{ addr: 2 ** 52 - 8, length: 64, flags: DESC.WRITE }])],
    ["an address of all ones", (d) => d.queues[0]!.addRaw([{ addr: 2 ** 64 - 4096, length: 64, flags: 0 }])],
    ["a buffer in registers", (d) => d.queues[0]!.addRaw([{ addr: d.base, length: 4, flags: 0 }])],
    [
      "readable after writable",
      (d) =>
        d.queues[0]!.addRaw([
          { addr: BENCH_RAM, length: 4, flags: DESC.WRITE },
          { addr: BENCH_RAM, length: 4, flags: 0 },
        ]),
    ],
    [
      "an indirect table of 17 bytes",
      (d) => d.queues[0]!.addRaw([{ addr: BENCH_RAM, length: 17, flags: DESC.INDIRECT }]),
    ],
    [
      "an indirect table of 4 GiB",
      (d) => d.queues[0]!.addRaw([{ addr: BENCH_RAM, length: 0xfffffff0, flags: DESC.INDIRECT }]),
    ],
    [
      "an indirect table inside itself",
      (d) => {
        const at = d.alloc(16);
        d.space.write(at, 4, at);
        d.space.write(at + 8, 4, 16);
        d.space.write(at + (d.packed ? 14 : 12), 2, DESC.INDIRECT);
        d.queues[0]!.addRaw([{ addr: at, length: 16, flags: DESC.INDIRECT }]);
      },
    ],
    [
      "an indirect table in registers",
      (d) => d.queues[0]!.addRaw([{ addr: d.base, length: 16, flags: DESC.INDIRECT }]),
    ],
  ])("survives %s: the device asks for a reset, and works after it", (_name, attack) => {
    const { driver, bench } = setup(legacy);
    driver.start(1, 16, { packed });
    attack(driver);
    driver.kick(0);
    expect(driver.queues[0]!.take()).toBeUndefined();
    if (!legacy) expect(driver.status & STATUS.DEVICE_NEEDS_RESET).not.toBe(0);
    expect(bench.log.some((l) => l.level === "guest-error")).toBe(true);
    driver.kick(0);
    driver.start(1, 16, { packed });
    const b = driver.queues[0]!.add([bytes(1)], [1]);
    driver.kick(0);
    expect(driver.queues[0]!.take()).toEqual({ id: b.id, written: 1 });
  });

  it("survives rings in registers, in nothing, and at the end of memory", () => {
    for (const where of [0x1000_0000, 0x10, 2 ** 52 - 16, BENCH_RAM + 0x10_0000 - 8]) {
      const { driver } = setup(legacy);
      driver.start(1, 16, { packed });
      driver.write(0x30, 1);
      driver.write(0x38, 16);
      if (legacy) driver.write(0x40, Math.floor(where / 4096) >>> 0);
      else {
        for (const at of [0x80, 0x90, 0xa0]) {
          driver.write(at, where >>> 0);
          driver.write(at + 4, Math.floor(where / 2 ** 32));
        }
        driver.write(0x44, 1);
      }
      driver.kick(1);
      expect(driver.read(0)).toBe(0x74726976);
    }
  });

  it("goes on after save and load in another machine", () => {
    const one = setup(legacy);
    one.driver.start(1, 16, { packed });
    const q = one.driver.queues[0]!;
    for (let i = 0; i < 21; i++) {
      q.add([bytes(i)], [1]);
      one.driver.kick(0);
      q.take();
    }
    const two = setup(legacy);
    const given = q.add([bytes(9)], [1]);
    two.bench.machine.loadState(one.bench.machine.saveState());
    two.driver.kick(0);
    const at = given.in[0]!.addr;
    expect(two.bench.machine.system.read(at, 1)).toBe(9 ^ 0xff);
  });
});

describe("split ring", () => {
  it("finds loops and bad indexes in at most a ring of steps", () => {
    const attacks: ((d: MmioDriver) => void)[] = [
      (d) => d.queues[0]!.addRaw([{ addr: BENCH_RAM, length: 16, flags: 0 }], () => 0),
      (d) =>
        d.queues[0]!.addRaw(
          [
            { addr: BENCH_RAM, length: 16, flags: 0 },
            { addr: BENCH_RAM, length: 16, flags: 0 },
          ],
          (i) => 1 - i,
        ),
      (d) => d.queues[0]!.addRaw([{ addr: BENCH_RAM, length: 16, flags: 0 }], () => 0xffff),
      (d) => d.space.write(d.queues[0]!.driver + 2, 2, 0x8000),
      (d) => {
        d.space.write(d.queues[0]!.driver + 4, 2, 16);
        d.space.write(d.queues[0]!.driver + 2, 2, 1);
      },
    ];
    for (const attack of attacks) {
      const { driver } = setup(false);
      driver.start(1, 16);
      attack(driver);
      driver.kick(0);
      expect(driver.status & STATUS.DEVICE_NEEDS_RESET).not.toBe(0);
      expect(driver.interrupt & 2).toBe(2);
    }
  });
});

describe("negotiation", () => {
  it("refuses features that were not offered", () => {
    const { driver } = setup(false, {});
    expect(driver.start(1, 16, { packed: true })).toBe(false);
    expect(driver.start(1, 16, { features: [1] })).toBe(false);
    expect(driver.start(1, 16, { features: [3] })).toBe(true);
  });
  it("offers VERSION_1 to modern drivers only", () => {
    expect(setup(true).driver.offered()[1]).toBe(0);
    expect(setup(false).driver.offered()[1] & (1 << (FEATURE.VERSION_1 - 32))).toBe(1);
  });
  it("shows the configuration space in every width and ones past its end", () => {
    const { driver, bench } = setup(false);
    const s = bench.machine.system;
    expect([s.read(driver.base + 0x100, 4), s.read(driver.base + 0x102, 2), s.read(driver.base + 0x103, 1)]).toEqual([
      0x11223344, 0x1122, 0x11,
    ]);
    expect(s.read(driver.base + 0x108, 4)).toBe(0xffffffff);
  });
  it("an empty slot has device id 0", () => {
    const bench = new Bench({ plugins: [plugin] });
    const slot = bench.device("virtio-mmio");
    const r = (at: number): number => bench.machine.system.read(bench.base(slot) + at, 4);
    expect([r(0), r(4), r(8)]).toEqual([0x74726976, 1, 0]);
  });
  it("a full bus takes no second device", () => {
    const { bench } = setup(false);
    expect(() => bench.device("echo-device")).toThrow(/full/);
  });
});
