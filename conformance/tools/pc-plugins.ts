/** Every plugin that the PC boards use. */
import { readFileSync, existsSync } from "node:fs";
import block from "@mimus/block";
import isa from "@mimus/bus-isa";
import pci from "@mimus/bus-pci";
import virtioBus from "@mimus/bus-virtio";
import fdc from "@mimus/dev-fdc";
import ide from "@mimus/dev-ide";
import irqchip from "@mimus/dev-irqchip";
import misc from "@mimus/dev-misc";
import parallel from "@mimus/dev-parallel";
import piix from "@mimus/dev-piix";
import ps2 from "@mimus/dev-ps2";
import serial from "@mimus/dev-serial";
import timer from "@mimus/dev-timer";
import vga from "@mimus/dev-vga";
import virtio from "@mimus/dev-virtio";
import pc from "@mimus/hw-pc";
import type { FirmwareFiles } from "@mimus/machine-core";
import { Registry } from "@mimus/qom";
import x86 from "@mimus/target-x86";

export function pcRegistry(): Registry {
  const registry = new Registry();
  for (const plugin of [
    x86,
    pc,
    isa,
    piix,
    serial,
    parallel,
    fdc,
    ide,

    ps2,
    vga,
    irqchip,
    timer,
    misc,
    virtioBus,
    pci,
    virtio,
    block,
  ])
    registry.use(plugin);
  return registry;
}

/** Firmware where Debian's packages put it. */
export const firmware: FirmwareFiles = {
  read(name) {
    const found = [name, `/usr/share/seabios/${name}`, `/usr/share/qemu/${name}`, `/usr/lib/ipxe/qemu/${name}`].find(
      (p) => existsSync(p),
    );
    return found === undefined ? undefined : new Uint8Array(readFileSync(found));
  },
};
