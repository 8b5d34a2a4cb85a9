import { MachineError } from "./errors.ts";
import type { TypeSpec } from "@mimus/qom";
import type { z } from "zod";
import type { MachineBuilder } from "./machine-context.ts";

/** A board as its package declares it. */
export interface MachineSpec<P> {
  /** What `-M` calls it. */
  readonly name: string;
  /** A few words for help. */
  readonly summary: string;
  /** Other names that `-M` takes. */
  readonly aliases?: readonly string[];
  /** QOM name of the CPU type when the user names none. */
  readonly defaultCpu: string;
  /** Bytes of RAM when the user says nothing. */
  readonly defaultRam: number;
  /** Most CPUs that `-smp` may ask for. */
  readonly maxCpus: number;
  /** Options of `-M name,option=value`; unknown ones are refused. */
  readonly props?: z.ZodObject & z.ZodType<P>;
  /** The board of its targets when the user names none. */
  readonly isDefault?: boolean;
  /** Names of the targets it exists for: `"riscv64"`. */
  readonly targets: readonly string[];
  /** Whether it has a port I/O space of 64 KiB. */
  readonly ioPorts?: boolean;
  /** Only there to be inherited from. */
  readonly abstract?: boolean;
  /** A type name, or the type itself (then it is registered along). */
  readonly parent?: string | TypeSpec;
  /** Class data for those who know the type. */
  readonly class?: Readonly<Record<string, unknown>>;
  /** Wires the board. */
  init(props: P, m: MachineBuilder): void;
}

/** The part of the declaration that programs read, under class key `"machine"`. */
export type MachineInfo = Omit<MachineSpec<never>, "props" | "parent" | "abstract" | "class">;

/** A type that `Machine` can be made of. */
export interface MachineType extends TypeSpec {
  readonly kind: "machine";
}

/** The root of all machines. */
export const machineType: MachineType = { name: "machine", kind: "machine", abstract: true, summary: "any machine" };

/** Declares a machine type. Read it back with `machineInfo(resolvedType)`. */
export function defineMachine<P = Record<string, unknown>>(spec: MachineSpec<P>): MachineType {
  const { props, parent, abstract, class: data, ...machine } = spec;
  return {
    name: spec.name,
    kind: "machine",
    summary: spec.summary,
    parent: parent === undefined ? "machine" : typeof parent === "string" ? parent : parent.name,
    bases: [machineType, ...(typeof parent === "object" ? [parent] : [])],
    ...(abstract === undefined ? {} : { abstract }),
    ...(props === undefined ? {} : { props }),
    class: { ...data, machine },
  };
}

/** What a machine type declares: default CPU and RAM, targets, aliases. */
export function machineInfo(type: { readonly class: Readonly<Record<string, unknown>> }): MachineInfo {
  return type.class["machine"] as MachineInfo;
}

/** @throws MachineError unsupported, when the board does not take so many CPUs */
export function checkCpuCount(
  type: { readonly name: string; readonly class: Readonly<Record<string, unknown>> },
  cpus: number,
): void {
  const { maxCpus } = machineInfo(type);
  if (cpus >= 1 && cpus <= maxCpus) return;
  throw new MachineError(
    "unsupported",
    `machine '${type.name}' takes 1..${maxCpus} CPUs, not ${cpus}; use -smp with such a number`,
  );
}

/** A machine with nothing in it. */
export const noneMachine: MachineType = defineMachine({
  name: "none",
  summary: "empty machine",
  defaultCpu: "",
  defaultRam: 0,
  maxCpus: 1,
  targets: [],
  init() {},
});
