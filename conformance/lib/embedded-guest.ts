import type { Console } from "./console.ts";
import { startMimus } from "./mimus.ts";

/** What the guest of the package guest-riscv prints when it waits for a command. */
export const PROMPT = "mimus> ";

/** Starts the embedded guest. @param target as the command is named: "riscv64". @returns at its prompt */
export async function bootEmbedded(target: string, ...more: string[]): Promise<Console> {
  const guest = ["-M", "virt", "-m", "64", "-nographic", "-bios", "none", "-kernel", "embedded"];
  const console = startMimus([`system-${target}`, ...guest, ...more]);
  await console.waitFor(PROMPT, 60_000);
  return console;
}

/** Types a command. @returns what was printed from the next line on until `marker`, with plain line ends */
export async function ask(console: Console, command: string, marker: string = PROMPT): Promise<string> {
  const from = console.log.length;
  await console.type(`${command}\r`);
  await console.waitFor(marker, 60_000);
  const answer = console.log.slice(from).replaceAll("\r\n", "\n");
  return answer.slice(answer.indexOf("\n") + 1, answer.lastIndexOf(marker));
}

/** @returns the emulator's exit status */
export async function powerOff(console: Console): Promise<number> {
  await console.type("poweroff\r");
  return console.exit(60_000);
}
