import type { TypeSpec } from "@mimus/qom";
import { lazy } from "@mimus/qom";
import type { z } from "zod";
import type { BlockNode } from "./node.ts";
import type { ThrottleGroup } from "./throttle.ts";

/** What a filter gets from its graph. */
export interface FilterContext {
  /** node-name of the filter. */
  readonly name: string;
  readonly readOnly: boolean;
  /** Nodes by role. */
  readonly children: Readonly<Record<string, BlockNode>>;
  /** Whole content of a file of the host that the options name (blkdebug's rules). */
  readFile(path: string): Promise<Uint8Array>;
  /** @throws BlockError "not-found" */
  throttleGroup(id: string): ThrottleGroup;
  /** Milliseconds of the host, from some start. */
  now(): number;
  /** Waits this many nanoseconds of host time. */
  delay(ns: number): Promise<void>;
  /** One line for the user's eyes. */
  warn(message: string): void;
}

/** The erased operations of a filter. */
export interface FilterOps {
  /** Options that are nodes; the first one is the filtered one. */
  readonly children: Readonly<Record<string, "required" | "optional">>;
  /** Makes the node; it closes its children. @throws BlockError */
  readonly open: (options: never, ctx: FilterContext) => Promise<BlockNode>;
  /** Options for a name such as "blkdebug:rules:disk.img"; absent = the filter has no such names. */
  readonly parse?: (filename: string) => Record<string, unknown>;
}

/** A node that stands on others and changes how requests pass: a type of kind "block-filter". */
export interface BlockFilter extends TypeSpec {
  readonly kind: "block-filter";
  readonly class: Readonly<Record<string, unknown>> & { readonly filter: FilterOps };
}

/** Declares a filter. Its node closes its children. */
export function defineFilter<O extends z.ZodObject>(spec: {
  readonly name: string;
  readonly summary: string;
  /** A function: made when the first filter of the kind is opened. */
  readonly options: O | (() => O);
  /** Options that are nodes; the first one is the filtered one. Default: "file". */
  readonly children?: Readonly<Record<string, "required" | "optional">>;
  readonly open: (options: z.output<O>, ctx: FilterContext) => Promise<BlockNode>;
  /** Options for a name such as "blkdebug:rules:disk.img". */
  readonly parse?: (filename: string) => Record<string, unknown>;
}): BlockFilter {
  const filter: FilterOps = {
    children: spec.children ?? { file: "required" },
    open: spec.open,
    ...(spec.parse ? { parse: spec.parse } : {}),
  };
  const props = lazy(spec.options);
  return {
    ...{ name: spec.name, kind: "block-filter", summary: spec.summary, class: { filter } },
    get props() {
      return props();
    },
  };
}
