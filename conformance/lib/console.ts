import { type ChildProcess, spawn } from "node:child_process";

/** A program with a console: its output is collected, text is typed into it, and markers are waited for. */
export class Console {
  readonly process: ChildProcess;
  /** Everything printed so far, standard error included. */
  log = "";
  readonly #exited: Promise<number>;
  #seen = 0;
  #changed: () => void = () => {};
  #ended = false;
  readonly startedAt: number = performance.now();

  /** Every program that still runs; a test that fails leaves nothing behind. */
  static readonly #running: Set<Console> = new Set();

  /** Kills what tests have left running. */
  static killAll(): void {
    for (const console of Console.#running) console.kill();
  }

  /** Kills them and waits until they have ended: what they held open is free then. */
  static async endAll(): Promise<void> {
    await Promise.all([...Console.#running].map((console) => console.exit(0)));
  }

  constructor(command: string, args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) {
    this.process = spawn(command, args, { stdio: "pipe", ...options });
    const take = (chunk: Buffer): void => {
      this.log += chunk.toString("latin1");
      this.#changed();
    };
    this.process.stdout?.on("data", take);
    this.process.stderr?.on("data", take);
    this.process.stdin?.on("error", () => {});
    this.#exited = new Promise((resolve) => {
      this.process.on("error", (error) => {
        this.log += `${error.message}\n`;
        resolve(127);
      });
      this.process.on("close", (code, signal) => resolve(code ?? (signal === null ? 1 : 128)));
    });
    Console.#running.add(this);
    void this.#exited.then(() => {
      Console.#running.delete(this);
      this.#ended = true;
      this.#changed();
    });
  }

  /**
   * Waits until `marker` appears after the last marker that was found.
   * @returns milliseconds since the start. @throws Error with the end of the log when it does not appear in time.
   */
  async waitFor(marker: string | RegExp, timeoutMs: number): Promise<number> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const rest = this.log.slice(this.#seen);
      const at = typeof marker === "string" ? rest.indexOf(marker) : rest.search(marker);
      if (at >= 0) {
        const length = typeof marker === "string" ? marker.length : (marker.exec(rest)?.[0].length ?? 0);
        this.#seen += at + length;
        return performance.now() - this.startedAt;
      }
      const left = deadline - performance.now();
      if (this.#ended || left <= 0)
        throw new Error(
          `${this.#ended ? "the program ended" : `${timeoutMs} ms passed`} before ${marker} appeared; the log ends:\n${this.log.slice(-1500)}`,
        );
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(left, 1000));
        this.#changed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Types text into the program, a character at a time as a person would, so that slow guests lose nothing. */
  async type(text: string): Promise<void> {
    for (const char of text) {
      this.process.stdin?.write(char);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** Resolves with the exit status; kills the program after `timeoutMs`. */
  async exit(timeoutMs: number): Promise<number> {
    const timer = setTimeout(() => this.kill(), timeoutMs);
    const code = await this.#exited;
    clearTimeout(timer);
    return code;
  }

  kill(signal: NodeJS.Signals = "SIGKILL"): void {
    this.process.kill(signal);
  }

  /** CPU seconds (user and system) and resident MiB of the program, from /proc; undefined once it has ended. */
  async usage(): Promise<{ cpuSeconds: number; rssMiB: number } | undefined> {
    const { readFile } = await import("node:fs/promises");
    try {
      const stat = await readFile(`/proc/${this.process.pid}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const status = await readFile(`/proc/${this.process.pid}/status`, "utf8");
      const rss = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
      return { cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100, rssMiB: rss };
    } catch {
      return undefined;
    }
  }
}
