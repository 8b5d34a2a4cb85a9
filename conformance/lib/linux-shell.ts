import { SHELL_MARKER, SHELL_PROMPT } from "../../tools/guests/initramfs.ts";
import type { Console } from "./console.ts";

/** A Linux guest at the shell of tools/guests/initramfs.ts. */
export class LinuxShell {
  readonly console: Console;
  #count = 0;

  constructor(console: Console) {
    this.console = console;
  }

  /**
   * Waits until the guest has booted; also for the next time after a reset.
   * @param machine what `uname -m` prints there; any where absent. @returns milliseconds from the start to the mark
   */
  async ready(timeoutMs: number, machine = ""): Promise<number> {
    const ms = await this.console.waitFor(machine === "" ? SHELL_MARKER : `${SHELL_MARKER} ${machine}`, timeoutMs);
    await this.console.waitFor(SHELL_PROMPT, 60_000);
    return ms;
  }

  /**
   * Runs a command; `meanwhile` begins when it was typed.
   * @returns what it printed. @throws Error when its status is not 0
   */
  async run(line: string, timeoutMs: number, meanwhile?: () => Promise<void>): Promise<string> {
    const mark = `@${++this.#count}@`;
    const from = this.console.log.length;
    // The echo of the line must not look like its result.
    await this.console.type(`${line}; echo "@"${this.#count}"@"$?\n`);
    await meanwhile?.();
    await this.console.waitFor(new RegExp(`${mark}\\d+`), timeoutMs);
    const text = this.console.log.slice(from);
    const status = Number(new RegExp(`${mark}(\\d+)`).exec(text)?.[1]);
    const printed = text.slice(text.indexOf("\n") + 1, text.search(mark));
    if (status !== 0) throw new Error(`'${line}' in the guest: status ${status}: ${printed.trim()}`);
    return printed;
  }

  /** Powers off. @returns the emulator's exit status */
  async powerOff(timeoutMs: number): Promise<number> {
    await this.console.type("poweroff -f\n");
    return this.console.exit(timeoutMs);
  }
}
