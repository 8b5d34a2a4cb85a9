/** Puts GRUB into a disk image as its `grub-bios-setup` does, without a device: boot.img into the MBR, core.img after it. */
import { spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync, readSync, writeSync } from "node:fs";
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

/**
 * @param disk raw image with an MBR whose first partition starts at sector 2048
 * @param modules folder with boot.img and GRUB's modules
 * @param work folder for the core image
 */
export function installGrub(disk: string, modules: string, work: string): void {
  const corePath = join(work, "core.img");
  const made = spawnSync(
    "grub-mkimage",
    ["-O", "i386-pc", "-d", modules, "-p", "(hd0,msdos1)/boot/grub", "-o", corePath, "biosdisk", "part_msdos", "ext2"],
    { encoding: "utf8" },
  );
  if (made.status !== 0) throw new Error(`grub-mkimage: ${made.stderr}`);
  const boot = readFileSync(join(modules, "boot.img"));
  const core = readFileSync(corePath);
  const sectors = Math.ceil(core.length / SECTOR);
  if (sectors > 2047) throw new Error(`core.img has ${sectors} sectors, 2047 fit before the partition`);
  const file = openSync(disk, "r+");
  try {
    const mbr = Buffer.alloc(SECTOR);
    readSync(file, mbr, 0, SECTOR, 0);
    boot.copy(mbr, 0, 0, CODE_END);
    mbr.writeBigUInt64LE(1n, KERNEL_SECTOR);
    mbr[BOOT_DRIVE] = 0xff; // the drive that the BIOS booted from
    mbr.fill(0x90, DRIVE_CHECK, DRIVE_CHECK + 2); // a hard disk: take DL where it names one
    core.writeBigUInt64LE(2n, BLOCK_LIST);
    core.writeUInt16LE(sectors - 1, BLOCK_LIST + 8);
    core.writeUInt16LE(0x820, BLOCK_LIST + 10);
    writeSync(file, mbr, 0, SECTOR, 0);
    writeSync(file, core, 0, core.length, SECTOR);
  } finally {
    closeSync(file);
  }
}
