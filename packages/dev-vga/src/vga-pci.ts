import { addOptionRom, pciDevice, PciFunction } from "@mimus/bus-pci";
import type { PciProps } from "@mimus/bus-pci";
import { defineDevice, MemoryRegion } from "@mimus/machine-core";
import type { DeviceType } from "@mimus/machine-core";
import { onOff, size, u32 } from "@mimus/qom";
import { z } from "zod";
import { Dispi } from "./dispi.ts";
import { edid } from "./edid.ts";
import { linearPicture } from "./graphics.ts";
import { MMIO_SIZE, VgaMmio } from "./mmio.ts";
import { blank } from "./picture.ts";
import { Screen } from "./screen.ts";
import { addConsole, videoMemory, vramBytes, wireVga } from "./wire.ts";

/** Who the card says it is. Source: QEMU, docs/specs/standard-vga.rst; PCI class codes of PCI Local Bus 3.0, appendix D. */
const VENDOR = 0x1234;
const DEVICE = 0x1111;
const SUBSYSTEM = { subsystemVendor: 0x1af4, subsystem: 0x1100 } as const;
/** The mode that the monitor likes when the user says nothing. */
const PREFERRED = { width: 1280, height: 800, refresh: 75 } as const;

const monitorProps = {
  edid: onOff.default(true).describe("the monitor identifies itself"),
  xres: u32.default(0).describe("pixels across of the preferred mode; 0: 1280"),
  yres: u32.default(0).describe("lines of the preferred mode; 0: 800"),
  xmax: u32.default(0).describe("accepted"),
  ymax: u32.default(0).describe("accepted"),
  refresh_rate: u32.default(0).describe("Hz of the preferred mode; 0: 75"),
} as const;

interface MonitorProps {
  readonly edid: boolean;
  readonly xres: number;
  readonly yres: number;
  readonly refresh_rate: number;
}

function identification(p: MonitorProps): Uint8Array {
  if (!p.edid) return new Uint8Array(0);
  const within = (n: number, most: number): number => Math.max(64, Math.min(n, most));
  return edid({
    width: within(p.xres || PREFERRED.width, 4088),
    height: within(p.yres || PREFERRED.height, 4095),
    refresh: within(p.refresh_rate || PREFERRED.refresh, 240),
  });
}

/** The standard VGA of PCs: the VGA's ports and window, any mode through the display interface of Bochs, all memory in BAR 0. */
export const vgaPci: DeviceType = defineDevice({
  name: "VGA",
  parent: pciDevice,
  summary: "VGA with VESA BIOS extensions",
  props: z.strictObject({
    vgamem_mb: u32.default(16).describe("MiB of video memory"),
    mmio: onOff.default(true).describe("registers in memory space, BAR 2"),
    "qemu-extended-regs": onOff.default(true).describe("register for the byte order of pixels"),
    "global-vmstate": onOff.default(false).describe("accepted"),
    "big-endian-framebuffer": onOff.default(false).describe("accepted; pixels are little-endian"),
    ...monitorProps,
  }),
  realize(props, dev) {
    const p = props as typeof props & PciProps;
    const f = new PciFunction(
      dev,
      { vendor: VENDOR, device: DEVICE, class: 0x030000, revision: p["qemu-extended-regs"] ? 2 : 0, ...SUBSYSTEM },
      { multifunction: p.multifunction },
    );
    dev.decided({ xres: p.xres || PREFERRED.width, yres: p.yres || PREFERRED.height });
    const block = videoMemory(dev, vramBytes(p.vgamem_mb));
    const vga = wireVga(dev, block, f.bus);
    const vram = MemoryRegion.ram("vga.vram", block);
    dev.addRegion(vram);
    f.addBar(0, vram, { kind: "mem32", prefetch: true });
    if (p.mmio) {
      const mmio = new VgaMmio({
        edid: identification(p),
        ports: vga.ports,
        dispi: vga.dispi,
        extended: p["qemu-extended-regs"],
      });
      f.addBar(2, dev.region("vga.mmio", mmio, { size: MMIO_SIZE }), { kind: "mem32" });
    }
    addOptionRom(f, dev, p, "vgabios-stdvga.bin");
    vga.attach(addConsole(dev, dev.id === "" ? "vga" : dev.id));
    vga.reset();
    f.seal();
    return vga;
  },
});

/** A display without the VGA's past: the same memory and registers, no ports, no window, no text. */
export const bochsDisplay: DeviceType = defineDevice({
  name: "bochs-display",
  parent: pciDevice,
  summary: "framebuffer with the display interface of Bochs",
  props: z.strictObject({
    vgamem: size.default(16 * 2 ** 20).describe("bytes of video memory"),
    "big-endian-framebuffer": onOff.default(false).describe("accepted; pixels are little-endian"),
    ...monitorProps,
  }),
  realize(props, dev) {
    const p = props as typeof props & PciProps;
    const f = new PciFunction(
      dev,
      { vendor: VENDOR, device: DEVICE, class: 0x038000, revision: 2, ...SUBSYSTEM },
      { multifunction: p.multifunction },
    );
    const block = videoMemory(dev, vramBytes(Math.ceil(p.vgamem / 2 ** 20)));
    let version = 0;
    const dispi = new Dispi(block.size, {
      switched: () => {},
      windowChanged: () => {},
      changed: () => void version++,
    });
    const vram = MemoryRegion.ram("bochs-display-vram", block);
    dev.addRegion(vram);
    f.addBar(0, vram, { kind: "mem32", prefetch: true });
    const mmio = new VgaMmio({ edid: identification(p), dispi, extended: true });
    f.addBar(2, dev.region("bochs-display-mmio", mmio, { size: MMIO_SIZE }), { kind: "mem32" });
    addOptionRom(f, dev, p, "vgabios-bochs-display.bin");
    const none = new Uint32Array(256);
    const mode = (): ReturnType<() => Dispi["mode"]> => {
      const now = dispi.mode;
      return now !== undefined && now.bpp >= 15 ? now : undefined;
    };
    const memory = { bytes: block.bytes, byte: () => 0, word: () => 0 };
    new Screen(addConsole(dev, dev.id === "" ? "bochs-display" : dev.id), block, {
      picture: () => {
        const now = mode();
        return now === undefined ? blank(640, 480) : linearPicture(now, memory, none, none);
      },
      version: () => version,
      lines: mode,
    });
    dev.stateful(dispi, "dispi");
    f.seal();
    return dispi;
  },
});
