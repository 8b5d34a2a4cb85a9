import type { BlockBackend } from "@mimus/block";
import type { Chain, VirtioDevice, VirtioModel, VirtQueue } from "@mimus/bus-virtio";
import { DEVICE_ID } from "@mimus/bus-virtio";
import { defineState } from "@mimus/machine-core";
import { z } from "zod";
import { batch } from "../batch.ts";
import type { BlkConfig } from "./config.ts";
import { CONFIG_BYTES, fillConfig, WCE_AT } from "./config.ts";
import { HEADER, ID_BYTES, readHeader, readRange, S, TYPE } from "./request.ts";

/** Feature bits. Source: VIRTIO 1.2, 5.2.3. */
export const F = {
  SEG_MAX: 2,
  GEOMETRY: 4,
  RO: 5,
  BLK_SIZE: 6,
  SCSI: 7,
  FLUSH: 9,
  TOPOLOGY: 10,
  CONFIG_WCE: 11,
  MQ: 12,
  DISCARD: 13,
  WRITE_ZEROES: 14,
} as const;

/** What the user chose. */
export interface BlkOptions {
  readonly queues: number;
  readonly queueSize: number;
  readonly serial: string;
  readonly discard: boolean;
  readonly writeZeroes: boolean;
  readonly configWce: boolean;
  /** Offered to legacy drivers; every such request is answered "unsupported". */
  readonly scsi: boolean;
  readonly config: BlkConfig;
}

/** Most bytes that are read within one notification: the vCPU stands meanwhile, 1 ms. */
const AT_ONCE = 4 << 20;

const State = defineState("virtio-blk", 1, { wce: z.boolean().optional() });

/** The block device. Requests of all queues run in parallel; each completes as soon as the drive has answered. */
export class VirtioBlk implements VirtioModel {
  readonly deviceId: number = DEVICE_ID.BLOCK;
  readonly queueSizes: readonly number[];
  readonly configSize: number = CONFIG_BYTES;
  device!: VirtioDevice;
  readonly #drive: BlockBackend;
  readonly #options: BlkOptions;
  readonly #wceAtStart: boolean;
  #inFlight = 0;
  /** Bytes that may still be read within the present notification. */
  #atOnce = 0;
  /** Queues with completions that the driver was not told of yet. */
  readonly #tell: (queue: VirtQueue) => void = batch((q) => q.notify());

  constructor(drive: BlockBackend, options: BlkOptions) {
    this.#drive = drive;
    this.#options = options;
    this.#wceAtStart = drive.writeCache;
    this.queueSizes = Array.from({ length: options.queues }, () => options.queueSize);
  }

  features(modern: boolean): number[] {
    const o = this.#options;
    const bits: number[] = [F.SEG_MAX, F.GEOMETRY, F.TOPOLOGY, F.BLK_SIZE];
    if (!modern || o.scsi) bits.push(F.SCSI);
    if (this.#drive.writeCache || o.configWce) bits.push(F.FLUSH);
    if (o.configWce) bits.push(F.CONFIG_WCE);
    if (this.#drive.readOnly) bits.push(F.RO);
    if (o.queues > 1) bits.push(F.MQ);
    if (o.discard) bits.push(F.DISCARD);
    if (o.writeZeroes) bits.push(F.WRITE_ZEROES);
    return bits;
  }

  fillConfig(config: DataView, little: boolean): void {
    fillConfig(config, little, this.#options.config, this.#drive.size, this.#drive.writeCache);
  }

  configWritten(config: DataView, at: number, size: number): void {
    if (at > WCE_AT || at + size <= WCE_AT || !this.device.has(F.CONFIG_WCE)) return;
    this.#drive.writeCache = config.getUint8(WCE_AT) !== 0;
  }

  /** A driver that does not flush gets every write on stable storage at once. */
  featuresChosen(): void {
    if (!this.device.has(F.CONFIG_WCE)) this.#drive.writeCache = this.device.has(F.FLUSH) && this.#wceAtStart;
  }

  queueNotified(queue: VirtQueue): void {
    this.#atOnce = AT_ONCE;
    let ended = false;
    for (let n = 0; n < queue.size; n++) {
      const chain = queue.pop();
      if (!chain) break;
      if (this.#begin(queue, chain)) ended = true;
    }
    if (ended) queue.notify();
  }

  reset(): void {
    this.#drive.writeCache = this.#wceAtStart;
  }

  save(): unknown {
    if (this.#inFlight > 0)
      throw new Error(`${this.#inFlight} disk requests are in flight: drain the drives before saving`);
    return State.parse({ wce: this.#drive.writeCache });
  }
  load(raw: unknown): void {
    const { wce } = State.parse(raw ?? {});
    if (wce !== undefined) this.#drive.writeCache = wce;
  }

  /** @returns true when the request has ended, and the driver is to be told */
  #begin(queue: VirtQueue, chain: Chain): boolean {
    const header = readHeader(chain, this.device.littleEndian);
    if (!header || chain.inBytes < 1) {
      this.device.fail(`queue ${queue.index}: block request without room for its header or status`);
      return false;
    }
    const work = this.#work(header.type, header.at, chain);
    if (typeof work === "number") this.#end(queue, chain, work);
    else void this.#wait(queue, chain, work);
    return typeof work === "number";
  }

  async #wait(queue: VirtQueue, chain: Chain, work: Promise<void>): Promise<void> {
    const { epoch } = this.device;
    this.#inFlight++;
    let status: number = S.OK;
    try {
      await work;
    } catch {
      status = S.IOERR; // the block layer has told the user
    }
    this.#inFlight--;
    if (epoch !== this.device.epoch) return;
    this.#end(queue, chain, status);
    this.#tell(queue);
  }

  #end(queue: VirtQueue, chain: Chain, status: number): void {
    chain.writeIn(chain.inBytes - 1, Uint8Array.of(status));
    queue.push(chain, chain.inBytes);
  }

  /** Begins a request; a number is the status of one that needs no waiting. */
  #work(type: number, at: number, chain: Chain): Promise<void> | number {
    const drive = this.#drive;
    switch (type) {
      case TYPE.IN: {
        const length = chain.inBytes - 1;
        if (!this.#fits(at, length)) return S.IOERR;
        return length === 0 ? S.OK : this.#read(at, length, chain.inFrom(0, length));
      }
      case TYPE.OUT: {
        const length = chain.outBytes - HEADER;
        if (drive.readOnly || !this.#fits(at, length)) return S.IOERR;
        return length === 0 ? S.OK : drive.writev(at, chain.outFrom(HEADER));
      }
      case TYPE.FLUSH:
        return drive.flush();
      case TYPE.GET_ID: {
        const id = new Uint8Array(Math.min(ID_BYTES, chain.inBytes - 1));
        for (let i = 0; i < id.length; i++) id[i] = this.#options.serial.charCodeAt(i) || 0;
        chain.writeIn(0, id);
        return S.OK;
      }
      case TYPE.DISCARD:
      case TYPE.WRITE_ZEROES:
        return this.#range(type, chain);
      default:
        return S.UNSUPP;
    }
  }

  /** What the drive has at hand is there before the driver's notification returns. */
  #read(at: number, length: number, into: readonly Uint8Array[]): Promise<void> | number {
    if (length <= this.#atOnce && this.#drive.readNow(at, into)) {
      this.#atOnce -= length;
      return S.OK;
    }
    return this.#drive.readv(at, into);
  }

  #range(type: number, chain: Chain): Promise<void> | number {
    const zeroes = type === TYPE.WRITE_ZEROES;
    const { discard, writeZeroes, config } = this.#options;
    if (!(zeroes ? writeZeroes : discard)) return S.UNSUPP;
    const range = readRange(chain, this.device.littleEndian);
    // Unknown flags, and unmap on a discard, are unsupported: 5.2.6.2.
    if (!range || range.flags & (zeroes ? ~1 : ~0)) return S.UNSUPP;
    const most = (zeroes ? config.maxWriteZeroesSectors : config.maxDiscardSectors) * 512;
    if (this.#drive.readOnly || range.length > most || !this.#fits(range.at, range.length)) return S.IOERR;
    if (range.length === 0) return S.OK;
    if (zeroes) return this.#drive.writeZeroes(range.at, range.length, (range.flags & 1) !== 0);
    return this.#drive.discard(range.at, range.length);
  }

  #fits(at: number, length: number): boolean {
    const block = this.#options.config.logicalBlock;
    return at % block === 0 && length % block === 0 && at + length <= this.#drive.size;
  }
}
