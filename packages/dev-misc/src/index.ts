import { definePlugin } from "@mimus/qom";
import type { Plugin } from "@mimus/qom";
import { fwCfgIo } from "./fw-cfg-io.ts";
import { fwCfgMem } from "./fw-cfg-mem.ts";
import { sifiveTest } from "./sifive-test.ts";
import { unimplementedDevice } from "./unimplemented.ts";

export { FW_CFG, FwCfg } from "./fw-cfg.ts";
export type { FwCfgFile } from "./fw-cfg.ts";
export { fwCfgIo, fwCfgMem, sifiveTest, unimplementedDevice };

const plugin: Plugin = definePlugin({
  name: "@mimus/dev-misc",
  types: [fwCfgIo, fwCfgMem, sifiveTest, unimplementedDevice],
});
export default plugin;
