import { AddressSpace, MemoryRegion } from "@mimus/machine-core";

/** What PAM registers govern: 32 KiB pieces of C0000h..EFFFFh in 16 KiB steps, and F0000h..FFFFFh. */
interface Segment {
  readonly at: number;
  readonly size: number;
  /** Offset of its register in configuration space, and where its two bits are. */
  readonly register: number;
  readonly shift: number;
}

/** First of the seven registers. */
const PAM = 0x59;

const SEGMENTS: readonly Segment[] = [
  ...Array.from({ length: 12 }, (_, i) => ({
    at: 0xc_0000 + i * 0x4000,
    size: 0x4000,
    register: PAM + 1 + (i >> 1),
    shift: (i & 1) * 4,
  })),
  { at: 0xf_0000, size: 0x1_0000, register: PAM, shift: 4 },
];

const READ = 1;
const WRITE = 2;

/**
 * Shadow memory: whether reads and writes of the segments below 1 MiB go to memory or to PCI, where ROMs are.
 * Source: Intel 82441FX data sheet (290549-001), 3.2.18.
 */
export class ShadowMemory {
  readonly #pci: MemoryRegion;
  readonly #ram: MemoryRegion;
  readonly #system: MemoryRegion;
  /** The PCI side by itself, to find what a segment shows. */
  readonly #pciSpace: AddressSpace;
  readonly #shown: (MemoryRegion | undefined)[] = [];
  readonly #modes: number[] = [];

  constructor(pci: MemoryRegion, ram: MemoryRegion, system: MemoryRegion) {
    this.#pci = pci;
    this.#ram = ram;
    this.#system = system;
    this.#pciSpace = new AddressSpace("pci", pci);
  }

  /** Makes the memory map follow the registers; `config` is configuration space. */
  update(config: Uint8Array): void {
    for (const [i, segment] of SEGMENTS.entries()) {
      const mode = ((config[segment.register] ?? 0) >> segment.shift) & (READ | WRITE);
      if (this.#modes[i] === mode) continue;
      this.#modes[i] = mode;
      const old = this.#shown[i];
      const region = this.#region(segment, mode);
      this.#system.add(segment.at, region, 1);
      if (old !== undefined) this.#system.remove(old);
      this.#shown[i] = region;
    }
  }

  #region({ at, size }: Segment, mode: number): MemoryRegion {
    if (mode === 0) return MemoryRegion.alias("pam-pci", this.#pci, at, size);
    if (mode === WRITE) return this.#copying(at, size);
    const region = MemoryRegion.alias(mode === READ ? "pam-rom" : "pam-ram", this.#ram, at, size);
    region.setReadonly(mode === READ);
    return region;
  }

  /** Reads come from PCI and writes go to memory: firmware copies itself so. */
  #copying(at: number, size: number): MemoryRegion {
    const range = this.#pciSpace.lookup(at);
    const ram = this.#ram.block;
    if (ram === undefined || range?.block === undefined || range.end < at + size)
      return MemoryRegion.alias("pam-pci", this.#pci, at, size);
    const from = range.regionOffset + (at - range.base);
    const { view } = ram.memory;
    const device = MemoryRegion.romDevice("pam-copy", range.block, {
      read: () => 0,
      write: (offset, width, value) => {
        const to = at + offset - from;
        for (let i = 0; i < width; i++) view.setUint8(ram.offset + to + i, value >>> (8 * i));
        ram.dirty.mark(to, width);
      },
    });
    return MemoryRegion.alias("pam-copy", device, from, size);
  }
}
