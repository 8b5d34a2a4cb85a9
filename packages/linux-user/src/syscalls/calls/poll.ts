/** Waiting for many descriptors. Source: Linux man-pages, poll(2), select(2). */
import { E, fail, RESTART } from "../../errno.ts";
import { POLL } from "../../fs/constants.ts";
import type { File } from "../../fs/types.ts";
import type { Process } from "../../process.ts";
import { waitMask } from "../../signals/calls.ts";
import type { CallDef } from "../kinds.ts";
import { settle, type Kernel } from "../kernel.ts";
import { POLLFD, TIMESPEC, TIMESPEC64 } from "../structs.ts";

/** A duration in nanoseconds; undefined: for ever. */
export type Timeout = number | undefined;

/** What is waited for. */
export interface Watch {
  readonly file: File;
  readonly events: number;
}

/** Waits until `scan` finds something (does not return 0), or the time is over. `after` is told the result, if it was not interrupted. */
export function waitMany(
  process: Process,
  watches: readonly Watch[],
  timeout: Timeout,
  scan: () => number,
  after: (result: number | undefined) => void = () => {},
): number | Promise<number> {
  const now = scan();
  if (now !== 0 || timeout === 0) {
    after(now);
    return now;
  }
  return process.block(
    (done) => {
      let over = false;
      const stops: (() => void)[] = [];
      const finish = (result: number): void => {
        if (over) return;
        over = true;
        after(result);
        done(result);
      };
      if (timeout !== undefined) stops.push(process.host.after(timeout, () => finish(settle(scan))));
      for (const { file, events } of watches) {
        stops.push(
          file.wait(events, () => {
            if (over) return;
            const result = settle(scan);
            if (result !== 0) finish(result);
          }),
        );
      }
      return () => {
        over = true;
        for (const stop of stops) stop();
      };
    },
    () => {
      after(undefined);
      return -RESTART.noHand;
    },
  );
}

type Spec = typeof TIMESPEC;

/** Reads a timeout. */
export function readTimeout(k: Kernel, layout: Spec, address: number): Timeout {
  if (address === 0) return undefined;
  const { sec, nsec } = k.memory.get(layout, address);
  if (sec < 0 || nsec < 0 || nsec >= 1e9) fail(E.INVAL);
  return sec * 1e9 + nsec;
}

/** Writes what is left of a timeout, as ppoll and pselect6 do. */
function remaining(k: Kernel, layout: Spec, address: number, timeout: Timeout): () => void {
  if (timeout === undefined) return () => {};
  const end = k.process.host.monotonicNs() + timeout;
  return () => {
    const left = Math.max(end - k.process.host.monotonicNs(), 0);
    settle(() => {
      k.memory.put(layout, address, { sec: Math.floor(left / 1e9), nsec: Math.floor(left % 1e9) });
      return 0;
    });
  };
}

const pollOf =
  (layout: Spec) =>
  (k: Kernel, fds: number, count: number, timespec: number, mask: number, size: number): number | Promise<number> => {
    if (count > (k.process.limits[7]?.[0] ?? 1024)) return -E.INVAL;
    const timeout = readTimeout(k, layout, timespec);
    const blocked = waitMask(k.process, mask, size);
    const list = Array.from({ length: count }, (_, i) => k.memory.get(POLLFD, fds + 8 * i));
    const scan = (): number => {
      let found = 0;
      for (let i = 0; i < count; i++) {
        const { fd, events } = list[i]!;
        let revents = 0;
        if (fd >= 0) {
          const open = k.fds.peek(fd);
          revents = open === undefined ? POLL.NVAL : k.ready(open, events);
        }
        k.memory.setU16(fds + 8 * i + 6, revents);
        if (revents !== 0) found++;
      }
      return found;
    };
    const watches: Watch[] = [];
    for (const { fd, events } of list) {
      const open = fd >= 0 ? k.fds.peek(fd) : undefined;
      if (open) watches.push({ file: open.file, events });
    }
    if (blocked !== undefined) k.process.signals.maskForWait(blocked);
    return waitMany(k.process, watches, timeout, scan, remaining(k, layout, timespec, timeout));
  };

const READ_SET = POLL.IN | POLL.RDNORM | POLL.RDBAND | POLL.HUP | POLL.ERR;
const WRITE_SET = POLL.OUT | POLL.WRNORM | POLL.WRBAND | POLL.ERR;

/** Bits of an fd_set: longs, of which only whole ones are copied. */
class FdSet {
  readonly #k: Kernel;
  readonly #at: number;
  readonly given: Uint8Array;

  constructor(k: Kernel, at: number, count: number) {
    this.#k = k;
    this.#at = at;
    const word = k.abi.wordBits / 8;
    const bytes = Math.ceil(count / k.abi.wordBits) * word;
    this.given = at === 0 ? new Uint8Array(0) : k.memory.bytes(at, bytes, "r").slice();
  }
  /** Byte and bit of a descriptor: they depend on the order of bytes in a long. */
  #place(fd: number): [byte: number, bit: number] {
    const { bigEndian, wordBits } = this.#k.abi;
    const byte = fd >>> 3;
    return [bigEndian ? byte ^ (wordBits / 8 - 1) : byte, 1 << (fd & 7)];
  }
  has(fd: number): boolean {
    const [byte, bit] = this.#place(fd);
    return byte < this.given.length && (this.given[byte]! & bit) !== 0;
  }
  put(fds: readonly number[]): void {
    if (this.#at === 0) return;
    const out = new Uint8Array(this.given.length);
    for (const fd of fds) {
      const [byte, bit] = this.#place(fd);
      out[byte]! |= bit;
    }
    this.#k.memory.bytes(this.#at, out.length, "w").set(out);
  }
}

const selectOf =
  (layout: Spec) =>
  (
    k: Kernel,
    count: number,
    reads: number,
    writes: number,
    errors: number,
    timespec: number,
    mask: number,
  ): number | Promise<number> => {
    if (count < 0) return -E.INVAL;
    const most = Math.min(count, 65536);
    const word = k.abi.wordBits / 8;
    const timeout = readTimeout(k, layout, timespec);
    const blocked = mask === 0 ? undefined : waitMask(k.process, k.memory.word(mask), k.memory.word(mask + word));
    const sets = [reads, writes, errors].map((at) => new FdSet(k, at, most));
    const wanted = [READ_SET, WRITE_SET, POLL.PRI];
    const watches: (Watch & { fd: number })[] = [];
    for (let fd = 0; fd < most; fd++) {
      const events = wanted.reduce((sum, bits, i) => (sets[i]!.has(fd) ? sum | bits : sum), 0);
      if (events === 0) continue;
      watches.push({ fd, events, file: k.fds.get(fd).file });
    }
    const scan = (): number => {
      const found: number[][] = [[], [], []];
      for (const { fd, file } of watches) {
        const now = file.ready();
        sets.forEach((set, i) => {
          if (set.has(fd) && (now & wanted[i]!) !== 0) found[i]!.push(fd);
        });
      }
      const total = found.reduce((sum, { length }) => sum + length, 0);
      if (total > 0) sets.forEach((set, i) => set.put(found[i]!));
      return total;
    };
    if (blocked !== undefined) k.process.signals.maskForWait(blocked);
    const left = remaining(k, layout, timespec, timeout);
    return waitMany(k.process, watches, timeout, scan, (result) => {
      left();
      if (result === 0) sets.forEach((set) => set.put([]));
    });
  };

export const pollCalls: readonly CallDef[] = [
  { name: "ppoll", args: ["ptr", "uint", "ptr", "ptr", "ulong"], run: pollOf(TIMESPEC) },
  { name: "ppoll_time64", args: ["ptr", "uint", "ptr", "ptr", "ulong"], run: pollOf(TIMESPEC64 as unknown as Spec) },
  { name: "pselect6", args: ["int", "ptr", "ptr", "ptr", "ptr", "ptr"], run: selectOf(TIMESPEC) },
  {
    name: "pselect6_time64",
    args: ["int", "ptr", "ptr", "ptr", "ptr", "ptr"],
    run: selectOf(TIMESPEC64 as unknown as Spec),
  },
];
