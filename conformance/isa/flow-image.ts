/** Wraps random programs into an image that runs one after the other and records the state after each. */
import { assemble } from "@mimus/target-riscv";
import { REG, type FlowMode, type FlowProgram } from "./flow-source.ts";
import { paging, SIGNALS, WINDOW } from "./flow-start.ts";
import { float, integer, type Random } from "./random.ts";

/** The register that the code of the image may change while a program runs. */
const t = REG.temp;

/** A record, offsets in bytes: x0..x31, f0..f31, fcsr, digest of traps, number of traps, digest of the scratch area. */
export const FLOW_RECORD = { size: 576, f: 256, fcsr: 512, traps: 520, count: 528, scratch: 536 } as const;

/** Address of the image: RAM of QEMU's virt board; for Linux programs what the ISA suite uses. */
export const flowBase = (mode: FlowMode): number => (isProcess(mode) ? 0x1000_0000 : 0x8000_0000);

/** The mode is that of a Linux program. */
export const isProcess = (mode: FlowMode): boolean => mode === "user" || mode === "signals";

/** A program and the state it starts from. */
export interface FlowCase {
  readonly program: FlowProgram;
  readonly x: readonly (readonly [number, number])[];
  readonly f: readonly (readonly [number, number])[];
}

/** A random start for a program. */
export function flowCase(r: Random, program: FlowProgram): FlowCase {
  return {
    program,
    x: Array.from({ length: 32 }, () => integer(r)),
    f: Array.from({ length: 32 }, () => float(r)),
  };
}

/** An image, and where things are in it (bytes from its start). */
export interface FlowImage {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly records: { readonly offset: number; readonly length: number };
  /** Word with the address that is jumped to in M-mode at the end, and that of a loop of `wfi`. */
  readonly endVector: number;
  readonly halt: number;
  readonly source: string;
  readonly symbols: ReadonlyMap<string, bigint>;
}

const hex = (n: number): string => `0x${(n >>> 0).toString(16)}`;
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

function programText(xlen: 32 | 64, c: FlowCase, n: number): string {
  const { program } = c;
  const own = (text: string): string => text.replaceAll(/\bb(\d+)\b/g, `p${n}_$1`);
  const lines: string[] = [`p${n}_start:`, `la ${REG.temp}, p${n}_state`, "j enter", `p${n}_begin:`];
  for (const block of program.blocks) {
    lines.push(`${own(block.label)}:`);
    if (block.checked) lines.push(`addi ${REG.fuel}, ${REG.fuel}, -1`, `bgtz ${REG.fuel}, 1f`, `j p${n}_out`, "1:");
    for (const unit of block.units) lines.push(...unit.map(own));
  }
  // Where a program goes that has nowhere to go: on at a place in the table, while there is fuel.
  lines.push(
    ...[
      `p${n}_hub:`,
      `addi ${REG.fuel}, ${REG.fuel}, -1`,
      `blez ${REG.fuel}, p${n}_out`,
      "la sp, stack",
      `andi ${t}, ${REG.fuel}, 3`,
    ],
    ...[`slli ${t}, ${t}, ${xlen === 64 ? 3 : 2}`, `add ${t}, ${t}, ${REG.data}`],
    ...[`${xlen === 64 ? "ld" : "lw"} ${t}, 32(${t})`, `jr ${t}`],
  );
  lines.push(`p${n}_out:`, `la ${REG.temp}, p${n}_record`, "j save");
  const word = xlen === 64 ? ".dword" : ".word";
  const four = (labels: readonly string[]): string =>
    range(4)
      .map((i) => own(labels[i % labels.length] ?? "b0"))
      .join(", ");
  lines.push(
    ".balign 64",
    `p${n}_state:`,
    `.dword p${n}_begin, ${program.fuel}, p${n}_hub, p${n}_next`,
    ...c.x.map(([lo, hi]) => `.word ${hex(lo)}, ${hex(hi)}`),
    ...c.f.map(([lo, hi]) => `.word ${hex(lo)}, ${hex(hi)}`),
    // Place to come back to: pc and sp. Then the two tables.
    `p${n}_data:`,
    xlen === 64 ? `.dword p${n}_hub, stack, 0, 0` : `.word p${n}_hub, 0, stack, 0, 0, 0, 0, 0`,
    `${word} ${four(program.table)}`,
    ...(xlen === 32 ? [".word 0, 0, 0, 0"] : []),
    `${word} ${four(program.functions)}`,
    ".balign 64",
  );
  return lines.join("\n");
}

/** What the code of an image depends on. */
interface Shape {
  readonly xlen: 32 | 64;
  readonly mode: FlowMode;
  /** Code without an operating system, which enters the mode itself. */
  readonly bare: boolean;
  readonly signals: boolean;
  readonly paged: boolean;
  /** Load and store of a register, and its bytes. */
  readonly l: string;
  readonly s: string;
  readonly bytes: number;
  /** Bytes of the scratch area that are written and digested. */
  readonly scratch: string;
}

function shapeOf(xlen: 32 | 64, mode: FlowMode): Shape {
  const signals = mode === "signals";
  return {
    xlen,
    mode,
    bare: !isProcess(mode),
    signals,
    paged: mode === "S" || mode === "U",
    ...(xlen === 64 ? { l: "ld", s: "sd", bytes: 8 } : { l: "lw", s: "sw", bytes: 4 }),
    scratch: signals ? "0x2000" : "0x3000",
  };
}

/** A line for each register 0..31 but those of `skip`. */
function eachRegister(skip: readonly number[], line: (n: number) => string): string {
  return range(32)
    .filter((n) => !skip.includes(n))
    .map(line)
    .join("\n");
}

/** Puts the hart into its mode, and begins with the first program. */
function entryCode({ xlen, mode, bare, signals, paged }: Shape): string {
  const satp =
    xlen === 64 ? `li t1, 8 << 60\nla t0, root\nsrli t0, t0, 12` : `li t1, 1 << 31\nla t0, root\nsrli t0, t0, 12`;
  return `
entry:
${
  bare
    ? `la t0, trap
  csrw mtvec, t0
  la t0, context
  csrw mscratch, t0
  li t0, -1
  csrw pmpaddr0, t0
  li t0, 0x1f
  csrw pmpcfg0, t0
  li t0, 2
  csrw mie, t0
  csrw mideleg, zero
  csrw medeleg, zero
  li t0, 0x7888
  csrc mstatus, t0
  li t0, ${hex(0x2000 | { M: 0x1880, S: 0x880, U: 0x80 }[mode as "M" | "S" | "U"])}
  csrs mstatus, t0
  ${paged ? `${satp}\nor t0, t0, t1\ncsrw satp, t0\nsfence.vma` : ""}
  la t0, first
  csrw mepc, t0
  mret`
    : signals
      ? SIGNALS
      : ""
}
first:
  j p0_start
`;
}

/** Gives a program its registers and its memory, and jumps into it. */
function enterCode({ l, s, bytes, paged, signals, scratch }: Shape): string {
  return `
# t = state: drop a reservation, ready the context, then all registers
enter:
  la s0, context
  sc.w t0, zero, (s0)
  ${l} t0, 16(${t})
  ${s} t0, 48(s0)
  ${s} zero, 16(s0)
  ${s} zero, 24(s0)
  ${l} t0, 24(${t})
  ${s} t0, 56(s0)
  la s0, scratch
  la s1, scratch + ${scratch}
  li t1, 0x9e3779b1
  mv t0, zero
1:
  ${range(16)
    .map((n) => `add t0, t0, t1\n${s} t0, ${n * bytes}(s0)`)
    .join("\n")}
  addi s0, s0, ${16 * bytes}
  bltu s0, s1, 1b
  la s0, bottom
  la s1, stack + 0x400
  ${l} t0, 16(${t})
2: ${s} t0, (s0)
  addi s0, s0, ${bytes}
  bltu s0, s1, 2b
  fscsr zero
  ${range(32)
    .map((n) => `fld f${n}, ${32 + 256 + 8 * n}(${t})`)
    .join("\n")}
  ${l} ra, 0(${t})
  la s0, context
  ${s} ra, 40(s0)
  ${eachRegister([0, 1, 2, 5, 23, 24, 25, 26, 27, 31], (n) => `${l} x${n}, ${32 + 8 * n}(${t})`)}
  ${l} ra, 16(${t})
  ${l} x5, 16(${t})
  ${l} x27, 8(${t})
  addi x25, ${t}, ${32 + 512}
  la sp, stack
  la x23, stack - 0x200
  la x26, ${paged ? hex(WINDOW + 2048) : "scratch + 2048"}
  la x24, ${paged ? hex(WINDOW + 0x3000 - 64) : signals ? "scratch + 0x3000 - 64" : "scratch + 2048"}
  la ${t}, context
  ${l} ${t}, 40(${t})
  jr ${t}
`;
}

/** Writes what a program has left into its record. */
function saveCode({ l, s, bytes, scratch }: Shape): string {
  return `
save:
  ${eachRegister([0, 31], (n) => `${s} x${n}, ${8 * n}(${t})`)}
  ${eachRegister([], (n) => `fsd f${n}, ${256 + 8 * n}(${t})`)}
  frcsr t0
  ${s} t0, 512(${t})
  la s0, context
  ${l} t0, 16(s0)
  ${s} t0, 520(${t})
  ${l} t0, 24(s0)
  ${s} t0, 528(${t})
  ${l} s2, 56(s0)
  la s0, scratch
  la s1, scratch + ${scratch}
  li t1, 31
  mv t0, zero
1:
  ${range(16)
    .map((n) => `${l} t2, ${n * bytes}(s0)\nmul t0, t0, t1\nadd t0, t0, t2`)
    .join("\n")}
  addi s0, s0, ${16 * bytes}
  bltu s0, s1, 1b
  ${s} t0, 536(${t})
  jr s2
`;
}

/** After the last program: hands the records out. */
function finishCode({ s, bare, signals }: Shape): string {
  return `
finish:
${
  bare
    ? `la s0, context
  li t0, 1
  ${s} t0, 32(s0)
  ecall`
    : `${signals ? "la a1, never\nli a0, 0\nli a2, 0\nli a7, 103\necall" : ""}
  la s0, records
  la s1, records_end
1: li a0, 1
  mv a1, s0
  sub a2, s1, s0
  li a7, 64
  ecall
  blez a0, 2f
  add s0, s0, a0
  bltu s0, s1, 1b
2: li a0, 0
  li a7, 93
  ecall`
}
`;
}

/** The handler of traps in M-mode, which digests what it sees, and the end of a bare image. */
function trapCode({ l, s }: Shape): string {
  return `
# M-mode. Context: two registers, digest and number of traps, finished, -, where to go when code can't be fetched, next, interrupts
.balign 4
trap:
  csrrw ${t}, mscratch, ${t}
  ${s} t0, 0(${t})
  ${s} t1, 8(${t})
  csrr t0, mcause
  bltz t0, interrupt
  ${l} t1, 32(${t})
  bnez t1, ended
  ${l} t1, 16(${t})
  add t1, t1, t0
  slli t0, t1, 5
  add t1, t1, t0
  # The value of a breakpoint may be its address or 0.
  csrr t0, mcause
  addi t0, t0, -3
  beqz t0, 1f
  csrr t0, mtval
1:
  xor t1, t1, t0
  slli t0, t1, 7
  add t1, t1, t0
  csrr t0, mepc
  xor t1, t1, t0
  ${s} t1, 16(${t})
  ${l} t1, 24(${t})
  addi t1, t1, 1
  ${s} t1, 24(${t})
  addi t0, t0, 4
  csrr t1, mcause
  addi t1, t1, -12
  beqz t1, 1f
  addi t1, t1, 11
  bnez t1, 2f
1: ${l} t0, 48(${t})
2: csrw mepc, t0
  j leave
interrupt:
  csrci mip, 2
  ${l} t0, 64(${t})
  addi t0, t0, 1
  ${s} t0, 64(${t})
leave:
  ${l} t0, 0(${t})
  ${l} t1, 8(${t})
  csrrw ${t}, mscratch, ${t}
  mret
ended:
  csrw mie, zero
  la t0, end_vector
  ${l} t0, (t0)
  jr t0
print:
  la s0, records
  la s1, records_end
  li t0, 0x10000000
1: lbu t1, 5(t0)
  andi t1, t1, 0x20
  beqz t1, 1b
  lbu t1, (s0)
  sb t1, (t0)
  addi s0, s0, 1
  bltu s0, s1, 1b
  li t0, 0x100000
  li t1, 0x5555
  sw t1, (t0)
halt:
  wfi
  j halt
`;
}

/** The programs and their memory. */
function programsAndData({ xlen, mode, signals, paged }: Shape, cases: readonly FlowCase[]): string {
  return `
${cases.map((c, n) => programText(xlen, c, n)).join("\n")}
${cases.map((_, n) => `p${n}_next = ${n + 1 < cases.length ? `p${n + 1}_start` : "finish"}`).join("\n")}
.balign 64
end_vector: .dword print
.balign 64
context: .zero 128
${paged ? paging(xlen, mode) : ""}
.balign 4096
scratch: .zero 0x4000
bottom: .zero 0x400
stack: .zero 0x800
${signals ? ".balign 16\nalternate_stack: .zero 0x8000" : ""}
.balign 64
records:
${cases.map((_, n) => `p${n}_record: .zero ${FLOW_RECORD.size}`).join("\n")}
records_end:
`;
}

/** Builds an image of programs that run in turn. */
export function flowImage(xlen: 32 | 64, mode: FlowMode, cases: readonly FlowCase[]): FlowImage {
  const shape = shapeOf(xlen, mode);
  const source = [entryCode, enterCode, saveCode, finishCode, trapCode]
    .map((code) => code(shape))
    .join("")
    .concat(programsAndData(shape, cases));
  const base = flowBase(mode);
  const { bytes: image, symbols } = assemble(source, { xlen, origin: BigInt(base) });
  const at = (name: string): number => Number(symbols.get(name)) - base;
  return {
    bytes: image,
    records: { offset: at("records"), length: cases.length * FLOW_RECORD.size },
    endVector: at("end_vector"),
    halt: Number(symbols.get("halt")),
    source,
    symbols,
  };
}
