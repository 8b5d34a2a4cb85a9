/** Names of instruction sets in ELF headers, for messages. Source: System V ABI gABI, e_machine; machine registries. */
const MACHINES: Readonly<Record<number, string>> = {
  2: "SPARC", 3: "i386", 4: "m68k", 8: "MIPS", 15: "HP PA-RISC", 18: "SPARC32PLUS", 20: "PowerPC", 21: "PowerPC64",
  22: "S/390", 40: "ARM", 42: "SuperH", 43: "SPARC V9", 62: "x86-64", 83: "AVR", 92: "OpenRISC", 94: "Xtensa",
  164: "Hexagon", 183: "AArch64", 189: "MicroBlaze", 243: "RISC-V", 258: "LoongArch", 0x9026: "Alpha",
}; // prettier-ignore

/** `RISC-V 64-bit`. */
export function machineName(machine: number, bits: number): string {
  return `${MACHINES[machine] ?? `machine ${machine}`} ${bits}-bit`;
}
