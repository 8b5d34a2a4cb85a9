import { existsSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

import { nodeFiles } from "@mimus/host-node";
import type { FirmwareFiles } from "@mimus/machine-core";
import type { ResolvedType } from "@mimus/qom";

import { UsageError } from "./errors.ts";

/** Where Debian's packages put firmware: QEMU's own, SeaBIOS, network boot ROMs. */
const SYSTEM = ["/usr/share/qemu", "/usr/share/seabios", "/usr/lib/ipxe/qemu"];

/** Where firmware may lie, first choice first. `paths` are the user's (`-L`). */
function directories(paths: readonly string[]): string[] {
  const own = process.env["MIMUS_FIRMWARE"];
  return [...paths, ...(own === undefined ? [] : [own]), ...SYSTEM, join(guestCache(), "fw")];
}

function guestCache(): string {
  return (
    process.env["MIMUS_GUESTS"] ?? join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "mimus", "guests")
  );
}

/** Where the default firmware of a board may lie. */
function candidates(target: string, file: string, paths: readonly string[]): string[] {
  return [
    ...directories(paths).map((directory) => join(directory, file)),
    ...(file.startsWith("opensbi-")
      ? [`/usr/lib/${target}-linux-gnu/opensbi/generic/fw_dynamic.bin`, join(guestCache(), target, "fw_dynamic.bin")]
      : []),
  ];
}

/** Firmware that devices bring along, read when a device asks for it. */
export function firmwareFiles(paths: readonly string[]): FirmwareFiles {
  return {
    read(name) {
      const found = [name, ...directories(paths).map((directory) => join(directory, name))].find(isFile);
      return found === undefined ? undefined : new Uint8Array(readFileSync(found));
    },
  };
}

const isFile = (path: string): boolean => existsSync(path) && statSync(path).isFile();

/**
 * The firmware for `-bios`: a file, the name of an installed one, `none`, or the board's default.
 * @throws UsageError when it is not there
 */
export async function firmware(
  bios: string | undefined,
  machine: ResolvedType,
  target: string,
  paths: readonly string[],
): Promise<Uint8Array | "none"> {
  if (bios === "none") return "none";
  const files = machine.class["firmware"] as Readonly<Record<string, string>> | undefined;
  if (bios !== undefined && bios !== "default") {
    const named = [bios, ...directories(paths).map((directory) => join(directory, bios))].find(isFile);
    return nodeFiles.read(named ?? bios).catch((error: unknown) => {
      throw new UsageError(`-bios: ${(error as Error).message}`);
    });
  }
  const file = files?.[target];
  if (file === undefined) return "none";
  const found = candidates(target, file, paths).find(isFile);
  if (found !== undefined) return nodeFiles.read(found);
  const [what, from] = file.startsWith("opensbi-") ? [`OpenSBI for ${target}`, "opensbi"] : [file, "seabios"];
  throw new UsageError(
    `-bios: no ${what} was found. Install Debian's package ${from}, or name a firmware with -bios FILE (-bios none for none), ` +
      "or a directory with -L or MIMUS_FIRMWARE",
  );
}
