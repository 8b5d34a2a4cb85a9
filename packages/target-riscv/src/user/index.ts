/** RISC-V in user mode: what runs Linux programs needs of this package. */
import type { Engine, Target } from "@mimus/tcg";
import { misaExtensions } from "../config.ts";
import { createTarget } from "../target.ts";
import type { CpuKernel } from "./contract.ts";
import { FRAMES } from "./frame.ts";
import { UserHart } from "./hart.ts";
import { DEFAULT_CPU, userConfig, userModels } from "./models.ts";

export type { AltStack, CpuKernel, SignalEntry, SignalReturn } from "./contract.ts";
export { UserHart } from "./hart.ts";

const EM_RISCV = 243;
const NR_RT_SIGRETURN = 139;
/** Letters that AT_HWCAP shows: I M A F D C. Source: Linux, arch/riscv/include/uapi/asm/hwcap.h. */
const HWCAP_LETTERS = [..."imafdc"].reduce((bits, letter) => bits | (1 << (letter.charCodeAt(0) - 97)), 0);
/** `li a7, 139; ecall`: unwinders know the two by their bits. Source: Linux, arch/riscv/kernel/vdso/rt_sigreturn.S. */
const TRAMPOLINE = Uint8Array.of(0x93, 0x08, 0xb0, 0x08, 0x73, 0x00, 0x00, 0x00);
/** e_flags. Source: RISC-V ELF psABI 1.0, chapter 8. */
const EF_RVC = 1;
const EF_FLOAT_ABI = 6;
const EF_RVE = 8;

function userTarget(xlen: 32 | 64, cpu: string) {
  const config = userConfig(xlen, cpu);
  const { ext } = config;
  const frame = FRAMES[xlen];
  return {
    name: `riscv${xlen}`,
    abi: {
      machine: `riscv${xlen}`,
      wordBits: xlen,
      bigEndian: false,
      align64: 8 as const,
      syscalls: "generic",
      pageSize: 4096,
    },
    elf: {
      machine: EM_RISCV,
      refuse(flags: number): string | undefined {
        if (flags & EF_RVC && !ext.c) return `it has compressed instructions, which CPU ${cpu} lacks`;
        if (flags & EF_FLOAT_ABI && !ext.f) return `it passes floating-point registers, which CPU ${cpu} lacks`;
        return flags & EF_RVE && !ext.e ? "it is made for the E base, which has no Linux ABI" : undefined;
      },
    },
    hwcap: misaExtensions(ext) & HWCAP_LETTERS,
    hwcap2: 0,
    platform: undefined,
    trampoline: TRAMPOLINE,
    frame: { size: frame.size, siginfo: frame.siginfo },
    sigreturn: NR_RT_SIGRETURN,
    target: (): Target => createTarget(config),
    createCpu: (engine: Engine, env: number, kernel: CpuKernel): UserHart => new UserHart(engine, env, config, kernel),
    cpus: userModels(xlen).map(({ name, summary }) => ({ name, summary })),
  };
}

/** What runs programs of this package's instruction sets, by name; a `-cpu` value, or the default. @throws RiscvError */
export const userTargets = {
  riscv64: (cpu: string = DEFAULT_CPU) => userTarget(64, cpu),
};
