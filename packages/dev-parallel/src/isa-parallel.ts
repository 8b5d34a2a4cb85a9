import { z } from "zod";
import { isaBusOf, isaDevice } from "@mimus/bus-isa";
import type { CharBackend, CharFrontend } from "@mimus/chardev";
import { u32 } from "@mimus/qom";
import { defineDevice } from "@mimus/machine-core";
import type { DeviceType } from "@mimus/machine-core";
import { ParallelPort } from "./port.ts";

/** A property that says "choose for me". */
const CHOOSE = 0xffffffff;
/** Ports of LPT1 to LPT3. Source: IBM PS/2 Hardware Interface Technical Reference, "Parallel port controller". */
const PORTS: readonly number[] = [0x378, 0x278, 0x3bc];

/** A parallel port of the PC. */
export const isaParallel: DeviceType = defineDevice({
  name: "isa-parallel",
  parent: isaDevice,
  summary: "parallel port of the PC",
  props: z.strictObject({
    index: u32.default(CHOOSE).describe("0..2 for LPT1..LPT3; the next one when absent"),
    iobase: u32.default(CHOOSE).describe("first port; that of the index when absent"),
    irq: u32.default(7).describe("interrupt"),
    chardev: z.string().optional().describe("ID of a chardev to use as a backend").meta({ link: "chardev" }),
  }),
  realize({ index, iobase, irq, chardev }, dev) {
    const isa = isaBusOf(dev);
    const before = dev.parentBus?.children.filter(({ type }) => type.name === "isa-parallel").length ?? 1;
    const n = index === CHOOSE ? before - 1 : index;
    if (n >= PORTS.length)
      throw new Error(`index ${n}: a PC has 3 parallel ports of its own (index 0 to 2); give iobase, irq and an index`);
    const at = iobase === CHOOSE ? PORTS[n]! : iobase & 0xffff;
    dev.decided({ index: n, iobase: at });
    const line = isa.irq(irq);
    dev.onUnrealize(() => line(false));
    const backend = dev.link<CharBackend>(chardev, "chardev");
    const one = new Uint8Array(1);
    const port = new ParallelPort({
      irq: line,
      print: (byte) => {
        if (backend === undefined) return true;
        one[0] = byte;
        return backend.write(one) === 1;
      },
    });
    if (backend !== undefined) {
      const frontend: CharFrontend = { canReceive: () => 0, receive: () => {}, writable: () => port.ready() };
      backend.attach(frontend);
      dev.onUnrealize(() => backend.detach(frontend));
    }
    dev.stateful(port);
    isa.io.add(at, dev.region("parallel", port, { size: 8, maxAccess: 1 }));
    return port;
  },
});
