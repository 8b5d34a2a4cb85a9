/** vCPUs on threads of their own. */
export { runVcpu } from "./vcpu-thread.ts";
export type { ThreadStart } from "./vcpu-thread.ts";
export type { FarCpuModule, VcpuThread, VcpuThreadHost, VcpuThreadRequest } from "./host.ts";
