import type { DeviceContext, DeviceType } from "@mimus/machine-core";
import { defineDevice, MemoryRegion } from "@mimus/machine-core";
import { onOff, onOffAuto, size, u16, u32, u8 } from "@mimus/qom";
import { z } from "zod";
import type { BridgeSide, PciIdentity } from "./function.ts";
import { PCI_BUS, PciBus } from "./bus.ts";
import { PciFunction } from "./function.ts";
import type { PciProps } from "./pci-device.ts";
import { pciDevice } from "./pci-device.ts";
import { BRIDGE, CAP, COMMAND } from "./spec.ts";

/** A window through which the bus above reaches the bus below. */
interface Window {
  alias: MemoryRegion | undefined;
  base: number;
  end: number;
}

/** A PCI-to-PCI bridge: a function with a bus below it. Source: PCI-to-PCI Bridge Architecture 1.2. */
export class PciBridge implements BridgeSide {
  /** The bridge on its own bus. */
  readonly function: PciFunction;
  /** The bus behind it. */
  readonly bus: PciBus;
  readonly #windows: readonly [memory: Window, prefetch: Window, io: Window] = [none(), none(), none()];

  constructor(
    dev: DeviceContext,
    id: PciIdentity,
    props: PciProps,
    opts: { express: boolean; slots: number; firstSlot: number },
  ) {
    const f = new PciFunction(dev, id, { bridge: true, multifunction: props.multifunction });
    this.function = f;
    const { config: c, bus: above } = f;
    for (const at of [BRIDGE.PRIMARY, BRIDGE.SECONDARY, BRIDGE.SUBORDINATE, 0x1b]) c.set(at, 1, 0, 0xff);
    c.set(BRIDGE.IO_BASE, 1, 0x01, 0xf0);
    c.set(BRIDGE.IO_LIMIT, 1, 0x01, 0xf0);
    c.set(BRIDGE.SECONDARY_STATUS, 2, 0, 0, 0xf900);
    c.set(BRIDGE.MEMORY_BASE, 2, 0, 0xfff0);
    c.set(BRIDGE.MEMORY_LIMIT, 2, 0, 0xfff0);
    c.set(BRIDGE.PREFETCH_BASE, 2, 1, 0xfff0);
    c.set(BRIDGE.PREFETCH_LIMIT, 2, 1, 0xfff0);
    c.set(BRIDGE.PREFETCH_BASE_HIGH, 4, 0, 0xffffffff);
    c.set(BRIDGE.PREFETCH_LIMIT_HIGH, 4, 0, 0xffffffff);
    c.set(BRIDGE.IO_BASE_HIGH, 2, 0, 0xffff);
    c.set(BRIDGE.IO_LIMIT_HIGH, 2, 0, 0xffff);
    c.set(BRIDGE.CONTROL, 2, 0, 0x0fff & ~0x400);
    this.bus = new PciBus({
      dma: above.dma,
      memory: MemoryRegion.container(`${dev.path}-memory`, 2 ** 52),
      io: MemoryRegion.container(`${dev.path}-io`, 0x10000),
      express: opts.express,
      root: false,
      upstream: { setIrq: (slot, pin, level) => above.upstream.setIrq(f.slot, (slot + pin) % 4, level) },
      slots: opts.slots,
      firstSlot: opts.firstSlot,
    });
    f.bridge = this;
    f.onConfigWrite = (at, n) => {
      if (at < BRIDGE.IO_LIMIT_HIGH + 2 && at + n > BRIDGE.IO_BASE) this.#map();
      else if (at < 6 && at + n > 4) this.#map();
    };
    dev.onUnrealize(() => {
      for (const w of this.#windows) w.alias?.parent?.remove(w.alias);
    });
  }

  get secondary(): number {
    return this.function.config.bytes[BRIDGE.SECONDARY]!;
  }
  get subordinate(): number {
    return this.function.config.bytes[BRIDGE.SUBORDINATE]!;
  }

  #map(): void {
    const { config, command } = this.function;
    const v = config.view;
    const u16 = (at: number): number => v.getUint16(at, true);
    const memory = (command & COMMAND.MEMORY) !== 0;
    const [mem, prefetch, io] = this.#windows;
    const above = this.function.bus;
    const high = (at: number): number => v.getUint32(at, true) * 2 ** 32;
    place(
      mem,
      above.memory,
      this.bus.memory,
      memory,
      (u16(BRIDGE.MEMORY_BASE) & 0xfff0) * 65536,
      ((u16(BRIDGE.MEMORY_LIMIT) & 0xfff0) + 16) * 65536,
    );
    place(
      prefetch,
      above.memory,
      this.bus.memory,
      memory,
      high(BRIDGE.PREFETCH_BASE_HIGH) + (u16(BRIDGE.PREFETCH_BASE) & 0xfff0) * 65536,
      high(BRIDGE.PREFETCH_LIMIT_HIGH) + ((u16(BRIDGE.PREFETCH_LIMIT) & 0xfff0) + 16) * 65536,
    );
    place(
      io,
      above.io,
      this.bus.io,
      (command & COMMAND.IO) !== 0,
      (u16(BRIDGE.IO_BASE_HIGH) * 16 + (v.getUint8(BRIDGE.IO_BASE) >> 4)) * 4096,
      (u16(BRIDGE.IO_LIMIT_HIGH) * 16 + (v.getUint8(BRIDGE.IO_LIMIT) >> 4) + 1) * 4096,
    );
  }
}

function none(): Window {
  return { alias: undefined, base: 0, end: 0 };
}

/** Shows [base, end) of the bus below at the same addresses of the bus above; an empty window shows nothing. */
function place(w: Window, above: MemoryRegion, below: MemoryRegion, on: boolean, base: number, end: number): void {
  const last = Math.min(end, above.size);
  const from = on && base < last ? base : 0;
  const to = on && base < last ? last : 0;
  if (from === w.base && to === w.end) return;
  w.alias?.parent?.remove(w.alias);
  w.base = from;
  w.end = to;
  w.alias = to > from ? MemoryRegion.alias(`${below.name}-window`, below, from, to - from) : undefined;
  if (w.alias) above.add(from, w.alias, 1);
}

/** The bus below a bridge has the bridge's id as its name, so that `bus=ID` names it. */
function busBelow(dev: DeviceContext, bridge: PciBridge, fallback: string): void {
  let name = dev.id;
  for (let n = 0; name === "" || dev.machine.findBus(name) !== undefined; n++) name = `${fallback}.${n}`;
  dev.bus(name, PCI_BUS, bridge.bus);
}

const REDHAT = 0x1b36;

/** A PCI Express root port: one slot of its own. */
export const pcieRootPort: DeviceType = defineDevice({
  name: "pcie-root-port",
  parent: pciDevice,
  summary: "PCI Express root port",
  props: z.strictObject({
    port: u8.default(0).describe("port number"),
    chassis: u8.default(0).describe("chassis number"),
    slot: u16.default(0).describe("slot number"),
    hotplug: onOff.default(true).describe("accepted"),
    "bus-reserve": u32.default(0xffffffff).describe("accepted"),
    "io-reserve": size.default(Number.MAX_SAFE_INTEGER).describe("accepted"),
    "mem-reserve": size.default(Number.MAX_SAFE_INTEGER).describe("accepted"),
    "pref32-reserve": size.default(Number.MAX_SAFE_INTEGER).describe("accepted"),
    "pref64-reserve": size.default(Number.MAX_SAFE_INTEGER).describe("accepted"),
    "x-speed": z.enum(["2_5", "5", "8", "16"]).default("16").describe("accepted"),
    "x-width": z.enum(["1", "2", "4", "8", "12", "16", "32"]).default("32").describe("accepted"),
  }),
  realize(props, dev) {
    const p = props as typeof props & PciProps;
    const id = { vendor: REDHAT, device: 0x000c, class: 0x060400, pin: 1 };
    const bridge = new PciBridge(dev, id, p, { express: true, slots: 1, firstSlot: 0 });
    bridge.function.config.addExpress(4, { slot: p.slot, port: p.port });
    bridge.function.seal();
    busBelow(dev, bridge, "pcie-root-port");
    return bridge;
  },
});

/** A conventional PCI bridge: 31 slots (slot 0 is left free, as drivers of hot-plug controllers expect). */
export const pciBridge: DeviceType = defineDevice({
  name: "pci-bridge",
  parent: pciDevice,
  summary: "PCI-to-PCI bridge",
  props: z.strictObject({
    chassis_nr: u8.default(0).describe("chassis number"),
    msi: onOffAuto.default("auto").describe("message signalled interrupts"),
    shpc: onOff.default(false).describe("accepted"),
  }),
  realize(props, dev) {
    const p = props as typeof props & PciProps;
    const bridge = new PciBridge(dev, { vendor: REDHAT, device: 0x0001, class: 0x060400 }, p, {
      express: false,
      slots: 32,
      firstSlot: 1,
    });
    const { config } = bridge.function;
    const slotId = config.addCapability(CAP.SLOT_ID, 4);
    config.set(slotId + 3, 1, p.chassis_nr);
    if (p.msi !== "off") bridge.function.addMsi({ vectors: 1, wide: true, masks: true });
    bridge.function.seal();
    busBelow(dev, bridge, "pci-bridge");
    return bridge;
  },
});
