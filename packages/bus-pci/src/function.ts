import type { DeviceContext } from "@mimus/machine-core";
import { MemoryRegion } from "@mimus/machine-core";
import { PciBus } from "./bus.ts";
import { ConfigSpace } from "./config-space.ts";
import type { MsiOptions } from "./msi.ts";
import { Msi } from "./msi.ts";
import type { MsixOptions } from "./msix.ts";
import { Msix } from "./msix.ts";
import { COMMAND, REG, STATUS } from "./spec.ts";

/** Who a function says it is. */
export interface PciIdentity {
  /** As the PCI-SIG assigned it. */
  readonly vendor: number;
  /** As the vendor assigned it. */
  readonly device: number;
  readonly revision?: number;
  /** 24 bits: class, subclass, programming interface. */
  readonly class: number;
  readonly subsystemVendor?: number;
  readonly subsystem?: number;
  /** Interrupt pin: 1 = INTA, 0 = none. */
  readonly pin?: number;
}

/** How a BAR is decoded. */
export interface BarOptions {
  /** I/O ports, or memory with an address of 32 or 64 bits (two BARs). */
  readonly kind: "io" | "mem32" | "mem64";
  /** Reads have no side effects. */
  readonly prefetch?: boolean;
}

interface Bar {
  readonly index: number;
  readonly kind: BarOptions["kind"];
  readonly size: number;
  readonly alias: MemoryRegion;
  at: number;
}

/** Of a function that is a bridge. */
export interface BridgeSide {
  readonly bus: PciBus;
  readonly secondary: number;
  readonly subordinate: number;
}

const UNMAPPED = -1;
/** The number under which people know the expansion ROM register. */
const ROM_BAR = 6;
const ROM_ENABLE = 1;

/** One PCI function as its device holds it: configuration space, BARs, interrupts. */
export class PciFunction {
  /** The bus that it is on. */
  readonly bus: PciBus;
  /** Slot * 8 + function. */
  readonly devfn: number;
  /** Its configuration space. */
  readonly config: ConfigSpace;
  /** More functions may share its slot. */
  readonly multifunction: boolean;
  /** The bus behind it, when it is a bridge. */
  bridge: BridgeSide | undefined;
  /** Called after a configuration write. */
  onConfigWrite: ((at: number, size: number) => void) | undefined;
  /** Message signalled interrupts, when `addMsi` added them. */
  msi: Msi | undefined;
  /** MSI-X, when `addMsix` added it. */
  msix: Msix | undefined;
  readonly #bars: Bar[] = [];
  readonly #dev: DeviceContext;
  readonly #bridgeHeader: boolean;
  #pinLevel = false;
  #sent = false;

  constructor(
    dev: DeviceContext,
    id: PciIdentity,
    opts: { bridge?: boolean; multifunction?: boolean; express?: boolean } = {},
  ) {
    const bus = dev.parentBus?.impl;
    if (!(bus instanceof PciBus)) throw new Error(`${dev.path}: a PCI device needs a PCI bus`);
    this.#dev = dev;
    this.bus = bus;
    this.devfn = bus.devfnOf(dev.path);
    this.multifunction = opts.multifunction ?? false;
    this.#bridgeHeader = opts.bridge ?? false;
    this.config = new ConfigSpace(bus.express && opts.express !== false ? 4096 : 256);
    this.#header(id);
    bus.functions.set(this.devfn, this);
    this.config.onWrite = (at, size) => this.#written(at, size);
    this.config.onReplaced = () => {
      // The status register says what the pin was: reset clears it, a snapshot brings it back.
      this.#pinLevel = (this.config.view.getUint16(REG.STATUS, true) & STATUS.INTERRUPT) !== 0;
      this.#written(0, this.config.size);
    };
    dev.stateful(this.config, "pci");
    dev.onUnrealize(() => this.#gone());
  }

  /** The user's id of the device, or empty. */
  get id(): string {
    return this.#dev.id;
  }
  /** 0 to 31. */
  get slot(): number {
    return this.devfn >> 3;
  }
  /** The command register. */
  get command(): number {
    return this.config.view.getUint16(REG.COMMAND, true);
  }

  /** Decodes accesses to `region` at an address that the guest chooses. Sizes are rounded up to a power of two. */
  addBar(index: number, region: MemoryRegion, opts: BarOptions): void {
    const least = opts.kind === "io" ? 4 : 16;
    const size = Math.max(least, 2 ** Math.ceil(Math.log2(region.size)));
    const flags = opts.kind === "io" ? 1 : (opts.kind === "mem64" ? 4 : 0) | (opts.prefetch === true ? 8 : 0);
    const at = REG.BAR0 + 4 * index;
    const mask = 2 ** 64 - size; // not exact, but its two halves below are: size is a power of two
    this.config.set(at, 4, flags, size >= 2 ** 32 ? 0 : (2 ** 32 - size) >>> 0);
    if (opts.kind === "mem64")
      this.config.set(at + 4, 4, 0, size > 2 ** 32 ? Math.floor(mask / 2 ** 32) >>> 0 : 0xffffffff);
    const alias = MemoryRegion.alias(`${region.name}.bar${index}`, region, 0, region.size);
    this.#bars.push({ index, kind: opts.kind, size, alias, at: UNMAPPED });
  }

  /**
   * Shows a device's option ROM at an address that the guest chooses, in the expansion ROM register.
   * Source: PCI Local Bus Specification 3.0, 6.2.5.2.
   */
  addRom(region: MemoryRegion): void {
    const size = Math.max(0x800, 2 ** Math.ceil(Math.log2(region.size)));
    this.config.set(REG.ROM, 4, 0, (2 ** 32 - size + ROM_ENABLE) >>> 0);
    const alias = MemoryRegion.alias(`${region.name}.rom`, region, 0, region.size);
    this.#bars.push({ index: ROM_BAR, kind: "mem32", size, alias, at: UNMAPPED });
  }

  /** Adds message signalled interrupts. */
  addMsi(opts: MsiOptions): Msi {
    return (this.msi = new Msi(this, this.#dev, opts));
  }

  /** Adds MSI-X with its table in a BAR of its own. */
  addMsix(opts: MsixOptions): Msix {
    const msix = new Msix(this, this.#dev, opts);
    this.msix = msix;
    this.addBar(opts.bar, msix.region, { kind: "mem32" });
    return msix;
  }

  /** Ends the set-up. Call it last in `realize`. */
  seal(): void {
    this.config.seal();
  }

  /** BARs as they are programmed now, in the order of their numbers; the expansion ROM is number 6. */
  bars(): { index: number; kind: BarOptions["kind"]; prefetch: boolean; size: number; at: number | undefined }[] {
    return this.#bars
      .map(({ index, kind, size, at }) => ({
        index,
        kind,
        prefetch: index !== ROM_BAR && (this.config.bytes[REG.BAR0 + 4 * index]! & 9) === 8,
        size,
        at: at === UNMAPPED ? undefined : at,
      }))
      .toSorted((a, b) => a.index - b.index);
  }

  /** The level of the function's interrupt pin. */
  setIntx(level: boolean): void {
    this.#pinLevel = level;
    this.config.setBits(REG.STATUS, STATUS.INTERRUPT, level);
    this.#updateIntx();
  }

  #header(id: PciIdentity): void {
    const c = this.config;
    c.set(REG.VENDOR, 2, id.vendor);
    c.set(REG.DEVICE, 2, id.device);
    c.set(
      REG.COMMAND,
      2,
      0,
      COMMAND.IO | COMMAND.MEMORY | COMMAND.MASTER | COMMAND.PARITY | COMMAND.SERR | COMMAND.INTX_OFF,
    );
    c.set(REG.STATUS, 2, 0, 0, STATUS.ERRORS);
    c.setBits(REG.STATUS, STATUS.INTERRUPT, false);
    c.set(REG.REVISION, 1, id.revision ?? 0);
    c.set(REG.CLASS, 1, id.class);
    c.set(REG.CLASS + 1, 2, id.class >>> 8);
    c.set(REG.CACHE_LINE, 1, 0, 0xff);
    c.set(REG.HEADER, 1, (this.#bridgeHeader ? 1 : 0) | (this.multifunction ? 0x80 : 0));
    c.set(REG.LINE, 1, 0, 0xff);
    c.set(REG.PIN, 1, id.pin ?? 0);
    if (this.#bridgeHeader) return;
    c.set(REG.SUBSYSTEM_VENDOR, 2, id.subsystemVendor ?? id.vendor);
    c.set(REG.SUBSYSTEM, 2, id.subsystem ?? id.device);
  }

  #written(at: number, size: number): void {
    const end = at + size;
    if ((at < REG.BAR0 + 24 && end > REG.COMMAND) || (at < REG.ROM + 4 && end > REG.ROM)) this.#map();
    if (at < REG.STATUS && end > REG.COMMAND) this.#updateIntx();
    this.msi?.configWritten(at, size);
    this.msix?.configWritten(at, size);
    this.onConfigWrite?.(at, size);
  }

  #updateIntx(): void {
    const level = this.#pinLevel && (this.command & COMMAND.INTX_OFF) === 0;
    if (level === this.#sent) return;
    this.#sent = level;
    const pin = this.config.bytes[REG.PIN]!;
    if (pin > 0) this.bus.upstream.setIrq(this.slot, pin - 1, level);
  }

  #map(): void {
    for (const bar of this.#bars) {
      const at = this.#addressOf(bar);
      if (at === bar.at) continue;
      bar.alias.parent?.remove(bar.alias);
      bar.at = at;
      if (at !== UNMAPPED) (bar.kind === "io" ? this.bus.io : this.bus.memory).add(at, bar.alias, 1);
    }
  }

  /** Where a BAR is decoded now. Address 0, and one whose end is all ones, mean that it is being sized. */
  #addressOf(bar: Bar): number {
    const { command, config } = this;
    const reg = bar.index === ROM_BAR ? REG.ROM : REG.BAR0 + 4 * bar.index;
    const low = config.view.getUint32(reg, true);
    if (bar.index === ROM_BAR && !(low & ROM_ENABLE)) return UNMAPPED;
    if (bar.kind === "io") {
      const at = (low & ~3) >>> 0;
      return command & COMMAND.IO && at !== 0 && at + bar.size <= 0x10000 ? at : UNMAPPED;
    }
    const high = bar.kind === "mem64" ? config.view.getUint32(reg + 4, true) : 0;
    const at = high * 2 ** 32 + ((low & ~15) >>> 0);
    const limit = bar.kind === "mem64" ? this.bus.memory.size : 2 ** 32 - 1;
    return command & COMMAND.MEMORY && at !== 0 && at + bar.size <= limit ? at : UNMAPPED;
  }

  #gone(): void {
    this.setIntx(false);
    for (const bar of this.#bars) bar.alias.parent?.remove(bar.alias);
    this.bus.functions.delete(this.devfn);
  }
}
