import type { HostDirectory } from "@mimus/block";
import { nodeDirectory } from "@mimus/host-node";
import { onOff } from "@mimus/qom";

import type { KeyValues } from "./args/keyval.ts";
import { UsageError } from "./errors.ts";

const KNOWN = ["id", "path", "security_model", "readonly", "writeout", "multidevs"];

/** One `-fsdev`: its id and the directory. @throws UsageError, BlockError when the directory is not there */
export function openShare(options: KeyValues): [id: string, directory: HostDirectory] {
  const { fsdriver, id, path, security_model: security, readonly = "off", ...rest } = options;
  if (fsdriver !== "local")
    throw new UsageError(
      `-fsdev ${typeof fsdriver === "string" ? fsdriver : "without a driver"}: there is only 'local'`,
    );
  const text = (name: string, value: unknown): string => {
    if (typeof value !== "string" || value === "") throw new UsageError(`-fsdev local: needs ${name}=`);
    return value;
  };
  for (const key of Object.keys(rest))
    if (!KNOWN.includes(key))
      throw new UsageError(`-fsdev local: invalid parameter '${key}' (known: ${KNOWN.join(", ")})`);
  if (security === "mapped" || security === "mapped-xattr" || security === "mapped-file")
    throw new UsageError(
      `-fsdev local,security_model=${security}: owners kept beside the files are not supported; use security_model=none or passthrough`,
    );
  if (security === undefined) throw new UsageError("-fsdev local: needs security_model=none or passthrough");
  if (security !== "none" && security !== "passthrough")
    throw new UsageError(`-fsdev local,security_model=${String(security)}: there are: none, passthrough`);
  const { multidevs = "warn", writeout = "immediate" } = rest;
  if (!["remap", "forbid", "warn"].includes(String(multidevs)))
    throw new UsageError(`-fsdev local,multidevs=${String(multidevs)}: there are: remap, forbid, warn`);
  if (writeout !== "immediate")
    throw new UsageError(`-fsdev local,writeout=${String(writeout)}: there is only 'immediate'`);
  const readOnly = onOff.safeParse(readonly);
  if (!readOnly.success) throw new UsageError(`-fsdev local,readonly=${String(readonly)}: expected on or off`);
  return [text("id", id), nodeDirectory(text("path", path), { readOnly: readOnly.data, security })];
}
