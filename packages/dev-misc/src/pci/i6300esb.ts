import { pciDevice, PciFunction, type PciProps } from "@mimus/bus-pci";
import type { DeviceType } from "@mimus/machine-core";
import { defineDevice } from "@mimus/machine-core";
import { performWatchdogAction } from "../pc/watchdog-action.ts";
import { Esb } from "./i6300esb-chip.ts";

const CONFIG = 0x60;
const LOCK = 0x68;

/** The watchdog of the Intel 6300ESB as a PCI function. */
export const i6300esb: DeviceType = defineDevice({
  name: "i6300esb",
  parent: pciDevice,
  summary: "Intel 6300ESB watchdog",
  realize(props, dev) {
    const p = props as unknown as PciProps;
    const f = new PciFunction(
      dev,
      { vendor: 0x8086, device: 0x25ab, class: 0x088000, subsystemVendor: 0x1af4, subsystem: 0x1100 },
      { multifunction: p.multifunction },
    );
    const { config } = f;
    config.set(CONFIG, 2, 0, 0xffff);
    config.set(LOCK, 1, 0, 0xff);
    const timer = dev.timer(() => chip.expire());
    const chip: Esb = new Esb({
      now: () => dev.now(),
      arm: (deadline) => (deadline === undefined ? timer.cancel() : timer.arm(deadline)),
      bite: () => performWatchdogAction(dev),
    });
    f.onConfigWrite = (at, size) => {
      if (size > 4) return;
      if (at < CONFIG + 2 && at + size > CONFIG) chip.config = config.view.getUint16(CONFIG, true);
      if (at <= LOCK && at + size > LOCK) chip.lock = config.bytes[LOCK]!;
    };
    config.onRead = (at, size) => {
      if (at < CONFIG + 2 && at + size > CONFIG) config.view.setUint16(CONFIG, chip.config, true);
      if (at <= LOCK && at + size > LOCK) config.bytes[LOCK] = chip.lock;
    };
    f.addBar(0, dev.region("i6300esb", chip, { size: 0x10 }), { kind: "mem32" });
    dev.stateful(chip, "watchdog");
    f.seal();
    return chip;
  },
});
