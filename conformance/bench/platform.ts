/** The guests that are measured: the same machine arguments for ours and for the peer. */
import { join } from "node:path";

import { Console } from "../lib/console.ts";
import { type Isa, need, needGuest, oursCommand } from "./tools.ts";

/** A machine that Linux boots on to the shell of tools/guests/initramfs.ts. */
export interface Platform {
  /** Folder of its guests, and its name on the command line. */
  readonly name: "riscv64" | "amd64" | "i386";
  /** The target, as commands are named after it. */
  readonly target: string;
  readonly machine: readonly string[];
  /** What programs for it are compiled with. */
  readonly isa: Isa;
  /** The guest file that is its kernel. */
  readonly kernel: string;
  /** The kernel's command line. */
  readonly append: string;
}

export const RISCV64: Platform = {
  name: "riscv64",
  target: "riscv64",
  machine: ["-M", "virt"],
  isa: "riscv64",
  kernel: "riscv64/linux",
  append: "console=ttyS0",
};
/** On a busy host Linux may find the timer's interrupts too few for its clock, and panics unless told not to look. */
const PC_APPEND = "console=ttyS0 no_timer_check";
const AMD64: Platform = {
  name: "amd64",
  target: "x86_64",
  machine: ["-M", "pc"],
  isa: "native",
  kernel: "amd64/linux",
  append: PC_APPEND,
};
export const I386: Platform = {
  name: "i386",
  target: "i386",
  machine: ["-M", "pc"],
  isa: "i386",
  // The installer boots Debian's ordinary kernel for i386.
  kernel: "i386/installer-linux",
  append: PC_APPEND,
};
export const PLATFORMS: Readonly<Record<Platform["name"], Platform>> = { riscv64: RISCV64, amd64: AMD64, i386: I386 };

/** Who runs a machine. */
export type Peer = "ours" | "qemu" | "v86";

/** The peers that have such a machine; v86 has 32 bits only. */
export const peersOf = (platform: Platform): readonly Peer[] =>
  platform === I386 ? ["qemu", "ours", "v86"] : ["qemu", "ours"];

/** What is measured. */
export interface Contender {
  readonly name: string;
  start(args: readonly string[]): Console;
}

export const ours = ({ target }: Platform): Contender => ({
  name: "mimus",
  start(args) {
    const [command = "", ...first] = oursCommand();
    return new Console(command, [...first, `system-${target}`, ...args]);
  },
});

export const qemu = ({ target }: Platform): Contender => ({
  name: "qemu",
  start: (args) => new Console(need(`qemu-system-${target}`), args),
});

export const contenders = (platform: Platform): Readonly<Record<"ours" | "qemu", Contender>> => ({
  qemu: qemu(platform),
  ours: ours(platform),
});

/** @param args of v86-machine.ts */
export const startV86 = (args: readonly string[]): Console =>
  new Console(process.execPath, [join(import.meta.dirname, "v86-machine.ts"), ...args]);

/** Starts Linux. @param extra arguments of QEMU's form; v86 takes none of them */
export function startLinux(
  platform: Platform,
  who: Peer,
  initrd?: string,
  extra: readonly string[] = [],
  append = "",
): Console {
  if (who !== "v86") return contenders(platform)[who].start(linuxArgs(platform, extra, initrd, append));
  const initramfs = initrd ?? needGuest(`${platform.name}/initramfs.gz`);
  return startV86([MEMORY, needGuest(platform.kernel), initramfs, `${platform.append} ${append}`]);
}

/** Mebibytes of every guest. */
const MEMORY = "512";

/** @param initrd path of the initramfs; the small one with a shell where absent */
export function linuxArgs(
  platform: Platform,
  extra: readonly string[] = [],
  initrd: string | undefined = undefined,
  append = "",
): string[] {
  const kernel = needGuest(platform.kernel);
  const initramfs = initrd ?? needGuest(`${platform.name}/initramfs.gz`);
  const common = ["-m", MEMORY, "-smp", "1", "-nographic", "-kernel", kernel, "-initrd", initramfs];
  return [...platform.machine, ...common, "-append", `${platform.append} ${append}`, ...extra];
}
