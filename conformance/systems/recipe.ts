/** What a Debian system on a disk is made by: programs with their arguments, as data. */
import { createHash } from "node:crypto";

import { corePlaces, GRUB_IMAGE } from "./grub.ts";

export type Architecture = "amd64" | "i386";

/** Where things lie while a system is made. */
export interface Places {
  /** The new system's root folder. */
  readonly root: string;
  readonly disk: string;
  readonly kernel: string;
  readonly initrd: string;
  readonly mirror: string;
}

/** A program with its arguments, and what it reads from its standard input. */
export interface Step {
  readonly program: string;
  readonly args: readonly string[];
  readonly input?: string;
}

export const PASSWORD = "mimus";
/** Where the partition starts, in bytes. */
export const PARTITION: number = 2 ** 20;

const KERNEL = { amd64: "linux-image-cloud-amd64", i386: "linux-image-686" } as const;
const PACKAGES =
  "systemd-sysv udev dbus libpam-systemd kmod login procps iproute2 e2fsprogs stress-ng fio initramfs-tools grub-pc-bin";
const MODULES = ["ata_piix", "sd_mod", "virtio_pci", "virtio_blk", "ext4"];
const SIZE_MIB = 2048;

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

/** What runs in the new system: a password, a console, an initrd that has modules of the disks only, GRUB's files. */
const HOOK = String.raw`set -e
root=$1
echo "root:${PASSWORD}" | chroot "$root" chpasswd
echo mimus-debian > "$root/etc/hostname"
echo "127.0.1.1 mimus-debian" >> "$root/etc/hosts"
echo "LABEL=mimus-root / ext4 errors=remount-ro 0 1" > "$root/etc/fstab"
printf 'MODULES=list\nCOMPRESS=gzip\n' > "$root/etc/initramfs-tools/conf.d/mimus"
printf '%s\n' ${MODULES.join(" ")} >> "$root/etc/initramfs-tools/modules"
version=$(ls "$root/lib/modules")
chroot "$root" update-initramfs -c -k "$version"
ln -sf "boot/vmlinuz-$version" "$root/vmlinuz"
ln -sf "boot/initrd.img-$version" "$root/initrd.img"
mkdir -p "$root/boot/grub"
cp -r "$root/usr/lib/grub/i386-pc" "$root/boot/grub/i386-pc"
cat > "$root/boot/grub/grub.cfg" <<'CONFIG'
${GRUB_CONFIG}CONFIG
rm -rf "$root"/usr/share/doc/* "$root"/usr/share/man/* "$root"/usr/share/locale/*
`;

/** The steps but for GRUB's sectors. The kernel's package makes no initrd (`INITRD`): the hook makes the only one. */
export function stepsOf(architecture: Architecture, { root, disk, kernel, initrd, mirror }: Places): readonly Step[] {
  return [
    {
      program: "env",
      args: [
        "LC_ALL=C", "INITRD=No", "mmdebstrap", "--variant=apt", "--mode=root", "--format=directory", "--skip=check/qemu",
        `--architectures=${architecture}`, `--include=${[...PACKAGES.split(" "), KERNEL[architecture]].join(",")}`,
        `--customize-hook=${HOOK}`, "bookworm", root, mirror,
      ], // prettier-ignore
    },
    { program: "cp", args: ["-L", `${root}/vmlinuz`, kernel] },
    { program: "cp", args: ["-L", `${root}/initrd.img`, initrd] },
    { program: "rm", args: ["-f", disk] },
    { program: "truncate", args: ["-s", `${SIZE_MIB}M`, disk] },
    { program: "sfdisk", args: ["-q", disk], input: "label: dos\nstart=2048, type=83, bootable\n" },
    {
      program: "mkfs.ext4",
      args: ["-q", "-F", "-L", "mimus-root", "-E", `offset=${PARTITION}`, "-d", root, disk, `${SIZE_MIB - 2}M`],
    },
  ];
}

/** A name for what the recipe does: another one where a command, a configuration or a byte of a boot sector is another. */
export function stampOf(architecture: Architecture): string {
  const places = { root: "ROOT", disk: "DISK", kernel: "KERNEL", initrd: "INITRD", mirror: "MIRROR" };
  const sectors = corePlaces(Buffer.alloc(512), Buffer.alloc(1024));
  const recipe = [
    stepsOf(architecture, places),
    GRUB_IMAGE,
    sectors.map(({ at, bytes }) => [at, bytes.toString("hex")]),
  ];
  return createHash("sha256").update(JSON.stringify(recipe)).digest("hex");
}
