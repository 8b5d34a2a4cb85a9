import { nodeSockets } from "@mimus/host-node";
import type { BlockControl, MachineControl } from "@mimus/monitor";
import { machineCommand, machineCommandNames, machineSchema } from "@mimus/monitor";
import { BlockExports, QmpMonitor, UnknownCommand } from "@mimus/storage-daemon";
import type { System, SystemEvent } from "@mimus/system";

import { tlsLookup } from "./block-services.ts";
import type { MachineConfig } from "./config.ts";
import type { Consoles } from "./consoles.ts";
import type { Drives } from "./drives.ts";
import { after } from "./nbd/serve.ts";
import { VERSION } from "./version.ts";

/** What a machine has for programs: monitors, and disks that it serves. */
export interface ProgramSide {
  /** The same machine, with the commands about exports. */
  readonly machine: MachineControl;
  /** Ends the exports: before the disks are closed. */
  close(): Promise<void>;
}

/** Monitors for programs on their character devices, and the NBD server that they and the human monitor start. */
export function programSide(
  system: System,
  config: MachineConfig,
  consoles: Consoles,
  drives: Drives,
  bare: MachineControl,
): ProgramSide {
  const monitors: QmpMonitor[] = [];
  const emit = (name: string, data: Readonly<Record<string, unknown>> = {}): void => {
    for (const monitor of monitors) monitor.emit(name, data);
  };
  const { block } = bare;
  if (block === undefined) return { machine: bare, close: () => Promise.resolve() };
  const disks: BlockControl = { ...block, emit };
  const exports = new BlockExports(disks, {
    sockets: nodeSockets,
    after,
    tls: (id, authz) => tlsLookup(config.objects, drives.secret, authz)(id),
  });
  const machine: MachineControl = { ...bare, block: { ...disks, commands: exports.commands() } };
  block.jobs.onEvent = ({ name, data }) => emit(name, data);
  tellEvents(system, emit);
  for (const { char, pretty } of consoles.qmps)
    monitors.push(
      new QmpMonitor(
        char,
        { version: VERSION, now: () => Date.now(), run: (name, args) => run(machine, name, args) },
        pretty,
      ),
    );
  return { machine, close: () => exports.close() };
}

async function run(machine: MachineControl, name: string, args: unknown): Promise<unknown> {
  if (name === "query-commands")
    return [
      ...machineCommandNames(machine),
      ...["qmp_capabilities", "query-commands", "query-qmp-schema", "query-version"],
    ].map((of) => ({ name: of }));
  if (name === "query-qmp-schema") return machineSchema(machine);
  const command = machineCommand(machine, name);
  if (command === undefined) throw new UnknownCommand(`The command ${name} has not been found`);
  return command(args);
}

/** Events of the machine by QMP's names. Source: QEMU 7.2, qapi/run-state.json, block-core.json. */
function tellEvents(system: System, emit: (name: string, data?: Readonly<Record<string, unknown>>) => void): void {
  let running = system.running;
  system.onEvent((event: SystemEvent) => {
    switch (event.type) {
      case "state":
        if (event.state === "suspended") emit("SUSPEND");
        else if (event.running !== running && event.state !== "shutdown") emit(event.running ? "RESUME" : "STOP");
        running = event.running;
        return;
      case "reset":
        return emit("RESET", { guest: event.guest, reason: event.guest ? "guest-reset" : "host-qmp-system-reset" });
      case "shutdown":
        return emit("SHUTDOWN", { guest: event.guest, reason: event.reason });
      case "io-error": {
        const { device, node, operation, action, noSpace, reason } = event.error;
        return emit("BLOCK_IO_ERROR", {
          ...{ device, "node-name": node, operation, action, nospace: noSpace, reason },
        });
      }
      default:
    }
  });
}
