/** Milliseconds of a processor that this process has taken: what an input costs, however busy the host is. */
export function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
