import { DISPLAY_KIND, type DisplayConsole } from "@mimus/display";
import { cursesDisplay, type RunningDisplay, webDisplay } from "@mimus/host-node";
import type { System } from "@mimus/system";

import type { KeyValues } from "./args/keyval.ts";
import { UsageError } from "./errors.ts";

/** Where the picture goes. */
export type DisplayConfig =
  | { readonly type: "none" | "curses" }
  | { readonly type: "web"; readonly host: string; readonly port: number };

/** Types of `-display`, with what they do. */
export const DISPLAY_TYPES = {
  none: "no picture is shown",
  curses: "the screen's text, on the terminal",
  web: "a page that a browser shows: host=H, port=P",
} as const;
const NAMES = ["none", "curses", "web"] as const satisfies readonly (keyof typeof DISPLAY_TYPES)[];

/** `-display TYPE[,host=H][,port=P]`. @throws UsageError */
export function displayConfig(options: KeyValues | undefined): DisplayConfig {
  const { type = options === undefined ? "none" : Object.keys(options)[0], ...rest } = options ?? {};
  const { host = "127.0.0.1", port = "0", ...unknown } = rest;
  const found = NAMES.find((name) => name === type);
  if (found === undefined)
    throw new UsageError(`-display ${String(type)}: no such display; there are: ${NAMES.join(", ")}`);
  const [extra] = Object.keys(found === "web" ? unknown : rest);
  if (extra !== undefined)
    throw new UsageError(
      `-display ${found}: invalid parameter '${extra}'${found === "web" ? " (known: host, port)" : ""}`,
    );
  if (found !== "web") return { type: found };
  const number = Number(port);
  if (!Number.isInteger(number) || number < 0 || number > 65_535)
    throw new UsageError(`-display web: port=${String(port)} is not 0 to 65535`);
  return { type: found, host: String(host), port: number };
}

/** Shows the machine's first screen. @throws UsageError when there is no screen, or no place to show it */
export async function openDisplay(
  config: DisplayConfig,
  system: System,
  name: string,
): Promise<RunningDisplay | undefined> {
  if (config.type === "none") return undefined;
  const { machine } = system;
  const [first] = machine.backendIds(DISPLAY_KIND);
  if (first === undefined)
    throw new UsageError(`-display ${config.type}: the machine has no screen; add one with -vga std or -device VGA`);
  const target = {
    title: name === "" ? "Mimus" : name,
    console: machine.backend(DISPLAY_KIND, first) as DisplayConsole,
    input: system.input,
    post: (act: () => void) => system.post(act),
  };
  try {
    if (config.type !== "web") return cursesDisplay(target, () => system.shutdown());
    const display = await webDisplay(target, config);
    process.stderr.write(`mimus: the screen is at ${display.address}\n`);
    return display;
  } catch (error) {
    throw new UsageError(`-display ${config.type}: ${(error as Error).message}`);
  }
}
