import { z } from "zod";
import { onOff, u16 } from "@mimus/qom";
import { defineDevice, MachineError } from "@mimus/machine-core";
import type { DeviceType, Registers } from "@mimus/machine-core";
import { FwCfg } from "./fw-cfg.ts";

/** Ports: selector (2 bytes) with the data byte over its second half, and the DMA address. Source: QEMU, docs/specs/fw_cfg, "x86". */
const PORT = { control: 0x510, dma: 0x514 } as const;

/** Firmware configuration in port I/O space. */
export const fwCfgIo: DeviceType = defineDevice({
  name: "fw_cfg_io",
  parent: "sysbus-device",
  summary: "firmware configuration device in I/O ports",
  userCreatable: false,
  props: z.strictObject({
    dma_enabled: onOff.default(true).describe("the DMA register exists"),
    "x-file-slots": u16.default(32).describe("number of files that fit"),
    "acpi-mr-restore": onOff.default(true).describe("accepted; migration of ACPI tables only"),
  }),
  realize(p, dev) {
    const ports = dev.machine.io?.root;
    if (ports === undefined) throw new MachineError("unsupported", "fw_cfg_io needs a machine with I/O ports");
    const cfg = new FwCfg(p["x-file-slots"], p.dma_enabled ? dev.dma : undefined, (message) => dev.guestError(message));
    // One pair of ports: a 2-byte write selects, any 1-byte read is data.
    const pair: Registers = {
      read: (offset, size) => (size === 1 ? cfg.data.read(offset, 1) : cfg.control.read(0, size)),
      write: (_offset, size, value) => {
        if (size === 2) cfg.control.write(0, 2, value);
        else cfg.data.write(1, size, value);
      },
    };
    ports.add(PORT.control, dev.region("fwcfg", pair, { size: 2, maxAccess: 2 }));
    if (p.dma_enabled) ports.add(PORT.dma, dev.region("fwcfg.dma", cfg.dma, { size: 8, minAccess: 4, endian: "big" }));
    dev.stateful(cfg);
    return cfg;
  },
});
