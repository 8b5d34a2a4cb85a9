import type { DeviceType } from "@mimus/machine-core";
import { defineDevice } from "@mimus/machine-core";
import { z } from "zod";
import { PCI_BUS } from "./bus.ts";
import { PciFunction } from "./function.ts";
import { PciHost } from "./host.ts";
import type { PciProps } from "./pci-device.ts";
import { pciDevice } from "./pci-device.ts";

/** Bytes of configuration space for 256 buses. */
export const ECAM_SIZE = 0x1000_0000;

/** The function 00.0 of a {@link gpexHost}. */
export const gpexRoot: DeviceType = defineDevice({
  name: "gpex-root",
  parent: pciDevice,
  summary: "generic PCI Express host, root complex function",
  userCreatable: false,
  realize(props, dev) {
    const p = props as unknown as PciProps;
    const f = new PciFunction(
      dev,
      { vendor: 0x1b36, device: 0x0008, class: 0x060000 },
      { multifunction: p.multifunction },
    );
    f.seal();
    return f;
  },
});

/**
 * A generic PCI Express host bridge. Regions: 0 configuration space (ECAM), 1 the whole PCI memory space, 2 the I/O ports;
 * the board shows windows of 1 and 2. Outputs "sysbus-irq" 0..3 are INTA..INTD. Its bus is "pcie.0".
 */
export const gpexHost: DeviceType = defineDevice({
  name: "gpex-pcihost",
  parent: "sysbus-device",
  summary: "generic PCI Express host bridge",
  userCreatable: false,
  props: z.strictObject({}),
  realize(_props, dev) {
    const host = new PciHost(dev.dma, dev.irqs("sysbus-irq", 4), true);
    dev.region("ecam", host, { size: ECAM_SIZE });
    dev.addRegion(host.memory);
    dev.addRegion(host.io);
    const bus = dev.bus("pcie.0", PCI_BUS, host.bus);
    // Part of the bridge, as in QEMU's tree.
    dev.machine.createDevice("gpex-root", { addr: 0 }, { bus, parentPath: dev.path, name: "gpex_root", realize: true });
    return host;
  },
});
