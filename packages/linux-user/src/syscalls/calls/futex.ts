/** futex, for one thread. Source: Linux man-pages, futex(2). */
import { E, RESTART } from "../../errno.ts";
import type { CallDef } from "../kinds.ts";
import type { Kernel } from "../kernel.ts";
import { TIMESPEC, TIMESPEC64 } from "../structs.ts";
import { readTimeout } from "./poll.ts";

const FUTEX = {
  WAIT: 0, WAKE: 1, REQUEUE: 3, CMP_REQUEUE: 4, WAKE_OP: 5, LOCK_PI: 6, UNLOCK_PI: 7, TRYLOCK_PI: 8, WAIT_BITSET: 9,
  WAKE_BITSET: 10,
} as const; // prettier-ignore
const PRIVATE = 128;
const CLOCK_REALTIME = 256;

type Spec = typeof TIMESPEC;

const futexOf =
  (layout: Spec) =>
  (
    k: Kernel,
    address: number,
    operation: number,
    value: number,
    timeout: number,
    _address2: number,
    value3: number,
  ): number | Promise<number> => {
    const op = operation & ~(PRIVATE | CLOCK_REALTIME);
    if (address % 4 !== 0) return -E.INVAL;
    switch (op) {
      case FUTEX.WAIT:
      case FUTEX.WAIT_BITSET: {
        if (op === FUTEX.WAIT_BITSET && value3 === 0) return -E.INVAL;
        const limit = readTimeout(k, layout, timeout);
        if (k.memory.u32(address) !== value) return -E.AGAIN;
        const { host } = k.process;
        const real = (): number => host.realtime().sec * 1e9 + host.realtime().nsec;
        const now = (operation & CLOCK_REALTIME) !== 0 ? real : (): number => host.monotonicNs();
        const ns = limit === undefined || op === FUTEX.WAIT ? limit : Math.max(limit - now(), 0);
        // No other thread will wake this one.
        return k.process.block(
          (done) => (ns === undefined ? () => {} : host.after(ns, () => done(-E.TIMEDOUT))),
          ns === undefined ? -RESTART.sys : -E.INTR,
        );
      }
      case FUTEX.WAKE:
      case FUTEX.WAKE_BITSET:
      case FUTEX.REQUEUE:
        k.memory.u32(address);
        return 0;
      case FUTEX.CMP_REQUEUE:
        return k.memory.u32(address) === value3 ? 0 : -E.AGAIN;
      case FUTEX.WAKE_OP:
        return -E.NOSYS;
      case FUTEX.LOCK_PI:
      case FUTEX.TRYLOCK_PI: {
        const { tid } = k.process.current;
        const owner = k.memory.u32(address) & 0x3fffffff;
        if (owner === tid) return -E.DEADLK;
        if (owner !== 0) return -E.SRCH;
        k.memory.setU32(address, tid);
        return 0;
      }
      case FUTEX.UNLOCK_PI:
        if ((k.memory.u32(address) & 0x3fffffff) !== k.process.current.tid) return -E.PERM;
        k.memory.setU32(address, 0);
        return 0;
      default:
        return -E.NOSYS;
    }
  };

const args = ["ptr", "int", "uint", "ptr", "ptr", "uint"] as const;
export const futexCalls: readonly CallDef[] = [
  { name: "futex", args, run: futexOf(TIMESPEC) },
  { name: "futex_time64", args, run: futexOf(TIMESPEC64 as unknown as Spec) },
];
