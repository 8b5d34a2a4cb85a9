/** Files that count, tell the time, pass on signals or watch others. Source: Linux man-pages, eventfd(2), timerfd_create(2), signalfd(2), epoll(7). */
import { E, fail } from "../errno.ts";
import { BaseFile, Waiters } from "../fs/base-file.ts";
import { POLL } from "../fs/constants.ts";
import type { Abi } from "../abi.ts";
import { layout } from "../layout.ts";
import type { Process } from "../process.ts";
import { Countdown } from "./countdown.ts";
import type { OpenFile } from "./open-file.ts";

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const MOST = 0xffff_ffff_ffff_fffen;

/** A counter of 64 bits. */
export class EventFile extends BaseFile {
  override readonly type = 0;
  readonly #little: boolean;
  readonly #semaphore: boolean;
  #count: bigint;
  readonly #waiters: Waiters = new Waiters();

  constructor(count: number, semaphore: boolean, abi: Abi) {
    super();
    this.#count = BigInt(count);
    this.#semaphore = semaphore;
    this.#little = !abi.bigEndian;
  }
  override read(into: Uint8Array): number {
    if (into.length < 8) return -E.INVAL;
    if (this.#count === 0n) return -E.AGAIN;
    const value = this.#semaphore ? 1n : this.#count;
    this.#count -= value;
    view(into).setBigUint64(0, value, this.#little);
    this.#waiters.wake();
    return 8;
  }
  override write(from: Uint8Array): number {
    if (from.length < 8) return -E.INVAL;
    const value = view(from).getBigUint64(0, this.#little);
    if (value > MOST) return -E.INVAL;
    if (this.#count + value > MOST) return -E.AGAIN;
    this.#count += value;
    this.#waiters.wake();
    return 8;
  }
  override ready(): number {
    return (this.#count > 0n ? POLL.IN | POLL.RDNORM : 0) | (this.#count < MOST ? POLL.OUT | POLL.WRNORM : 0);
  }
  override wait(_events: number, fn: () => void): () => void {
    return this.#waiters.add(fn);
  }
}

/** A timer: reading tells how often it expired. */
export class TimerFile extends BaseFile {
  override readonly type = 0;
  readonly clock: number;
  readonly countdown: Countdown;
  readonly #little: boolean;
  #expired = 0;
  readonly #waiters: Waiters = new Waiters();

  constructor(process: Process, clock: number, now: () => number) {
    super();
    this.clock = clock;
    this.#little = !process.abi.bigEndian;
    this.countdown = new Countdown(process.host, now, (times) => {
      this.#expired += times;
      this.#waiters.wake();
    });
  }
  /** Forgets what was not read. */
  clear(): void {
    this.#expired = 0;
  }
  override read(into: Uint8Array): number {
    if (into.length < 8) return -E.INVAL;
    if (this.#expired === 0) return -E.AGAIN;
    view(into).setBigUint64(0, BigInt(this.#expired), this.#little);
    this.#expired = 0;
    return 8;
  }
  override ready(): number {
    return this.#expired > 0 ? POLL.IN | POLL.RDNORM : 0;
  }
  override wait(_events: number, fn: () => void): () => void {
    return this.#waiters.add(fn);
  }
  override close(): void {
    this.countdown.stop();
  }
}

const SIGNALFD_INFO = layout({
  signo: "u32", errno: "s32", code: "s32", pid: "u32", uid: "u32", fd: "s32", tid: "u32", band: "u32", overrun: "u32",
  trapno: "u32", status: "s32", int: "s32", ptr: "u64", utime: "u64", stime: "u64", addr: "u64",
}); // prettier-ignore
const SIGNALFD_SIZE = 128;

/** Signals as bytes. */
export class SignalFile extends BaseFile {
  override readonly type = 0;
  mask: bigint;
  readonly #process: Process;

  constructor(process: Process, mask: bigint) {
    super();
    this.#process = process;
    this.mask = mask;
  }
  override read(into: Uint8Array): number {
    if (into.length < SIGNALFD_SIZE) return -E.INVAL;
    let at = 0;
    while (at + SIGNALFD_SIZE <= into.length) {
      const info = this.#process.signals.take(this.mask);
      if (info === undefined) break;
      into.fill(0, at, at + SIGNALFD_SIZE);
      SIGNALFD_INFO.on(this.#process.abi).write(view(into), at, {
        signo: info.signo, errno: info.errno, code: info.code, pid: info.pid, uid: info.uid, fd: info.fd,
        tid: info.timerId, band: info.band, overrun: info.overrun, int: info.value | 0, ptr: info.value,
        addr: info.addr,
      }); // prettier-ignore
      at += SIGNALFD_SIZE;
    }
    return at === 0 ? -E.AGAIN : at;
  }
  override ready(): number {
    return (this.#process.signals.pending & this.mask) !== 0n ? POLL.IN | POLL.RDNORM : 0;
  }
  override wait(_events: number, fn: () => void): () => void {
    return this.#process.signals.onPending(fn);
  }
}

/** What an epoll watches. */
export interface Interest {
  readonly open: OpenFile;
  readonly fd: number;
  events: number;
  data: bigint;
  /** Events that were told already, with EPOLLET. */
  told: number;
}

const EPOLLET = 0x8000_0000;
const EPOLLONESHOT = 0x4000_0000;
const EVENT_BITS = 0xffff;
/** Watching one another: as deep as Linux lets them. */
const MAX_DEPTH = 5;

/** A set of descriptors that are watched. */
export class EpollFile extends BaseFile {
  override readonly type = 0;
  readonly interests: Map<string, Interest> = new Map();
  readonly #waiters: Waiters = new Waiters();
  #next = 0;

  /** Depth of epolls in this one. */
  get depth(): number {
    let most = 0;
    for (const { open } of this.interests.values())
      if (open.file instanceof EpollFile) most = Math.max(most, open.file.depth);
    return most + 1;
  }
  contains(other: EpollFile): boolean {
    if (other === this) return true;
    for (const { open } of this.interests.values())
      if (open.file instanceof EpollFile && open.file.contains(other)) return true;
    return false;
  }
  add(key: string, interest: Interest): void {
    const { file } = interest.open;
    if (file instanceof EpollFile && (file.contains(this) || file.depth >= MAX_DEPTH)) fail(E.LOOP);
    this.interests.set(key, interest);
    this.#waiters.wake();
  }
  changed(): void {
    this.#waiters.wake();
  }
  /** What is ready of an interest, not counting what was told. */
  #now({ open, events, told }: Interest): number {
    if (open.refs <= 0) return 0;
    const now = open.file.ready() & ((events & EVENT_BITS) | POLL.ERR | POLL.HUP);
    return (events & EPOLLET) === 0 ? now : now & ~told;
  }
  /** Takes at most `most` that are ready, in turn. */
  take(most: number): { readonly events: number; readonly data: bigint }[] {
    const out: { events: number; data: bigint }[] = [];
    const all = [...this.interests.values()];
    const start = this.#next % Math.max(all.length, 1);
    for (let i = 0; i < all.length && out.length < most; i++) {
      const interest = all[(start + i) % all.length]!;
      const { open, events } = interest;
      if ((events & EPOLLET) !== 0) interest.told &= open.file.ready();
      const now = this.#now(interest);
      if (now === 0) continue;
      out.push({ events: now, data: interest.data });
      if ((events & EPOLLET) !== 0) interest.told |= now;
      if ((events & EPOLLONESHOT) !== 0) interest.events = 0;
      this.#next = start + i + 1;
    }
    return out;
  }
  override ready(): number {
    for (const interest of this.interests.values()) if (this.#now(interest) !== 0) return POLL.IN | POLL.RDNORM;
    return 0;
  }
  override wait(_events: number, fn: () => void): () => void {
    const stops = [this.#waiters.add(fn)];
    for (const interest of this.interests.values()) {
      stops.push(
        interest.open.file.wait(interest.events & EVENT_BITS, () => {
          // Something happened: what was told before may be told again.
          interest.told = 0;
          fn();
        }),
      );
    }
    return () => stops.forEach((stop) => stop());
  }
  override close(): void {
    this.interests.clear();
  }
}
