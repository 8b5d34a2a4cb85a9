import type { Adapter } from "./case.ts";

/** An adapter that is loaded when it is first needed: formats can be read where a target is broken. */
function lazily(needs: string, targets: readonly string[], load: () => Promise<Pick<Adapter, "open">>): Adapter {
  return { needs, targets, open: async (file, settings) => (await load()).open(file, settings) };
}

/** Stands in for a target that is not part of this workspace yet. */
function notInstalled(needs: string, targets: readonly string[]): Adapter {
  return { needs, targets, open: async () => ({ missing: `no ${needs} installed` }) };
}

/** Who runs which target. A new target is a line here, instead of its `notInstalled`. */
const ADAPTERS: readonly Adapter[] = [
  lazily("softfloat", ["float-riscv", "float-x86"], async () => (await import("./adapters/softfloat.ts")).softfloat),
  lazily("target-riscv", ["riscv32", "riscv64"], async () => (await import("./adapters/riscv.ts")).riscv),
  lazily("target-x86", ["x86-decode"], async () => (await import("./adapters/x86-decode.ts")).x86Decode),
  lazily("target-x86", ["x86_64", "i386", "i286"], async () => (await import("./adapters/x86.ts")).x86),
  notInstalled("target-mips", ["r3000"]),
];

export function adapterFor(target: string): Adapter {
  return ADAPTERS.find(({ targets }) => targets.includes(target)) ?? notInstalled(`target for ${target}`, [target]);
}
