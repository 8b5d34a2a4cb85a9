import { IsaBus, isaBusOf, isaDevice } from "@mimus/bus-isa";
import { pciDevice, PciFunction, type PciProps } from "@mimus/bus-pci";
import type { DeviceContext, DeviceType, IrqSink, MemoryRegion } from "@mimus/machine-core";
import { defineDevice } from "@mimus/machine-core";
import { u32 } from "@mimus/qom";
import { z } from "zod";
import { IDE_BUS, IdeBus } from "./bus.ts";
import { BusMaster } from "./bus-master.ts";
import { Channel } from "./channel.ts";

/** Ports and interrupts of the two channels of a PC. */
const LEGACY = [
  { command: 0x1f0, control: 0x3f6, irq: 14 },
  { command: 0x170, control: 0x376, irq: 15 },
] as const;

/** Makes a channel with its bus, and shows its registers at these ports. */
function channel(dev: DeviceContext, io: MemoryRegion, irq: IrqSink, command: number, control: number): Channel {
  const it = new Channel(irq);
  dev.onUnrealize(() => irq(false));
  const { machine } = dev;
  let n = 0;
  while (machine.findBus(`ide.${n}`) !== undefined) n++;
  // The data register is 16 bits wide, or 32 by two; all others are bytes.
  const command8 = {
    read(offset: number, size: number): number {
      if (offset === 0) return it.readData(size);
      let value = 0;
      for (let i = 0; i < size; i++) value |= it.read(offset + i) << (8 * i);
      return value >>> 0;
    },
    write(offset: number, size: number, value: number): void {
      if (offset === 0) return it.writeData(size, value);
      for (let i = 0; i < size; i++) it.write(offset + i, (value >>> (8 * i)) & 0xff);
    },
  };
  const alternate = { read: () => it.readAlternate(), write: (_o: number, _s: number, v: number) => it.writeControl(v & 0xff) }; // prettier-ignore
  io.add(command, dev.region(`ide${n}`, command8, { size: 8, maxAccess: 4 }));
  io.add(control, dev.region(`ide${n}-control`, alternate, { size: 1, maxAccess: 1 }));
  dev.bus(`ide.${n}`, IDE_BUS, new IdeBus(it, n));
  dev.stateful(it, `channel${n}`);
  return it;
}

function piix(name: string, device: number, summary: string): DeviceType {
  return defineDevice({
    name,
    parent: pciDevice,
    summary,
    props: z.strictObject({}),
    realize(props, dev) {
      const p = props as unknown as PciProps;
      const isa = dev.machine.findBus("isa.0")?.impl;
      if (!(isa instanceof IsaBus))
        throw new Error(`${name} needs an ISA bus: its channels have the interrupts 14 and 15`);
      const f = new PciFunction(
        dev,
        { vendor: 0x8086, device, revision: 0, class: 0x010180, subsystemVendor: 0x1af4, subsystem: 0x1100 },
        { multifunction: p.multifunction },
      );
      const { config } = f;
      config.set(0x06, 2, 0x0280, 0, 0xf900);
      // Timing registers: both channels are decoded.
      for (let at = 0x40; at < 0x50; at++) config.set(at, 1, at === 0x41 || at === 0x43 ? 0x80 : 0, 0xff);
      const channels = LEGACY.map(({ command, control, irq }) => channel(dev, isa.io, isa.irq(irq), command, control));
      const masters = channels.map((each) => new BusMaster(each, dev.dma));
      masters.forEach((master, n) => dev.stateful(master, `master${n}`));
      const ports = {
        read: (offset: number) => masters[offset >> 3]!.readPort(offset & 7),
        write: (offset: number, _size: number, value: number) =>
          masters[offset >> 3]!.writePort(offset & 7, value & 0xff),
      };
      f.addBar(4, dev.region("bmdma", ports, { size: 16, maxAccess: 1 }), { kind: "io" });
      f.seal();
      return channels;
    },
  });
}

/** The IDE function of PIIX3. Source: Intel 82371SB (PIIX3) data sheet (290550-002), 2.6 and 2.7. */
export const piix3Ide: DeviceType = piix("piix3-ide", 0x7010, "IDE of the PIIX3 chip set");
/** The IDE function of PIIX4. */
export const piix4Ide: DeviceType = piix("piix4-ide", 0x7111, "IDE of the PIIX4 chip set");

/** One channel on the ISA bus, without bus mastering. */
export const isaIde: DeviceType = defineDevice({
  name: "isa-ide",
  parent: isaDevice,
  summary: "IDE channel on the ISA bus",
  props: z.strictObject({
    iobase: u32.default(0x1f0).describe("first port of the command block"),
    iobase2: u32.default(0x3f6).describe("port of the control block"),
    irq: u32.default(14).describe("interrupt"),
  }),
  realize(p, dev) {
    const isa = isaBusOf(dev);
    return [channel(dev, isa.io, isa.irq(p.irq), p.iobase, p.iobase2)];
  },
});
