import type { CpuClass } from "@mimus/machine-core";
import type { ResolvedType } from "@mimus/qom";
import type { AssembleOptions } from "../assemble-options.ts";
import { SystemError } from "../errors.ts";
import type { SystemHost } from "../host.ts";
import type { VcpuThreadHost } from "./host.ts";
import { MOST_THREADS } from "./shared-block.ts";
import type { VcpuThreads } from "./vcpu-threads.ts";

/** The host's threads, where vCPUs can have them. @throws SystemError bad-option */
export function checkThreads({ host, loop, smp = 1 }: AssembleOptions, cpu: ResolvedType | undefined): VcpuThreadHost {
  const refuse = (why: string): never => {
    throw new SystemError("bad-option", `-accel tcg,thread=multi: ${why}`);
  };
  if (loop?.icount !== undefined) refuse("not with -icount, which counts the instructions of one vCPU after the other");
  if (typeof SharedArrayBuffer === "undefined") refuse("this host has no memory that threads share");
  if (smp > MOST_THREADS) refuse(`${smp} CPUs; at most ${MOST_THREADS} can have threads`);
  const { threads } = host;
  if (threads === undefined) return refuse("this host has no threads for vCPUs");
  const info = cpu?.class["cpu"] as CpuClass | undefined;
  if (smp > 1 && info?.threads === undefined)
    refuse(`CPUs of type '${cpu?.name ?? "none"}' do not run on threads of their own`);
  if (info?.storesInOrder === true && threads.refusal !== undefined) refuse(threads.refusal);
  return threads;
}

/** The host with a clock that all threads agree on. */
export function withTime(host: SystemHost, threads: VcpuThreads): SystemHost {
  return {
    now: () => threads.latest(host.now()),
    wallNow: () => host.wallNow(),
    yield: () => host.yield(),
    sleepUntil: (deadline, arm) => host.sleepUntil(deadline, arm),
    random: (bytes) => host.random(bytes),
    ...(host.log === undefined ? {} : { log: (record) => host.log?.(record) }),
  };
}
