import { I386, type Platform } from "./platform.ts";
import { KERNELS, SSE2 } from "./stats.ts";

type Name = Platform["name"];

/** What can be measured: groups, the names in them, and the platforms of each. */
const MEASUREMENTS: Readonly<Record<string, Readonly<Record<string, readonly Name[]>>>> = {
  kernels: { user: ["riscv64"], system: ["riscv64", "amd64", "i386"] },
  programs: { hello: ["riscv64"], gzip: ["riscv64"], python: ["riscv64"], codegen: ["riscv64"] },
  machine: {
    "cold-start": ["riscv64"],
    boot: ["riscv64", "amd64", "i386"],
    disk: ["riscv64", "amd64"],
    traps: ["riscv64", "amd64", "i386"],
    os: ["riscv64", "amd64", "i386"],
    smp: ["amd64"],
  },
  images: { convert: ["riscv64"], tables: ["riscv64"], reads: ["riscv64"] },
  browser: { kernels: ["riscv64"], boot: ["riscv64"] },
};
export const GROUPS: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  Object.entries(MEASUREMENTS).map(([group, names]) => [group, Object.keys(names)]),
);

/** What has bars, by subject: a platform, and what is measured of it. */
export const SUBJECTS: Readonly<Record<string, readonly (readonly [Name, ...string[]])[]>> = {
  riscv: [
    [
      "riscv64",
      ...["kernels user", "kernels system", "programs hello", "programs gzip", "programs python", "programs codegen"],
      ...["machine cold-start", "machine boot", "machine disk", "machine traps", "machine os"],
      ...["browser kernels", "browser boot"],
    ],
  ],
  pc: [
    ["amd64", "kernels system", "machine boot", "machine disk", "machine traps", "machine os", "machine smp"],
    ["i386", "kernels system", "machine boot", "machine traps", "machine os"],
  ],
  disks: [["riscv64", "images convert", "images tables", "images reads"]],
};

/** What is measured of a platform, as `"kernels user"`. */
export const measuredOn = (platform: Name): string[] =>
  Object.entries(MEASUREMENTS).flatMap(([group, names]) =>
    Object.entries(names).flatMap(([name, on]) => (on.includes(platform) ? [`${group} ${name}`] : [])),
  );

/** The kernels of a platform: i386 has those of floating point for x87 and for SSE2. */
export const kernelsOf = (platform: Platform): readonly string[] =>
  platform === I386 ? [...KERNELS, ...SSE2] : KERNELS;
