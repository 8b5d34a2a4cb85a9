import type { RunState } from "@mimus/system";
import type { BootOptions } from "./options.ts";

/** What the page says to its machine. */
export type ToMachine =
  | {
      readonly type: "boot";
      readonly options: BootOptions;
      /** Files that the user chose, by the name that the options give. */
      readonly chosen: ReadonlyMap<string, Blob>;
      /** Addresses are relative to this one. */
      readonly base: string;
    }
  | { readonly type: "typed"; readonly text: string }
  /** Input whose characters are bytes. */
  | { readonly type: "reported"; readonly text: string }
  /** The oldest output that was not acknowledged yet is on the screen. */
  | { readonly type: "drawn" }
  /** What happened at the screen: keys and the pointer, as the display package's remoteInput takes them. */
  | { readonly type: "input"; readonly events: readonly unknown[] }
  /** The last part of the screen was drawn. */
  | { readonly type: "shown" }
  | { readonly type: "start" | "pause" | "reset" };

/** What a machine says to its page. */
export type FromMachine =
  | { readonly type: "ready" }
  | { readonly type: "progress"; readonly file: string; readonly loaded: number; readonly total: number | undefined }
  | { readonly type: "output"; readonly bytes: Uint8Array }
  /** Changes on the screen, as the display package's ScreenFeed says them. `absolute`: the guest wants positions of the pointer. */
  | { readonly type: "screen"; readonly frame: Uint8Array<ArrayBuffer>; readonly absolute: boolean }
  /** `insns`: instructions executed so far. */
  | { readonly type: "state"; readonly state: RunState; readonly insns: number }
  | { readonly type: "reset" }
  /** One line; `fatal`: there is no machine any more. */
  | { readonly type: "error"; readonly message: string; readonly fatal: boolean }
  | { readonly type: "log"; readonly line: string };

/** One end of the line between a page and its machine: a worker, its scope, or a message port. */
export interface Port<Sent, Received> {
  postMessage(message: Sent): void;
  addEventListener(type: "message", listener: (event: { readonly data: Received }) => void): void;
  /** Message ports only deliver after this. */
  start?(): void;
}
