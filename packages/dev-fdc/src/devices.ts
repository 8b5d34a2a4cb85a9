import type { BlockBackend } from "@mimus/block";
import { isaBusOf, isaDevice } from "@mimus/bus-isa";
import { defineDevice } from "@mimus/machine-core";
import type { BusHooks, Device, DeviceType } from "@mimus/machine-core";
import { i32, onOff, onOffAuto, size, u32 } from "@mimus/qom";
import { z } from "zod";
import { Fdc } from "./controller.ts";
import { FloppyDrive } from "./drive.ts";
import { SECTOR } from "./geometry.ts";
import type { DriveKind } from "./geometry.ts";

/** Type of the bus that floppy drives plug into. */
export const FLOPPY_BUS = "floppy-bus";
/** Drives that a PC's controller has wires for. */
const UNITS = 2;
const UNSET = 0xffffffff;
/** Nanoseconds from a command to its data. */
const MOMENT = 20_000;
const kind = z.enum(["144", "288", "120", "none", "auto"]);

/** The places of the drives behind a controller. */
export class FloppyBus implements BusHooks {
  readonly fdc: Fdc;
  /** Kinds of drive A and B as the user set them at the controller. */
  readonly kinds: readonly (DriveKind | "auto")[];
  readonly fallback: DriveKind;
  readonly #taken: Map<Device, number> = new Map();

  constructor(fdc: Fdc, kinds: readonly (DriveKind | "auto")[], fallback: DriveKind) {
    this.fdc = fdc;
    this.kinds = kinds;
    this.fallback = fallback;
  }

  get full(): boolean {
    return this.#taken.size >= UNITS;
  }

  /** @throws for a unit that is taken, or that there is not */
  plug(device: Device, props: Readonly<Record<string, unknown>>): void {
    const used = new Set(this.#taken.values());
    const wanted = props["unit"] as number;
    const unit = wanted === UNSET ? [0, 1].find((n) => !used.has(n)) : wanted;
    if (unit === undefined || unit >= UNITS)
      throw new Error(`floppy unit ${unit ?? UNITS}: this controller has drives 0 and 1 only`);
    if (used.has(unit)) throw new Error(`floppy unit ${unit} is taken; the other is ${1 - unit}`);
    this.#taken.set(device, unit);
  }
  unplug(device: Device): void {
    const unit = this.#taken.get(device);
    if (unit !== undefined) this.fdc.drives[unit] = undefined;
    this.#taken.delete(device);
  }
  realized(device: Device): void {
    this.fdc.drives[this.#taken.get(device) ?? 0] = device.impl as FloppyDrive;
  }
  /** The unit that `plug` gave to the device at this path. */
  unitOf(path: string): number {
    return [...this.#taken].find(([device]) => device.path === path)?.[1] ?? 0;
  }
}

/** A floppy disk drive. */
export const floppy: DeviceType = defineDevice({
  name: "floppy",
  summary: "floppy disk drive",
  bus: FLOPPY_BUS,
  props: z.strictObject({
    unit: u32.default(UNSET).describe("0 is drive A, 1 is drive B; the next one when absent"),
    drive: z.string().optional().describe("id of the drive, or node name").meta({ link: "drive" }),
    "drive-type": kind.default("auto").describe("what kind of drive; auto: as the medium says"),
    backend_defaults: onOffAuto.default("auto").describe("accepted"),
    logical_block_size: size.default(0).describe("accepted; sectors have 512 bytes"),
    physical_block_size: size.default(0).describe("accepted"),
    min_io_size: size.default(0).describe("accepted"),
    opt_io_size: size.default(0).describe("accepted"),
    discard_granularity: size.default(UNSET).describe("accepted"),
    "write-cache": onOffAuto.default("auto").describe("write cache; auto = as the drive"),
    "share-rw": onOff.default(false).describe("accepted"),
    "account-failed": onOffAuto.default("auto").describe("accepted"),
    "account-invalid": onOffAuto.default("auto").describe("accepted"),
  }),
  realize(props, dev) {
    const bus = dev.parentBus?.impl;
    if (!(bus instanceof FloppyBus)) throw new Error(`${dev.path}: a floppy drive needs a floppy bus`);
    const backend = dev.link<BlockBackend>(props.drive, "drive");
    if (backend !== undefined) {
      backend.attach(dev.path);
      dev.onUnrealize(() => backend.detach());
      if (props["write-cache"] !== "auto") backend.writeCache = props["write-cache"] === "on";
    }
    const own = props["drive-type"];
    const wanted = own === "auto" ? (bus.kinds[bus.unitOf(dev.path)] ?? "auto") : own;
    const drive = new FloppyDrive(backend, wanted, bus.fallback);
    dev.decided({
      unit: bus.unitOf(dev.path),
      "drive-type": drive.kind,
      logical_block_size: SECTOR,
      physical_block_size: SECTOR,
    });
    dev.stateful(drive);
    return drive;
  },
});

/** The floppy disk controller of the PC, at ports 3F0 to 3F7. Its bus takes two drives. */
export const isaFdc: DeviceType = defineDevice({
  name: "isa-fdc",
  parent: isaDevice,
  summary: "floppy disk controller of the PC",
  props: z.strictObject({
    iobase: u32.default(0x3f0).describe("first port"),
    irq: u32.default(6).describe("interrupt"),
    dma: u32.default(2).describe("DMA channel"),
    fdtypeA: kind.default("auto").describe("kind of drive A"),
    fdtypeB: kind.default("auto").describe("kind of drive B"),
    fallback: kind.default("288").describe("kind of a drive without a medium"),
    bootindexA: i32.optional().describe("place of drive A in the boot order"),
    bootindexB: i32.optional().describe("place of drive B in the boot order"),
  }),
  realize(props, dev) {
    const isa = isaBusOf(dev);
    const irq = isa.irq(props.irq);
    dev.onUnrealize(() => irq(false));
    let next: (() => void) | undefined;
    const timer = dev.timer(() => next?.());
    const soon = (fn: () => void): void => {
      next = fn;
      timer.arm(dev.now() + MOMENT);
    };
    const fdc = new Fdc({ irq, dma: () => isa.dmaChannel(props.dma), soon });
    dev.onUnrealize(() => isa.dmaChannel(props.dma)?.attach(undefined));
    const at = (first: number): { read(offset: number): number; write(o: number, s: number, value: number): void } => ({
      read: (offset) => fdc.read(first + offset),
      write: (offset, _size, value) => fdc.write(first + offset, value & 0xff),
    });
    // Port 3F6 belongs to the disk controller.
    isa.io.add(props.iobase + 1, dev.region("fdc", at(1), { size: 5, maxAccess: 1 }));
    isa.io.add(props.iobase + 7, dev.region("fdc", at(7), { size: 1, maxAccess: 1 }));
    const fallback = props.fallback === "auto" ? "288" : props.fallback;
    let n = 0;
    while (dev.machine.findBus(`floppy-bus.${n}`) !== undefined) n++;
    dev.bus(`floppy-bus.${n}`, FLOPPY_BUS, new FloppyBus(fdc, [props.fdtypeA, props.fdtypeB], fallback));
    dev.stateful(fdc);
    fdc.reset();
    return fdc;
  },
});
