import type { Registers } from "@mimus/machine-core";
import { AREA, COMMON, NOTIFY_STEP } from "./spec.ts";
import type { PciTransport } from "./transport.ts";

const HALVES = COMMON.QUEUE_DEVICE + 8;

/** The structures of a modern device in one BAR: common configuration, interrupt status, device configuration, notifications. */
export class ModernRegisters implements Registers {
  readonly #t: PciTransport;

  constructor(transport: PciTransport) {
    this.#t = transport;
  }

  read(offset: number, size: number): number {
    const t = this.#t;
    if (offset < AREA.ISR) return cut(this.#common(offset), size);
    if (offset < AREA.DEVICE) return offset === AREA.ISR ? t.takeIsr() : 0;
    if (offset < AREA.NOTIFY) return t.device?.readConfig(offset - AREA.DEVICE, size) ?? 0;
    return 0;
  }

  write(offset: number, size: number, value: number): void {
    const t = this.#t;
    if (offset >= AREA.NOTIFY) t.device?.notify(Math.floor((offset - AREA.NOTIFY) / NOTIFY_STEP));
    else if (offset >= AREA.DEVICE) t.device?.writeConfig(offset - AREA.DEVICE, size, value);
    else if (offset < AREA.ISR) this.#setCommon(offset, value);
  }

  #common(offset: number): number {
    const t = this.#t;
    const { device, selected: q } = t;
    if (!device) return 0;
    if (offset >= COMMON.QUEUE_DESC && offset < HALVES)
      return t.areas[t.queueSelect]?.[(offset - COMMON.QUEUE_DESC) >> 2] ?? 0;
    switch (offset) {
      case COMMON.DEVICE_FEATURE_SELECT:
        return t.featureSelect;
      case COMMON.DEVICE_FEATURE:
        return device.offered(t.featureSelect);
      case COMMON.DRIVER_FEATURE_SELECT:
        return t.driverFeatureSelect;
      case COMMON.DRIVER_FEATURE:
        return device.accepted[t.driverFeatureSelect] ?? 0;
      case COMMON.CONFIG_VECTOR:
        return t.configVector;
      case COMMON.NUM_QUEUES:
        return device.queues.length;
      case COMMON.STATUS:
        return device.status;
      case COMMON.GENERATION:
        return device.generation & 0xff;
      case COMMON.QUEUE_SELECT:
        return t.queueSelect;
      case COMMON.QUEUE_SIZE:
        return q?.size ?? 0;
      case COMMON.QUEUE_VECTOR:
        return q?.vector ?? 0xffff;
      case COMMON.QUEUE_ENABLE:
        return q?.ready ? 1 : 0;
      case COMMON.QUEUE_NOTIFY_OFF:
        return q?.index ?? 0;
      default:
        return 0;
    }
  }

  #setCommon(offset: number, value: number): void {
    const t = this.#t;
    const { device, selected: q } = t;
    if (!device) return;
    switch (offset) {
      case COMMON.DEVICE_FEATURE_SELECT:
        t.featureSelect = value;
        return;
      case COMMON.DRIVER_FEATURE_SELECT:
        t.driverFeatureSelect = value;
        return;
      case COMMON.DRIVER_FEATURE:
        device.accept(t.driverFeatureSelect, value);
        return;
      case COMMON.CONFIG_VECTOR:
        t.configVector = t.vector(value & 0xffff);
        return;
      case COMMON.STATUS:
        device.setStatus(value);
        return;
      case COMMON.QUEUE_SELECT:
        t.queueSelect = value & 0xffff;
        return;
      default:
    }
    if (!q) return;
    if (offset >= COMMON.QUEUE_DESC && offset < HALVES) {
      (t.areas[q.index] ??= [0, 0, 0, 0, 0, 0])[(offset - COMMON.QUEUE_DESC) >> 2] = value;
      return;
    }
    switch (offset) {
      case COMMON.QUEUE_SIZE: {
        const size = value & 0xffff;
        if (size === 0 || size > q.maxSize) t.guestError(`queue size ${size}; at most ${q.maxSize}`);
        else if (!q.ready) q.size = size;
        return;
      }
      case COMMON.QUEUE_VECTOR:
        q.vector = t.vector(value & 0xffff);
        return;
      case COMMON.QUEUE_ENABLE: {
        if ((value & 0xffff) !== 1) {
          t.guestError(`queue_enable = ${value}; only 1 may be written`);
          return;
        }
        const a = t.areas[q.index] ?? [0, 0, 0, 0, 0, 0];
        q.desc = a[0]! + a[1]! * 2 ** 32;
        q.driver = a[2]! + a[3]! * 2 ** 32;
        q.device = a[4]! + a[5]! * 2 ** 32;
        q.setReady(true);
        return;
      }
      case COMMON.QUEUE_RESET:
        if (value & 1) q.reset();
        return;
      default:
        t.guestError(`write of 0x${value.toString(16)} at common configuration 0x${offset.toString(16)}`);
    }
  }
}

function cut(value: number, size: number): number {
  return size === 4 ? value >>> 0 : value & (2 ** (8 * size) - 1);
}
