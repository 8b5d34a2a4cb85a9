import type { Chain, VirtioDevice, VirtioModel, VirtQueue } from "@mimus/bus-virtio";
import { DEVICE_ID, FEATURE } from "@mimus/bus-virtio";
import { defineState } from "@mimus/machine-core";
import type { NetBackend, NetNic, NetPeer } from "@mimus/net";
import { MAX_FRAME } from "@mimus/net";
import { z } from "zod";
import { control } from "./control.ts";
import type { FilterState } from "./filter.ts";
import { key, openFilter, passes } from "./filter.ts";

/** Feature bits. Source: VIRTIO 1.2, 5.1.3. */
export const F = {
  MTU: 3,
  MAC: 5,
  MRG_RXBUF: 15,
  STATUS: 16,
  CTRL_VQ: 17,
  CTRL_RX: 18,
  CTRL_VLAN: 19,
  CTRL_RX_EXTRA: 20,
  GUEST_ANNOUNCE: 21,
  CTRL_MAC_ADDR: 23,
} as const;

const RX = 0;
const TX = 1;
const CONTROL = 2;
const LINK_UP = 1;
const ANNOUNCE = 2;

/** What the user chose. */
export interface NetOptions {
  readonly mac: Uint8Array;
  readonly rxSize: number;
  readonly txSize: number;
  /** 0 = not offered. */
  readonly mtu: number;
  readonly features: readonly number[];
}

const digits = z.string().regex(/^[0-9a-f]{12}$/);
const State = defineState("virtio-net", 1, {
  mac: digits.optional(),
  announce: z.boolean().default(false),
  promisc: z.boolean().default(true),
  allMulti: z.boolean().default(false),
  allUni: z.boolean().default(false),
  noMulti: z.boolean().default(false),
  noUni: z.boolean().default(false),
  noBroadcast: z.boolean().default(false),
  unicast: z.array(digits).max(64).default([]),
  multicast: z.array(digits).max(64).default([]),
  unicastOverflow: z.boolean().default(false),
  multicastOverflow: z.boolean().default(false),
  vlans: z.array(z.int().min(0).max(4095)).max(4096).default([]),
});

/** The network card. No offloads: frames pass as they are. */
export class VirtioNet implements VirtioModel, NetNic {
  readonly deviceId: number = DEVICE_ID.NET;
  readonly queueSizes: readonly number[];
  /** Address and status; the payload's limit when it is told. */
  get configSize(): number {
    return this.#options.mtu > 0 ? 12 : 8;
  }
  readonly name: string;
  device!: VirtioDevice;
  readonly #options: NetOptions;
  #peer: NetPeer | undefined;
  /** Address now, twelve hexadecimal digits: the driver may change it. */
  #address: string;
  #filter: FilterState = openFilter();
  #announce = false;

  constructor(name: string, options: NetOptions) {
    this.name = name;
    this.#options = options;
    this.#address = key(options.mac, 0);
    this.queueSizes = [options.rxSize, options.txSize, 64];
  }

  get mac(): string {
    return (this.#address.match(/../g) ?? []).join(":");
  }

  plug(backend: NetBackend): void {
    this.#peer = backend.attach(this);
  }

  features(): number[] {
    return [F.MAC, ...(this.#options.mtu > 0 ? [F.MTU] : []), ...this.#options.features];
  }

  fillConfig(v: DataView, little: boolean): void {
    for (let i = 0; i < 6; i++) v.setUint8(i, Number.parseInt(this.#address.slice(2 * i, 2 * i + 2), 16));
    const status = (this.#peer?.up === false ? 0 : LINK_UP) | (this.#announce ? ANNOUNCE : 0);
    v.setUint16(6, status, little);
    if (this.#options.mtu === 0) return;
    v.setUint16(8, 1, little);
    v.setUint16(10, this.#options.mtu, little);
  }

  /** A legacy driver without the control queue sets its address here. */
  configWritten(v: DataView, at: number): void {
    if (at >= 6 || this.device.has(F.CTRL_MAC_ADDR) || this.device.has(FEATURE.VERSION_1)) return;
    this.#address = key(new Uint8Array(v.buffer, 0, 6), 0);
  }

  start(): void {
    this.#peer?.ready();
  }

  queueNotified(queue: VirtQueue): void {
    if (queue.index === RX) this.#peer?.ready();
    else if (queue.index === TX) this.#transmit(queue);
    else if (queue.index === CONTROL) this.#control(queue);
  }

  reset(): void {
    this.#filter = openFilter();
    this.#address = key(this.#options.mac, 0);
    this.#announce = false;
  }

  save(): unknown {
    return State.parse({ ...this.#filter, mac: this.#address, announce: this.#announce });
  }
  load(raw: unknown): void {
    const { stateVersion: _, mac, announce, ...filter } = State.parse(raw ?? {});
    this.#filter = filter;
    this.#address = mac ?? key(this.#options.mac, 0);
    this.#announce = announce;
  }

  // ---- NetNic ----

  writable(): void {
    const queue = this.device.queues[TX]!;
    this.#transmit(queue);
  }

  linkChanged(): void {
    this.device.configChanged();
  }

  /** Writes a frame to as many buffers as it needs; false = not enough of them, nothing was written. */
  receive(frame: Uint8Array): boolean {
    const queue = this.device.queues[RX]!;
    if (!queue.ready || this.device.broken) return false;
    if (!passes(this.#filter, this.#address, frame, this.device.has(F.CTRL_VLAN))) return true;
    const header = this.#headerBytes;
    const total = header + frame.length;
    const chains: Chain[] = [];
    let room = 0;
    const most = this.device.has(F.MRG_RXBUF) ? queue.size : 1;
    while (room < total && chains.length < most) {
      const chain = queue.pop();
      if (!chain) {
        for (const c of chains.toReversed()) queue.unpop(c);
        return false;
      }
      chains.push(chain);
      room += chain.inBytes;
    }
    if (room < total) {
      // No buffer of this driver will ever be large enough.
      this.device.dev.guestError(
        `virtio-net: frame of ${frame.length} bytes does not fit in a buffer of ${room}; dropped`,
      );
      for (const c of chains) queue.fill(c, 0);
    } else this.#fill(queue, chains, header, frame);
    queue.flush();
    queue.notify();
    return true;
  }

  get #headerBytes(): number {
    return this.device.has(F.MRG_RXBUF) || this.device.has(FEATURE.VERSION_1) ? 12 : 10;
  }

  #fill(queue: VirtQueue, chains: readonly Chain[], header: number, frame: Uint8Array): void {
    const head = new Uint8Array(header);
    if (header === 12) new DataView(head.buffer).setUint16(10, chains.length, this.device.littleEndian);
    let headAt = 0; // the header itself may be cut by small buffers
    let frameAt = 0;
    for (const chain of chains) {
      const h = chain.writeIn(0, head.subarray(headAt));
      headAt += h;
      const n = headAt === header ? chain.writeIn(h, frame.subarray(frameAt)) : 0;
      frameAt += n;
      queue.fill(chain, h + n);
    }
  }

  #transmit(queue: VirtQueue): void {
    const header = this.#headerBytes;
    let pushed = false;
    for (let n = 0; n < queue.size; n++) {
      const chain = queue.pop();
      if (!chain) break;
      const length = chain.outBytes - header;
      if (length < 0) {
        this.device.fail("queue 1: frame without a whole header");
        return;
      }
      if (length > MAX_FRAME) this.device.dev.guestError(`virtio-net: frame of ${length} bytes; dropped`);
      else if (this.#peer) {
        const frame = new Uint8Array(length);
        chain.readOut(header, frame);
        if (!this.#peer.send(frame)) {
          queue.unpop(chain); // `writable` comes back to it
          break;
        }
      }
      queue.push(chain, 0);
      pushed = true;
    }
    if (pushed) queue.notify();
  }

  #control(queue: VirtQueue): void {
    const chip = this;
    const target = {
      filter: this.#filter,
      get mac(): string {
        return chip.#address;
      },
      set mac(value: string) {
        chip.#address = value;
      },
      announced: () => {
        this.#announce = false;
      },
    };
    for (let n = 0; n < queue.size; n++) {
      const chain = queue.pop();
      if (!chain) break;
      if (chain.inBytes < 1) {
        this.device.fail("queue 2: command without room for its answer");
        return;
      }
      const done = control(chain, target);
      chain.writeIn(0, Uint8Array.of(done ? 0 : 1));
      queue.push(chain, 1);
    }
    queue.notify();
  }
}
