import type { BlockBackend, ErrorPolicy } from "@mimus/block";
import { i32, onOff, onOffAuto, size, u16, u32 } from "@mimus/qom";
import { z } from "zod";
import { defineFamily } from "../family.ts";
import type { VirtioFamily } from "../family.ts";
import { VirtioBlk } from "./chip.ts";
import { guessGeometry } from "./config.ts";

const policy = z.enum(["auto", "report", "stop", "enospc", "ignore"]);
const AUTO_QUEUES = 65535;
const unset = 0xffffffff;

const props = {
  drive: z.string().optional().describe("id of the drive, or node name").meta({ link: "drive" }),
  serial: z.string().max(20).optional().describe("what GET_ID answers, up to 20 characters"),
  "num-queues": u16.default(AUTO_QUEUES).describe("request queues; 65535 = one for each vCPU on PCI, else one"),
  "queue-size": u16.default(256).describe("entries of each queue, a power of two"),
  "seg-max-adjust": onOff.default(true).describe("seg_max follows the queue size"),
  "config-wce": onOff.default(true).describe("the driver may switch the write cache"),
  "write-cache": onOffAuto.default("auto").describe("write cache; auto = as the drive"),
  discard: onOff.default(true).describe("offer DISCARD"),
  "write-zeroes": onOff.default(true).describe("offer WRITE_ZEROES"),
  "max-discard-sectors": u32.default(0x3fffff).describe("most sectors of one discard"),
  "max-write-zeroes-sectors": u32.default(0x3fffff).describe("most sectors of one write-zeroes"),
  "report-discard-granularity": onOff.default(true).describe("tell the driver the discard granularity"),
  discard_granularity: size.default(unset).describe("bytes"),
  logical_block_size: size.default(0).describe("a power of two from 512 to 2 MiB"),
  physical_block_size: size.default(0).describe("a power of two from 512 to 2 MiB"),
  min_io_size: size.default(0).describe("bytes"),
  opt_io_size: size.default(0).describe("bytes"),
  cyls: u32.default(0).describe("cylinders; guessed when 0"),
  heads: u32.default(0).describe("heads; guessed when 0"),
  secs: u32.default(0).describe("sectors per track; guessed when 0"),
  lcyls: u32.default(0).describe("accepted"),
  lheads: u32.default(0).describe("accepted"),
  lsecs: u32.default(0).describe("accepted"),
  werror: policy.default("auto").describe("what a failed write does; auto = as the drive"),
  rerror: policy.default("auto").describe("what a failed read does; auto = as the drive"),
  scsi: onOff.default(false).describe("only off"),
  "share-rw": onOff.default(false).describe("accepted"),
  "request-merging": onOff.default(true).describe("accepted"),
  bootindex: i32.optional().describe("place in the boot order"),
  iothread: z.string().optional().describe("id of an I/O thread; there are none").meta({ link: "iothread" }),
  backend_defaults: onOffAuto.default("auto").describe("accepted"),
  "account-failed": onOffAuto.default("auto").describe("accepted"),
  "account-invalid": onOffAuto.default("auto").describe("accepted"),
  "x-enable-wce-if-config-wce": onOff.default(true).describe("accepted"),
};

function blockSize(name: string, given: number, otherwise: number): number {
  if (given === 0) return otherwise;
  if (given >= 512 && given <= 2 ** 21 && Number.isInteger(Math.log2(given))) return given;
  throw new Error(`property '${name}' is ${given}; it is a power of two from 512 to 2 MiB`);
}

/** virtio-blk: a disk. */
export const virtioBlk: VirtioFamily = defineFamily({
  name: "virtio-blk",
  summary: "virtio disk",
  props,
  pciClass: 0x010000,
  vectors: (p, cpus) => (p["num-queues"] === AUTO_QUEUES ? cpus : p["num-queues"]) + 1,
  perCpu: (p, cpus) => (p["num-queues"] === AUTO_QUEUES ? { "num-queues": cpus } : {}),
  realize(p, dev) {
    const drive = dev.link<BlockBackend>(p.drive, "drive");
    if (!drive) throw new Error("property 'drive' is not set: give the id of a -drive or the node-name of a -blockdev");
    if (!drive.node) throw new Error(`drive '${drive.id}' is empty, and this device needs a medium`);
    if (p.scsi) throw new Error("property 'scsi' is on: not available, leave it off");
    dev.link(p.iothread, "iothread");
    const queueSize = p["queue-size"];
    if (queueSize < 4 || queueSize > 1024 || !Number.isInteger(Math.log2(queueSize)))
      throw new Error(`property 'queue-size' is ${queueSize}; it is a power of two from 4 to 1024`);
    const queues = p["num-queues"] === AUTO_QUEUES ? 1 : p["num-queues"];
    if (queues < 1 || queues > 1024) throw new Error(`property 'num-queues' is ${queues}; it lies in 1..1024`);
    const logicalBlock = blockSize("logical_block_size", p.logical_block_size, 512);
    const physicalBlock = blockSize("physical_block_size", p.physical_block_size, logicalBlock);
    if (physicalBlock < logicalBlock) throw new Error("physical_block_size is smaller than logical_block_size");
    drive.attach(dev.path);
    dev.onUnrealize(() => drive.detach());
    if (p.werror !== "auto") drive.werror = p.werror as ErrorPolicy;
    if (p.rerror !== "auto") drive.rerror = p.rerror as ErrorPolicy;
    if (p["write-cache"] !== "auto") drive.writeCache = p["write-cache"] === "on";
    const guess = guessGeometry(drive.size);
    const chip = new VirtioBlk(drive, {
      queues,
      queueSize,
      serial: p.serial ?? "",
      discard: p.discard,
      writeZeroes: p["write-zeroes"],
      configWce: p["config-wce"],
      scsi: false,
      config: {
        segMax: p["seg-max-adjust"] ? queueSize - 2 : 126,
        cylinders: Math.min(p.cyls || guess.cylinders, 65535),
        heads: p.heads || guess.heads,
        sectors: p.secs || guess.sectors,
        logicalBlock,
        physicalBlock,
        minIo: p.min_io_size,
        optIo: p.opt_io_size,
        queues,
        maxDiscardSectors: p["max-discard-sectors"],
        discardGranularity:
          p.discard_granularity === unset || !p["report-discard-granularity"] ? logicalBlock : p.discard_granularity,
        maxWriteZeroesSectors: p["max-write-zeroes-sectors"],
      },
    });
    drive.onResize = () => chip.device.configChanged();
    return chip;
  },
});
