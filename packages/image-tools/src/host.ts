import type { FormatHost, HostFiles } from "@mimus/block";
import type { Registry } from "@mimus/qom";
import type { Unseal } from "./objects.ts";

/** What the tools need from the program that runs them. */
export interface ToolHost {
  /** Name before messages and in hints: `mimus img`. */
  readonly program: string;
  /** What `--version` prints. */
  readonly version: string;
  /** Where formats and protocols are found by name. */
  readonly registry: Registry;
  /** The only way to files of the host. */
  readonly files: HostFiles;
  /** Randomness, time, codecs; secrets are those of `--object`. */
  readonly format: Omit<FormatHost, "secret">;
  /** Services for protocols of other packages (sockets, fetch). */
  readonly services?: Readonly<Record<string, unknown>>;
  /** Prints to standard output. */
  out(text: string): void;
  /** The same as `out` with bytes of text, which are used again afterwards. Absent = only `out` is there. */
  outBytes?(bytes: Uint8Array): void;
  /** Prints to standard error. */
  err(text: string): void;
  /** Monotonic time, nanoseconds. */
  now(): number;
  /** Waits this many nanoseconds. */
  delay(ns: number): Promise<void>;
  /** Bytes of storage that a host file takes; absent = unknown. */
  allocated?(path: string): Promise<number | undefined>;
  /** True when both are the same length and bytes: a host's memcmp, where it has one. */
  same?(a: Uint8Array, b: Uint8Array): boolean;
  /** Calls back whenever the user asks how far the work is (SIGUSR1). */
  onReport?(report: () => void): void;
  /** The user wants the work to end (Ctrl-C). */
  readonly interrupted?: () => boolean;
  /** Opens a secret that is sealed: AES-256 in CBC mode, the padding left on. */
  readonly unseal?: Unseal;
  /** Takes an object of `--object` that is no secret; false = there is none of that type. */
  readonly object?: (values: Readonly<Record<string, unknown>>, secret: (id: string) => Promise<Uint8Array>) => boolean;
  /** Removes a file that was not finished. */
  remove?(path: string): Promise<void>;
  /** Lines that the user types; the prompt is shown before each. Ends at the end of the input. */
  lines?(prompt: string): AsyncIterable<string>;
  /** Raises a signal of this process. */
  raise?(signal: number): void;
  /** Ends the process at once, as after a crash. */
  abort?(): never;
}
