import type { ConfigStore } from "../config.ts";
import { KEY } from "../config.ts";
import { bootRom } from "./rom.ts";
import { elf32, isElf } from "./elf.ts";
import { linuxImage, isLinux } from "./linux.ts";
import { multibootHeader, multibootImage } from "./multiboot.ts";
import { pvhEntry, pvhImage } from "./pvh.ts";
import { BoardError } from "../errors.ts";
import type { KernelImage, LoaderInput, Piece, ScatteredPiece } from "./image.ts";

/** The kernel in whichever of the forms that a PC starts. @throws BoardError */
export function kernelImage(input: LoaderInput): KernelImage {
  const { kernel } = input;
  if (isLinux(kernel)) return linuxImage(input);
  const header = multibootHeader(kernel);
  if (header !== undefined) return multibootImage(input, header);
  if (isElf(kernel)) {
    const elf = elf32(kernel, input.lowRam);
    const entry = pvhEntry(kernel);
    if (entry !== undefined) return pvhImage(input, elf, entry);
    throw new BoardError("bad-image", "-kernel: this ELF file has neither a multiboot header nor a PVH entry point");
  }
  return linuxImage(input);
}

/** A PC tells its guest what it has by ACPI. @throws BoardError for a `-dtb` */
export function refuseDeviceTree(dtb: Uint8Array | undefined): void {
  if (dtb !== undefined) throw new BoardError("bad-option", "-dtb: a PC has no device tree; leave it out");
}

/** Name of the option ROM in the configuration device; firmware boots from it when it comes first. */
export const ROM_FILE = "linuxboot_dma.bin";

/** Puts a kernel into the configuration device, and the option ROM that starts it. */
export function addKernel(store: ConfigStore, image: KernelImage): void {
  const put = (address: number, size: number, data: number, piece: Piece | ScatteredPiece | undefined): void => {
    store.addU32(address, piece?.address ?? 0);
    store.addU32(size, piece?.bytes.length ?? 0);
    store.add(data, piece?.bytes ?? new Uint8Array(0));
  };
  put(KEY.setupAddress, KEY.setupSize, KEY.setupData, image.setup);
  put(KEY.kernelAddress, KEY.kernelSize, KEY.kernelData, image.kernel);
  put(KEY.cmdlineAddress, KEY.cmdlineSize, KEY.cmdlineData, image.commandLine);
  put(KEY.initrdAddress, KEY.initrdSize, KEY.initrdData, image.initrd);
  store.addU32(KEY.kernelEntry, image.entry);
  store.addFile({ name: `genroms/${ROM_FILE}`, bytes: bootRom(image.mode) });
}
