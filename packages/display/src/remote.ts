import { DOM_KEYS } from "./dom-keys.ts";
import type { InputRouter } from "./input.ts";

/** Events of one message; more are left out. */
const MOST = 256;
const BUTTONS = ["left", "middle", "right", "side", "extra"] as const;

/**
 * Gives the guest what a browser's page tells: `["key", code, down]` with the `KeyboardEvent`'s code, `["move", dx, dy]` in pixels,
 * `["place", x, y]` from 0 to 32767, `["button", MouseEvent.button, down]`, `["wheel", steps]` downwards. Anything else is ignored.
 */
export function remoteInput(input: InputRouter, events: unknown): void {
  if (!Array.isArray(events)) return;
  for (const event of events.slice(0, MOST)) if (Array.isArray(event)) one(input, event as unknown[]);
  input.sync();
}

function one(input: InputRouter, [type, a, b]: unknown[]): void {
  const number = (value: unknown): number => (typeof value === "number" && Number.isFinite(value) ? value : 0);
  const within = (value: unknown): number => Math.max(-1000, Math.min(1000, Math.trunc(number(value))));
  switch (type) {
    case "key": {
      const key = typeof a === "string" && Object.hasOwn(DOM_KEYS, a) ? DOM_KEYS[a] : undefined;
      if (key !== undefined) input.key(key, b === true);
      return;
    }
    case "move":
      input.move("x", within(a));
      input.move("y", within(b));
      return;
    case "place":
      input.place("x", number(a));
      input.place("y", number(b));
      return;
    case "button": {
      const button = BUTTONS[number(a)];
      if (button !== undefined) input.button(button, b === true);
      return;
    }
    case "wheel":
      for (let n = Math.min(10, Math.abs(within(a))); n > 0; n--)
        input.button(number(a) > 0 ? "wheel-down" : "wheel-up", true);
      return;
    default: // from another version
  }
}
