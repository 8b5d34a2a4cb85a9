/** /proc of the program, and what of /dev is its own. Source: Linux man-pages, proc(5). */
import { madeDir, type MadeNode, type Mount } from "../fs/made-tree.ts";
import { devices } from "../fs/special-files.ts";
import type { Area } from "../guest-memory.ts";
import type { Kernel } from "./kernel.ts";
import { TICK } from "./calls/time.ts";

const PROC_MAGIC = 0x9fa0;
const TMPFS_MAGIC = 0x01021994;

const text = (make: () => string | Uint8Array): MadeNode => ({ kind: "text", make });
const link = (target: () => string): MadeNode => ({ kind: "link", target });

/** A line of maps: addresses, permissions, offset, device, inode, name from column 74. */
function mapLine({ start, end, prot, shared, file, offset, name }: Area): string {
  const hex = (n: number, digits: number): string => n.toString(16).padStart(digits, "0");
  const bits = `${prot & 1 ? "r" : "-"}${prot & 2 ? "w" : "-"}${prot & 4 ? "x" : "-"}${shared ? "s" : "p"}`;
  const dev = file?.dev ?? 0;
  const where = `${hex(start, 8)}-${hex(end, 8)} ${bits} ${hex(offset, 8)} ${hex((dev >>> 8) & 0xfff, 2)}:${hex(dev & 0xff, 2)} ${file?.ino ?? 0}`;
  const title = file?.path ?? name;
  return title === "" ? `${where} \n` : `${where.padEnd(72)} ${title}\n`;
}

function totals(k: Kernel): { bytes: number; stack: number; code: number } {
  let bytes = 0;
  let stack = 0;
  let code = 0;
  for (const { start, end, prot, name } of k.memory.areas()) {
    bytes += end - start;
    if (name === "[stack]") stack += end - start;
    if ((prot & 4) !== 0) code += end - start;
  }
  return { bytes, stack, code };
}

/** Bytes between two addresses of the program, as far as they are mapped. */
function stretch(k: Kernel, start: number, end: number): Uint8Array {
  const length = k.memory.reachable(start, Math.max(end - start, 0), "r");
  return k.memory.bytes(start, length, "r").slice();
}

/** The 52 fields of stat. */
function statLine(k: Kernel): string {
  const { pid, host, info } = k.process;
  const { bytes } = totals(k);
  const ticks = Math.floor(host.cpuTimeNs() / TICK);
  const before = [
    pid,
    `(${k.name})`,
    "R",
    host.ids.ppid,
    k.group,
    k.session,
    0,
    k.group,
    0,
    0,
    0,
    0,
    0,
    ticks,
    0,
    0,
    0,
  ];
  const middle = [20, k.nice, 1, 0, 0, bytes, Math.floor(bytes / 4096), "18446744073709551615"];
  const places = [info.startCode, info.endCode, info.startStack, 0, 0, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0];
  const after = [
    info.startData,
    info.endData,
    k.memory.brk(0),
    info.argStart,
    info.argEnd,
    info.envStart,
    info.envEnd,
    0,
  ];
  return `${[...before, ...middle, ...places, ...after].join(" ")}\n`;
}

const hex64 = (set: bigint): string => BigInt.asUintN(64, set).toString(16).padStart(16, "0");

function status(k: Kernel): string {
  const { pid, host, signals } = k.process;
  const { ids } = host;
  const { bytes, stack, code } = totals(k);
  const kb = (n: number): string => `${String(Math.floor(n / 1024)).padStart(8)} kB`;
  let ignored = 0n;
  let caught = 0n;
  for (let n = 1; n <= 64; n++) {
    const { handler } = signals.action(n);
    if (handler === 1) ignored |= 1n << BigInt(n - 1);
    else if (handler > 1) caught |= 1n << BigInt(n - 1);
  }
  const rows: [string, string | number][] = [
    ["Name", k.name], ["Umask", `0${k.umask.toString(8).padStart(3, "0")}`], ["State", "R (running)"], ["Tgid", pid],
    ["Ngid", 0], ["Pid", pid], ["PPid", ids.ppid], ["TracerPid", 0],
    ["Uid", [ids.uid, ids.euid, ids.euid, ids.euid].join("\t")], ["Gid", [ids.gid, ids.egid, ids.egid, ids.egid].join("\t")],
    ["FDSize", Math.max(64, k.fds.length)], ["Groups", `${ids.groups.join(" ")} `], ["VmPeak", kb(bytes)],
    ["VmSize", kb(bytes)], ["VmLck", kb(0)], ["VmPin", kb(0)], ["VmHWM", kb(bytes)], ["VmRSS", kb(bytes)],
    ["VmData", kb(bytes - stack - code)], ["VmStk", kb(stack)], ["VmExe", kb(code)], ["VmLib", kb(0)],
    ["VmSwap", kb(0)], ["Threads", k.process.threads.length], ["SigQ", "0/0"], ["SigPnd", hex64(0n)],
    ["ShdPnd", hex64(signals.pending)], ["SigBlk", hex64(signals.mask)], ["SigIgn", hex64(ignored)],
    ["SigCgt", hex64(caught)], ["CapInh", hex64(0n)], ["CapPrm", hex64(0n)], ["CapEff", hex64(0n)],
    ["CapBnd", hex64(0n)], ["CapAmb", hex64(0n)], ["NoNewPrivs", k.noNewPrivileges], ["Seccomp", 0],
    ["Cpus_allowed", 1], ["Cpus_allowed_list", 0], ["voluntary_ctxt_switches", 0], ["nonvoluntary_ctxt_switches", 0],
  ]; // prettier-ignore
  return rows.map(([name, value]) => `${name}:\t${value}\n`).join("");
}

const LIMIT_ROWS: readonly (readonly [name: string, number: number, unit: string])[] = [
  ["Max cpu time", 0, "seconds"], ["Max file size", 1, "bytes"], ["Max data size", 2, "bytes"],
  ["Max stack size", 3, "bytes"], ["Max core file size", 4, "bytes"], ["Max resident set", 5, "bytes"],
  ["Max processes", 6, "processes"], ["Max open files", 7, "files"], ["Max locked memory", 8, "bytes"],
  ["Max address space", 9, "bytes"], ["Max file locks", 10, "locks"], ["Max pending signals", 11, "signals"],
  ["Max msgqueue size", 12, "bytes"], ["Max nice priority", 13, ""], ["Max realtime priority", 14, ""],
  ["Max realtime timeout", 15, "us"],
]; // prettier-ignore

function limits(k: Kernel): string {
  const row = (name: string, soft: string, hard: string, unit: string): string =>
    `${name.padEnd(25)} ${soft.padEnd(20)} ${hard.padEnd(20)} ${unit.padEnd(10)}\n`;
  const show = (n: number): string => (n === Infinity ? "unlimited" : String(n));
  const lines = LIMIT_ROWS.map(([name, number, unit]) => {
    const [soft, hard] = k.process.limits[number] ?? [Infinity, Infinity];
    return row(name, show(soft), show(hard), unit);
  });
  return [row("Limit", "Soft Limit", "Hard Limit", "Units"), ...lines].join("");
}

function fdDirectory(k: Kernel): MadeNode {
  return {
    kind: "dir",
    names: () => k.fds.list().map(String),
    find: (name) => {
      const open = /^\d{1,9}$/.test(name) ? k.fds.peek(Number(name)) : undefined;
      return open && link(() => open.path);
    },
  };
}

function fdInfoDirectory(k: Kernel): MadeNode {
  return {
    kind: "dir",
    names: () => k.fds.list().map(String),
    find: (name) => {
      const open = /^\d{1,9}$/.test(name) ? k.fds.peek(Number(name)) : undefined;
      return (
        open &&
        text(
          () =>
            `pos:\t${open.position}\nflags:\t0${open.flags.toString(8)}\nmnt_id:\t1\nino:\t${open.file.stat().ino}\n`,
        )
      );
    },
  };
}

function processDirectory(k: Kernel, withTasks: boolean): MadeNode {
  const { info } = k.process;
  const tid = k.process.current.tid;
  return madeDir({
    exe: link(() => info.path),
    cwd: link(() => k.cwd),
    root: link(() => "/"),
    cmdline: text(() => stretch(k, info.argStart, info.argEnd)),
    environ: text(() => stretch(k, info.envStart, info.envEnd)),
    auxv: text(() => info.auxv),
    comm: text(() => `${k.name}\n`),
    maps: text(() => k.memory.areas().map(mapLine).join("")),
    smaps: text(() => k.memory.areas().map(mapLine).join("")),
    stat: text(() => statLine(k)),
    statm: text(() => {
      const { bytes, code } = totals(k);
      const pages = Math.floor(bytes / 4096);
      return `${pages} ${pages} 0 ${Math.floor(code / 4096)} 0 ${pages} 0\n`;
    }),
    status: text(() => status(k)),
    limits: text(() => limits(k)),
    personality: text(() => `${k.personality.toString(16).padStart(8, "0")}\n`),
    oom_score: text(() => "0\n"),
    oom_score_adj: text(() => "0\n"),
    mounts: text(() => mounts()),
    mountinfo: text(() => "1 1 0:1 / / rw - rootfs rootfs rw\n"),
    cgroup: text(() => "0::/\n"),
    fd: fdDirectory(k),
    fdinfo: fdInfoDirectory(k),
    ...(withTasks ? { task: madeDir({ [String(tid)]: processDirectory(k, false) }) } : {}),
  });
}

const mounts = (): string => "rootfs / rootfs rw 0 0\nproc /proc proc rw 0 0\n";

/** What of /proc is about the machine, not the program. */
function machineFiles(k: Kernel, cpuinfo: string): Readonly<Record<string, MadeNode>> {
  const { host } = k.process;
  const kb = (n: number): string => `${String(Math.floor(n / 1024)).padStart(8)} kB`;
  const { sysname, release, version } = k.system;
  return {
    cpuinfo: text(() => cpuinfo),
    meminfo: text(() => {
      const free = Math.max(k.memory.size - totals(k).bytes, 0);
      return `MemTotal:       ${kb(k.memory.size)}\nMemFree:        ${kb(free)}\nMemAvailable:   ${kb(free)}\nBuffers:        ${kb(0)}\nCached:         ${kb(0)}\nSwapTotal:      ${kb(0)}\nSwapFree:       ${kb(0)}\n`;
    }),
    uptime: text(() => `${(host.monotonicNs() / 1e9).toFixed(2)} 0.00\n`),
    loadavg: text(() => `0.00 0.00 0.00 1/1 ${k.process.pid}\n`),
    stat: text(() => {
      const line = `0 0 0 ${Math.floor(host.monotonicNs() / TICK)} 0 0 0 0 0 0`;
      const boot = host.realtime().sec - Math.floor(host.monotonicNs() / 1e9);
      return `cpu  ${line}\ncpu0 ${line}\nintr 0\nctxt 0\nbtime ${boot}\nprocesses 1\nprocs_running 1\nprocs_blocked 0\nsoftirq 0\n`;
    }),
    version: text(() => `${sysname} version ${release} (mimus) ${version}\n`),
    filesystems: text(() => "nodev\tproc\nnodev\ttmpfs\n"),
    mounts: link(() => "self/mounts"),
    sys: madeDir(
      {
        kernel: madeDir(
          {
            osrelease: text(() => `${release}\n`),
            ostype: text(() => `${sysname}\n`),
            version: text(() => `${version}\n`),
            hostname: text(() => `${k.system.nodename}\n`),
            pid_max: text(() => "4194304\n"),
            ngroups_max: text(() => "65536\n"),
            cap_last_cap: text(() => "40\n"),
            random: madeDir({
              boot_id: text(() => uuid(k)),
              uuid: text(() => uuid(k)),
            }),
          },
          true,
        ),
        vm: madeDir({ overcommit_memory: text(() => "0\n"), max_map_count: text(() => "65530\n") }, true),
        fs: madeDir({ "pipe-max-size": text(() => "65536\n"), "file-max": text(() => "65536\n") }, true),
      },
      true,
    ),
  };
}

/** A random identifier. Source: RFC 9562, section 5.4. */
function uuid(k: Kernel): string {
  const bytes = new Uint8Array(16);
  k.process.host.random(bytes);
  bytes[6] = (bytes[6]! & 15) | 0x40;
  bytes[8] = (bytes[8]! & 63) | 0x80;
  const hex = Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
  return `${[hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-")}\n`;
}

/** The trees that lie over the file system of a program. */
export function ownTrees(k: Kernel, cpuinfo: string): Mount[] {
  const own = processDirectory(k, true);
  const pid = String(k.process.pid);
  const proc = madeDir(
    {
      ...machineFiles(k, cpuinfo),
      self: link(() => pid),
      "thread-self": link(() => `${pid}/task/${pid}`),
      [pid]: own,
    },
    true,
  );
  const made = devices((bytes) => k.process.host.random(bytes));
  const dev = madeDir(
    {
      ...Object.fromEntries(Object.entries(made).map(([name, open]) => [name, { kind: "device", open } as const])),
      fd: link(() => "/proc/self/fd"),
      stdin: link(() => "/proc/self/fd/0"),
      stdout: link(() => "/proc/self/fd/1"),
      stderr: link(() => "/proc/self/fd/2"),
    },
    true,
  );
  return [
    { at: "/proc", root: proc, magic: PROC_MAGIC },
    { at: "/dev", root: dev, magic: TMPFS_MAGIC },
  ];
}

/** Text of /proc/cpuinfo when the target has none. */
export function plainCpuInfo(k: Kernel): string {
  return k.isRiscv
    ? `processor\t: 0\nhart\t\t: 0\nisa\t\t: rv${k.abi.wordBits}imafdc\nmmu\t\t: sv39\n\n`
    : `processor\t: 0\n\n`;
}
