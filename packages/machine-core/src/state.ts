import { z } from "zod";

/** A part of a device whose state can be set to its start, saved and loaded. */
export interface Stateful {
  /** To the power-on state. */
  reset(): void;
  /** A plain value: objects, arrays, numbers, strings, booleans, Uint8Array. */
  save(): unknown;
  /** Takes what `save` gave. Untrusted: validates first, and throws without having changed anything. */
  load(raw: unknown): void;
}

/** The schema of a part's state: the declared fields and the version they belong to. */
export type StateSchema<S extends z.ZodRawShape> = z.ZodObject<
  S & { stateVersion: z.ZodDefault<z.ZodLiteral<number>> },
  z.core.$strict
>;

/**
 * Declares the state of a part once: `State.parse({})` is the power-on state, `State.parse(raw)` checks a loaded one.
 * The version is saved as `stateVersion`; loading another one fails with a message that says so.
 */
export function defineState<S extends z.ZodRawShape>(id: string, version: number, shape: S): StateSchema<S> {
  const stateVersion = z
    .literal(version, {
      error: (issue) => `the state of ${id} has version ${String(issue.input)}; this build reads version ${version}`,
    })
    .default(version);
  return z.strictObject({ stateVersion, ...shape }).meta({ id, version }) as unknown as StateSchema<S>;
}

/** A byte array in a state: at most `max` bytes, exactly `max` when `exact`. */
export function stateBytes(max: number, exact = false): z.ZodType<Uint8Array, Uint8Array> {
  return z.custom<Uint8Array>(
    (value) => value instanceof Uint8Array && (exact ? value.length === max : value.length <= max),
    `expected ${exact ? "exactly" : "at most"} ${max} bytes`,
  );
}

/** An unsigned 32-bit field that is 0 at power-on. */
export function stateU32(start = 0): z.ZodDefault<z.ZodNumber> {
  return z.int().min(0).max(0xffffffff).default(start);
}
