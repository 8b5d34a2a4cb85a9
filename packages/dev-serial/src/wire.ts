import type { CharBackend, CharFrontend } from "@mimus/chardev";
import type { DeviceContext, IrqSink } from "@mimus/machine-core";
import { Uart } from "./uart.ts";

/** Makes the chip of a serial port between its interrupt and its character device, and its state the device's. */
export function wireUart(dev: DeviceContext, chardev: string | undefined, irq: IrqSink): Uart {
  const backend = dev.link<CharBackend>(chardev, "chardev");
  const one = new Uint8Array(1);
  const uart = new Uart({
    irq,
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
  dev.stateful(uart);
  return uart;
}
