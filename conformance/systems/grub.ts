/** Puts GRUB into a disk image as its `grub-bios-setup` does, without a device: boot.img into the MBR, core.img after it. */
import { spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";

const SECTOR = 512;
/** Fields of boot.img (GRUB 2.06, `grub-core/boot/i386/pc/boot.S`, its exported offsets). */
const KERNEL_SECTOR = 0x5c;
const BOOT_DRIVE = 0x64;
const DRIVE_CHECK = 0x66;
/** The MBR's code ends where the disk's signature begins. */
const CODE_END = 440;
/** The last entry of the block list in core.img's first sector: start, length, segment. */
const BLOCK_LIST = SECTOR - 12;

/** Arguments of `grub-mkimage` but for folders: where its files are, and modules to find them. */
export const GRUB_IMAGE: readonly string[] = [
  "-O", "i386-pc", "-p", "(hd0,msdos1)/boot/grub", "biosdisk", "part_msdos", "ext2",
]; // prettier-ignore

/** Bytes that a disk has at an offset. */
export interface Placed {
  readonly at: number;
  readonly bytes: Buffer;
}

/** What is written to a disk whose first partition starts at sector 2048. */
export function corePlaces(boot: Buffer, core: Buffer): readonly Placed[] {
  const sectors = Math.ceil(core.length / SECTOR);
  if (sectors > 2047) throw new Error(`core.img has ${sectors} sectors, 2047 fit before the partition`);
  const code = Buffer.from(boot.subarray(0, CODE_END));
  code.writeBigUInt64LE(1n, KERNEL_SECTOR);
  code[BOOT_DRIVE] = 0xff; // the drive that the BIOS booted from
  code.fill(0x90, DRIVE_CHECK, DRIVE_CHECK + 2); // a hard disk: take DL where it names one
  const image = Buffer.from(core);
  image.writeBigUInt64LE(2n, BLOCK_LIST);
  image.writeUInt16LE(sectors - 1, BLOCK_LIST + 8);
  image.writeUInt16LE(0x820, BLOCK_LIST + 10);
  return [
    { at: 0, bytes: code },
    { at: SECTOR, bytes: image },
  ];
}

/**
 * @param disk raw image with an MBR whose first partition starts at sector 2048
 * @param modules folder with boot.img and GRUB's modules
 * @param work folder for the core image
 */
export function installGrub(disk: string, modules: string, work: string): void {
  const core = join(work, "core.img");
  const made = spawnSync("grub-mkimage", ["-d", modules, "-o", core, ...GRUB_IMAGE], { encoding: "utf8" });
  if (made.status !== 0) throw new Error(`grub-mkimage: ${made.stderr}`);
  const file = openSync(disk, "r+");
  try {
    for (const { at, bytes } of corePlaces(readFileSync(join(modules, "boot.img")), readFileSync(core)))
      writeSync(file, bytes, 0, bytes.length, at);
  } finally {
    closeSync(file);
  }
}
