import type { System } from "@mimus/system";

/** As the CPU itself shows them; else every register that the target declares, by name, in hexadecimal: four a line. */
export function registerText(system: System, index: number): string {
  const vcpu = system.vcpus[index];
  const { engine } = system;
  if (vcpu === undefined || engine === undefined) return "no registers";
  const { inspect } = vcpu.cpu as { readonly inspect?: Readonly<Record<string, () => string>> };
  const text = inspect?.["registers"]?.();
  if (text !== undefined) return text.trimEnd();
  const cells = engine.target.globals.map(({ name, offset, type }) => {
    const at = (vcpu.env + offset) >>> 2;
    const word = (n: number): string => (engine.u32[n] ?? 0).toString(16).padStart(8, "0");
    return ` ${name.padEnd(8)} ${type === "i32" ? word(at) : word(at + 1) + word(at)}`;
  });
  const lines: string[] = [];
  for (let i = 0; i < cells.length; i += 4) lines.push(cells.slice(i, i + 4).join(""));
  return lines.join("\n");
}
