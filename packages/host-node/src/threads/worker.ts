/** A thread with one vCPU. */
import { workerData } from "node:worker_threads";
import { runVcpu, type FarCpuModule, type ThreadStart } from "@mimus/system/vcpu";
import { clockOrigin } from "./clock-origin.ts";

interface Data {
  readonly start: ThreadStart;
  readonly module: string;
  readonly data: unknown;
  readonly origin: number;
}

const { start, module, data, origin } = workerData as Data;
const { farCpu } = (await import(module)) as FarCpuModule;
const lag = clockOrigin() - origin;
runVcpu(
  { ...start, options: { ...start.options, now: () => performance.now() } },
  farCpu(data),
  () => performance.now() * 1e6 + lag,
);
