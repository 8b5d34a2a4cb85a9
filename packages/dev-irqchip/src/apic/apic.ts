import type { DeviceType } from "@mimus/machine-core";
import { defineDevice } from "@mimus/machine-core";
import { onOff, u32, u8 } from "@mimus/qom";
import { z } from "zod";
import { ApicBus } from "./bus.ts";
import { LocalApicChip } from "./local-apic.ts";
import type { LocalApicPins } from "./pins.ts";

/** First address of the pages of local APICs: no guest can name it, each CPU finds its own there. */
export const APIC_PAGES: number = 2 ** 52;
const PAGE = 0x1000;

/**
 * The local APIC of one CPU. The board connects it (`impl.connect`) and gives it to the CPU; the CPU sees its page at
 * `impl.page`.
 */
export const apic: DeviceType = defineDevice({
  name: "apic",
  summary: "local APIC",
  userCreatable: false,
  props: z.strictObject({
    id: u32.default(0).describe("APIC id"),
    version: u8.default(0x14).describe("accepted"),
    vapic: onOff.default(true).describe("accepted"),
    bootstrap: onOff.optional().describe("belongs to the CPU that starts; default: whether the id is 0"),
  }),
  realize(p, dev) {
    const bus = ApicBus.of(dev);
    const timer = dev.timer(() => chip.expire());
    const pins: LocalApicPins = {
      now: () => dev.now(),
      arm: (deadline) => (deadline === undefined ? timer.cancel() : timer.arm(deadline)),
    };
    const chip = new LocalApicChip({ id: p.id, bootstrap: p.bootstrap ?? p.id === 0 }, bus, pins);
    let index = 0;
    while (bus.apics.some((a) => a.page === APIC_PAGES + index * PAGE)) index++;
    chip.page = APIC_PAGES + index * PAGE;
    const region = dev.region("apic", chip, { size: PAGE, minAccess: 4, reentrant: true });
    dev.machine.system.root.add(chip.page, region);
    bus.add(chip);
    dev.onUnrealize(() => bus.remove(chip));
    dev.stateful(chip);
    dev.onLoaded(() => chip.timeChanged());
    return chip;
  },
});
