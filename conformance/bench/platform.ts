/** The guests that are measured: the same machine arguments for ours and for the peer. */
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
}

export const RISCV64: Platform = { name: "riscv64", target: "riscv64", machine: ["-M", "virt"], isa: "riscv64" };
export const PLATFORMS: Readonly<Record<Platform["name"], Platform>> = {
  riscv64: RISCV64,
  amd64: { name: "amd64", target: "x86_64", machine: ["-M", "pc"], isa: "native" },
  i386: { name: "i386", target: "i386", machine: ["-M", "pc"], isa: "i386" },
};

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

/** @param initrd path of the initramfs; the small one with a shell where absent */
export function linuxArgs(
  platform: Platform,
  extra: readonly string[] = [],
  initrd: string | undefined = undefined,
  append = "",
): string[] {
  const kernel = needGuest(`${platform.name}/linux`);
  const initramfs = initrd ?? needGuest(`${platform.name}/initramfs.gz`);
  const common = ["-m", "512", "-smp", "1", "-nographic", "-kernel", kernel, "-initrd", initramfs];
  return [...platform.machine, ...common, "-append", `console=ttyS0 ${append}`, ...extra];
}

export const READY = "MIMUS-GUEST-READY";
export const PROMPT = "~ # ";
