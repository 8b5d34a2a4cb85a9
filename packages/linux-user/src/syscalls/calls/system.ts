/** The system as a whole. Source: Linux man-pages, uname(2), sysinfo(2), getrandom(2), syslog(2). */
import { E } from "../../errno.ts";
import { AT, S } from "../../fs/constants.ts";
import { encodeUtf8 } from "../../memory/address-space.ts";
import type { CallDef } from "../kinds.ts";
import type { Kernel } from "../kernel.ts";
import { SYSINFO, UTS_LENGTH } from "../structs.ts";

function uname(k: Kernel, out: number): number {
  const { sysname, nodename, release, version, machine, domainname } = k.system;
  const fields = [
    sysname,
    nodename,
    release,
    version,
    (k.personality & 0xff) === 8 ? narrow(machine) : machine,
    domainname,
  ];
  const bytes = k.memory.bytes(out, UTS_LENGTH * fields.length, "w");
  bytes.fill(0);
  fields.forEach((text, i) => bytes.set(encodeUtf8(text).subarray(0, UTS_LENGTH - 1), i * UTS_LENGTH));
  return 0;
}

/** PER_LINUX32 shows a 64-bit machine as its 32-bit relative. */
const narrow = (machine: string): string => (machine.endsWith("64") ? `${machine.slice(0, -2)}32` : machine);

function sysinfo(k: Kernel, out: number): number {
  const used = k.memory.areas().reduce((sum, { start, end }) => sum + end - start, 0);
  k.memory.put(SYSINFO, out, {
    uptime: Math.floor(k.process.host.monotonicNs() / 1e9),
    totalram: k.memory.size,
    freeram: Math.max(k.memory.size - used, 0),
    procs: 1,
    memUnit: 1,
  });
  return 0;
}

function chroot(k: Kernel, path: number): number {
  return (k.files.stat(k.pathAt(AT.FDCWD, path), true).mode & S.IFMT) === S.IFDIR ? -E.PERM : -E.NOTDIR;
}

/** Bytes that one call of getrandom gives at most. Source: Linux man-pages, getrandom(2). */
const MOST_RANDOM = 33_554_431;

function getrandom(k: Kernel, out: number, length: number, flags: number): number {
  if ((flags & ~7) !== 0 || (flags & 6) === 6) return -E.INVAL;
  const count = k.usable(out, Math.min(length, MOST_RANDOM), "w");
  for (let at = 0; at < count; at += 65536)
    k.process.host.random(k.memory.bytes(out + at, Math.min(65536, count - at), "w"));
  return count;
}

export const systemCalls: readonly CallDef[] = [
  { name: "uname", args: ["ptr"], run: uname },
  { name: "sysinfo", args: [{ structOut: SYSINFO }], run: sysinfo },
  { name: "getrandom", args: ["ptr", "ulong", "hex"], run: getrandom },
  { name: "sethostname", args: ["path", "ulong"], run: (): number => -E.PERM },
  { name: "setdomainname", args: ["path", "ulong"], run: (): number => -E.PERM },
  { name: "syslog", args: ["int", "ptr", "int"], run: (): number => -E.PERM },
  { name: "chroot", args: ["path"], run: chroot },
  { name: "mount", args: ["path", "path", "path", "hex", "ptr"], run: (): number => -E.PERM },
  { name: "umount2", args: ["path", "hex"], run: (): number => -E.PERM },
  { name: "reboot", args: ["hex", "hex", "uint", "ptr"], run: (): number => -E.PERM },
  { name: "acct", args: ["path"], run: (): number => -E.PERM },
  { name: "ptrace", args: ["int", "int", "ptr", "ptr"], run: (): number => -E.PERM },
];
