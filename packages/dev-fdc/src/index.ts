import { definePlugin } from "@mimus/qom";
import type { Plugin } from "@mimus/qom";
import { floppy, isaFdc } from "./devices.ts";

export { Fdc } from "./controller.ts";
export type { FdcPins } from "./controller.ts";
export { FLOPPY_BUS, FloppyBus } from "./devices.ts";
export { FloppyDrive } from "./drive.ts";
export type { DriveKind, Geometry } from "./geometry.ts";
export { geometryFor, kindFor } from "./geometry.ts";
export { floppy, isaFdc };

/** The floppy disk controller and its drives. */
const plugin: Plugin = definePlugin({ name: "@mimus/dev-fdc", types: [isaFdc, floppy] });
export default plugin;
