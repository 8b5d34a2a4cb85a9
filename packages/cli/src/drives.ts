import { BlockGraph, type Drive, openDrive } from "@mimus/block";
import { nodeFiles, nodeFormatHost } from "@mimus/host-node";
import type { Registry } from "@mimus/qom";

import type { MachineConfig } from "./config.ts";

/** The disks of one machine, opened. */
export interface Drives {
  readonly graph: BlockGraph;
  readonly drives: readonly Drive[];
}

/** Opens `-blockdev` and `-drive`; loads the packages of the formats that they name. @throws BlockError, QomError */
export async function openDrives(config: MachineConfig, registry: Registry, defaultInterface: string): Promise<Drives> {
  for (const { kind, name } of registry.known())
    if (kind === "block-format" || kind === "block-protocol" || kind === "block-filter")
      await registry.ensure(name, kind);
  const graph = new BlockGraph({
    registry,
    files: nodeFiles,
    warn: (message) => void process.stderr.write(`mimus: ${message}\n`),
    delay: (ns) => new Promise((resolve) => setTimeout(resolve, ns / 1e6)),
    format: nodeFormatHost(),
  });
  for (const { "qom-type": type, id, ...options } of config.objects)
    if (type === "throttle-group") graph.addThrottleGroup(String(id), options);
  for (const options of config.blockdevs) await graph.open(options, { use: "device" });
  const drives: Drive[] = [];
  for (const options of config.drives)
    drives.push(await openDrive(graph, options, { interface: defaultInterface, snapshot: config.snapshot }));
  return { graph, drives };
}
