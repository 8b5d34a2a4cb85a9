import { MemoryRegion } from "@mimus/machine-core";
import type { MachineBuilder, RamBlock } from "@mimus/machine-core";
import { BoardError } from "./errors.ts";
import { BIOS_MAX, HIGH_RAM, ISA_BIOS_END, ISA_BIOS_MAX, OPTION_ROM } from "./memmap.ts";
import type { RamSplit } from "./memmap.ts";

/** RAM of a PC. */
export interface PcRam {
  readonly block: RamBlock;
  readonly region: MemoryRegion;
}

/** Allocates RAM and shows it below and above 4 GiB. */
export function addRam(m: MachineBuilder, split: RamSplit): PcRam {
  const block = m.memory.ram("pc.ram", split.below + split.above);
  const region = MemoryRegion.ram("pc.ram", block);
  const { root } = m.system;
  root.add(0, MemoryRegion.alias("ram-below-4g", region, 0, split.below));
  if (split.above > 0) root.add(HIGH_RAM, MemoryRegion.alias("ram-above-4g", region, split.below, split.above));
  return { block, region };
}

/** Memory that comes with its contents: what each reset puts back. */
export interface RomMemory {
  install(): void;
}

/**
 * The BIOS below 4 GiB and its last 128 KiB below 1 MiB, and the memory for option ROMs. With PCI these lie in PCI memory,
 * where the host bridge's PAM registers show or hide them; without, firmware writes them as RAM.
 */
export function addRoms(
  m: MachineBuilder,
  into: MemoryRegion,
  image: Uint8Array | undefined,
  writable: boolean,
): RomMemory {
  const make = writable ? MemoryRegion.ram : MemoryRegion.rom;
  const options = m.memory.ram("pc.rom", OPTION_ROM.size);
  into.add(OPTION_ROM.base, make("pc.rom", options), 1);
  if (image === undefined) return { install: () => clear(options) };
  if (image.length === 0 || image.length % 65536 !== 0 || image.length > BIOS_MAX)
    throw new BoardError(
      "bad-image",
      `-bios: the image has ${image.length} bytes; a PC's BIOS is a multiple of 64 KiB, at most ${BIOS_MAX / 2 ** 20} MiB`,
    );
  const bios = m.memory.ram("pc.bios", image.length);
  const region = make("pc.bios", bios);
  const shown = Math.min(image.length, ISA_BIOS_MAX);
  into.add(ISA_BIOS_END - shown, MemoryRegion.alias("isa-bios", region, image.length - shown, shown), 1);
  into.add(HIGH_RAM - image.length, region);
  return {
    install() {
      clear(options);
      bios.bytes.set(image);
      bios.dirty.mark(0, image.length);
    },
  };
}

function clear(block: RamBlock): void {
  block.bytes.fill(0);
  block.dirty.mark(0, block.size);
}
