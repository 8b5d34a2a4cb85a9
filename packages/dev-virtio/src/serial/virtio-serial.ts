import type { CharBackend } from "@mimus/chardev";
import type { DeviceType } from "@mimus/machine-core";
import { defineDevice } from "@mimus/machine-core";
import { onOff, u32 } from "@mimus/qom";
import { z } from "zod";
import type { VirtioFamily } from "../family.ts";
import { defineFamily } from "../family.ts";
import { VirtioSerial } from "./chip.ts";
import { SerialPort } from "./port.ts";

/** Type of the bus that ports plug into. */
const SERIAL_BUS = "virtio-serial-bus";
const AUTO = 0xffffffff;

/** virtio-serial: a bus for consoles and ports. */
export const virtioSerial: VirtioFamily = defineFamily({
  name: "virtio-serial",
  summary: "virtio serial bus for consoles and ports",
  props: {
    max_ports: u32.default(31).describe("most ports, 1..511"),
    "emergency-write": onOff.default(true).describe("offer the emergency register"),
  },
  pciClass: 0x078000,
  realize(p, dev) {
    if (p.max_ports < 1 || p.max_ports > 511)
      throw new Error(`property 'max_ports' is ${p.max_ports}; it lies in 1..511`);
    const chip = new VirtioSerial(p.max_ports, p["emergency-write"]);
    dev.bus(
      busName(dev.parentBus?.owner.id || dev.id, (n) => dev.machine.findBus(n) !== undefined),
      SERIAL_BUS,
      chip,
    );
    return chip;
  },
});

/** "ID.0" for a device with an id, else the next free "virtio-serial-bus.N". */
function busName(id: string, taken: (name: string) => boolean): string {
  if (id !== "") return `${id}.0`;
  let n = 0;
  while (taken(`${SERIAL_BUS}.${n}`)) n++;
  return `${SERIAL_BUS}.${n}`;
}

function portType(name: string, summary: string, console: boolean): DeviceType {
  return defineDevice({
    name,
    summary,
    bus: SERIAL_BUS,
    props: z.strictObject({
      chardev: z.string().optional().describe("id of the chardev").meta({ link: "chardev" }),
      name: z.string().max(200).optional().describe("name that the guest sees"),
      nr: u32.default(AUTO).describe("number of the port; the next free one when not given"),
    }),
    realize(p, dev) {
      const serial = dev.parentBus?.impl as VirtioSerial;
      const nr = p.nr === AUTO ? serial.freeNumber(console) : p.nr;
      if (nr === undefined || nr >= serial.maxPorts)
        throw new Error(`no port number free: the device has max_ports=${serial.maxPorts}`);
      if (serial.has(nr)) throw new Error(`port number ${nr} is already in use; leave 'nr' out for the next free one`);
      if (nr === 0 && !console) throw new Error("port number 0 is for consoles: give another 'nr'");
      const chardev = dev.link<CharBackend>(p.chardev, "chardev");
      const port = new SerialPort(serial, { nr, console, name: p.name ?? "", chardev });
      serial.add(port);
      dev.onUnrealize(() => {
        port.detach();
        serial.remove(port);
      });
      port.attach();
      return port;
    },
  });
}

/** A console: hvc0 in a Linux guest. */
export const virtconsole: DeviceType = portType("virtconsole", "console on a virtio serial bus", true);
/** A port: /dev/virtio-ports/NAME in a Linux guest. */
export const virtserialport: DeviceType = portType("virtserialport", "port on a virtio serial bus", false);
