import type { CpuInfo } from "@mimus/monitor";
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

type Debug = Pick<CpuInfo, "register" | "translate" | "read" | "disassemble">;

/** How a CPU is looked into: as it says itself, under `debug`; else by what every target declares, without its paging. */
export function cpuDebug(system: System, index: number): Debug {
  const vcpu = system.vcpus[index];
  const { engine } = system;
  if (vcpu === undefined || engine === undefined) return {};
  const { debug } = vcpu.cpu as { readonly debug?: Debug };
  if (debug !== undefined) return debug;
  return {
    register(name) {
      const found = engine.target.globals.find((g) => g.name === name);
      if (found === undefined) return undefined;
      const at = (vcpu.env + found.offset) >>> 2;
      const low = BigInt(engine.u32[at] ?? 0);
      return found.type === "i32" ? low : low | (BigInt(engine.u32[at + 1] ?? 0) << 32n);
    },
    disassemble: (address, bytes) => engine.target.disassemble(address, bytes),
  };
}
