import { onOff, u64 } from "@mimus/qom";
import { z } from "zod";
import { BlockError } from "../errors.ts";
import { hostError } from "../faulty-file.ts";
import type { BlockFilter } from "../filter.ts";
import { defineFilter } from "../filter.ts";
import { FilterNode } from "../filter-node.ts";
import type { BlockNode } from "../node.ts";
import type { BlockStatus } from "../status.ts";
import { Breakpoints } from "./breakpoints.ts";
import type { IoType } from "./blkdebug-rules.ts";
import { BlkdebugRules, InjectError, parseRules, SetState } from "./blkdebug-rules.ts";

const CODES: Readonly<Record<number, string>> = {
  1: "EPERM",
  2: "ENOENT",
  5: "EIO",
  11: "EAGAIN",
  12: "ENOMEM",
  13: "EACCES",
  22: "EINVAL",
  27: "EFBIG",
  28: "ENOSPC",
  30: "EROFS",
  122: "EDQUOT",
};
/** Events that a request itself raises, in this order. */
const EVENTS: Readonly<Record<IoType, readonly string[]>> = {
  read: [],
  write: ["pwritev"],
  "write-zeroes": ["pwritev_zero"],
  discard: [],
  flush: ["flush_to_os", "flush_to_disk"],
  "block-status": [],
};
/** Events that a request raises in place of a format that does not tell its steps. */
const UNTOLD: Readonly<Partial<Record<IoType, string>>> = {
  read: "read_aio",
  write: "write_aio",
  discard: "cluster_free",
};

/** Makes requests fail as rules say. */
export class BlkdebugNode extends FilterNode {
  readonly rules: BlkdebugRules;
  /** Where requests are stopped. */
  readonly breakpoints: Breakpoints = new Breakpoints();
  /** The format above tells its steps. */
  #told = false;

  constructor(name: string, file: BlockNode, readOnly: boolean, rules: BlkdebugRules) {
    super(name, "blkdebug", file, readOnly);
    this.rules = rules;
  }

  override async read(at: number, into: Uint8Array): Promise<void> {
    await this.#try("read", at, into.length);
    return this.file.read(at, into);
  }
  override async write(at: number, from: Uint8Array): Promise<void> {
    await this.#try("write", at, from.length);
    await this.file.write(at, from);
    await this.#event("pwritev_done");
  }
  override async flush(): Promise<void> {
    await this.#try("flush", 0, 0);
    return this.file.flush();
  }
  override async blockStatus(at: number, length: number): Promise<BlockStatus> {
    await this.#try("block-status", at, length);
    return super.blockStatus(at, length);
  }
  protected override async pass(
    what: "discard" | "zero",
    at: number,
    length: number,
    act: () => Promise<void> | undefined,
  ): Promise<void> {
    await this.#try(what === "zero" ? "write-zeroes" : "discard", at, length);
    await act();
    if (what === "zero") await this.#event("pwritev_done");
  }

  event(name: string): Promise<unknown> | undefined {
    this.#told = true;
    // Rules for it have held since the node was opened.
    return name === "none" ? undefined : this.#event(name);
  }

  /** What happens may stop the request, and changes which rules hold. */
  #event(name: string): Promise<unknown> | undefined {
    const stopped = this.breakpoints.meet(name);
    this.rules.event(name);
    return stopped;
  }

  async #try(type: IoType, at: number, length: number): Promise<void> {
    const untold = this.#told ? undefined : UNTOLD[type];
    for (const name of untold === undefined ? EVENTS[type] : [untold, ...EVENTS[type]]) {
      const stopped = this.#event(name);
      if (stopped) await stopped;
    }
    const errno = this.rules.errno(type, at, length);
    if (errno !== 0) throw hostError(CODES[errno] ?? "EIO");
  }
}

/** Limits of requests, besides `align`. */
const LIMITS = ["max-transfer", "opt-write-zero", "max-write-zero", "opt-discard", "max-discard"] as const;
const sizes = Object.fromEntries(["align", ...LIMITS].map((k) => [k, u64.optional()]));

/** @throws BlockError "bad-option" when `align` is no power of two, or another is no multiple of it; 2^31 is too large for all */
function checkLimits(o: Readonly<Record<string, unknown>>): void {
  const met = (name: string, fits: (value: number) => boolean): number => {
    const value = Number(o[name] ?? 0);
    if (value < 2 ** 31 && fits(value)) return value;
    throw new BlockError("bad-option", `blkdebug: Cannot meet constraints with ${name} ${value}`);
  };
  const align = met("align", (value) => (value & (value - 1)) === 0) || 1;
  for (const name of LIMITS) met(name, (value) => value % align === 0);
}

/** Errors on purpose. Source: QEMU 7.2, `BlockdevOptionsBlkdebug` and docs/devel/blkdebug.txt. */
export const blkdebug: BlockFilter = defineFilter({
  name: "blkdebug",
  summary: "Makes requests fail as rules say",
  children: { image: "required" },
  options: () =>
    z.strictObject({
      ...sizes,
      config: z.string().optional().describe("file of rules"),
      "inject-error": z.preprocess(asList, z.array(InjectError())).optional(),
      "set-state": z.preprocess(asList, z.array(SetState())).optional(),
      "take-child-perms": z.unknown().optional(),
      "unshare-child-perms": z.unknown().optional(),
      "x-image": onOff.optional(),
    }),
  async open(o, ctx) {
    checkLimits(o);
    const errors = [...(o["inject-error"] ?? [])];
    const states = [...(o["set-state"] ?? [])];
    if (o.config !== undefined && o.config !== "") {
      const more = parseRules(latin1(await ctx.readFile(o.config)), o.config);
      errors.push(...more.errors);
      states.push(...more.states);
    }
    return new BlkdebugNode(
      ctx.name,
      ctx.children["image"] as BlockNode,
      ctx.readOnly,
      new BlkdebugRules(errors, states),
    );
  },
  parse(filename) {
    const m = /^blkdebug:([^:]*):(.+)$/s.exec(filename);
    if (!m) throw new BlockError("bad-option", `'${filename}': blkdebug:RULES:IMAGE, with RULES empty for none`);
    return { image: m[2], ...(m[1] === "" ? {} : { config: m[1] }) };
  },
});

function latin1(bytes: Uint8Array): string {
  let out = "";
  for (const b of bytes) out += String.fromCharCode(b);
  return out;
}

/** Dotted options of a command line number their lists: inject-error.0.event=... */
function asList(given: unknown): unknown {
  return typeof given === "object" && given !== null && !Array.isArray(given) ? Object.values(given) : given;
}
