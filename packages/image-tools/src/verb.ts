import type { Arguments, OptionSpec } from "./arguments.ts";
import type { Tools } from "./tools.ts";

/** What a verb does. @returns the exit status */
type RunVerb = (args: Arguments, tools: Tools) => Promise<number>;

/** A verb as help, completion and documentation show it. */
export interface Verb {
  /** The word after `mimus img`. */
  readonly name: string;
  /** A few words for help. */
  readonly summary: string;
  /** What follows the options. */
  readonly operands: string;
  /** All that it takes. */
  readonly options: readonly OptionSpec[];
  /** Exit statuses with a meaning of their own. */
  readonly exits?: Readonly<Record<number, string>>;
  /** The last word is taken off before options are read: a size that may begin with a minus. */
  readonly lastWord?: boolean;
  /** Status of a failure. Default: 1. */
  readonly failure?: number;
  /** @internal The work itself, loaded when the verb is used. */
  load(): Promise<RunVerb>;
}
