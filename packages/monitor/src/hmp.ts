import { type CharBackend, OutputQueue } from "@mimus/chardev";

import { completions, execute } from "./commands.ts";
import type { MachineControl } from "./control.ts";
import { LineEditor } from "./line-editor.ts";
import { newSession } from "./session.ts";

/** The human monitor on a character device: a prompt, a line editor, commands. */
export class HumanMonitor {
  readonly #char: CharBackend;
  readonly #output: OutputQueue;
  readonly #editor: LineEditor;
  #greeted = false;
  /** What was typed ahead of a command that still runs. */
  #typed: Uint8Array[] = [];
  #busy = false;

  constructor(char: CharBackend, machine: MachineControl) {
    this.#char = char;
    this.#output = new OutputQueue(char);
    const session = newSession();
    this.#editor = new LineEditor({
      prompt: "(qemu) ",
      write: (text) => this.#write(text),
      complete: completions,
      line: (text) => {
        const shown = execute(machine, text, session);
        if (typeof shown === "string") this.#show(shown);
        else {
          this.#busy = true;
          void shown.then((late) => {
            this.#busy = false;
            this.#show(late);
            this.#take();
            this.#char.frontendReady();
          });
        }
      },
    });
    char.attach({
      canReceive: () => (this.#typed.length < 64 ? 256 : 0),
      receive: (bytes) => {
        this.#typed.push(bytes);
        this.#take();
      },
      event: (event) => {
        if (event === "opened") this.#open(machine.version);
      },
      writable: () => this.#output.flush(),
    });
  }

  /** A client came, or the keys of a multiplexer chose the monitor. */
  #open(version: string): void {
    if (!this.#greeted && !this.#char.open) return;
    this.#write(this.#greeted ? "\r\n" : `Mimus ${version} monitor - type 'help' for more information\r\n`);
    this.#greeted = true;
    this.#editor.show();
  }

  /** Gives the editor what was typed, a line at a time. */
  #take(): void {
    while (!this.#busy) {
      const bytes = this.#typed.shift();
      if (bytes === undefined) return;
      const end = bytes.findIndex((b) => b === 10 || b === 13) + 1;
      if (end > 0 && end < bytes.length) this.#typed.unshift(bytes.subarray(end));
      this.#editor.input(end > 0 ? bytes.subarray(0, end) : bytes);
    }
  }

  #show(text: string): void {
    this.#write(text.replaceAll("\n", "\r\n"));
    this.#editor.show();
  }

  #write(text: string): void {
    this.#output.write(Uint8Array.from(text, (char) => char.charCodeAt(0) & 0xff));
  }
}
