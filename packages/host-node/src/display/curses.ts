import { AnsiScreen, typedKeys } from "@mimus/display";

import type { DisplayTarget, RunningDisplay } from "./web.ts";

/** Milliseconds between looks at the screen, and how long a key is held. */
const FRAME = 50;
const HOLD = 20;
/** Ctrl-A, then x: ends the machine; Ctrl-A twice sends one to the guest. */
const PREFIX = "\u0001";
const RESTORE = "\u001b[0m\u001b[?25h\u001b[?1049l";

/** Shows text modes on the terminal, and gives the guest what is typed there. `quit`: the user wants the machine to end. @throws Error without a terminal */
export function cursesDisplay(target: DisplayTarget, quit: () => void): RunningDisplay {
  const { stdin, stdout } = process;
  if (!stdin.isTTY || !stdout.isTTY) throw new Error("-display curses needs a terminal on standard input and output");
  const ansi = new AnsiScreen();
  let prefixed = false;
  let held: Promise<void> = Promise.resolve();

  const show = (): void => {
    const text = target.console.text?.();
    let note: string | undefined;
    if (text === undefined) {
      target.console.refresh?.();
      const { surface } = target.console;
      note = surface === undefined ? "No picture yet" : `${surface.width} x ${surface.height} Graphic mode`;
    }
    const out = ansi.draw(text ?? note ?? "", stdout.columns, stdout.rows);
    if (out !== "" && stdout.writableLength < 65_536) stdout.write(out);
    else if (out !== "") ansi.forget();
  };
  const type = (text: string): void => {
    for (const chord of typedKeys(text)) held = held.then(() => press(chord));
  };
  const press = async (chord: readonly string[]): Promise<void> => {
    const set = (keys: readonly string[], down: boolean): void =>
      target.post(() => {
        for (const key of keys) target.input.key(key, down);
        target.input.sync();
      });
    set(chord, true);
    await new Promise((resolve) => setTimeout(resolve, HOLD));
    set(chord.toReversed(), false);
  };
  const heard = (data: Buffer): void => {
    let text = data.toString("utf8");
    if (prefixed || text.startsWith(PREFIX)) {
      const command = prefixed ? text[0] : text[1];
      text = text.slice(prefixed ? 1 : 2);
      prefixed = command === undefined;
      if (command === "x") return quit();
      if (command === PREFIX) text = PREFIX + text;
    }
    type(text);
  };
  const resized = (): void => ansi.forget();
  const leave = (): void => {
    stdin.setRawMode(false);
    stdout.write(RESTORE);
  };

  stdin.setRawMode(true);
  stdin.resume();
  stdin.on("data", heard);
  stdout.on("resize", resized);
  process.once("exit", leave);
  stdout.write("\u001b[?1049h");
  const timer = setInterval(show, FRAME);
  return {
    address: "the terminal; Ctrl-A x ends the machine",
    close: async () => {
      clearInterval(timer);
      stdin.off("data", heard);
      stdin.pause();
      stdout.off("resize", resized);
      process.off("exit", leave);
      leave();
    },
  };
}
