import type { VirtioDevice, VirtioModel, VirtQueue } from "@mimus/bus-virtio";
import { DEVICE_ID } from "@mimus/bus-virtio";
import { defineState } from "@mimus/machine-core";
import { z } from "zod";
import type { SerialPort } from "./port.ts";

/** Feature bits and control events. Source: VIRTIO 1.2, 5.3.3 and 5.3.6.2. */
const F = { MULTIPORT: 1, EMERG_WRITE: 2 } as const;
const EVENT = {
  DEVICE_READY: 0,
  PORT_ADD: 1,
  PORT_REMOVE: 2,
  PORT_READY: 3,
  CONSOLE_PORT: 4,
  RESIZE: 5,
  PORT_OPEN: 6,
  PORT_NAME: 7,
} as const;
const CONTROL_IN = 2;
const CONTROL_OUT = 3;
const PORT_QUEUE = 128;
const CONTROL_QUEUE = 32;
const EMERGENCY_AT = 8;
/** Control messages kept for a driver that gives no buffers; more than any driver can cause without reading them. */
const MOST_PENDING = 1024;

const State = defineState("virtio-serial", 1, {
  ready: z.boolean().default(false),
  ports: z
    .array(z.strictObject({ nr: z.uint32(), guestOpen: z.boolean(), sent: z.uint32() }))
    .max(512)
    .default([]),
  pending: z
    .array(z.array(z.int().min(0).max(255)).max(256))
    .max(MOST_PENDING)
    .default([]),
});

/** The serial device: a control channel and up to 31 ports. */
export class VirtioSerial implements VirtioModel {
  readonly deviceId: number = DEVICE_ID.CONSOLE;
  readonly queueSizes: readonly number[];
  readonly configSize = 12;
  readonly maxPorts: number;
  device!: VirtioDevice;
  readonly #ports: Map<number, SerialPort> = new Map();
  readonly #emergency: boolean;
  #ready = false;
  #pending: Uint8Array[] = [];

  constructor(maxPorts: number, emergency: boolean) {
    this.maxPorts = maxPorts;
    this.#emergency = emergency;
    const sizes = [PORT_QUEUE, PORT_QUEUE, CONTROL_QUEUE, CONTROL_QUEUE];
    for (let n = 1; n < maxPorts; n++) sizes.push(PORT_QUEUE, PORT_QUEUE);
    this.queueSizes = sizes;
  }

  // ---- ports ----

  /** The number for a port that asks for none: 0 for the first console, else the first free one from 1 on. */
  freeNumber(console: boolean): number | undefined {
    if (console && !this.#ports.has(0)) return 0;
    for (let n = 1; n < this.maxPorts; n++) if (!this.#ports.has(n)) return n;
    return undefined;
  }
  has(nr: number): boolean {
    return this.#ports.has(nr);
  }
  add(port: SerialPort): void {
    this.#ports.set(port.nr, port);
    if (this.#ready) this.#send(port.nr, EVENT.PORT_ADD, 1);
  }
  remove(port: SerialPort): void {
    this.#ports.delete(port.nr);
    if (this.#ready) this.#send(port.nr, EVENT.PORT_REMOVE, 1);
  }
  queueOf(nr: number, way: "in" | "out"): VirtQueue | undefined {
    const index = nr === 0 ? 0 : 2 + 2 * nr;
    return this.device.queues[way === "in" ? index : index + 1];
  }
  /** Whether input may be given to the guest now. */
  isOpen(port: SerialPort): boolean {
    return port.guestOpen || !this.device.has(F.MULTIPORT);
  }
  hostOpened(port: SerialPort): void {
    if (this.#ready) this.#send(port.nr, EVENT.PORT_OPEN, port.hostOpen ? 1 : 0);
  }

  // ---- VirtioModel ----

  features(): number[] {
    return [...(this.maxPorts > 1 ? [F.MULTIPORT] : []), ...(this.#emergency ? [F.EMERG_WRITE] : [])];
  }
  fillConfig(v: DataView, little: boolean): void {
    v.setUint32(0, 0); // columns and rows: not offered
    v.setUint32(4, this.maxPorts, little);
    v.setUint32(EMERGENCY_AT, 0, little);
  }
  configWritten(v: DataView, at: number, size: number, little: boolean): void {
    if (!this.#emergency || at > EMERGENCY_AT || at + size <= EMERGENCY_AT) return;
    this.#ports.get(0)?.emergency(v.getUint32(EMERGENCY_AT, little));
  }

  start(): void {
    // Without the control channel there is one port, open from now on.
    if (!this.device.has(F.MULTIPORT)) this.#ports.get(0)?.inputReady();
  }

  queueNotified(queue: VirtQueue): void {
    const { index } = queue;
    if (index === CONTROL_OUT) this.#control(queue);
    else if (index === CONTROL_IN) this.#deliver();
    else {
      const port = this.#ports.get(index < 2 ? 0 : (index >> 1) - 1);
      if (port && index % 2 === 0) port.inputReady();
      else if (port) port.drainOutput();
      else if (index % 2 === 1) discard(queue);
    }
  }

  reset(): void {
    this.#ready = false;
    this.#pending = [];
    for (const p of this.#ports.values()) {
      p.guestOpen = false;
      p.sent = 0;
    }
  }

  save(): unknown {
    const ports = [...this.#ports.values()].map(({ nr, guestOpen, sent }) => ({ nr, guestOpen, sent }));
    return State.parse({ ready: this.#ready, ports, pending: this.#pending.map((m) => [...m]) });
  }
  load(raw: unknown): void {
    const s = State.parse(raw ?? {});
    this.#ready = s.ready;
    this.#pending = s.pending.map((m) => Uint8Array.from(m));
    for (const { nr, guestOpen, sent } of s.ports) {
      const port = this.#ports.get(nr);
      if (port) Object.assign(port, { guestOpen, sent });
    }
  }

  // ---- control channel ----

  #control(queue: VirtQueue): void {
    let pushed = false;
    for (let n = 0; n < queue.size; n++) {
      const chain = queue.pop();
      if (!chain) break;
      const bytes = new Uint8Array(8);
      if (chain.readOut(0, bytes) === 8) {
        const v = new DataView(bytes.buffer);
        const le = this.device.littleEndian;
        this.#event(v.getUint32(0, le), v.getUint16(4, le), v.getUint16(6, le));
      }
      queue.push(chain, 0);
      pushed = true;
    }
    if (pushed) queue.notify();
  }

  #event(id: number, event: number, value: number): void {
    if (event === EVENT.DEVICE_READY) {
      this.#ready = value !== 0;
      if (this.#ready) for (const nr of this.#ports.keys()) this.#send(nr, EVENT.PORT_ADD, 1);
      return;
    }
    const port = this.#ports.get(id);
    if (!port) {
      this.device.dev.guestError(`virtio-serial: control message for port ${id}, which does not exist`);
      return;
    }
    if (event === EVENT.PORT_READY && value !== 0) {
      if (port.console) this.#send(id, EVENT.CONSOLE_PORT, 1);
      if (port.name !== "") this.#send(id, EVENT.PORT_NAME, 1, port.name);
      if (port.hostOpen) this.#send(id, EVENT.PORT_OPEN, 1);
      // A console is open as soon as the driver has it; Linux sends no PORT_OPEN before it is used.
      if (port.console) this.#open(port, true);
    } else if (event === EVENT.PORT_OPEN) this.#open(port, value !== 0);
  }

  #open(port: SerialPort, open: boolean): void {
    port.guestOpen = open;
    if (open) port.inputReady();
  }

  #send(id: number, event: number, value: number, name = ""): void {
    const bytes = new Uint8Array(8 + name.length);
    const v = new DataView(bytes.buffer);
    const le = this.device.littleEndian;
    v.setUint32(0, id, le);
    v.setUint16(4, event, le);
    v.setUint16(6, value, le);
    for (let i = 0; i < name.length; i++) bytes[8 + i] = name.charCodeAt(i);
    if (this.#pending.length < MOST_PENDING) this.#pending.push(bytes);
    this.#deliver();
  }

  #deliver(): void {
    const queue = this.device.queues[CONTROL_IN]!;
    let pushed = false;
    while (this.#pending.length > 0) {
      const chain = queue.pop();
      if (!chain) break;
      const message = this.#pending.shift()!;
      queue.push(chain, chain.writeIn(0, message));
      pushed = true;
    }
    if (pushed) queue.notify();
  }
}

function discard(queue: VirtQueue): void {
  for (let n = 0; n < queue.size; n++) {
    const chain = queue.pop();
    if (!chain) break;
    queue.push(chain, 0);
  }
  queue.notify();
}
