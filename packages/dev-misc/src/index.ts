import { definePlugin } from "@mimus/qom";
import type { Plugin } from "@mimus/qom";
import { fwCfgIo } from "./fw-cfg-io.ts";
import { fwCfgMem } from "./fw-cfg-mem.ts";
import { i8257 } from "./pc/i8257.ts";
import { isaDebugExit } from "./pc/isa-debug-exit.ts";
import { isaDebugcon } from "./pc/isa-debugcon.ts";
import { port92 } from "./pc/port92.ts";
import { sifiveTest } from "./sifive-test.ts";
import { unimplementedDevice } from "./unimplemented.ts";

export { FW_CFG, FwCfg } from "./fw-cfg.ts";
export type { FwCfgFile } from "./fw-cfg.ts";
export { DmaController } from "./pc/dma-controller.ts";
export { fwCfgIo, fwCfgMem, i8257, isaDebugcon, isaDebugExit, port92, sifiveTest, unimplementedDevice };

const plugin: Plugin = definePlugin({
  name: "@mimus/dev-misc",
  types: [fwCfgIo, fwCfgMem, i8257, isaDebugcon, isaDebugExit, port92, sifiveTest, unimplementedDevice],
});
export default plugin;
