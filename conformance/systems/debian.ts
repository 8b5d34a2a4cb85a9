/** A Debian system on a disk image with a partition table and GRUB: made by mmdebstrap, as root. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { guestsDirectory } from "../../tools/guests/fetch.ts";
import { installGrub } from "./grub.ts";

export type Architecture = "amd64" | "i386";

/** The files of a system. */
export interface DebianSystem {
  /** A raw image: MBR, GRUB, one ext4 partition from 1 MiB on. */
  readonly disk: string;
  readonly kernel: string;
  readonly initrd: string;
}

export const PASSWORD = "mimus";
/** Where the partition starts, in bytes. */
const PARTITION = 2 ** 20;

const KERNEL = { amd64: "linux-image-cloud-amd64", i386: "linux-image-686" } as const;
const PACKAGES =
  "systemd-sysv udev dbus libpam-systemd kmod login procps iproute2 e2fsprogs stress-ng fio initramfs-tools grub-pc-bin";
const MODULES = ["ata_piix", "sd_mod", "virtio_pci", "virtio_blk", "ext4"];
const SIZE_MIB = 2048;

/** What runs in the new system: a password, a console, modules of the disks only, so that the initrd is small. */
const HOOK = String.raw`set -e
root=$1
echo "root:${PASSWORD}" | chroot "$root" chpasswd
echo mimus-debian > "$root/etc/hostname"
echo "127.0.1.1 mimus-debian" >> "$root/etc/hosts"
echo "LABEL=mimus-root / ext4 errors=remount-ro 0 1" > "$root/etc/fstab"
sed -i 's/^MODULES=.*/MODULES=list/; s/^COMPRESS=.*/COMPRESS=gzip/' "$root/etc/initramfs-tools/initramfs.conf"
printf '%s\n' ${MODULES.join(" ")} >> "$root/etc/initramfs-tools/modules"
chroot "$root" update-initramfs -u -k all
rm -rf "$root"/usr/share/doc/* "$root"/usr/share/man/* "$root"/usr/share/locale/*
`;

/** The kernel's command line but for consoles: machines without an accelerator may need more than systemd's 90 seconds. */
export const COMMAND_LINE =
  "root=LABEL=mimus-root ro systemd.default_timeout_start_sec=900 systemd.default_device_timeout_sec=900";

const GRUB_CONFIG = `serial --unit=0 --speed=115200
terminal_input console serial
terminal_output console serial
set timeout=2
menuentry "Debian" {
  linux /vmlinuz ${COMMAND_LINE} console=tty0 console=ttyS0,115200
  initrd /initrd.img
}
`;

/** Why a system cannot be made here, or undefined. */
export function obstacle(): string | undefined {
  if (process.getuid?.() !== 0) return "making a Debian system needs root rights";
  for (const program of ["mmdebstrap", "mkfs.ext4", "sfdisk", "grub-mkimage"])
    if (spawnSync("which", [program]).status !== 0) return `${program} is missing`;
  return undefined;
}

/** The system, made where it is not there yet or where this recipe has changed (about three minutes). */
export function debianSystem(architecture: Architecture, progress: (line: string) => void): DebianSystem {
  const folder = join(guestsDirectory(), "systems", architecture);
  const system: DebianSystem = {
    disk: join(folder, "disk.img"),
    kernel: join(folder, "vmlinuz"),
    initrd: join(folder, "initrd.img"),
  };
  const recipe = [import.meta.filename, join(import.meta.dirname, "grub.ts")].map((path) => readFileSync(path, "utf8"));
  const stamp = createHash("sha256").update(recipe.join("\n")).digest("hex");
  const stampPath = join(folder, "recipe");
  if (existsSync(stampPath) && readFileSync(stampPath, "utf8") === stamp) return system;
  const reason = obstacle();
  if (reason !== undefined) throw new Error(reason);
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(tmpdir(), "mimus-debian-"));
  try {
    const root = join(work, "root");
    progress(`${architecture}: mmdebstrap`);
    writeFileSync(join(work, "hook"), `#!/bin/sh\n${HOOK}`, { mode: 0o755 });
    const mirror = process.env["DEBIAN_MIRROR"] ?? "http://deb.debian.org/debian";
    run("mmdebstrap", [
      "--variant=apt", "--mode=root", "--format=directory", "--skip=check/qemu", `--architectures=${architecture}`,
      `--include=${[...PACKAGES.split(" "), KERNEL[architecture]].join(",")}`,
      `--customize-hook=${join(work, "hook")} "$1"`, "bookworm", root, mirror,
    ]); // prettier-ignore
    run("cp", ["-L", join(root, "vmlinuz"), system.kernel]);
    run("cp", ["-L", join(root, "initrd.img"), system.initrd]);
    mkdirSync(join(root, "boot/grub"), { recursive: true });
    writeFileSync(join(root, "boot/grub/grub.cfg"), GRUB_CONFIG);
    run("cp", ["-r", join(root, "usr/lib/grub/i386-pc"), join(root, "boot/grub/i386-pc")]);
    progress(`${architecture}: disk image`);
    const disk = `${system.disk}.new`;
    rmSync(disk, { force: true });
    run("truncate", ["-s", `${SIZE_MIB}M`, disk]);
    run("sfdisk", ["-q", disk], "label: dos\nstart=2048, type=83, bootable\n");
    run("mkfs.ext4", [
      "-q", "-F", "-L", "mimus-root", "-E", `offset=${PARTITION}`, "-d", root, disk, `${SIZE_MIB - 2}M`,
    ]); // prettier-ignore
    installGrub(disk, join(root, "usr/lib/grub/i386-pc"), work);
    renameSync(disk, system.disk);
    writeFileSync(stampPath, stamp);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return system;
}

/** Runs a program. @throws Error with the end of what it said. */
function run(program: string, args: readonly string[], input = ""): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    input,
    encoding: "utf8",
    maxBuffer: 2 ** 26,
    env: { ...process.env, LC_ALL: "C" },
  });
  if (status !== 0)
    throw new Error(`${program} failed: ${error?.message ?? ""}${stdout.slice(-500)}${stderr.slice(-1500)}`);
  return stdout;
}

/** A copy of the disk that a guest may write to; holes stay holes. */
export function copyDisk(disk: string, to: string): void {
  run("cp", ["--sparse=always", "--reflink=auto", disk, to]);
}

/** What e2fsck says of the partition, and its exit status: 0 where the file system was unmounted and has no fault. */
export function fsck(disk: string): { status: number; text: string } {
  const { status, stdout, stderr } = spawnSync("e2fsck", ["-f", "-n", `${disk}?offset=${PARTITION}`], {
    encoding: "utf8",
  });
  return { status: status ?? 128, text: stdout + stderr };
}
