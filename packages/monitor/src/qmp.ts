import { type ZodObject, z } from "zod";

import { BLOCK_COMMANDS } from "./block/commands.ts";
import { execute } from "./commands.ts";
import type { MachineControl } from "./control.ts";
import { HUMAN_QUERIES } from "./queries.ts";
import { BLOCK_EVENTS, MACHINE_EVENTS, qmpSchema, type SchemaInfo } from "./schema.ts";
import { newSession } from "./session.ts";

/** A command for programs: what it answers, or the error that it throws. */
export type QmpCommand = (args: unknown) => Promise<unknown>;

type Run<S extends ZodObject> = (machine: MachineControl, args: z.output<S>) => unknown;

const None = z.strictObject({});
const Line = z.strictObject({ "command-line": z.string(), "cpu-index": z.int().min(0).optional() });

const plain = (run: (machine: MachineControl) => unknown): [ZodObject, Run<never>] => [None, run];

/** Commands about the machine as a whole, with their arguments. Source: QEMU 7.2, qapi/run-state.json, misc.json, machine.json, char.json. */
const MACHINE: Readonly<Record<string, [ZodObject, Run<never>]>> = {
  "query-status": plain((m) => ({ status: m.status(), singlestep: false, running: m.status() === "running" })),
  "query-name": plain((m) => (m.name === "" ? {} : { name: m.name })),
  "query-uuid": plain((m) => ({ UUID: m.uuid })),
  "query-chardev": plain((m) =>
    m.chardevs().map(({ id, description }) => ({ "frontend-open": true, label: id, filename: description })),
  ),
  stop: plain((m) => m.stop()),
  cont: plain((m) => m.cont()),
  system_reset: plain((m) => m.reset()),
  system_powerdown: plain((m) => m.powerdown()),
  system_wakeup: plain((m) => {
    if (!m.wakeup()) throw new Error("Unable to wake up: guest is not in suspended state");
  }),
  "inject-nmi": plain((m) => m.nmi()),
  // The answer leaves first.
  quit: plain((m) => m.later(1, () => m.quit())),
  "human-monitor-command": [
    Line,
    ((m, { "command-line": line, "cpu-index": cpu }) =>
      execute(m, line, { ...newSession(), ...(cpu === undefined ? {} : { cpu }) })) satisfies Run<
      typeof Line
    > as Run<never>,
  ],
};

/** Names of all commands of a machine's monitor. */
export function machineCommandNames(machine: MachineControl): string[] {
  const { block } = machine;
  const disks = block === undefined ? [] : [...BLOCK_COMMANDS.keys(), ...(block.commands?.keys() ?? [])];
  return [...Object.keys(MACHINE), ...Object.keys(HUMAN_QUERIES), ...disks].toSorted();
}

/** What `query-qmp-schema` of a machine's monitor answers. */
export function machineSchema(machine: MachineControl): Promise<readonly SchemaInfo[]> {
  const plainly = Object.entries(MACHINE).map(([name, [schema]]) => ({ name, schema }));
  const queries = Object.keys(HUMAN_QUERIES).map((name) => ({ name, schema: None }));
  const { block } = machine;
  const disks = block === undefined ? [] : [...BLOCK_COMMANDS.values(), ...(block.commands?.values() ?? [])];
  return qmpSchema(
    [...plainly, ...queries, ...disks],
    [...MACHINE_EVENTS, ...BLOCK_EVENTS],
    block?.graph.host.registry,
  );
}

/** The command of this name; undefined when a machine has none. */
export function machineCommand(machine: MachineControl, name: string): QmpCommand | undefined {
  if (Object.hasOwn(MACHINE, name)) {
    const [schema, run] = MACHINE[name] as [ZodObject, Run<ZodObject>];
    return async (args) => (await run(machine, parsed(schema, args))) ?? {};
  }
  const query = Object.hasOwn(HUMAN_QUERIES, name) ? HUMAN_QUERIES[name] : undefined;
  if (query !== undefined) return async () => query(machine);
  const { block } = machine;
  const command = BLOCK_COMMANDS.get(name) ?? block?.commands?.get(name);
  return block === undefined || command === undefined ? undefined : (args) => command.run(block, args);
}

function parsed(schema: ZodObject, args: unknown): Record<string, unknown> {
  const result = schema.safeParse(args ?? {});
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  if (issue?.code === "unrecognized_keys") throw new Error(`Parameter '${issue.keys[0] ?? ""}' is unexpected`);
  const where = issue?.path.join(".") ?? "";
  const missing = issue?.code === "invalid_type" && /undefined/.test(issue.message);
  throw new Error(missing ? `Parameter '${where}' is missing` : `Invalid parameter '${where}'`);
}
