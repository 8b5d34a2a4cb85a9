import { definePlugin } from "@mimus/qom";
import type { Plugin } from "@mimus/qom";
import { fwCfgIo } from "./fw-cfg-io.ts";
import { fwCfgMem } from "./fw-cfg-mem.ts";
import { i8257 } from "./pc/i8257.ts";
import { ib700 } from "./pc/ib700.ts";
import { isaDebugExit } from "./pc/isa-debug-exit.ts";
import { isaDebugcon } from "./pc/isa-debugcon.ts";
import { port92 } from "./pc/port92.ts";
import { pvpanic, pvpanicPci } from "./pc/pvpanic.ts";
import { vmmouse } from "./pc/vmmouse.ts";
import { vmport } from "./pc/vmport.ts";
import { edu } from "./pci/edu.ts";
import { i6300esb } from "./pci/i6300esb.ts";
import { sifiveTest } from "./sifive-test.ts";
import { unimplementedDevice } from "./unimplemented.ts";

export { FW_CFG, FwCfg } from "./fw-cfg.ts";
export type { FwCfgContent, FwCfgFile } from "./fw-cfg.ts";
export { performWatchdogAction } from "./pc/watchdog-action.ts";
export type { WatchdogAction, WatchdogPolicy } from "./pc/watchdog-action.ts";
export { DmaController } from "./pc/dma-controller.ts";
export {
  edu,
  fwCfgIo,
  fwCfgMem,
  i6300esb,
  i8257,
  ib700,
  isaDebugcon,
  isaDebugExit,
  port92,
  pvpanic,
  pvpanicPci,
  sifiveTest,
  unimplementedDevice,
  vmmouse,
  vmport,
};

/** Small devices of boards. */
const plugin: Plugin = definePlugin({
  name: "@mimus/dev-misc",
  types: [
    edu,
    fwCfgIo,
    fwCfgMem,
    i6300esb,
    i8257,
    ib700,
    isaDebugcon,
    isaDebugExit,
    port92,
    pvpanic,
    pvpanicPci,
    sifiveTest,
    unimplementedDevice,
    vmmouse,
    vmport,
  ],
});
export default plugin;
