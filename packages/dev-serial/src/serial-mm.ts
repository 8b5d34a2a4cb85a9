import { z } from "zod";
import { onOff, u32, u8 } from "@mimus/qom";
import { defineDevice } from "@mimus/machine-core";
import type { DeviceType } from "@mimus/machine-core";
import type { CharBackend, CharFrontend } from "@mimus/chardev";
import { Uart } from "./uart.ts";

/** A 16550A serial port in memory space. */
export const serialMm: DeviceType = defineDevice({
  name: "serial-mm",
  parent: "sysbus-device",
  summary: "16550A serial port in memory space",
  userCreatable: false,
  props: z.strictObject({
    chardev: z.string().optional().describe("ID of a chardev to use as a backend").meta({ link: "chardev" }),
    regshift: u8.default(0).describe("log2 of the register stride, bytes"),
    baudbase: u32.default(115200).describe("kept, not timed"),
    endianness: u8.default(0).describe("byte order of the registers; they are bytes, so any order reads the same"),
    wakeup: onOff.default(false).describe("accepted; nothing suspends"),
  }),
  realize({ chardev, regshift }, dev) {
    const irq = dev.irq("sysbus-irq");
    const backend = dev.link<CharBackend>(chardev, "chardev");
    const one = new Uint8Array(1);
    const uart = new Uart({
      irq: (level) => irq.set(level),
      transmit: (byte) => {
        if (backend === undefined) return true;
        one[0] = byte;
        return backend.write(one) === 1;
      },
      receiveReady: () => backend?.frontendReady?.(),
    });
    const frontend: CharFrontend = {
      canReceive: () => uart.room(),
      receive: (bytes) => {
        for (const byte of bytes) uart.receive(byte);
      },
      event: (what) => {
        if (what === "break") uart.receiveBreak();
      },
      writable: () => uart.transmitReady(),
    };
    if (backend !== undefined) {
      backend.attach(frontend);
      dev.onUnrealize(() => backend.detach(frontend));
    }
    dev.region("serial", uart, { size: 8, shift: regshift });
    dev.stateful(uart);
    return uart;
  },
});
