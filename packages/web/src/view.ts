import type { FromMachine } from "./protocol.ts";

/** An element of the page. @throws when page and script do not fit together */
export function element<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`index.html has no element '${id}'`);
  return found as T;
}

const STATES: Readonly<Record<string, string>> = {
  prelaunch: "Ready",
  running: "Running",
  paused: "Paused",
  debug: "Stopped by a debugger",
  shutdown: "Powered off",
  "guest-panicked": "The guest crashed",
  "io-error": "Stopped: a disk failed",
};
const MOST_LINES = 500;

/** What the page shows of a machine besides its terminal. */
export class View {
  readonly #status: HTMLElement = element("status");
  readonly #error: HTMLElement = element("error");
  readonly #downloads: HTMLElement = element("downloads");
  readonly #log: HTMLElement = element("log");
  readonly #start: HTMLButtonElement = element("start");
  readonly #pause: HTMLButtonElement = element("pause");
  readonly #reset: HTMLButtonElement = element("reset");
  #lines = 0;

  onControl(act: (what: "start" | "pause" | "reset") => void): void {
    this.#start.addEventListener("click", () => act("start"));
    this.#pause.addEventListener("click", () => act("pause"));
    this.#reset.addEventListener("click", () => act("reset"));
  }

  /** A boot begins. */
  booting(): void {
    this.#error.textContent = "";
    this.#downloads.replaceChildren();
    this.#log.textContent = "";
    this.#lines = 0;
    this.status("Loading");
    this.#enable(false, false, false);
  }

  status(text: string): void {
    this.#status.textContent = text;
  }

  error(message: string): void {
    this.#error.textContent = message;
  }

  /** Shows what the machine said, except for its output. */
  show(message: FromMachine): void {
    if (message.type === "progress") this.#progress(message);
    else if (message.type === "log") this.#line(message.line);
    else if (message.type === "reset") this.#line("The machine was reset");
    else if (message.type === "error") {
      this.error(message.message);
      if (!message.fatal) return;
      this.status("Stopped");
      this.#enable(false, false, false);
    } else if (message.type === "state") {
      this.#downloads.replaceChildren();
      this.status(STATES[message.state] ?? message.state);
      document.body.dataset["state"] = message.state;
      document.body.dataset["insns"] = String(message.insns);
      const running = message.state === "running";
      this.#enable(!running, running, true);
    }
  }

  #enable(start: boolean, pause: boolean, reset: boolean): void {
    this.#start.disabled = !start;
    this.#pause.disabled = !pause;
    this.#reset.disabled = !reset;
  }

  #progress({ file, loaded, total }: Extract<FromMachine, { type: "progress" }>): void {
    let item = [...this.#downloads.children].find((child) => (child as HTMLElement).dataset["file"] === file);
    if (item === undefined) {
      item = document.createElement("li");
      (item as HTMLElement).dataset["file"] = file;
      const bar = document.createElement("progress");
      bar.setAttribute("aria-label", `Download of ${file}`);
      item.append(bar, document.createElement("span"));
      this.#downloads.append(item);
    }
    const [bar, text] = item.children as unknown as [HTMLProgressElement, HTMLElement];
    if (total !== undefined) {
      bar.max = Math.max(total, 1);
      bar.value = loaded;
    }
    const of = total === undefined ? "" : ` of ${mebibytes(total)}`;
    text.textContent = ` ${file.slice(file.lastIndexOf("/") + 1)}: ${mebibytes(loaded)}${of} MiB`;
  }

  #line(line: string): void {
    if (++this.#lines > MOST_LINES) return;
    this.#log.append(`${line}\n`);
  }
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
