import { readWhole, reason } from "@mimus/host-node";

import { UsageError } from "./errors.ts";

/** The file that an option names. @throws UsageError */
export function readOptionFile(option: string, path: string): Uint8Array {
  try {
    return readWhole(path);
  } catch (error) {
    throw new UsageError(`-${option}: Could not open '${path}': ${reason(error)}`);
  }
}
