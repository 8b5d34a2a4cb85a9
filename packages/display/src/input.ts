import { BUTTONS, KEYS } from "./keys.ts";

/** Something that happened at a keyboard or pointer. Numbers of keys and buttons are those of {@link KEYS} and {@link BUTTONS}. */
export type InputEvent =
  | { readonly type: "key"; readonly code: number; readonly down: boolean }
  | { readonly type: "button"; readonly code: number; readonly down: boolean }
  | { readonly type: "move"; readonly axis: "x" | "y"; readonly by: number }
  | { readonly type: "wheel"; readonly by: number }
  /** `at`: 0..32767 across the screen. */
  | { readonly type: "place"; readonly axis: "x" | "y"; readonly at: number };

/** What a device wants to hear. */
export type InputKind = "keys" | "relative" | "absolute";

/** An input device of the guest. */
export interface InputSink {
  /** For people. */
  readonly name: string;
  /** What it wants to hear. */
  readonly kinds: readonly InputKind[];
  /** Takes one event. */
  input(event: InputEvent): void;
  /** What came since the last call belongs together. */
  sync(): void;
}

/** Largest value of an absolute axis. */
export const ABS_MAX = 0x7fff;

/** Where the machine keeps its router, among its back ends. */
export const INPUT_ROUTER: { readonly kind: string; readonly id: string } = { kind: "input", id: "router" };

/** Brings events of keyboards and pointers to the guest's devices: the one registered last hears each kind. */
export class InputRouter {
  readonly #sinks: InputSink[] = [];
  readonly #touched: Set<InputSink> = new Set();

  /** Adds a device; call the answer to take it away. */
  register(sink: InputSink): () => void {
    this.#sinks.unshift(sink);
    return () => {
      const at = this.#sinks.indexOf(sink);
      if (at >= 0) this.#sinks.splice(at, 1);
      this.#touched.delete(sink);
    };
  }

  /** All devices, in order of preference. */
  get sinks(): readonly InputSink[] {
    return this.#sinks;
  }

  /** Makes a device the one that hears its kinds (HMP mouse_set). */
  prefer(sink: InputSink): void {
    const at = this.#sinks.indexOf(sink);
    if (at > 0) this.#sinks.unshift(...this.#sinks.splice(at, 1));
  }

  /** Whether the guest wants positions instead of movements. */
  get absolute(): boolean {
    return this.#for("absolute") !== undefined;
  }

  /** A key by its name or number; false for a name that nobody knows. */
  key(key: string | number, down: boolean): boolean {
    const code = typeof key === "number" ? key : KEYS[key];
    if (code === undefined) return false;
    this.#send("keys", { type: "key", code, down });
    return true;
  }

  /** A button by its name or number, or a step of the wheel ("wheel-up", "wheel-down"). */
  button(button: string | number, down: boolean): boolean {
    const kind: InputKind = this.absolute ? "absolute" : "relative";
    if (button === "wheel-up" || button === "wheel-down") {
      if (down) this.#send(kind, { type: "wheel", by: button === "wheel-up" ? 1 : -1 });
      return true;
    }
    const code = typeof button === "number" ? button : BUTTONS[button];
    if (code === undefined) return false;
    this.#send(kind, { type: "button", code, down });
    return true;
  }

  /** The pointer moved by so many steps. */
  move(axis: "x" | "y", by: number): void {
    this.#send("relative", { type: "move", axis, by: Math.trunc(by) });
  }

  place(axis: "x" | "y", at: number): void {
    this.#send("absolute", { type: "place", axis, at: Math.max(0, Math.min(ABS_MAX, Math.trunc(at))) });
  }

  /** The events since the last call happened together. */
  sync(): void {
    for (const sink of this.#touched) sink.sync();
    this.#touched.clear();
  }

  #for(kind: InputKind): InputSink | undefined {
    return this.#sinks.find((s) => s.kinds.includes(kind));
  }

  #send(kind: InputKind, event: InputEvent): void {
    const sink = this.#for(kind);
    if (!sink) return;
    sink.input(event);
    this.#touched.add(sink);
  }
}
