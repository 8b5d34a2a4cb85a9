/** The process itself: its end, limits, scheduling, names. Source: Linux man-pages, the calls' pages of section 2. */
import { E } from "../../errno.ts";
import { encodeUtf8 } from "../../memory/address-space.ts";
import type { CallDef } from "../kinds.ts";
import type { Kernel } from "../kernel.ts";
import { CAP_DATA, CAP_HEADER, RLIMIT, RLIMIT64, ROBUST_LIST_SIZE, SCHED_PARAM, TIMESPEC } from "../structs.ts";

function exit(k: Kernel, status: number): number {
  k.process.exit(status & 255);
  return 0;
}

function setTidAddress(k: Kernel, address: number): number {
  k.process.current.clearChildTid = address;
  return k.process.current.tid;
}

function setRobustList(k: Kernel, head: number, size: number): number {
  if (size !== ROBUST_LIST_SIZE / (64 / k.abi.wordBits)) return -E.INVAL;
  k.process.current.robustList = head;
  k.process.current.robustListSize = size;
  return 0;
}

function getRobustList(k: Kernel, tid: number, head: number, size: number): number {
  if (tid !== 0 && tid !== k.process.current.tid) return -E.SRCH;
  k.memory.setWord(head, k.process.current.robustList);
  k.memory.setWord(size, k.process.current.robustListSize || ROBUST_LIST_SIZE / (64 / k.abi.wordBits));
  return 0;
}

const RLIM_INFINITY = 2n ** 64n - 1n;
const toLimit = (n: number): bigint => (n === Infinity ? RLIM_INFINITY : BigInt(n));
const ofLimit = (n: bigint): number => (n >= 2n ** 53n ? Infinity : Number(n));
const RLIMIT_NOFILE = 7;
const NOFILE_MOST = 1 << 20;

function prlimit64(k: Kernel, pid: number, resource: number, next: number, old: number): number {
  if (pid !== 0 && pid !== k.process.pid) return -E.SRCH;
  const limits = k.process.limits[resource];
  if (limits === undefined || resource < 0) return -E.INVAL;
  const [soft, hard] = limits;
  if (next !== 0) {
    const { cur, max } = k.memory.get(RLIMIT64, next);
    if (cur > max) return -E.INVAL;
    if (ofLimit(max) > hard || (resource === RLIMIT_NOFILE && ofLimit(max) > NOFILE_MOST)) return -E.PERM;
    k.process.limits[resource] = [ofLimit(cur), ofLimit(max)];
  }
  if (old !== 0) k.memory.put(RLIMIT64, old, { cur: toLimit(soft), max: toLimit(hard) });
  return 0;
}

function getrlimit(k: Kernel, resource: number, out: number): number {
  const limits = k.process.limits[resource];
  if (limits === undefined || resource < 0) return -E.INVAL;
  if (k.abi.wordBits === 64) return prlimit64(k, 0, resource, 0, out);
  const narrow = (n: number): number => (n > 0xffffffff ? 0xffffffff : n);
  k.memory.put(RLIMIT, out, { cur: narrow(limits[0]), max: narrow(limits[1]) });
  return 0;
}

function setrlimit(k: Kernel, resource: number, address: number): number {
  return k.abi.wordBits === 64 ? prlimit64(k, 0, resource, address, 0) : -E.PERM;
}

/** Names of the calling thread, and settings of which most mean nothing here. Source: include/uapi/linux/prctl.h (numbers). */
function prctl(k: Kernel, option: number, a: number, b: number): number {
  switch (option) {
    case 1:
      if (a > 64) return -E.INVAL;
      k.deathSignal = a;
      return 0;
    case 2:
      k.memory.setU32(a, k.deathSignal);
      return 0;
    case 3:
      return k.dumpable;
    case 4:
      if (a > 1) return -E.INVAL;
      k.dumpable = a;
      return 0;
    case 7:
      return 0;
    case 8:
      return 0;
    case 15: {
      const bytes = k.memory.bytes(a, k.usable(a, 16, "r"), "r");
      const end = bytes.subarray(0, 15).indexOf(0);
      k.name = String.fromCharCode(...bytes.subarray(0, end < 0 ? 15 : end));
      return 0;
    }
    case 16: {
      const out = k.memory.bytes(a, 16, "w");
      out.fill(0);
      out.set(encodeUtf8(k.name).subarray(0, 15));
      return 0;
    }
    case 21: // PR_GET_SECCOMP
      return 0;
    case 23: // PR_CAPBSET_READ
      return a <= 40 ? (k.process.host.ids.euid === 0 ? 1 : 0) : -E.INVAL;
    case 24:
      return -E.PERM;
    case 29: // PR_SET_TIMERSLACK
      return 0;
    case 30:
      return 50_000;
    case 36: // PR_SET_CHILD_SUBREAPER
      return 0;
    case 37:
      k.memory.setU32(a, 0);
      return 0;
    case 38:
      if (a !== 1 || b !== 0) return -E.INVAL;
      k.noNewPrivileges = 1;
      return 0;
    case 39:
      return k.noNewPrivileges;
    case 40: // PR_GET_TID_ADDRESS
      k.memory.setWord(a, k.process.current.clearChildTid);
      return 0;
    case 41: // PR_SET_THP_DISABLE
    case 42:
      return 0;
    default:
      k.process.unimplemented(`prctl ${option}`);
      return -E.INVAL;
  }
}

function personality(k: Kernel, value: number): number {
  const before = k.personality;
  if (value !== 0xffffffff) k.personality = value;
  return before;
}

function capget(k: Kernel, header: number, data: number): number {
  const { version, pid } = k.memory.get(CAP_HEADER, header);
  const two = version === 0x20080522 || version === 0x20071026;
  if (!two && version !== 0x19980330) {
    k.memory.setU32(header, 0x20080522);
    return data === 0 ? 0 : -E.INVAL;
  }
  if (pid !== 0 && pid !== k.process.pid) return -E.SRCH;
  if (data === 0) return 0;
  for (let i = 0; i < (two ? 2 : 1); i++)
    k.memory.put(CAP_DATA, data + 12 * i, { effective: 0, permitted: 0, inheritable: 0 });
  return 0;
}

const isSelf = (k: Kernel, pid: number): boolean => pid === 0 || pid === k.process.pid || pid === k.process.current.tid;

/** One processor is all there is. */
function getAffinity(k: Kernel, pid: number, size: number, out: number): number {
  const word = k.abi.wordBits / 8;
  if (!isSelf(k, pid)) return -E.SRCH;
  if (size < word || size % word !== 0) return -E.INVAL;
  k.memory.setWord(out, 1);
  return word;
}

function setAffinity(k: Kernel, pid: number, size: number, mask: number): number {
  if (!isSelf(k, pid)) return -E.SRCH;
  return size > 0 && (k.memory.u8(k.abi.bigEndian ? mask + k.abi.wordBits / 8 - 1 : mask) & 1) !== 0 ? 0 : -E.INVAL;
}

function schedYield(k: Kernel): Promise<number> {
  return k.process.host.yield().then(() => 0);
}

const priorityRange =
  (realtime: number) =>
  (_: Kernel, policy: number): number =>
    policy === 1 || policy === 2
      ? realtime
      : policy === 0 || policy === 3 || policy === 5 || policy === 6
        ? 0
        : -E.INVAL;

function getparam(k: Kernel, pid: number, out: number): number {
  if (!isSelf(k, pid)) return -E.SRCH;
  k.memory.put(SCHED_PARAM, out, { priority: 0 });
  return 0;
}

function setscheduler(k: Kernel, pid: number, policy: number, param: number): number {
  if (!isSelf(k, pid)) return -E.SRCH;
  const { priority } = k.memory.get(SCHED_PARAM, param);
  const kind = policy & ~0x40000000;
  if (kind === 1 || kind === 2) return -E.PERM;
  return priority === 0 && [0, 3, 5].includes(kind) ? 0 : -E.INVAL;
}

function rrInterval(k: Kernel, pid: number, out: number): number {
  if (!isSelf(k, pid)) return -E.SRCH;
  k.memory.put(TIMESPEC, out, { sec: 0, nsec: 4_000_000 });
  return 0;
}

function getpriority(k: Kernel, which: number, who: number): number {
  if (which < 0 || which > 2) return -E.INVAL;
  return which === 0 && !isSelf(k, who) ? -E.SRCH : 20 - k.nice;
}

function setpriority(k: Kernel, which: number, who: number, nice: number): number {
  if (which < 0 || which > 2) return -E.INVAL;
  if (which === 0 && !isSelf(k, who)) return -E.SRCH;
  const wanted = Math.max(-20, Math.min(19, nice));
  if (wanted < k.nice) return -E.ACCES;
  k.nice = wanted;
  return 0;
}

function getcpu(k: Kernel, cpu: number, node: number): number {
  if (cpu !== 0) k.memory.setU32(cpu, 0);
  if (node !== 0) k.memory.setU32(node, 0);
  return 0;
}

/** MEMBARRIER_CMD_QUERY tells what there is; one thread needs none of it. */
function membarrier(_: Kernel, command: number, flags: number): number {
  if (flags !== 0) return -E.INVAL;
  const known = 0x7f;
  return command === 0 ? known : (command & known) === command ? 0 : -E.INVAL;
}

const restart = (): number => -E.INTR;

export const processCalls: readonly CallDef[] = [
  { name: "exit", args: ["int"], run: exit },
  { name: "exit_group", args: ["int"], run: exit },
  { name: "set_tid_address", args: ["ptr"], run: setTidAddress },
  { name: "set_robust_list", args: ["ptr", "ulong"], run: setRobustList },
  { name: "get_robust_list", args: ["int", "ptr", "ptr"], run: getRobustList },
  { name: "prlimit64", args: ["int", "resource", { structIn: RLIMIT64 }, { structOut: RLIMIT64 }], run: prlimit64 },
  { name: "getrlimit", args: ["resource", { structOut: RLIMIT }], run: getrlimit },
  { name: "setrlimit", args: ["resource", { structIn: RLIMIT }], run: setrlimit },
  { name: "prctl", args: ["int", "ulong", "ulong", "ulong", "ulong"], run: prctl },
  { name: "personality", args: ["hex"], run: personality },
  { name: "capget", args: ["ptr", "ptr"], run: capget },
  { name: "capset", args: ["ptr", "ptr"], run: (): number => -E.PERM },
  { name: "sched_yield", args: [], run: schedYield },
  { name: "sched_getaffinity", args: ["int", "uint", "ptr"], run: getAffinity },
  { name: "sched_setaffinity", args: ["int", "uint", "ptr"], run: setAffinity },
  {
    name: "sched_getscheduler",
    args: ["int"],
    run: (k: Kernel, pid: number): number => (isSelf(k, pid) ? 0 : -E.SRCH),
  },
  { name: "sched_setscheduler", args: ["int", "int", "ptr"], run: setscheduler },
  { name: "sched_getparam", args: ["int", "ptr"], run: getparam },
  {
    name: "sched_setparam",
    args: ["int", "ptr"],
    run: (k: Kernel, pid: number, param: number): number => setscheduler(k, pid, 0, param),
  },
  { name: "sched_get_priority_max", args: ["int"], run: priorityRange(99) },
  { name: "sched_get_priority_min", args: ["int"], run: priorityRange(1) },
  { name: "sched_rr_get_interval", args: ["int", { structOut: TIMESPEC }], run: rrInterval },
  { name: "getpriority", args: ["int", "int"], run: getpriority },
  { name: "setpriority", args: ["int", "int", "int"], run: setpriority },
  { name: "getcpu", args: ["ptr", "ptr", "ptr"], run: getcpu },
  { name: "membarrier", args: ["int", "hex", "int"], run: membarrier },
  { name: "restart_syscall", args: [], run: restart },
  // Programs fall back when these are not there, as on kernels without them.
  { name: "rseq", args: ["ptr", "uint", "hex", "uint"], run: (): number => -E.NOSYS },
  { name: "ioprio_get", args: ["int", "int"], run: (): number => 0 },
  { name: "ioprio_set", args: ["int", "int", "int"], run: (): number => 0 },
];
