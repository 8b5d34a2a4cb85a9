import { readFile, writeFile } from "node:fs/promises";

import { cpio, EXECUTABLE } from "../../tools/guests/cpio.ts";
import type { Console } from "../lib/console.ts";
import { LinuxShell } from "../lib/linux-shell.ts";
import { type Peer, type Platform, startLinux } from "./platform.ts";
import { BenchError, progress } from "./tools.ts";

/** An initramfs with more programs: the kernel unpacks archives that follow one another. @param programs paths by name in the guest */
export async function initramfsWith(
  programs: Readonly<Record<string, string>>,
  path: string,
  base: string,
): Promise<void> {
  const first = await readFile(base);
  const entries = await Promise.all(
    Object.entries(programs).map(async ([name, file]) => ({ name, mode: EXECUTABLE, data: await readFile(file) })),
  );
  const gap = Buffer.alloc((4 - (first.length % 4)) % 4);
  await writeFile(path, Buffer.concat([first, gap, cpio(entries)]));
}

/** A booted guest at its shell. An idle guest takes next to no time from the one that is measured. */
export class GuestShell {
  readonly #shell: LinuxShell;
  readonly name: Peer;
  #first: { guest: number; host: number } | undefined;

  private constructor(name: Peer, console: Console) {
    this.name = name;
    this.#shell = new LinuxShell(console);
  }

  /** @param initrd path of an initramfs, with the shell of tools/guests/initramfs.ts */
  static async boot(
    platform: Platform,
    who: Peer,
    initrd: string,
    extra: readonly string[] = [],
    append = "",
  ): Promise<GuestShell> {
    const shell = new GuestShell(who, startLinux(platform, who, initrd, extra, append));
    try {
      const ms = await shell.#shell.ready(180_000);
      progress(`${who} is at the shell after ${(ms / 1000).toFixed(1)} s`);
      shell.#first = await shell.#clocks();
      return shell;
    } catch (error) {
      await shell.close();
      throw error;
    }
  }

  /** Runs a command. @returns what it printed */
  async run(line: string, timeoutMs: number): Promise<string> {
    return this.#run(line, timeoutMs);
  }

  /**
   * Runs a kernel of guests/bench.c with `-m 1`.
   * @returns what it printed, and the emulator's processor time from its "start" to its result, nanoseconds
   */
  async runTimed(line: string, timeoutMs: number): Promise<{ printed: string; cpuNs: number }> {
    const times: number[] = [];
    const printed = await this.#run(line, timeoutMs, async () => {
      for (const marker of [/\nstart\r?\n/, /\w+ \d+ \d+ [0-9a-f]{8}\r?\n/]) {
        await this.#shell.console.waitFor(marker, timeoutMs);
        times.push(((await this.#shell.console.usage())?.cpuSeconds ?? Number.NaN) * 1e9);
      }
    });
    const [from = Number.NaN, to = Number.NaN] = times;
    return { printed, cpuNs: to - from };
  }

  async #run(line: string, timeoutMs: number, meanwhile?: () => Promise<void>): Promise<string> {
    try {
      return await this.#shell.run(line, timeoutMs, meanwhile);
    } catch (cause) {
      throw new BenchError("failed", `${this.name}: ${(cause as Error).message}`, { cause });
    }
  }

  async #clocks(): Promise<{ guest: number; host: number }> {
    const printed = await this.run("cat /proc/uptime", 60_000);
    // The kernel may print something of its own before it.
    const [, uptime] = /([\d.]+) [\d.]+\r?\n/.exec(printed) ?? [];
    if (uptime === undefined) throw new BenchError("failed", `${this.name} printed no uptime: ${printed.trim()}`);
    return { guest: Number(uptime), host: performance.now() / 1000 };
  }

  /** How far the guest's clock went from the host's since the boot, as a share of the time that passed. */
  async drift(): Promise<{ drift: number; seconds: number }> {
    const last = await this.#clocks();
    const first = this.#first ?? last;
    const seconds = last.host - first.host;
    return { drift: (last.guest - first.guest) / seconds - 1, seconds };
  }

  usage(): ReturnType<Console["usage"]> {
    return this.#shell.console.usage();
  }

  async close(): Promise<void> {
    this.#shell.console.kill();
    await this.#shell.console.exit(5000);
  }
}
