import { pciDevice, PciFunction, type PciProps } from "@mimus/bus-pci";
import { isaBusOf, isaDevice } from "@mimus/bus-isa";
import type { DeviceContext, DeviceType, Registers } from "@mimus/machine-core";
import { defineDevice } from "@mimus/machine-core";
import { u16, u8 } from "@mimus/qom";
import { z } from "zod";

/** Events that a guest can tell of. Source: QEMU documentation, docs/specs/pvpanic. */
const PANICKED = 1;
const CRASH_LOADED = 2;

const events = u8.default(PANICKED | CRASH_LOADED).describe("events that the guest is told to exist");

function registers(dev: DeviceContext, known: number): Registers {
  return {
    read: () => known,
    write(_offset, _size, value) {
      if ((value & ~(PANICKED | CRASH_LOADED)) !== 0) dev.guestError(`unknown event 0x${value.toString(16)}`);
      if ((value & PANICKED) !== 0) dev.machine.requestShutdown("guest-panic", 0);
      else if ((value & CRASH_LOADED) !== 0) dev.machine.log.write("info", dev.path, "the guest runs its crash kernel");
    },
  };
}

/** A port by which the guest tells that it has panicked. */
export const pvpanic: DeviceType = defineDevice({
  name: "pvpanic",
  parent: isaDevice,
  summary: "port by which the guest tells of its panic",
  props: z.strictObject({ ioport: u16.default(0x505).describe("port"), events }),
  realize(p, dev) {
    const regs = registers(dev, p.events);
    isaBusOf(dev).io.add(p.ioport, dev.region("pvpanic", regs, { size: 1 }));
    return regs;
  },
});

/** The same as a PCI function. */
export const pvpanicPci: DeviceType = defineDevice({
  name: "pvpanic-pci",
  parent: pciDevice,
  summary: "PCI function by which the guest tells of its panic",
  props: z.strictObject({ events }),
  realize(props, dev) {
    const p = props as typeof props & PciProps;
    const f = new PciFunction(
      dev,
      { vendor: 0x1b36, device: 0x0011, revision: 1, class: 0x088000, subsystemVendor: 0x1af4, subsystem: 0x1100 },
      { multifunction: p.multifunction },
    );
    const regs = registers(dev, p.events);
    f.addBar(0, dev.region("pvpanic", regs, { size: 2, maxAccess: 1 }), { kind: "mem32" });
    f.seal();
    return regs;
  },
});
