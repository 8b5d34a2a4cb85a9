/** A Debian system on a disk image with a partition table and GRUB: made by mmdebstrap, as root. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { guestsDirectory } from "../../tools/guests/fetch.ts";
import { installGrub } from "./grub.ts";
import { type Architecture, PARTITION, stampOf, stepsOf } from "./recipe.ts";

/** The files of a system. */
export interface DebianSystem {
  /** A raw image: MBR, GRUB, one ext4 partition from 1 MiB on. */
  readonly disk: string;
  readonly kernel: string;
  readonly initrd: string;
}

/** Why a system cannot be made here, or undefined. */
export function obstacle(): string | undefined {
  if (process.getuid?.() !== 0) return "making a Debian system needs root rights";
  for (const program of ["mmdebstrap", "mkfs.ext4", "sfdisk", "grub-mkimage"])
    if (spawnSync("which", [program]).status !== 0) return `${program} is missing`;
  return undefined;
}

/** The system, made where it is not there yet or where its recipe does something else (about three minutes). */
export function debianSystem(architecture: Architecture, progress: (line: string) => void): DebianSystem {
  const folder = join(guestsDirectory(), "systems", architecture);
  const system: DebianSystem = {
    disk: join(folder, "disk.img"),
    kernel: join(folder, "vmlinuz"),
    initrd: join(folder, "initrd.img"),
  };
  const stamp = stampOf(architecture);
  const stampPath = join(folder, "recipe");
  if (existsSync(stampPath) && readFileSync(stampPath, "utf8") === stamp) return system;
  const reason = obstacle();
  if (reason !== undefined) throw new Error(reason);
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(tmpdir(), "mimus-debian-"));
  try {
    const root = join(work, "root");
    const mirror = process.env["DEBIAN_MIRROR"] ?? "http://deb.debian.org/debian";
    const disk = `${system.disk}.new`;
    for (const { program, args, input } of stepsOf(architecture, { ...system, root, disk, mirror })) {
      progress(`${architecture}: ${args.find((arg) => arg === "mmdebstrap") ?? program}`);
      run(program, args, input);
    }
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
