import type { BlockBackend, ErrorPolicy } from "@mimus/block";
import { defineDevice } from "@mimus/machine-core";
import type { DeviceContext, DeviceType } from "@mimus/machine-core";
import { i32, onOff, onOffAuto, size, u16, u32 } from "@mimus/qom";
import { z } from "zod";
import { ANY_UNIT, IDE_BUS, IdeBus } from "./bus.ts";
import { AtapiCdrom } from "./cdrom.ts";
import { AtaDisk } from "./disk.ts";
import type { Identity } from "./identify.ts";

const UNSET = 0xffffffff;
const policy = z.enum(["auto", "report", "stop", "enospc", "ignore"]);

/** 64 bits that a number cannot hold. */
const wwn = z
  .union([z.bigint(), z.int().min(0), z.string().regex(/^(0x[0-9a-f]{1,16}|\d{1,20})$/i, "expected a 64-bit number")])
  .transform((value, ctx): bigint => {
    const number = BigInt(value);
    if (number < 2n ** 64n) return number;
    ctx.issues.push({ code: "custom", input: value, message: "expected a number below 2^64" });
    return z.NEVER;
  })
  .meta({ type: "uint64" });

const common = {
  unit: u32.default(ANY_UNIT).describe("0 or 1; the next one when absent"),
  drive: z.string().optional().describe("id of the drive, or node name").meta({ link: "drive" }),
  serial: z.string().max(20).optional().describe("serial number, up to 20 characters"),
  ver: z.string().max(8).optional().describe("firmware version, up to 8 characters"),
  model: z.string().max(40).optional().describe("model, up to 40 characters"),
  wwn: wwn.default(0n).describe("world wide name"),
  bootindex: i32.optional().describe("place in the boot order"),
  werror: policy.default("auto").describe("what a failed write does; auto = as the drive"),
  rerror: policy.default("auto").describe("what a failed read does; auto = as the drive"),
  "write-cache": onOffAuto.default("auto").describe("write cache; auto = as the drive"),
  logical_block_size: size.default(0).describe("sectors of disks have 512 bytes, blocks of CDs 2048"),
  physical_block_size: size.default(0).describe("a power of two from 512 to 2 MiB"),
  min_io_size: size.default(0).describe("accepted"),
  opt_io_size: size.default(0).describe("accepted"),
  discard_granularity: size.default(UNSET).describe("0: the disk has no TRIM"),
  "share-rw": onOff.default(false).describe("accepted"),
  backend_defaults: onOffAuto.default("auto").describe("accepted"),
  "account-failed": onOffAuto.default("auto").describe("accepted"),
  "account-invalid": onOffAuto.default("auto").describe("accepted"),
};

interface Common {
  readonly drive?: string | undefined;
  readonly serial?: string | undefined;
  readonly ver?: string | undefined;
  readonly model?: string | undefined;
  readonly wwn: bigint;
  readonly werror: string;
  readonly rerror: string;
  readonly "write-cache": string;
}

/** Takes the drive, with the policies that the device has for it. */
function take(p: Common, dev: DeviceContext): BlockBackend | undefined {
  const drive = dev.link<BlockBackend>(p.drive, "drive");
  if (drive === undefined) return undefined;
  drive.attach(dev.path);
  dev.onUnrealize(() => drive.detach());
  if (p.werror !== "auto") drive.werror = p.werror as ErrorPolicy;
  if (p.rerror !== "auto") drive.rerror = p.rerror as ErrorPolicy;
  if (p["write-cache"] !== "auto") drive.writeCache = p["write-cache"] === "on";
  return drive;
}

function place(dev: DeviceContext): { bus: IdeBus; unit: number } {
  const bus = dev.parentBus?.impl;
  if (!(bus instanceof IdeBus)) throw new Error(`${dev.path}: an IDE drive needs an IDE bus`);
  return { bus, unit: bus.unitOf(dev.path) };
}

function identity(p: Common, at: { bus: IdeBus; unit: number }, model: string): Identity {
  return {
    serial: p.serial ?? `QM${String(at.bus.number * 2 + at.unit + 1).padStart(5, "0")}`,
    firmware: p.ver ?? "2.5+",
    model: p.model ?? model,
    wwn: p.wwn,
  };
}

/** A disk's default translation. Source: ATA-4 (T13/1153D revision 18), 6.2. */
function guess(bytes: number): { cylinders: number; heads: number; sectors: number } {
  const cylinders = Math.floor(bytes / 512 / (16 * 63));
  return { cylinders: Math.max(2, Math.min(16383, cylinders)), heads: 16, sectors: 63 };
}

/** An ATA disk. */
export const ideHd: DeviceType = defineDevice({
  name: "ide-hd",
  summary: "ATA disk",
  bus: IDE_BUS,
  props: z.strictObject({
    ...common,
    cyls: u32.default(0).describe("cylinders; guessed when 0"),
    heads: u32.default(0).describe("heads, 1 to 16; guessed when 0"),
    secs: u32.default(0).describe("sectors per track, 1 to 255; guessed when 0"),
    lcyls: u32.default(0).describe("accepted"),
    lheads: u32.default(0).describe("accepted"),
    lsecs: u32.default(0).describe("accepted"),
    "bios-chs-trans": z
      .enum(["auto", "none", "lba", "large", "rechs"])
      .default("auto")
      .describe("translation of the BIOS"),
    rotation_rate: u16.default(0).describe("revolutions a minute; 1: an SSD; 0: not told"),
  }),
  realize(p, dev) {
    const at = place(dev);
    const drive = take(p, dev);
    if (drive === undefined)
      throw new Error("property 'drive' is not set: give the id of a -drive or the node-name of a -blockdev");
    if (!drive.node) throw new Error(`drive '${drive.id}' is empty, and a disk needs a medium`);
    if (drive.readOnly)
      throw new Error(`drive '${drive.id}' is read-only, and an IDE disk cannot be; use snapshot=on or virtio`);
    if (p.logical_block_size !== 0 && p.logical_block_size !== 512)
      throw new Error(`property 'logical_block_size' is ${p.logical_block_size}; an IDE disk has 512`);
    const physical = p.physical_block_size || 512;
    if (physical < 512 || physical > 2 ** 21 || !Number.isInteger(Math.log2(physical)))
      throw new Error(`property 'physical_block_size' is ${physical}; it is a power of two from 512 to 2 MiB`);
    const guessed = guess(drive.size);
    const shape = {
      cylinders: p.cyls || guessed.cylinders,
      heads: p.heads || guessed.heads,
      sectors: p.secs || guessed.sectors,
      physicalShift: Math.log2(physical / 512),
      rotation: p.rotation_rate,
      trim: p.discard_granularity !== 0,
    };
    if (shape.cylinders > 65535 || shape.heads > 16 || shape.sectors > 255)
      throw new Error(
        `cyls ${shape.cylinders}, heads ${shape.heads}, secs ${shape.sectors}: the most are 65535, 16, 255`,
      );
    const id = identity(p, at, "QEMU HARDDISK");
    dev.decided({ unit: at.unit, serial: id.serial, ver: id.firmware, model: id.model, cyls: shape.cylinders, heads: shape.heads, secs: shape.sectors, logical_block_size: 512, physical_block_size: physical }); // prettier-ignore
    const disk = new AtaDisk(drive, id, shape);
    dev.stateful(disk);
    return disk;
  },
});

/** An ATAPI drive for CDs and DVDs. */
export const ideCd: DeviceType = defineDevice({
  name: "ide-cd",
  summary: "ATAPI CD-ROM and DVD-ROM drive",
  bus: IDE_BUS,
  props: z.strictObject(common),
  realize(p, dev) {
    const at = place(dev);
    const drive = take(p, dev);
    const id = identity(p, at, "QEMU DVD-ROM");
    dev.decided({ unit: at.unit, serial: id.serial, ver: id.firmware, model: id.model, logical_block_size: 2048, physical_block_size: 2048 }); // prettier-ignore
    const cdrom = new AtapiCdrom(drive, id);
    dev.stateful(cdrom);
    return cdrom;
  },
});
