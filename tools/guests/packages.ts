/** A Debian package that holds guest software, and the files of it that we use under stable names. */
export interface GuestPackage {
  readonly id: string;
  readonly suite: "bookworm" | "trixie";
  /** Package name, with `:architecture` where it is not `all`. */
  readonly package: string;
  /** Follow the meta package: take its dependency that starts with this. */
  readonly dependency?: string;
  /** Stable name to a path inside the package; `*` stands for one path component. */
  readonly files: Readonly<Record<string, string>>;
  /** What it is for, shown by `pnpm guests -l`. */
  readonly summary: string;
  /** Groups it belongs to; `default` is what `pnpm start` and the tests need. */
  readonly groups: readonly string[];
}

/** Debian packages unpacked into one directory: programs with the libraries and files they need at run time. */
export interface GuestTree {
  readonly id: string;
  readonly suite: "trixie";
  /** The packages, with their dependencies spelt out: nothing is resolved. */
  readonly packages: readonly string[];
  /** Paths that are left out, as tar patterns. */
  readonly without: readonly string[];
  readonly summary: string;
  readonly groups: readonly string[];
}

const modules = "usr/lib/modules/*/kernel";

export const PACKAGES: readonly GuestPackage[] = [
  {
    id: "linux",
    suite: "trixie",
    package: "linux-image-riscv64:riscv64",
    dependency: "linux-image-",
    summary: "Linux for riscv64, with the modules that a virtual disk needs",
    groups: ["default"],
    files: {
      "riscv64/linux": "boot/vmlinux-*",
      "riscv64/modules/crc16.ko.xz": `${modules}/lib/crc16.ko.xz`,
      "riscv64/modules/mbcache.ko.xz": `${modules}/fs/mbcache.ko.xz`,
      "riscv64/modules/jbd2.ko.xz": `${modules}/fs/jbd2/jbd2.ko.xz`,
      "riscv64/modules/crc32c_generic.ko.xz": `${modules}/crypto/crc32c_generic.ko.xz`,
      "riscv64/modules/ext4.ko.xz": `${modules}/fs/ext4/ext4.ko.xz`,
      "riscv64/modules/virtio_mmio.ko.xz": `${modules}/drivers/virtio/virtio_mmio.ko.xz`,
      "riscv64/modules/virtio_blk.ko.xz": `${modules}/drivers/block/virtio_blk.ko.xz`,
      "riscv64/modules/virtio_balloon.ko.xz": `${modules}/drivers/virtio/virtio_balloon.ko.xz`,
      "riscv64/modules/virtio-rng.ko.xz": `${modules}/drivers/char/hw_random/virtio-rng.ko.xz`,
      "riscv64/modules/virtio_input.ko.xz": `${modules}/drivers/virtio/virtio_input.ko.xz`,
      "riscv64/modules/netfs.ko.xz": `${modules}/fs/netfs/netfs.ko.xz`,
      "riscv64/modules/9pnet.ko.xz": `${modules}/net/9p/9pnet.ko.xz`,
      "riscv64/modules/9pnet_virtio.ko.xz": `${modules}/net/9p/9pnet_virtio.ko.xz`,
      "riscv64/modules/9p.ko.xz": `${modules}/fs/9p/9p.ko.xz`,
    },
  },
  {
    id: "busybox",
    suite: "trixie",
    package: "busybox-static:riscv64",
    summary: "the user space of the small initramfs",
    groups: ["default"],
    files: { "riscv64/busybox": "usr/bin/busybox" },
  },
  {
    id: "opensbi",
    suite: "bookworm",
    package: "opensbi",
    summary: "M-mode firmware",
    groups: ["default"],
    files: {
      "riscv64/fw_dynamic.bin": "usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin",
      "riscv64/fw_dynamic.elf": "usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.elf",
      "riscv64/fw_jump.elf": "usr/lib/riscv64-linux-gnu/opensbi/generic/fw_jump.elf",
    },
  },
  {
    id: "u-boot",
    suite: "bookworm",
    package: "u-boot-qemu",
    summary: "U-Boot for M-mode and S-mode",
    groups: ["firmware"],
    files: {
      "riscv64/u-boot-mmode.elf": "usr/lib/u-boot/qemu-riscv64/uboot.elf",
      "riscv64/u-boot-smode.elf": "usr/lib/u-boot/qemu-riscv64_smode/uboot.elf",
    },
  },
  {
    id: "installer",
    suite: "trixie",
    package: "debian-installer-13-netboot-riscv64",
    summary: "Debian's installer",
    groups: ["installer"],
    files: {
      "riscv64/installer-linux": "usr/lib/debian-installer/images/13/riscv64/text/debian-installer/riscv64/linux",
      "riscv64/installer-initrd.gz":
        "usr/lib/debian-installer/images/13/riscv64/text/debian-installer/riscv64/initrd.gz",
    },
  },
  {
    id: "pc-linux",
    suite: "bookworm",
    package: "linux-image-cloud-amd64:amd64",
    dependency: "linux-image-",
    summary: "Linux for amd64, quick to unpack, with the modules that a disk needs",
    groups: ["pc"],
    files: {
      "amd64/linux": "boot/vmlinuz-*",
      "amd64/modules/virtio.ko": "lib/modules/*/kernel/drivers/virtio/virtio.ko",
      "amd64/modules/virtio_ring.ko": "lib/modules/*/kernel/drivers/virtio/virtio_ring.ko",
      "amd64/modules/virtio_pci_legacy_dev.ko": "lib/modules/*/kernel/drivers/virtio/virtio_pci_legacy_dev.ko",
      "amd64/modules/virtio_pci_modern_dev.ko": "lib/modules/*/kernel/drivers/virtio/virtio_pci_modern_dev.ko",
      "amd64/modules/virtio_pci.ko": "lib/modules/*/kernel/drivers/virtio/virtio_pci.ko",
      "amd64/modules/virtio_blk.ko": "lib/modules/*/kernel/drivers/block/virtio_blk.ko",
      "amd64/modules/scsi_common.ko": "lib/modules/*/kernel/drivers/scsi/scsi_common.ko",
      "amd64/modules/scsi_mod.ko": "lib/modules/*/kernel/drivers/scsi/scsi_mod.ko",
      "amd64/modules/sd_mod.ko": "lib/modules/*/kernel/drivers/scsi/sd_mod.ko",
      "amd64/modules/libata.ko": "lib/modules/*/kernel/drivers/ata/libata.ko",
      "amd64/modules/ata_piix.ko": "lib/modules/*/kernel/drivers/ata/ata_piix.ko",
    },
  },
  {
    id: "pc-busybox",
    suite: "bookworm",
    package: "busybox-static:amd64",
    summary: "the user space of the small initramfs for amd64",
    groups: ["pc"],
    files: { "amd64/busybox": "bin/busybox" },
  },
  {
    id: "pc-busybox-i386",
    suite: "bookworm",
    package: "busybox-static:i386",
    summary: "the user space of the small initramfs for i386",
    groups: ["pc"],
    files: { "i386/busybox": "bin/busybox" },
  },
  {
    id: "pc-installer",
    suite: "bookworm",
    package: "debian-installer-12-netboot-amd64",
    summary: "Debian's installer for amd64",
    groups: ["pc", "installer"],
    files: {
      "amd64/installer-linux": "usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64/linux",
      "amd64/installer-initrd.gz": "usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64/initrd.gz",
    },
  },
  {
    id: "pc-installer-i386",
    suite: "bookworm",
    package: "debian-installer-12-netboot-i386",
    summary: "Debian's installer for i386",
    groups: ["pc", "installer"],
    files: {
      "i386/installer-linux": "usr/lib/debian-installer/images/12/i386/text/debian-installer/i386/linux",
      "i386/installer-initrd.gz": "usr/lib/debian-installer/images/12/i386/text/debian-installer/i386/initrd.gz",
    },
  },
  {
    id: "pc-memtest",
    suite: "bookworm",
    package: "memtest86+:amd64",
    summary: "memory test, 32 and 64 bits",
    groups: ["pc"],
    files: { "i386/memtest.bin": "boot/memtest86+ia32.bin", "amd64/memtest.bin": "boot/memtest86+x64.bin" },
  },
  {
    id: "pc-grub",
    suite: "bookworm",
    package: "grub-rescue-pc:amd64",
    summary: "GRUB on a CD and on a floppy disk",
    groups: ["pc"],
    files: {
      "i386/grub-rescue.iso": "usr/lib/grub-rescue/grub-rescue-cdrom.iso",
      "i386/grub-rescue-floppy.img": "usr/lib/grub-rescue/grub-rescue-floppy.img",
    },
  },
  {
    id: "pc-invaders",
    suite: "bookworm",
    package: "grub-invaders:amd64",
    summary: "a multiboot program: a game in VGA text mode",
    groups: ["pc"],
    files: { "i386/invaders.exec": "boot/invaders.exec" },
  },
  {
    id: "pc-ipxe",
    suite: "bookworm",
    package: "ipxe",
    summary: "network boot loader as a Linux kernel and on a CD",
    groups: ["pc"],
    files: { "i386/ipxe.lkrn": "boot/ipxe.lkrn", "i386/ipxe.iso": "usr/lib/ipxe/ipxe.iso" },
  },
];

export const TREES: readonly GuestTree[] = [
  {
    id: "riscv64-sysroot",
    suite: "trixie",
    summary: "programs for riscv64 Linux: busybox, bash, coreutils, Python, Perl, SQLite, GCC",
    groups: ["user"],
    packages: [
      ..."base-files libc6 libgcc-s1 libstdc++6 gcc-14-base zlib1g libzstd1 libtinfo6 libncursesw6".split(" "),
      ..."busybox-static bash coreutils libacl1 libattr1 libcap2 libgmp10 libselinux1 libpcre2-8-0".split(" "),
      ..."libssl3t64 libsystemd0 sqlite3 libsqlite3-0 libreadline8t64 readline-common perl-base libcrypt1".split(" "),
      ..."python3.13 python3.13-minimal libpython3.13-minimal libpython3.13-stdlib".split(" "),
      ..."libpython3.13-testsuite".split(" "),
      ..."libbz2-1.0 liblzma5 libffi8 libuuid1 libexpat1 libdb5.3t64 media-types tzdata netbase".split(" "),
      ..."gcc-14-riscv64-linux-gnu cpp-14-riscv64-linux-gnu binutils-riscv64-linux-gnu libbinutils".split(" "),
      ..."binutils-common libctf0 libctf-nobfd0 libsframe1 libjansson4 libisl23 libmpc3 libmpfr6".split(" "),
      ..."libgcc-14-dev libc6-dev linux-libc-dev libgomp1 libatomic1 gzip tar sed grep findutils mawk dash".split(" "),
      ..."diffutils hello bc dc file libmagic1t64 libmagic-mgc".split(" "),
    ],
    without: [
      "usr/share/doc/*",
      "usr/share/man/*",
      "usr/share/info/*",
      "usr/share/locale/*",
      "usr/share/lintian/*",
      "usr/lib/*/gconv/*",
      "usr/lib/gcc/*/lib[alt]san*",
      "usr/lib/gcc/*/libubsan*",
      "usr/lib/gcc/*/libhwasan*",
      "usr/libexec/gcc/*/lto*",
      "usr/bin/*lto-dump*",
      "usr/bin/*gcov*",
      "usr/libexec/gcc/*/plugin/*",
      "usr/libexec/gcc/*/install-tools/*",
    ],
  },
];
