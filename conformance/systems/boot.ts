/** Boots a Debian system on a disk, uses it, powers it off, and checks its file system. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { copyDisk, debianSystem, fsck } from "./debian.ts";
import { type BootOptions, DebianGuest } from "./guest.ts";
import type { Architecture } from "./recipe.ts";

export type BootCase = Pick<BootOptions, "architecture" | "bus" | "by" | "cpus" | "qemu" | "icount"> & {
  readonly off: "command" | "button";
};

/** What each system is started from and how it ends: every bus, every way to start, every way to end on both architectures. */
export const BOOTS: readonly BootCase[] = (["amd64", "i386"] as const).flatMap((architecture) => [
  { architecture, bus: "ide", by: "kernel", off: "command" } as const,
  { architecture, bus: "virtio", by: "grub", off: "button" } as const,
]);

/** What a boot case may be narrowed to. */
export const CHOICES = { bus: ["ide", "virtio"], by: ["kernel", "grub"], off: ["command", "button"] } as const;
export type Choice = { readonly [K in keyof typeof CHOICES]?: (typeof CHOICES)[K][number] | undefined };

/** Those of {@link BOOTS} that were chosen; what none of them has they are made to have. */
export function bootCases(architectures: readonly string[], choice: Choice): BootCase[] {
  let cases = BOOTS.filter(({ architecture }) => architectures.includes(architecture));
  for (const [key, value] of Object.entries(choice)) {
    if (value === undefined) continue;
    const matching = cases.filter((c) => c[key as keyof Choice] === value);
    cases = matching.length > 0 ? matching : cases.map((c) => ({ ...c, [key]: value }));
  }
  return [...new Map(cases.map((c) => [nameOf(c), c])).values()];
}

export function nameOf({ architecture, bus, by, off }: BootCase): string {
  const start = by === "grub" ? "by GRUB" : "by -kernel";
  return `Debian for ${architecture} from ${bus}, ${start}, powered off by ${off === "button" ? "system_powerdown" : "poweroff"}`;
}

/** What was seen. */
export interface BootResult {
  readonly secondsToLogin: number;
  /** Processor time of the machine until then: what tells more where it had to share. */
  readonly cpuSecondsToLogin: number;
  readonly cpus: number;
  readonly machine: string;
  readonly disk: string;
  /** Units of systemd that failed. */
  readonly failedUnits: string;
  readonly exit: number;
  /** Exit status of e2fsck. */
  readonly fsck: number;
  readonly fsckText: string;
}

export async function bootOnce({ off, ...o }: BootCase, log: (line: string) => void = () => {}): Promise<BootResult> {
  const system = debianSystem(o.architecture satisfies Architecture, log);
  const folder = mkdtempSync(join(tmpdir(), "mimus-system-"));
  const disk = join(folder, "disk.img");
  copyDisk(system.disk, disk);
  const guest = new DebianGuest({ ...o, system, disk });
  try {
    const secondsToLogin = await guest.login();
    const cpuSecondsToLogin = (await guest.console.usage())?.cpuSeconds ?? 0;
    log(`login after ${secondsToLogin.toFixed(0)} s`);
    const cpus = Number((await guest.run("nproc")).trim());
    const machine = (await guest.run("uname -m")).trim();
    const root = (await guest.run("findmnt -no SOURCE /")).trim();
    await guest.run("systemctl is-system-running --wait || true", 20);
    const failedUnits = (await guest.run("systemctl --failed --no-legend --plain")).trim();
    await guest.run("dd if=/dev/urandom of=/root/data bs=1M count=4 status=none; sha256sum /root/data > /root/sum");
    const exit = await guest.poweroff(off);
    const { status, text } = fsck(disk);
    return {
      secondsToLogin,
      cpuSecondsToLogin,
      cpus,
      machine,
      disk: root,
      failedUnits,
      exit,
      fsck: status,
      fsckText: text,
    };
  } catch (error) {
    log(guest.console.log.slice(-4000));
    throw error;
  } finally {
    guest.console.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}
