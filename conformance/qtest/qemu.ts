/** QEMU's side of a comparison: a machine in its test protocol. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** A machine that answers lines of the test protocol, in order. */
export interface Answering {
  /** Carries the lines out and gives their answers. */
  ask(lines: readonly string[]): Promise<string[]>;
  close(): void;
}

/** Starts QEMU with the given options. @throws when it is not installed or refuses them */
export async function startQemu(target: string, args: readonly string[]): Promise<Answering> {
  // Not "-accel qtest": Debian's packages lack it. A machine that was never started stands at time 0.
  const common = ["-accel", "tcg", "-display", "none", "-qtest", "stdio", "-monitor", "none", "-S"];
  const child = spawn(`qemu-system-${target}`, [...common, ...args], { stdio: ["pipe", "pipe", "pipe"] });
  let errors = "";
  child.stderr.on("data", (bytes: Buffer) => (errors += String(bytes)));
  const waiting: ((line: string | undefined) => void)[] = [];
  const ready: string[] = [];
  let over = false;
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (line.startsWith("IRQ ")) return;
    const next = waiting.shift();
    if (next === undefined) ready.push(line);
    else next(line);
  });
  const end = (): void => {
    over = true;
    for (const next of waiting.splice(0)) next(undefined);
  };
  child.on("error", end);
  child.on("exit", end);
  const answer = (): Promise<string | undefined> =>
    new Promise((resolve) => {
      const line = ready.shift();
      if (line !== undefined || over) resolve(line);
      else waiting.push(resolve);
    });
  return {
    async ask(lines) {
      if (!over) child.stdin.write(lines.map((l) => `${l}\n`).join(""));
      const answers: string[] = [];
      for (const line of lines) {
        const got = await answer();
        if (got === undefined) throw new Error(`QEMU ended at "${line}": ${errors.trim()}`);
        answers.push(got);
      }
      return answers;
    },
    close() {
      child.kill();
    },
  };
}
