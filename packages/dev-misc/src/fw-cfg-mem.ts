import { z } from "zod";
import { onOff, u16, u32 } from "@mimus/qom";
import { defineDevice } from "@mimus/machine-core";
import type { DeviceType } from "@mimus/machine-core";
import { FwCfg } from "./fw-cfg.ts";

/** Firmware configuration in memory space. Regions in order: control (2 bytes), data, DMA (8 bytes). */
export const fwCfgMem: DeviceType = defineDevice({
  name: "fw_cfg_mem",
  parent: "sysbus-device",
  summary: "firmware configuration device in memory space",
  userCreatable: false,
  props: z.strictObject({
    data_width: u32.default(8).describe("bytes of the data register: 1, 2, 4 or 8"),
    dma_enabled: onOff.default(true).describe("the DMA register exists"),
    "x-file-slots": u16.default(32).describe("number of files that fit"),
    "acpi-mr-restore": onOff.default(true).describe("accepted; migration of ACPI tables only"),
  }),
  realize(p, dev) {
    const cfg = new FwCfg(p["x-file-slots"], p.dma_enabled ? dev.dma : undefined, (message) => dev.guestError(message));
    dev.region("fwcfg.ctl", cfg.control, { size: 2, endian: "big" });
    dev.region("fwcfg.data", cfg.data, { size: p.data_width, endian: "big" });
    if (p.dma_enabled) dev.region("fwcfg.dma", cfg.dma, { size: 8, minAccess: 4, endian: "big" });
    dev.stateful(cfg);
    return cfg;
  },
});
