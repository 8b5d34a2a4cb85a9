/**
 * Of zod what schemas of the project are made of, as one file; the rest of it, above all 64 translations and JSON schemas, is
 * loaded when it is asked for: 10 ms of a cold start. The two get along, for zod keeps what it shares in `globalThis`.
 */
import { createRequire } from "node:module";

import {
  array,
  bigint,
  boolean,
  coerce,
  config,
  custom,
  enum as enumeration,
  globalRegistry,
  instanceof as instance,
  int,
  literal,
  looseObject,
  never,
  NEVER,
  number,
  object,
  preprocess,
  record,
  strictObject,
  string,
  tuple,
  uint32,
  undefined as nothing,
  union,
  unknown,
} from "zod";

const held: Readonly<Record<string | symbol, unknown>> = {
  ...{ array, bigint, boolean, coerce, config, custom, enum: enumeration, globalRegistry, instanceof: instance, int },
  ...{ literal, looseObject, never, NEVER, number, object, preprocess, record, strictObject, string, tuple, uint32 },
  ...{ undefined: nothing, union, unknown },
};

let whole: typeof held | undefined;
const wholeZod = (): typeof held => (whole ??= createRequire(import.meta.url)("./whole-zod.js") as typeof held);

// Schemas are used a few times each by a command: compiling them costs more than it pays back. Before any is made.
config({ jitless: true });

export { config };
export const z: typeof held = new Proxy(held, {
  get: (own, name) => (name in own ? own[name] : wholeZod()[name]),
});
