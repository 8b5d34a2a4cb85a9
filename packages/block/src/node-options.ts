import { complaint, onOff } from "@mimus/qom";
import { z } from "zod";
import { BlockError } from "./errors.ts";

const cacheOptions = z.strictObject({ direct: onOff.default(false), "no-flush": onOff.default(false) });

/** Options that every node takes. */
export const CommonOptions: z.ZodObject = z.looseObject({
  driver: z.string().optional(),
  "node-name": z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9._-]*$/, "a node-name starts with a letter and has only letters, digits, '-', '.', '_'")
    .max(31)
    .optional(),
  "read-only": onOff.default(false),
  "auto-read-only": onOff.default(false),
  "force-share": onOff.default(false),
  discard: z
    .preprocess((v) => (v === "off" ? "ignore" : v === "on" ? "unmap" : v), z.enum(["ignore", "unmap"]))
    .default("ignore"),
  "detect-zeroes": z.enum(["off", "on", "unmap"]).default("off"),
  cache: cacheOptions.prefault({}),
});

/** Options that every node has, parsed. */
export interface Common {
  readonly driver?: string | undefined;
  readonly "node-name"?: string | undefined;
  readonly "read-only": boolean;
  readonly "auto-read-only": boolean;
  readonly "force-share": boolean;
  readonly discard: "ignore" | "unmap";
  readonly "detect-zeroes": "off" | "on" | "unmap";
  readonly cache: { readonly direct: boolean; readonly "no-flush": boolean };
}

/** Reads the common options out of a node's. @throws BlockError "bad-option" */
export function parseCommon(options: unknown, what: string): Common {
  return parse(CommonOptions, options, what) as unknown as Common;
}

/** Options that belong to the driver itself. */
export function ownOptions(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const out = { ...options };
  for (const key of [...Object.keys(CommonOptions.shape), "file", "backing"]) delete out[key];
  return out;
}

/** Options as `schema` has them. `what` they belong to stands in front of the message. @throws BlockError "bad-option" that names the wrong one */
export function parse<T extends z.ZodType>(
  schema: T,
  value: unknown,
  what: string,
  unknown = `Block format '${what}' does not support the option`,
): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues as [z.core.$ZodIssue];
  const cause = result.error;
  if (issue.code === "unrecognized_keys")
    throw new BlockError("bad-option", `${unknown} '${issue.keys.join("', '")}'`, { cause });
  const where = issue.path.length > 0 ? ` '${issue.path.join(".")}'` : "";
  throw new BlockError("bad-option", `${what}: option${where}: ${complaint(issue)}`, { cause });
}
