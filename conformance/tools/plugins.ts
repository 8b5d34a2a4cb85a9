/** Every plugin that the RISC-V boards use. */
import block from "@mimus/block";
import pci from "@mimus/bus-pci";
import virtioBus from "@mimus/bus-virtio";
import flash from "@mimus/dev-flash";
import irqchip from "@mimus/dev-irqchip";
import misc from "@mimus/dev-misc";
import serial from "@mimus/dev-serial";
import timer from "@mimus/dev-timer";
import virtio from "@mimus/dev-virtio";
import virt from "@mimus/hw-virt";
import { Registry } from "@mimus/qom";
import riscv from "@mimus/target-riscv";

export function riscvRegistry(): Registry {
  const registry = new Registry();
  for (const plugin of [riscv, virt, serial, irqchip, timer, misc, flash, virtioBus, pci, virtio, block])
    registry.use(plugin);
  return registry;
}
