import type { BlockBackend } from "@mimus/block";
import { BlockError } from "@mimus/block";
import { z } from "zod";
import type { BlockCommand, BlockControl, BlockDevice } from "./context.ts";
import { command, placeOf } from "./context.ts";

const place = { device: z.string().optional(), id: z.string().optional() };
const Place = z.strictObject({ ...place, force: z.boolean().optional() });

function mustBeRemovable(backend: BlockBackend, device: BlockDevice | undefined): void {
  if (backend.owner !== undefined && device?.removable !== true)
    throw new BlockError("bad-option", `Device '${backend.id}' is not removable`);
}

function open(control: BlockControl, backend: BlockBackend, device: BlockDevice | undefined, force: boolean): void {
  mustBeRemovable(backend, device);
  if (device?.locked && !force) {
    device.requestEject?.();
    throw new BlockError(
      "in-use",
      `Device '${backend.id}' is locked and force was not specified, wait for tray to open and try again`,
    );
  }
  if (device?.trayOpen) return;
  device?.setTray?.(true);
  if (device) control.emit?.("DEVICE_TRAY_MOVED", { device: backend.id, id: device.qdev, "tray-open": true });
}

function close(control: BlockControl, backend: BlockBackend, device: BlockDevice | undefined): void {
  if (!device?.trayOpen) return;
  device.setTray?.(false);
  control.emit?.("DEVICE_TRAY_MOVED", { device: backend.id, id: device.qdev, "tray-open": false });
}

async function remove(control: BlockControl, backend: BlockBackend, device: BlockDevice | undefined): Promise<void> {
  mustBeRemovable(backend, device);
  await backend.drain();
  await control.graph.take(backend);
  device?.changed?.();
}

/** Commands about media. */
export const MEDIA_COMMANDS: readonly BlockCommand[] = [
  command("blockdev-open-tray", Place, (control, args) =>
    open(control, ...placeOf(control, args), args.force ?? false),
  ),
  command("blockdev-close-tray", z.strictObject(place), (control, args) => close(control, ...placeOf(control, args))),
  command("blockdev-remove-medium", z.strictObject({ id: z.string() }), async (control, args) => {
    const [backend, device] = placeOf(control, args);
    if (device && device.trayOpen === false)
      throw new BlockError("bad-option", `Tray of device '${args.id}' is not open`);
    await remove(control, backend, device);
  }),
  command("blockdev-insert-medium", z.strictObject({ id: z.string(), "node-name": z.string() }), (control, args) => {
    const [backend, device] = placeOf(control, args);
    mustBeRemovable(backend, device);
    if (device && device.trayOpen === false)
      throw new BlockError("bad-option", `Tray of device '${args.id}' is not open`);
    if (backend.node) throw new BlockError("in-use", `There already is a medium in device '${args.id}'`);
    backend.setNode(control.graph.node(args["node-name"]));
    device?.changed?.();
  }),
  command("eject", Place, async (control, args) => {
    const [backend, device] = placeOf(control, args);
    open(control, backend, device, args.force ?? false);
    await remove(control, backend, device);
  }),
  command(
    "blockdev-change-medium",
    z.strictObject({
      ...place,
      filename: z.string(),
      format: z.string().optional(),
      force: z.boolean().optional(),
      "read-only-mode": z.enum(["retain", "read-only", "read-write"]).optional(),
    }),
    async (control, args) => {
      const [backend, device] = placeOf(control, args);
      mustBeRemovable(backend, device);
      const mode = args["read-only-mode"] ?? "retain";
      const readOnly = mode === "retain" ? backend.readOnly : mode === "read-only";
      const node = await control.graph.openFile(
        args.filename,
        {
          ...(args.format === undefined ? {} : { driver: args.format }),
          "read-only": readOnly,
          "auto-read-only": mode === "retain",
        },
        { use: "device" },
      );
      try {
        open(control, backend, device, args.force ?? false);
        await remove(control, backend, device);
      } catch (e) {
        await control.graph.close(node.name);
        throw e;
      }
      control.graph.give(backend, node);
      device?.changed?.();
      close(control, backend, device);
    },
  ),
];
