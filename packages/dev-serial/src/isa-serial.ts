import { z } from "zod";
import { isaBusOf, isaDevice } from "@mimus/bus-isa";
import { onOff, u32 } from "@mimus/qom";
import { defineDevice } from "@mimus/machine-core";
import type { DeviceContext, DeviceType } from "@mimus/machine-core";
import { wireUart } from "./wire.ts";

/** A property that says "choose for me". */
const CHOOSE = 0xffffffff;
/** Ports and interrupts of COM1 to COM4. Source: IBM Personal System/2 Hardware Interface Technical Reference, "Serial port controller". */
const PORTS: readonly number[] = [0x3f8, 0x2f8, 0x3e8, 0x2e8];
const IRQS: readonly number[] = [4, 3, 4, 3];

/** Which of COM1..COM4 a port without `index` becomes: as many as there are before it. */
function nextIndex(dev: DeviceContext): number {
  const before = dev.parentBus?.children.filter(({ type }) => type.name === "isa-serial").length ?? 1;
  return before - 1;
}

/** A serial port of the PC. */
export const isaSerial: DeviceType = defineDevice({
  name: "isa-serial",
  parent: isaDevice,
  summary: "16550A serial port of the PC",
  props: z.strictObject({
    index: u32.default(CHOOSE).describe("0..3 for COM1..COM4; the next one when absent"),
    iobase: u32.default(CHOOSE).describe("first port; that of the index when absent"),
    irq: u32.default(CHOOSE).describe("interrupt; that of the index when absent"),
    chardev: z.string().optional().describe("ID of a chardev to use as a backend").meta({ link: "chardev" }),
    baudbase: u32.default(115200).describe("kept, not timed"),
    wakeup: onOff.default(false).describe("accepted; nothing suspends"),
  }),
  realize({ index, iobase, irq, chardev }, dev) {
    const isa = isaBusOf(dev);
    const n = index === CHOOSE ? nextIndex(dev) : index;
    if (n >= PORTS.length)
      throw new Error(`index ${n}: a PC has 4 serial ports of its own (index 0 to 3); give iobase, irq and an index`);
    const [port, interrupt] = [iobase === CHOOSE ? PORTS[n]! : iobase & 0xffff, irq === CHOOSE ? IRQS[n]! : irq];
    dev.decided({ index: n, iobase: port, irq: interrupt });
    const line = isa.irq(interrupt);
    dev.onUnrealize(() => line(false));
    const uart = wireUart(dev, chardev, line);
    isa.io.add(port, dev.region("serial", uart, { size: 8, maxAccess: 1 }));
    return uart;
  },
});
