import { lazy, onOff, u64 } from "@mimus/qom";
import { z } from "zod";
import { BlockError } from "../errors.ts";
import { parse } from "../node-options.ts";
import { EVENTS } from "./breakpoints.ts";

const IO_TYPES = ["read", "write", "write-zeroes", "discard", "flush", "block-status"] as const;
/** What a request does. */
export type IoType = (typeof IO_TYPES)[number];

const number = u64;
const common = lazy(() => ({ event: z.enum([...EVENTS]), state: number.default(0) }));
/** A rule that makes requests fail. */
export const InjectError: () => z.ZodType<InjectErrorRule> = lazy(
  () =>
    z.strictObject({
      ...common(),
      iotype: z.enum(IO_TYPES).optional(),
      errno: number.default(5),
      sector: number.optional(),
      once: onOff.default(false),
      immediately: onOff.default(false),
    }) as never,
);
/** A rule that changes the state. */
export const SetState: () => z.ZodType<SetStateRule> = lazy(
  () =>
    z
      .strictObject({ ...common(), new_state: number })
      .transform(({ new_state, ...rest }) => ({ ...rest, newState: new_state })) as never,
);

export interface InjectErrorRule {
  readonly event: string;
  /** 0 = in any state. */
  readonly state: number;
  readonly iotype?: IoType | undefined;
  readonly errno: number;
  /** 512-byte sector that a request must touch. */
  readonly sector?: number | undefined;
  readonly once: boolean;
  readonly immediately: boolean;
}
export interface SetStateRule {
  readonly event: string;
  readonly state: number;
  readonly newState: number;
}

/** Rules of blkdebug and the state they are in. */
export class BlkdebugRules {
  readonly #errors: InjectErrorRule[];
  readonly #states: readonly SetStateRule[];
  #state = 1;
  #active: InjectErrorRule[] = [];

  constructor(errors: readonly InjectErrorRule[], states: readonly SetStateRule[]) {
    this.#errors = [...errors];
    this.#states = states;
    this.event("none");
  }

  /** Something happened: rules that wait for it take effect. */
  event(name: string): void {
    const now = this.#errors.filter((r) => r.event === name && (r.state === 0 || r.state === this.#state));
    if (now.length > 0) this.#active = now;
    let next = this.#state;
    for (const rule of this.#states)
      if (rule.event === name && (rule.state === 0 || rule.state === this.#state)) next = rule.newState;
    this.#state = next;
  }

  /** The errno that a request must fail with; 0 = none. */
  errno(type: IoType, at: number, length: number): number {
    const rule = this.#active.find(
      (r) =>
        (r.iotype === undefined ? type !== "block-status" : r.iotype === type) &&
        (r.sector === undefined || (length > 0 && r.sector * 512 >= at && r.sector * 512 < at + length)),
    );
    if (!rule) return 0;
    if (rule.once) {
      this.#active = this.#active.filter((r) => r !== rule);
      this.#errors.splice(this.#errors.indexOf(rule), 1);
    }
    return rule.errno;
  }
}

/** Reads a rules file: sections [inject-error] and [set-state] of `key = "value"`. @throws BlockError "bad-option" */
export function parseRules(text: string, path: string): { errors: InjectErrorRule[]; states: SetStateRule[] } {
  const sections: { kind: string; values: Record<string, string> }[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const clean = line.replace(/#.*/, "").trim();
    if (clean === "") continue;
    const head = /^\[\s*([a-z-]+)(?:\s+"[^"]*")?\s*\]$/.exec(clean);
    const pair = /^([A-Za-z_-]+)\s*=\s*"([^"]*)"$/.exec(clean);
    if (head) sections.push({ kind: head[1] ?? "", values: {} });
    else if (pair && sections.length > 0)
      (sections.at(-1) as { values: Record<string, string> }).values[pair[1] ?? ""] = pair[2] ?? "";
    else
      throw new BlockError("bad-option", `'${path}' line ${index + 1}: '${clean}' is no section and no key = "value"`);
  }
  const of = <T>(kind: string, schema: z.ZodType<T>): T[] =>
    sections
      .filter((s) => s.kind === kind)
      .map((s) => parse(schema, s.values, `'${path}' [${kind}]`, `'${path}' [${kind}] has no option`));
  return { errors: of("inject-error", InjectError()), states: of("set-state", SetState()) };
}
