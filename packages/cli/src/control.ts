import { writeFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { deflateSync } from "node:zlib";

import { DISPLAY_KIND, type DisplayConsole } from "@mimus/display";
import { inspectMachine, type MachineControl } from "@mimus/monitor";
import type { System } from "@mimus/system";
import { ENV, jitText } from "@mimus/tcg";

import type { MachineConfig } from "./config.ts";
import type { Consoles } from "./consoles.ts";
import type { Drives } from "./drives.ts";
import { WATCHDOG_ACTIONS } from "./guest-actions.ts";
import type { Logging } from "./logging.ts";
import { cpuDebug, registerText } from "./registers.ts";
import { uuidText } from "./uuid.ts";
import { VERSION } from "./version.ts";

/** The machine as the monitor sees it. */
export function control(
  system: System,
  { name, uuid, actions }: Pick<MachineConfig, "name" | "uuid" | "actions">,
  consoles: Consoles,
  drives: Drives,
  logging: Logging,
): MachineControl {
  const { machine } = system;
  return {
    version: VERSION,
    name: name ?? "",
    uuid: uuidText(uuid ?? new Uint8Array(16)),
    input: system.input,
    post: (act) => system.post(act),
    later: (milliseconds, act) => void setTimeout(act, milliseconds).unref(),
    status: () => system.state,
    quit: () => system.shutdown(),
    stop: () => void system.pause(),
    cont: () => system.start(),
    reset: () => system.reset(),
    powerdown: () => machine.requestPowerdown(),
    nmi: () => system.post(() => machine.requestNmi()),
    wakeup: () => {
      if (!system.suspended) return false;
      machine.requestWakeup("other");
      return true;
    },
    setWatchdogAction: (action) => {
      if (!WATCHDOG_ACTIONS.includes(action)) return false;
      actions.watchdog.action = action;
      return true;
    },
    root: machine.tree.root,
    memory: machine.system,
    screens: machine.backendIds(DISPLAY_KIND).map((id) => machine.backend(DISPLAY_KIND, id) as DisplayConsole),
    spaces: machine.io === undefined ? [machine.system] : [machine.system, machine.io],
    inspect: (topic) => inspectMachine(machine, topic),
    saveFile: (path, bytes) => writeFileSync(path, bytes),
    deflate: (bytes) => deflateSync(bytes),
    cpus: () =>
      system.vcpus.map((vcpu, index) => ({
        index,
        halted: system.engine?.i32[(vcpu.env + ENV.halted) >>> 2] !== 0,
        pc: vcpu.pc.toString(16).padStart(16, "0"),
        registers: () => system.standing(() => registerText(system, index)),
        ...cpuDebug(system, index),
      })),
    chardevs: () => consoles.descriptions,
    blocks: () =>
      drives.drives.map(({ id, backend }) => {
        const { node, readOnly } = backend;
        return node === undefined
          ? `${id}: [not inserted]`
          : `${id} (${node.name}): ${node.size} bytes${readOnly ? ", read-only" : ""}`;
      }),
    block: {
      graph: drives.graph,
      jobs: drives.jobs,
      allocated: async (path) => {
        const found = await stat(path).catch(() => undefined);
        return found && found.blocks * 512;
      },
      texts: async () => {
        const { imageText, snapshotList } = await import("@mimus/image-tools");
        return { image: imageText, snapshots: snapshotList };
      },
      device: (id) => {
        const qdev = drives.graph.backend(id)?.owner;
        if (qdev === undefined) return undefined;
        const type = machine.tree.resolve(qdev).type.name;
        return { qdev, removable: /cd|floppy|fd/.test(type) };
      },
    },
    jit: () => (system.engine === undefined ? "" : jitText(system.engine)),
    log: () => {
      throw new Error(`the log items are set by -d at the start (now: ${[...logging.items].join(",") || "none"})`);
    },
  };
}
