import { PCI_BUS, pciDevice, PciFunction, type PciProps } from "@mimus/bus-pci";
import type { DeviceType } from "@mimus/machine-core";
import { defineDevice, MemoryRegion } from "@mimus/machine-core";
import { onOff, size, u32 } from "@mimus/qom";
import { z } from "zod";
import { ConfigPorts } from "./config-ports.ts";
import { I440FxHost, SMRAM } from "./host.ts";

/** Subsystem of all parts of the chip set. */
export const SUBSYSTEM = { subsystemVendor: 0x1af4, subsystem: 0x1100 } as const;

/** Function 00.0. */
export const i440fx: DeviceType = defineDevice({
  name: "i440FX",
  parent: pciDevice,
  summary: "Intel 440FX host bridge, configuration function",
  userCreatable: false,
  realize(props, dev) {
    const p = props as unknown as PciProps;
    const f = new PciFunction(
      dev,
      { vendor: 0x8086, device: 0x1237, revision: 2, class: 0x060000, ...SUBSYSTEM },
      { multifunction: p.multifunction },
    );
    const { config } = f;
    for (let at = 0x40; at < 0x100; at++) config.set(at, 1, 0, 0xff);
    config.set(SMRAM, 1, 0x02, 0xff);
    // As in QEMU, which the firmware counts on: its copy of itself is what runs behind a reset, and knows that it ran before.
    config.keep(0x40, 0xc0);
    const host = f.bus.upstream as I440FxHost;
    let smram = 0x02;
    f.onConfigWrite = (at, n) => {
      if (n >= 256) smram = config.bytes[SMRAM]!;
      else if (at <= SMRAM && at + n > SMRAM) {
        smram = I440FxHost.smramAfter(smram, config.bytes[SMRAM]!);
        config.bytes[SMRAM] = smram;
      }
      dev.machine.system.batch(() => host.update(config.bytes));
    };
    f.seal();
    return f;
  },
});

/** The host bridge: bus "pci.0" with its configuration ports in the machine's port space. `impl` is an `I440FxHost`. */
export const i440fxHost: DeviceType = defineDevice({
  name: "i440FX-pcihost",
  parent: "sysbus-device",
  summary: "Intel 440FX host bridge",
  userCreatable: false,
  props: z.strictObject({
    "pci-hole64-size": size.default(2 ** 31).describe("bytes above 4 GiB that firmware may give to PCI"),
    short_root_bus: u32.default(0).describe("accepted"),
    "x-pci-hole64-fix": onOff.default(true).describe("accepted"),
    "x-config-reg-migration-enabled": onOff.default(true).describe("accepted"),
    "bypass-iommu": onOff.default(false).describe("accepted"),
  }),
  realize(_props, dev) {
    const io = dev.machine.io?.root ?? MemoryRegion.container("pci-io", 0x10000);
    const host = new I440FxHost(dev.dma, io);
    const ports = new ConfigPorts(host.bus);
    io.add(0xcf8, dev.region("pci-conf-idx", ports.index, { size: 4 }));
    io.add(0xcfc, dev.region("pci-conf-data", ports.data, { size: 4 }));
    dev.stateful(ports);
    const bus = dev.bus("pci.0", PCI_BUS, host.bus);
    dev.machine.createDevice("i440FX", { addr: 0 }, { bus, realize: true });
    dev.onUnrealize(() => host.pciMemory.parent?.remove(host.pciMemory));
    return host;
  },
});
