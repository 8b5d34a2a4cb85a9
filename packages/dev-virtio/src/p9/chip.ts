import type { Chain, VirtioDevice, VirtioModel, VirtQueue } from "@mimus/bus-virtio";
import { DEVICE_ID } from "@mimus/bus-virtio";
import { batch } from "../batch.ts";
import type { HostDirectory } from "./host.ts";
import { MAX_MSIZE, P9Server } from "./server.ts";

const MOUNT_TAG = 0;
/** Bytes of size, type and tag that begin each message. */
const HEADER = 7;

/** A shared folder of the host. Source: VIRTIO 1.2, 5.6 ("9P transport"); layout as Linux's net/9p/trans_virtio.c expects. */
export class Virtio9p implements VirtioModel {
  readonly deviceId: number = DEVICE_ID.P9;
  readonly queueSizes: readonly number[] = [128];
  readonly configSize: number;
  device!: VirtioDevice;
  readonly #tag: Uint8Array;
  readonly #dir: HostDirectory;
  #server: P9Server;
  #inFlight = 0;
  readonly #tell: (queue: VirtQueue) => void = batch((q) => q.notify());

  /** `tag`: ASCII, what the guest mounts. */
  constructor(dir: HostDirectory, tag: string) {
    this.#dir = dir;
    this.#server = new P9Server(dir);
    this.#tag = Uint8Array.from(tag, (c) => c.charCodeAt(0));
    this.configSize = 2 + tag.length;
  }

  features(): number[] {
    return [MOUNT_TAG];
  }
  fillConfig(v: DataView, little: boolean): void {
    v.setUint16(0, this.#tag.length, little);
    this.#tag.forEach((c, i) => v.setUint8(2 + i, c));
  }

  queueNotified(queue: VirtQueue): void {
    for (let n = 0; n < queue.size; n++) {
      const chain = queue.pop();
      if (!chain) return;
      if (chain.outBytes < HEADER || chain.inBytes < HEADER) {
        this.device.fail("queue 0: 9P message without room for its header or answer");
        return;
      }
      void this.#answer(queue, chain);
    }
  }

  reset(): void {
    const old = this.#server;
    this.#server = new P9Server(this.#dir);
    void old.close();
  }

  /** A mounted folder cannot be carried to another machine: its numbers stand for files of this host. */
  save(): unknown {
    if (this.#inFlight > 0) throw new Error("a 9P request is in flight: wait before saving");
    return undefined;
  }
  load(): void {
    this.reset();
  }

  async #answer(queue: VirtQueue, chain: Chain): Promise<void> {
    const { epoch } = this.device;
    this.#inFlight++;
    const head = new Uint8Array(4);
    chain.readOut(0, head);
    const size = new DataView(head.buffer).getUint32(0, true);
    const bytes = new Uint8Array(Math.min(Math.max(size, HEADER), chain.outBytes, MAX_MSIZE));
    chain.readOut(0, bytes);
    const reply = await this.#server.handle(bytes);
    this.#inFlight--;
    if (epoch !== this.device.epoch) return;
    queue.push(chain, chain.writeIn(0, reply));
    this.#tell(queue);
  }
}
