/** Who the process is, and its relatives. Source: Linux man-pages, credentials(7) and the calls' pages of section 2. */
import { E } from "../../errno.ts";
import { RUSAGE } from "../structs.ts";
import type { CallDef } from "../kinds.ts";
import type { Kernel } from "../kernel.ts";

const NONE = 0xffffffff;

function resId(pick: (k: Kernel) => readonly [number, number]) {
  return (k: Kernel, real: number, effective: number, saved: number): number => {
    const [r, e] = pick(k);
    k.memory.setU32(real, r);
    k.memory.setU32(effective, e);
    k.memory.setU32(saved, e);
    return 0;
  };
}
const uids = ({ process }: Kernel): readonly [number, number] => [process.host.ids.uid, process.host.ids.euid];
const gids = ({ process }: Kernel): readonly [number, number] => [process.host.ids.gid, process.host.ids.egid];

/** Identities can be set to what they are; to anything else they can't. */
const setIds =
  (pick: (k: Kernel) => readonly [number, number]) =>
  (k: Kernel, ...wanted: number[]): number => {
    const mine = pick(k);
    return wanted.every((id) => id === NONE || mine.includes(id)) ? 0 : -E.PERM;
  };
const setOne =
  (pick: (k: Kernel) => readonly [number, number]) =>
  (k: Kernel, id: number): number =>
    id === NONE ? -E.INVAL : setIds(pick)(k, id);

function getgroups(k: Kernel, count: number, out: number): number {
  const { groups } = k.process.host.ids;
  if (count < 0) return -E.INVAL;
  if (count === 0) return groups.length;
  if (count < groups.length) return -E.INVAL;
  groups.forEach((id, i) => k.memory.setU32(out + 4 * i, id));
  return groups.length;
}

const isSelf = (k: Kernel, pid: number): boolean => pid === 0 || pid === k.process.pid || pid === k.process.current.tid;

function setpgid(k: Kernel, pid: number, group: number): number {
  if (group < 0) return -E.INVAL;
  if (!isSelf(k, pid)) return -E.SRCH;
  // A session's leader stays in its group; only groups of its session can be joined.
  if (k.session === k.process.pid) return -E.PERM;
  if (group !== 0 && group !== k.process.pid && group !== k.group) return -E.PERM;
  k.group = group || k.process.pid;
  return 0;
}

/** A process that leads its group cannot leave the session (setsid(2)). */
function setsid(k: Kernel): number {
  if (k.group === k.process.pid) return -E.PERM;
  k.group = k.process.pid;
  k.session = k.process.pid;
  return k.session;
}

function getrusage(k: Kernel, who: number, out: number): number {
  if (who !== 0 && who !== -1 && who !== 1) return -E.INVAL;
  const ns = who === -1 ? 0 : k.process.host.cpuTimeNs();
  const used = k.memory.areas().reduce((sum, { start, end }) => sum + end - start, 0);
  k.memory.put(RUSAGE, out, {
    utime: { sec: Math.floor(ns / 1e9), usec: Math.floor((ns % 1e9) / 1e3) },
    maxrss: who === -1 ? 0 : Math.floor(used / 1024),
  });
  return 0;
}

/** There are no children. */
const noChild = (): number => -E.CHILD;

export const identityCalls: readonly CallDef[] = [
  { name: "getpid", args: [], run: (k: Kernel): number => k.process.pid },
  { name: "gettid", args: [], run: (k: Kernel): number => k.process.current.tid },
  { name: "getppid", args: [], run: (k: Kernel): number => k.process.host.ids.ppid },
  { name: "getuid", args: [], run: (k: Kernel): number => k.process.host.ids.uid },
  { name: "geteuid", args: [], run: (k: Kernel): number => k.process.host.ids.euid },
  { name: "getgid", args: [], run: (k: Kernel): number => k.process.host.ids.gid },
  { name: "getegid", args: [], run: (k: Kernel): number => k.process.host.ids.egid },
  { name: "getresuid", args: ["ptr", "ptr", "ptr"], run: resId(uids) },
  { name: "getresgid", args: ["ptr", "ptr", "ptr"], run: resId(gids) },
  { name: "setuid", args: ["uint"], run: setOne(uids) },
  { name: "setgid", args: ["uint"], run: setOne(gids) },
  { name: "setreuid", args: ["uint", "uint"], run: setIds(uids) },
  { name: "setregid", args: ["uint", "uint"], run: setIds(gids) },
  { name: "setresuid", args: ["uint", "uint", "uint"], run: setIds(uids) },
  { name: "setresgid", args: ["uint", "uint", "uint"], run: setIds(gids) },
  { name: "setfsuid", args: ["uint"], run: (k: Kernel): number => uids(k)[1] },
  { name: "setfsgid", args: ["uint"], run: (k: Kernel): number => gids(k)[1] },
  { name: "getgroups", args: ["int", "ptr"], run: getgroups },
  { name: "setgroups", args: ["int", "ptr"], run: (): number => -E.PERM },
  { name: "getpgid", args: ["int"], run: (k: Kernel, pid: number): number => (isSelf(k, pid) ? k.group : -E.SRCH) },
  { name: "setpgid", args: ["int", "int"], run: setpgid },
  { name: "getsid", args: ["int"], run: (k: Kernel, pid: number): number => (isSelf(k, pid) ? k.session : -E.SRCH) },
  { name: "setsid", args: [], run: setsid },
  { name: "getrusage", args: ["int", { structOut: RUSAGE }], run: getrusage },
  { name: "wait4", args: ["int", "ptr", "hex", "ptr"], run: noChild },
  { name: "waitid", args: ["int", "int", "ptr", "hex", "ptr"], run: noChild },
];
