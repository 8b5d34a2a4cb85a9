/** The table of system calls: numbers to names to what is done. */
import { LinuxUserError } from "../errors.ts";
import type { Process, SyscallDef } from "../process.ts";
import { signalCalls } from "../signals/calls.ts";
import { childCalls } from "./calls/children.ts";
import { copyCalls } from "./calls/copy.ts";
import { descriptorCalls } from "./calls/descriptors.ts";
import { directoryCalls } from "./calls/directories.ts";
import { eventCalls } from "./calls/events.ts";
import { futexCalls } from "./calls/futex.ts";
import { identityCalls } from "./calls/identity.ts";
import { ioctlCalls } from "./calls/ioctl.ts";
import { memoryCalls } from "./calls/memory.ts";
import { openCalls } from "./calls/open.ts";
import { pathCalls } from "./calls/paths.ts";
import { pollCalls } from "./calls/poll.ts";
import { processCalls } from "./calls/process.ts";
import { readWriteCalls } from "./calls/read-write.ts";
import { riscvCalls } from "./calls/riscv.ts";
import { socketCalls } from "./calls/sockets.ts";
import { statCalls } from "./calls/stat.ts";
import { systemCalls } from "./calls/system.ts";
import { timeCalls } from "./calls/time.ts";
import type { Kernel } from "./kernel.ts";
import { TAKE, takeOf, type CallDef } from "./kinds.ts";
import { numberings } from "./numbers/generic.ts";

/** A call of the process's own, as one of this table. */
const ofProcess = (def: SyscallDef): CallDef => {
  const run = def.run as (process: Process, ...args: number[]) => number | Promise<number>;
  return { name: def.name, args: def.args, run: (k: Kernel, ...args: number[]) => run(k.process, ...args) };
};

/** Every call that is known, whatever the ABI. */
export const allCalls: readonly CallDef[] = [
  ...readWriteCalls,
  ...openCalls,
  ...statCalls,
  ...pathCalls,
  ...directoryCalls,
  ...descriptorCalls,
  ...ioctlCalls,
  ...pollCalls,
  ...eventCalls,
  ...copyCalls,
  ...socketCalls,
  ...memoryCalls,
  ...timeCalls,
  ...futexCalls,
  ...processCalls,
  ...identityCalls,
  ...systemCalls,
  ...riscvCalls,
  ...childCalls,
  ...signalCalls.map(ofProcess),
];

/** A row made ready for calling. */
export interface Row {
  readonly def: CallDef;
  readonly count: number;
  /** How each argument is taken, of {@link TAKE}. */
  readonly takes: readonly number[];
  /** The register that each argument begins in. */
  readonly registers: readonly number[];
  readonly run: (k: Kernel, ...args: number[]) => number | Promise<number>;
}

/** Rows and names by number. */
export interface Table {
  readonly rows: readonly (Row | undefined)[];
  readonly names: ReadonlyMap<number, string>;
}

function makeRow(def: CallDef, wordBits: number): Row {
  const takes = def.args.map(takeOf);
  const registers: number[] = [];
  let next = 0;
  for (const take of takes) {
    registers.push(next);
    next += take === TAKE.PAIR && wordBits === 32 ? 2 : 1;
  }
  return { def, count: takes.length, takes, registers, run: def.run as Row["run"] };
}

/** Builds the table for a numbering. Calls of other instruction sets are left out. */
export function buildTable(numbering: string, wordBits: number, machine: string): Table {
  const names = numberings[numbering]?.();
  if (names === undefined)
    throw new LinuxUserError(
      "wrong-machine",
      `there is no table '${numbering}' of system calls; there are: ${Object.keys(numberings).join(", ")}`,
    );
  const byName = new Map(allCalls.map((def) => [def.name, def]));
  const rows: (Row | undefined)[] = [];
  for (const [number, name] of names) {
    const def = byName.get(name);
    if (def === undefined || (name.startsWith("riscv_") && !machine.startsWith("riscv"))) continue;
    while (rows.length <= number) rows.push(undefined);
    rows[number] = makeRow(def, wordBits);
  }
  return { rows, names };
}
