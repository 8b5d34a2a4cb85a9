import { DISPLAY_KIND, type DisplayConsole, remoteInput } from "@mimus/display";
import type { System } from "@mimus/system";
import { build, type Built } from "./machine.ts";
import { PortTerminal } from "./port-terminal.ts";
import type { FromMachine, Port, ToMachine } from "./protocol.ts";
import { ScreenSender } from "./screen-sender.ts";

/** One machine, at the machine's end of a port; booting again replaces it. */
class Session {
  readonly #port: Port<FromMachine, ToMachine>;
  #terminal: PortTerminal | undefined;
  #built: Built | undefined;
  #screen: ScreenSender | undefined;
  /** Counts boots: what an older one still does is ignored. */
  #boot = 0;

  constructor(port: Port<FromMachine, ToMachine>) {
    this.#port = port;
  }

  get #system(): System | undefined {
    return this.#built?.system;
  }

  async handle(message: ToMachine): Promise<void> {
    switch (message.type) {
      case "boot":
        return this.#start(message);
      case "typed":
        return this.#terminal?.typed(message.text);
      case "reported":
        return this.#terminal?.reported(message.text);
      case "drawn":
        return this.#terminal?.drawn();
      case "input": {
        const system = this.#system;
        return system?.post(() => remoteInput(system.input, message.events));
      }
      case "shown":
        return this.#screen?.shown();
      case "start":
        return this.#resume();
      case "pause":
        return this.#system?.pause();
      case "reset":
        return this.#system?.reset();
    }
  }

  async #start({ options, chosen, base }: Extract<ToMachine, { type: "boot" }>): Promise<void> {
    const boot = ++this.#boot;
    const port = this.#port;
    const post = (message: FromMachine): void => {
      if (boot === this.#boot) port.postMessage(message);
    };
    const terminal = new PortTerminal(post);
    this.#terminal = terminal;
    let built: Built;
    try {
      // Disks of the machine before have to be free.
      await this.#end();
      built = await build(options, { chosen, base, terminal, post });
    } catch (error) {
      post({ type: "error", message: lineOf(error), fatal: true });
      return;
    }
    if (boot !== this.#boot) return built.close();
    this.#built = built;
    const { system } = built;
    const { machine } = system;
    const [display] = machine.backendIds(DISPLAY_KIND);
    if (display !== undefined)
      this.#screen = new ScreenSender(machine.backend(DISPLAY_KIND, display) as DisplayConsole, (frame) =>
        post({ type: "screen", frame, absolute: system.input.absolute }),
      );
    system.onEvent((event) => {
      if (event.type === "state") post({ type: "state", state: event.state, insns: system.executed });
      else if (event.type === "reset") post({ type: "reset" });
    });
    void system.exit.then(({ error }) => {
      if (error !== undefined) post({ type: "error", message: lineOf(error), fatal: true });
    });
    system.start();
  }

  async #end(): Promise<void> {
    const built = this.#built;
    this.#built = undefined;
    this.#screen?.close();
    this.#screen = undefined;
    if (built === undefined) return;
    built.system.shutdown();
    await built.system.pause();
    await built.close();
  }

  async #resume(): Promise<void> {
    const system = this.#system;
    if (system === undefined || system.running) return;
    await system.pause();
    if (system.state === "shutdown" || system.state === "guest-panicked") system.reset();
    system.start();
  }
}

/** Serves one page over `port`. */
export function serve(port: Port<FromMachine, ToMachine>): void {
  const session = new Session(port);
  port.addEventListener("message", ({ data }) => {
    session
      .handle(data)
      .catch((error: unknown) => port.postMessage({ type: "error", message: lineOf(error), fatal: false }));
  });
  port.start?.();
  port.postMessage({ type: "ready" });
}

function lineOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, " ");
}
