import { BlockGraph, type Drive, Jobs, openDrive } from "@mimus/block";
import { nodeFiles, nodeFormatHost } from "@mimus/host-node";
import { Objects } from "@mimus/image-tools";
import type { Registry } from "@mimus/qom";

import { blockServices, credentialOptions, isNetworkObject, type SecretLookup } from "./block-services.ts";
import type { MachineConfig } from "./config.ts";
import { UsageError } from "./errors.ts";
import { toolHost } from "./tool-host.ts";

/** The disks of one machine, opened. */
export interface Drives {
  readonly graph: BlockGraph;
  readonly jobs: Jobs;
  readonly drives: readonly Drive[];
  /** Bytes of a `secret` object. */
  readonly secret: SecretLookup;
}

/** Whether an object of `-object` is for disks alone, and no part of the machine. */
export function isDiskObject(type: unknown): boolean {
  return type === "secret" || isNetworkObject(type);
}

/** Opens `-blockdev` and `-drive`; loads the packages of the formats that they name. @throws BlockError, QomError */
export async function openDrives(config: MachineConfig, registry: Registry, defaultInterface: string): Promise<Drives> {
  const secrets = new Objects(toolHost("mimus", registry, {}));
  const secret = (id: string): Promise<Uint8Array> => secrets.secret(id);
  for (const object of config.objects) {
    if (object["qom-type"] !== "secret") continue;
    const id = String(object["id"] ?? "");
    try {
      secrets.add(JSON.stringify(object));
      await secret(id);
    } catch (error) {
      throw new UsageError(`-object secret,id=${id}: ${(error as Error).message}`);
    }
  }
  for (const object of config.objects)
    if (String(object["qom-type"]).startsWith("tls-creds-")) credentialOptions(object);
  const graph = new BlockGraph({
    registry,
    files: nodeFiles,
    warn: (message) => void process.stderr.write(`mimus: ${message}\n`),
    delay: (ns) => new Promise((resolve) => setTimeout(resolve, ns / 1e6)),
    format: nodeFormatHost(secret),
    services: blockServices(config.objects, secret),
  });
  for (const { "qom-type": type, id, ...options } of config.objects)
    if (type === "throttle-group") graph.addThrottleGroup(String(id), options);
  for (const options of config.blockdevs) await graph.open(options, { use: "device" });
  const drives: Drive[] = [];
  for (const options of config.drives)
    drives.push(await openDrive(graph, options, { interface: defaultInterface, snapshot: config.snapshot }));
  for (const node of graph.nodes()) if (node.monitor || node.holds.size > 0) await graph.bitmaps.load(node);
  return { graph, jobs: new Jobs(graph), drives, secret };
}
