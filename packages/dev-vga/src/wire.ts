import { DISPLAY_KIND, DisplayConsole } from "@mimus/display";
import type { DeviceContext, RamBlock, Registers } from "@mimus/machine-core";
import { MemoryRegion } from "@mimus/machine-core";
import { Vga } from "./vga.ts";

const MIB = 2 ** 20;
/** Video memory that cards have. */
const MOST_MIB = 256;

/** Bytes of video memory for a number of MiB: the next power of two. @throws for more than a card has */
export function vramBytes(mib: number): number {
  if (mib > MOST_MIB) throw new Error(`vgamem_mb=${mib}: a card has 1 to ${MOST_MIB} MiB of video memory`);
  return 2 ** Math.ceil(Math.log2(Math.max(1, mib))) * MIB;
}

/** Video memory of a device. A device that comes again at its place takes its old memory: it is never given back. */
export function videoMemory(dev: DeviceContext, size: number): RamBlock {
  const { memory } = dev.machine;
  const label = `${dev.path}/vga.vram`;
  return memory.blocks.find((b) => b.name === label && b.size === size) ?? memory.ram(label, size);
}

/** A screen of the machine, which goes when the device goes. */
export function addConsole(dev: DeviceContext, name: string): DisplayConsole {
  const { machine } = dev;
  let n = 0;
  while (machine.backend(DISPLAY_KIND, String(n)) !== undefined) n++;
  const console = new DisplayConsole(name);
  machine.registerBackend(DISPLAY_KIND, String(n), console);
  dev.onUnrealize(() => machine.unregisterBackend(DISPLAY_KIND, String(n)));
  return console;
}

/** First port and number of ports of a VGA. */
const PORTS: readonly (readonly [first: number, count: number])[] = [
  [0x3b4, 2],
  [0x3ba, 1],
  [0x3c0, 16],
  [0x3d4, 2],
  [0x3da, 1],
];

/** Makes the chip and puts its legacy window and ports where every PC has them. Region 0 is the window. */
export function wireVga(
  dev: DeviceContext,
  block: RamBlock,
  spaces: { readonly memory: MemoryRegion; readonly io: MemoryRegion },
): Vga {
  const plain = MemoryRegion.ram("vga.vram", block);
  let shown: MemoryRegion | undefined;
  let key = "";
  const place = (): void => {
    const direct = vga.memory.direct();
    const now = direct === undefined ? "" : direct.join();
    if (now === key) return;
    key = now;
    if (shown !== undefined) window.remove(shown);
    shown = undefined;
    if (direct === undefined) return;
    const [at, from, size] = direct;
    shown = MemoryRegion.alias("vga.chain4", plain, from, size);
    window.add(at, shown, 2);
  };
  const vga: Vga = new Vga(block, { now: () => dev.now(), windowChanged: () => placed && place() });
  let placed = false;
  const window = dev.region("vga-lowmem", vga.memory, { size: 0x20000, unaligned: true });
  placed = true;
  spaces.memory.add(0xa0000, window, 1);
  const { ports, dispi } = vga;
  for (const [first, count] of PORTS) {
    const regs: Registers = {
      read: (at) => ports.read(first + at),
      write: (at, _size, value) => ports.write(first + at, value & 0xff),
    };
    spaces.io.add(first, dev.region("vga", regs, { size: count, maxAccess: 1 }));
  }
  // Index and data are 16-bit ports one beside the other, so their bytes overlap.
  const vbe: Registers = {
    read: (at, size) => {
      const value = at === 0 ? dispi.readIndex() : at < 3 ? dispi.readData() : 0;
      return size === 1 ? value & 0xff : value;
    },
    write: (at, _size, value) => {
      if (at === 0) dispi.writeIndex(value & 0xffff);
      else if (at < 3) dispi.writeData(value & 0xffff);
    },
  };
  spaces.io.add(0x1ce, dev.region("vbe", vbe, { size: 4, unaligned: true }));
  dev.stateful(vga, "vga");
  dev.stateful(vga.dispi, "dispi");
  dev.onUnrealize(() => {
    placed = false;
    if (shown !== undefined) window.remove(shown);
  });
  return vga;
}
