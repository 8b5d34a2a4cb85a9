import type { Drive } from "@mimus/block";
import { BoardError } from "./errors.ts";

/** A device for a drive. */
export interface DrivePlace {
  readonly driver: string;
  readonly bus?: string;
  readonly props: Readonly<Record<string, unknown>>;
}

/** Drives on one bus, by interface. */
const PER_BUS: Readonly<Record<string, number>> = { ide: 2, floppy: 2 };
const BUSES: Readonly<Record<string, number>> = { ide: 2, floppy: 1 };

/** Bus and unit of a drive: what it says, or the first place that no earlier drive has. */
function placeOf(drive: Drive, earlier: readonly Drive[]): { bus: number; unit: number } {
  const per = PER_BUS[drive.interface] ?? 1;
  if (drive.index !== undefined) return { bus: Math.floor(drive.index / per), unit: drive.index % per };
  if (drive.unit !== undefined) return { bus: drive.bus ?? 0, unit: drive.unit };
  const taken = new Set<number>();
  for (const [i, other] of earlier.entries()) {
    if (other.interface !== drive.interface) continue;
    const { bus, unit } = placeOf(other, earlier.slice(0, i));
    taken.add(bus * per + unit);
  }
  // A CD without a place goes where -cdrom puts it: index 2.
  let index = (drive.bus ?? 0) * per;
  while (taken.has(index)) index++;
  return { bus: Math.floor(index / per), unit: index % per };
}

/** The device that a `-drive` without one becomes on a PC. @throws BoardError for a place that does not exist */
export function placeDrive(drive: Drive, earlier: readonly Drive[]): DrivePlace | undefined {
  if (drive.interface !== "ide" && drive.interface !== "floppy") return undefined;
  const { bus, unit } = placeOf(drive, earlier);
  if (bus >= BUSES[drive.interface]! || unit >= PER_BUS[drive.interface]!)
    throw new BoardError(
      "bad-option",
      `drive '${drive.id}': there is no ${drive.interface} bus ${bus}, unit ${unit}; a PC has ${BUSES[drive.interface]} with units 0 and 1`,
    );
  if (drive.interface === "floppy") return { driver: "floppy", props: { drive: drive.id, unit } };
  return {
    driver: drive.media === "cdrom" ? "ide-cd" : "ide-hd",
    bus: `ide.${bus}`,
    props: { drive: drive.id, unit },
  };
}
