/** `-smp`: how many processors, and how they are arranged. */
import type { CpuTopology } from "@mimus/machine-core";

import type { KeyValues } from "./args/keyval.ts";
import { onlyParameters, wholeNumber } from "./args/values.ts";
import { UsageError } from "./errors.ts";

/** How `-smp` arranges processors: cores come first where it leaves something open. */
export function topology(smp: KeyValues | undefined): { cpus: number; topology: CpuTopology } {
  const known = ["cpus", "maxcpus", "sockets", "dies", "clusters", "cores", "threads"];
  onlyParameters("smp", smp ?? {}, known);
  const part = (key: string): number | undefined => {
    const n = wholeNumber(`smp ${key === "cpus" ? "" : `${key}=`}`, smp?.[key]);
    if (n === 0)
      throw new UsageError(key === "cpus" ? "-smp: needs at least 1 processor" : `-smp ${key}=0: expected 1 or more`);
    return n;
  };
  if ((part("clusters") ?? 1) > 1)
    throw new UsageError(`-smp clusters=${part("clusters")}: no machine has clusters; use dies, cores and threads`);
  const dies = part("dies") ?? 1;
  let [sockets, cores, threads] = [part("sockets"), part("cores"), part("threads")];
  const total = part("maxcpus") ?? part("cpus");
  if (total !== undefined) {
    const rest = (...factors: (number | undefined)[]): number =>
      Math.max(1, Math.floor(total / factors.reduce<number>((n, f) => n * (f ?? 1), dies)));
    if (cores === undefined) cores = rest(sockets, threads);
    else if (sockets === undefined) sockets = rest(cores, threads);
    else threads ??= rest(sockets, cores);
  }
  const t = { sockets: sockets ?? 1, dies, cores: cores ?? 1, threads: threads ?? 1 };
  const product = t.sockets * t.dies * t.cores * t.threads;
  const maxCpus = part("maxcpus") ?? part("cpus") ?? product;
  const cpus = part("cpus") ?? maxCpus;
  if (maxCpus < cpus) throw new UsageError(`-smp: maxcpus=${maxCpus} is less than cpus=${cpus}`);
  if (product !== maxCpus)
    throw new UsageError(`-smp: the topology makes ${product} processors, but there are ${maxCpus}`);
  return { cpus, topology: { ...t, maxCpus } };
}
