import type { Drive } from "@mimus/block";
import type { Bus, Machine } from "@mimus/machine-core";
import { complaint, createUserObject, identifier, type ResolvedType } from "@mimus/qom";
import type { DeviceRequest } from "./assemble-options.ts";
import { SystemError } from "./errors.ts";
import type { MachineClass } from "./machine-type.ts";

/** Creates and realizes a device that the user named; loads its package first. */
export async function addDevice(machine: Machine, { driver, id, bus, props }: DeviceRequest): Promise<void> {
  const type = await machine.registry.ensure(driver, "device");
  checkId(`-device ${driver}`, id);
  if (!type.userCreatable) {
    throw new SystemError("bad-option", `device '${driver}' is part of a board and cannot be added with -device`);
  }
  const place = bus ?? (type.class["bus"] === "sysbus" ? platformBus(machine, type) : undefined);
  machine.createDevice(type.name, props ?? {}, {
    realize: true,
    ...(id === undefined ? { parentPath: "/machine/peripheral-anon" } : { id }),
    ...(place === undefined ? {} : { bus: place }),
  });
}

function checkId(option: string, id: string | undefined): void {
  const wrong = identifier.optional().safeParse(id).error?.issues[0];
  if (wrong !== undefined) throw new SystemError("bad-option", `${option}: id=${id}: ${complaint(wrong)}`);
}

/** Where a sysbus device goes that no board places. */
function platformBus(machine: Machine, type: ResolvedType): Bus {
  if (type.class["dynamicSysbus"] !== true) {
    throw new SystemError("bad-option", `device '${type.name}' has no place of its own: only a board can add it`);
  }
  const bus = machine.buses().find((b) => b.type === "sysbus");
  if (bus !== undefined) return bus;
  throw new SystemError("bad-option", `machine '${machine.type.name}' takes no sysbus devices such as '${type.name}'`);
}

/** Creates an object that the user named; devices find it by its id, under the kinds that its type is or implements. */
export async function addObject(machine: Machine, options: Readonly<Record<string, unknown>>): Promise<void> {
  const { "qom-type": name, id, ...props } = options;
  if (typeof name !== "string" || name === "")
    throw new SystemError("bad-option", "-object needs a type: -object TYPE,id=ID");
  if (typeof id !== "string" || id === "") throw new SystemError("bad-option", `-object ${name}: needs id=ID`);
  checkId(`-object ${name}`, id);
  const type = await machine.registry.ensure(name, "object");
  const object = createUserObject(machine.registry, machine.tree, name, id, props, machine);
  const kind = type.class["backend"];
  if (typeof kind === "string") machine.registerBackend(kind, id, object.impl);
}

/** The device for a drive that came without one (`-drive if=virtio`). */
export async function addDrive(machine: Machine, drive: Drive, earlier: readonly Drive[]): Promise<void> {
  const data = machine.type.class as MachineClass;
  if (drive.interface === "none" || drive.interface === "pflash") return;
  const placed = data.placeDrive?.(drive, earlier);
  if (placed !== undefined) return addDevice(machine, placed);
  const choices = data.driveDevices?.[drive.interface] ?? [];
  const known = machine.registry.known("device").map((k) => k.name);
  const driver = choices.find((name) => known.includes(name));
  if (driver === undefined) {
    throw new SystemError(
      "bad-option",
      `machine '${machine.type.name}' has no place for drive '${drive.id}' with if=${drive.interface}; use if=none and -device`,
    );
  }
  await addDevice(machine, { driver, props: { drive: drive.id } });
}

/** Drives with `if=pflash` are properties of the board: `pflash0`, `pflash1`. */
export function flashProps(drives: readonly Drive[]): Record<string, string> {
  const props: Record<string, string> = {};
  let next = 0;
  for (const drive of drives.filter((d) => d.interface === "pflash")) {
    const unit = drive.unit ?? drive.index ?? next;
    props[`pflash${unit}`] = drive.id;
    next = unit + 1;
  }
  return props;
}
