import { z } from "zod";
import { onOff, u16, u32, u8 } from "@mimus/qom";
import { defineDevice, MemoryRegion } from "@mimus/machine-core";
import type { DeviceType } from "@mimus/machine-core";
import { type BlockBackend, BlockError } from "@mimus/block";
import { CfiBank } from "./cfi01.ts";

/** What a machine does with a flash bank before it starts. */
export interface FlashBank {
  /** Reads the drive into the array. @throws BlockError, also when the drive has the wrong size */
  prepare(): Promise<void>;
  /** Resolves when everything written so far is with the drive. */
  drain(): Promise<void>;
}

/** NOR flash with Intel's command set, held by a drive or by RAM. */
export const pflashCfi01: DeviceType = defineDevice({
  name: "cfi.pflash01",
  parent: "sysbus-device",
  summary: "parallel NOR flash, Intel command set",
  userCreatable: false,
  props: z.strictObject({
    drive: z
      .string()
      .optional()
      .describe("node name or ID of a block device to use as a backend")
      .meta({ link: "drive" }),
    "num-blocks": u32.describe("number of erase blocks"),
    "sector-length": u32.describe("bytes of an erase block of the bank"),
    width: u8.default(4).describe("bytes of the bank's data bus"),
    "device-width": u8.default(0).describe("bytes of one chip's data bus; 0: as the bank"),
    "max-device-width": u8.default(0).describe("widest bus that the chip could use, bytes; 0: as device-width"),
    "big-endian": onOff.default(false).describe("byte order of the bank's words"),
    secure: onOff.default(false).describe("accepted; there are no secure accesses"),
    id0: u16.default(0x89).describe("manufacturer code"),
    id1: u16.default(0x18).describe("device code"),
    id2: u16.default(0).describe("third identifier code (not readable)"),
    id3: u16.default(0).describe("fourth identifier code (not readable)"),
    name: z.string().default("pflash").describe("name of its memory"),
    "old-multiple-chip-handling": onOff.default(false).describe("accepted; banks are always described chip by chip"),
  }),
  realize(p, dev) {
    const size = p["num-blocks"] * p["sector-length"];
    const drive = dev.link<BlockBackend>(p.drive, "drive");
    const block = dev.machine.memory.ram(p.name, size);
    const deviceWidth = p["device-width"] || p.width;
    let writes: Promise<void> = Promise.resolve();
    const bank: CfiBank = new CfiBank(
      {
        size,
        blockSize: p["sector-length"],
        width: p.width,
        deviceWidth,
        maxDeviceWidth: p["max-device-width"] || deviceWidth,
        ids: [p.id0, p.id1],
        readOnly: drive?.readOnly ?? false,
      },
      {
        array: block.bytes,
        readArray: (direct) => region.setReadDirect(direct),
        changed: (offset, length) => {
          block.dirty.mark(offset, length);
          if (drive === undefined) return;
          const bytes = block.bytes.slice(offset, offset + length);
          writes = writes
            .then(() => drive.write(offset, bytes))
            .catch((error: unknown) => dev.machine.log.write("warning", dev.path, `flash drive: ${String(error)}`));
        },
        guestError: (message) => dev.guestError(message),
      },
    );
    const region: MemoryRegion = MemoryRegion.romDevice(p.name, block, bank, {
      endian: p["big-endian"] ? "big" : "little",
    });
    dev.addRegion(region);
    dev.stateful(bank);
    const prepare = async (): Promise<void> => {
      if (drive === undefined) return;
      if (drive.size !== size) {
        throw new BlockError(
          "bad-option",

          `drive "${p.drive}" has ${drive.size} bytes, but the flash ${p.name} has ${size}: resize the image`,
        );
      }
      await drive.read(0, block.bytes);
    };
    return { bank, array: block.bytes, prepare, drain: () => writes } satisfies FlashBank & {
      bank: CfiBank;
      array: Uint8Array;
    };
  },
});
