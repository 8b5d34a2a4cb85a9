import { rm, stat } from "node:fs";
import { promisify } from "node:util";

import { nodeFiles, nodeFormatHost } from "@mimus/host-node/disk";
import type { ToolHost } from "@mimus/image-tools";
import type { Registry } from "@mimus/qom";

import { VERSION } from "./version.ts";

/** This process, as the image tools and servers see it. `program` stands before messages. */
export function toolHost(program: string, registry: Registry, services: Readonly<Record<string, unknown>>): ToolHost {
  return {
    program,
    version: VERSION,
    registry,
    files: nodeFiles,
    format: nodeFormatHost() as ToolHost["format"],
    services,
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    now: () => performance.now() * 1e6,
    delay: (ns) => new Promise((resolve) => setTimeout(resolve, ns / 1e6)),
    same: (a, b) => Buffer.compare(a, b) === 0,
    remove: (path) => promisify(rm)(path, { force: true }),
    async allocated(path) {
      const found = await promisify(stat)(path).catch(() => undefined);
      return found === undefined ? undefined : found.blocks * 512;
    },
  };
}
