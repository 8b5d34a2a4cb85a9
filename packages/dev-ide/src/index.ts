import { definePlugin } from "@mimus/qom";
import type { Plugin } from "@mimus/qom";
import { isaIde, piix3Ide, piix4Ide } from "./controllers.ts";
import { ideCd, ideHd } from "./drives.ts";

export { IDE_BUS, IdeBus } from "./bus.ts";
export { BusMaster } from "./bus-master.ts";
export { AtapiCdrom } from "./cdrom.ts";
export { Channel } from "./channel.ts";
export { AtaDisk } from "./disk.ts";
export type { DiskShape, Identity } from "./identify.ts";
export { Unit } from "./unit.ts";
export type { BusMasterSide, ChannelPins } from "./unit.ts";
export { ideCd, ideHd, isaIde, piix3Ide, piix4Ide };

/** ATA disks and ATAPI drives. */
const plugin: Plugin = definePlugin({ name: "@mimus/dev-ide", types: [piix3Ide, piix4Ide, isaIde, ideHd, ideCd] });
export default plugin;
