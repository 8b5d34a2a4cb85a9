import type { Registers } from "@mimus/machine-core";
import { LEGACY } from "./spec.ts";
import type { PciTransport } from "./transport.ts";

const PAGE = 4096;

/** The registers of a legacy (0.9.5) or transitional device in I/O space. */
export class LegacyRegisters implements Registers {
  readonly #t: PciTransport;

  constructor(transport: PciTransport) {
    this.#t = transport;
  }

  /** The device's configuration space follows the vectors, which are there only while MSI-X is on. */
  get #configAt(): number {
    return this.#t.msixEnabled ? 24 : 20;
  }

  read(offset: number, size: number): number {
    const t = this.#t;
    const { device, selected: q } = t;
    if (!device) return 0;
    if (offset >= this.#configAt) return device.readConfig(offset - this.#configAt, size);
    const value = ((): number => {
      switch (offset) {
        case LEGACY.DEVICE_FEATURES:
          return device.offered(0);
        case LEGACY.DRIVER_FEATURES:
          return device.accepted[0]!;
        case LEGACY.QUEUE_PFN:
          return q?.ready ? Math.floor(q.desc / PAGE) : 0;
        case LEGACY.QUEUE_SIZE:
          return q?.maxSize ?? 0;
        case LEGACY.QUEUE_SELECT:
          return t.queueSelect;
        case LEGACY.STATUS:
          return device.status;
        case LEGACY.ISR:
          return t.takeIsr();
        case LEGACY.CONFIG_VECTOR:
          return t.configVector;
        case LEGACY.QUEUE_VECTOR:
          return q?.vector ?? 0xffff;
        default:
          return 0;
      }
    })();
    return size === 4 ? value >>> 0 : value & (2 ** (8 * size) - 1);
  }

  write(offset: number, size: number, value: number): void {
    const t = this.#t;
    const { device, selected: q } = t;
    if (!device) return;
    if (offset >= this.#configAt) {
      device.writeConfig(offset - this.#configAt, size, value);
      return;
    }
    switch (offset) {
      case LEGACY.DRIVER_FEATURES:
        device.accept(0, value);
        return;
      case LEGACY.QUEUE_PFN: {
        if (!q) return;
        if (value === 0) {
          q.setReady(false);
          return;
        }
        q.desc = value * PAGE;
        q.driver = q.desc + 16 * q.size;
        q.device = Math.ceil((q.driver + 2 * (3 + q.size)) / PAGE) * PAGE;
        q.setReady(true);
        return;
      }
      case LEGACY.QUEUE_SELECT:
        t.queueSelect = value & 0xffff;
        return;
      case LEGACY.QUEUE_NOTIFY:
        device.notify(value & 0xffff);
        return;
      case LEGACY.STATUS:
        device.setStatus(value & 0xff);
        return;
      case LEGACY.CONFIG_VECTOR:
        t.configVector = t.vector(value & 0xffff);
        return;
      case LEGACY.QUEUE_VECTOR:
        if (q) q.vector = t.vector(value & 0xffff);
        return;
      default:
        t.guestError(`write of 0x${value.toString(16)} to legacy register 0x${offset.toString(16)}`);
    }
  }
}
