import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

import { nodeFiles } from "@mimus/host-node";
import type { ResolvedType } from "@mimus/qom";

import { UsageError } from "./errors.ts";

/** Where the default firmware of a board may lie, first choice first. */
function candidates(target: string, file: string): string[] {
  const cache =
    process.env["MIMUS_GUESTS"] ?? join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "mimus", "guests");
  return [
    ...(process.env["MIMUS_FIRMWARE"] === undefined ? [] : [join(process.env["MIMUS_FIRMWARE"], file)]),
    `/usr/share/qemu/${file}`,
    `/usr/lib/${target}-linux-gnu/opensbi/generic/fw_dynamic.bin`,
    join(cache, target, "fw_dynamic.bin"),
  ];
}

/**
 * The firmware for `-bios`: a file, `none`, or the board's default (which only a machine with a kernel cannot do without).
 * @throws UsageError when it is not there
 */
export async function firmware(
  bios: string | undefined,
  machine: ResolvedType,
  target: string,
): Promise<Uint8Array | "none"> {
  if (bios === "none") return "none";
  const files = machine.class["firmware"] as Readonly<Record<string, string>> | undefined;
  if (bios !== undefined && bios !== "default") return nodeFiles.read(bios);
  const file = files?.[target];
  if (file === undefined) return "none";
  const found = candidates(target, file).find((path) => existsSync(path));
  if (found !== undefined) return nodeFiles.read(found);
  throw new UsageError(
    `-bios: no OpenSBI for ${target} was found. Install Debian's package opensbi, or name a firmware with -bios FILE (-bios none for none), ` +
      "or a directory with MIMUS_FIRMWARE",
  );
}
