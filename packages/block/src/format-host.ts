import { portable } from "@mimus/compress";
import { BlockError } from "./errors.ts";
import type { FormatHost } from "./format.ts";

/** Fills in what the application did not give: portable codecs; randomness, time and secrets fail when they are asked for. */
export function formatHost(given: Partial<FormatHost> = {}): FormatHost {
  return { ...ABSENT, ...given };
}

const ABSENT: FormatHost = {
  codecs: portable,
  random: () => missing("random bytes"),
  now: () => missing("a clock"),
  secret: async (id) => missing(`the secret '${id}'`),
};

function missing(what: string): never {
  throw new BlockError("bad-option", `The image needs ${what}, which this program does not give to its block graph`);
}
