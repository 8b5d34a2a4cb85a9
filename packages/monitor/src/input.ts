import { BUTTONS, type InputRouter, KEYS } from "@mimus/display";
import { nearest } from "@mimus/qom";

import type { MachineControl } from "./control.ts";

/** Milliseconds that `sendkey` holds its keys when the user says nothing. */
const HOLD_MS = 100;
const MOST_KEYS = 16;
/** Scan codes up to here are Linux's numbers too. */
const LAST_CODE = 0x58;

/** `sendkey ctrl-alt-delete [MILLISECONDS]`: presses keys together, and lets them go in the opposite order. */
export function sendKey(machine: MachineControl, [text, hold]: readonly string[]): string {
  if (text === undefined) throw new Error("usage: sendkey KEY[-KEY...] [MILLISECONDS]");
  const holdMs = hold === undefined ? HOLD_MS : Number(hold);
  if (!Number.isInteger(holdMs) || holdMs < 1 || holdMs > 100_000) throw new Error(`'${hold}' is not 1 to 100000 ms`);
  const keys = text.split("-").map(keyCode);
  if (keys.length > MOST_KEYS) throw new Error(`at most ${MOST_KEYS} keys at once`);
  needs(machine.input, "keys", "virtio-keyboard-device");
  const set = (order: readonly number[], down: boolean): void =>
    machine.post(() => {
      for (const key of order) {
        machine.input.key(key, down);
        machine.input.sync();
      }
    });
  set(keys, true);
  machine.later(holdMs, () => set(keys.toReversed(), false));
  return "";
}

function keyCode(name: string): number {
  const code = /^0x[\da-f]+$/i.test(name) ? Number(name) : KEYS[name === "<" ? "less" : name];
  if (code !== undefined && (code <= LAST_CODE || KEYS[name] !== undefined)) return code;
  const near = nearest(name, Object.keys(KEYS));
  throw new Error(`unknown key: '${name}'${near.length === 0 ? "" : `; did you mean ${near.join(", ")}?`}`);
}

/** `mouse_move DX DY [DZ]`: moves the pointer, turns the wheel. */
export function mouseMove(machine: MachineControl, args: readonly string[]): string {
  const [dx = Number.NaN, dy = Number.NaN, dz = 0] = args.map(Number);
  if (![dx, dy, dz].every(Number.isInteger)) throw new Error("usage: mouse_move DX DY [DZ]");
  needs(machine.input, "relative", "virtio-mouse-device");
  machine.post(() => {
    machine.input.move("x", dx);
    machine.input.move("y", dy);
    for (let n = 0; n < Math.min(Math.abs(dz), 100); n++)
      machine.input.button(dz < 0 ? "wheel-up" : "wheel-down", true);
    machine.input.sync();
  });
  return "";
}

/** Bits of `mouse_button`. */
const MASK: Readonly<Record<string, number>> = { left: 1, middle: 2, right: 4 };

/** `mouse_button STATE`: sets which buttons are down (1 left, 2 middle, 4 right, added up). */
export function mouseButton(machine: MachineControl, [text]: readonly string[]): string {
  const state = Number(text);
  if (text === undefined || !Number.isInteger(state) || state < 0 || state > 7)
    throw new Error("usage: mouse_button STATE (1 left, 2 middle, 4 right, added up)");
  if (!machine.input.sinks.some(({ kinds }) => kinds.includes("relative") || kinds.includes("absolute")))
    needs(machine.input, "relative", "virtio-mouse-device");
  machine.post(() => {
    for (const [name, bit] of Object.entries(MASK)) machine.input.button(BUTTONS[name] ?? 0, (state & bit) !== 0);
    machine.input.sync();
  });
  return "";
}

/** `info mice`: the pointers; the star marks the one that hears. */
export function mice({ input }: MachineControl): string {
  const pointers = input.sinks.filter(({ kinds }) => kinds.includes("relative") || kinds.includes("absolute"));
  if (pointers.length === 0) return "No mouse devices connected\n";
  return pointers
    .map(
      ({ name, kinds }, n) =>
        `${n === 0 ? "*" : " "} Mouse #${n}: ${name}${kinds.includes("absolute") ? " (absolute)" : ""}\n`,
    )
    .join("");
}

/** `mouse_set INDEX`: chooses the pointer that hears, by its number in `info mice`. */
export function mouseSet({ input }: MachineControl, [text]: readonly string[]): string {
  const pointers = input.sinks.filter(({ kinds }) => kinds.includes("relative") || kinds.includes("absolute"));
  const chosen = pointers[Number(text)];
  if (text === undefined || chosen === undefined) throw new Error(`Mouse at index '${text ?? ""}' not found`);
  input.prefer(chosen);
  return "";
}

function needs({ sinks }: InputRouter, kind: "keys" | "relative", device: string): void {
  if (!sinks.some(({ kinds }) => kinds.includes(kind)))
    throw new Error(`the machine has no device that would hear it; add one with -device ${device}`);
}
