/** `info irq`: how often each input of an interrupt controller rose. */
export function irqStatistics(name: string, counts: readonly number[]): string {
  const lines = counts.map((count, n) => (count > 0 ? `${String(n).padStart(2)}: ${count}\n` : ""));
  return `IRQ statistics for ${name}:\n${lines.join("")}`;
}
