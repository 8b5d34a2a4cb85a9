import type { DeviceType } from "@mimus/machine-core";
import { defineDevice } from "@mimus/machine-core";
import { onOff } from "@mimus/qom";
import { z } from "zod";
import { VIRTIO_BUS } from "./bus.ts";
import { MmioTransport } from "./mmio.ts";

/** A slot for one virtio device on memory-mapped registers (512 bytes). Its bus is `virtio-mmio-bus.N`, N counting from 0. */
export const virtioMmio: DeviceType = defineDevice({
  name: "virtio-mmio",
  parent: "sysbus-device",
  summary: "virtio over memory-mapped registers",
  userCreatable: false,
  props: z.strictObject({
    "force-legacy": onOff.default(true).describe("register layout of version 1 instead of 2"),
    format_transport_address: onOff.default(true).describe("accepted"),
    ioeventfd: onOff.default(true).describe("accepted"),
  }),
  realize(props, dev) {
    const transport = new MmioTransport(dev.irq("irq"), {
      legacy: props["force-legacy"],
      guestError: (m) => dev.guestError(m),
    });
    dev.region("regs", transport, { size: 0x200 });
    dev.stateful(transport, "mmio");
    let n = 0;
    while (dev.machine.findBus(`virtio-mmio-bus.${n}`) !== undefined) n++;
    dev.bus(`virtio-mmio-bus.${n}`, VIRTIO_BUS, transport);
    return transport;
  },
});
