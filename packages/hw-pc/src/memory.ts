import { MemoryRegion } from "@mimus/machine-core";
import type { Device, MachineBuilder, RamBlock } from "@mimus/machine-core";
import { BoardError } from "./errors.ts";
import { BIOS_MAX, FLASH_MAX, FLASH_SECTOR, HIGH_RAM, ISA_BIOS_END, ISA_BIOS_MAX, OPTION_ROM } from "./memmap.ts";
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

/** A flash bank as the board wires it. */
interface Flash {
  readonly device: Device;
  readonly size: number;
}

/** What the board needs of a drive that holds flash. */
interface FlashDrive {
  readonly size: number;
}

/** Flash with the BIOS instead of ROM: bank 0 ends at 4 GiB, bank 1 below it. @throws BoardError for drives of wrong sizes */
function addFlash(m: MachineBuilder, drives: readonly (string | undefined)[]): Flash[] {
  if (drives[0] === undefined) throw new BoardError("bad-option", "pflash1 requires pflash0");
  if (m.registry.get("cfi.pflash01") === undefined)
    throw new BoardError("missing-device", "-drive if=pflash: no package with flash ('cfi.pflash01') is installed");
  let end = HIGH_RAM;
  const banks: Flash[] = [];
  for (const [n, drive] of drives.entries()) {
    if (drive === undefined) continue;
    const found = m.backend("drive", drive) as FlashDrive | undefined;
    if (found === undefined) throw new BoardError("bad-option", `pflash${n}=${drive}: there is no drive '${drive}'`);
    const { size } = found;
    if (size === 0 || size % FLASH_SECTOR !== 0)
      throw new BoardError(
        "bad-image",
        `system firmware block device ${drive} has invalid size ${size}: its size must be a non-zero multiple of 0x1000`,
      );
    if (HIGH_RAM - end + size > FLASH_MAX)
      throw new BoardError("bad-image", `combined size of system firmware exceeds ${FLASH_MAX} bytes`);
    end -= size;
    const device = m.createDevice(
      "cfi.pflash01",
      {
        ...{ drive, name: `system.flash${n}`, "num-blocks": size / FLASH_SECTOR, "sector-length": FLASH_SECTOR },
        ...{ width: 1, id0: 0, id1: 0 },
      },
      { name: `system.flash${n}`, parentPath: "/machine", realize: true },
    );
    const [region] = device.regions;
    if (region !== undefined) m.system.root.add(end, region);
    banks.push({ device, size });
  }
  return banks;
}

/**
 * The BIOS in flash, and a copy of its last 128 KiB below 1 MiB: what the flash held when the machine started.
 * @param drives of bank 0 and bank 1
 */
export function addFlashRoms(
  m: MachineBuilder,
  into: MemoryRegion,
  drives: readonly (string | undefined)[],
): RomMemory {
  const [{ device, size }] = addFlash(m, drives) as [Flash, ...Flash[]];
  const options = m.memory.ram("pc.rom", OPTION_ROM.size);
  into.add(OPTION_ROM.base, MemoryRegion.rom("pc.rom", options), 1);
  const shown = Math.min(size, ISA_BIOS_MAX);
  const copy = m.memory.ram("isa-bios", shown);
  into.add(ISA_BIOS_END - shown, MemoryRegion.rom("isa-bios", copy), 1);
  const bank = (device.impl as { readonly array: Uint8Array }).array;
  let copied = false;
  return {
    install() {
      clear(options);
      if (copied) return;
      copied = true;
      copy.bytes.set(bank.subarray(size - shown, size));
      copy.dirty.mark(0, shown);
    },
  };
}

function clear(block: RamBlock): void {
  block.bytes.fill(0);
  block.dirty.mark(0, block.size);
}
