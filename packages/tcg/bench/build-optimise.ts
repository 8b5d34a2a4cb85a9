/**
 * Processor time to build and to optimise typical blocks, in microseconds a block.
 * Run: node --conditions=@mimus/source packages/tcg/bench/build-optimise.ts [blocks]
 */
import { Builder, IrContext, Optimiser, type Block, type EnvField } from "@mimus/tcg";

const globals: EnvField[] = [];
for (let n = 1; n < 32; n++) globals.push({ name: `x${n}`, offset: 128 + 8 * n, type: "i64" });
globals.push({ name: "pc", offset: 384, type: "i64" });
for (let n = 0; n < 32; n++) globals.push({ name: `f${n}`, offset: 392 + 8 * n, type: "i64" });
const context = new IrContext(globals);
const pc = context.global("pc");

/** A pseudo-random sequence: the same blocks on each run. */
let seed = 1;
const next = (n: number): number => {
  seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
  return (seed >>> 8) % n;
};

/** Ten 64-bit RISC-V-like instructions: loads, stores, additions, word operations, shifts, a compare and branch. */
function build(b: Builder, at: number): Block {
  b.begin(BigInt(at));
  for (let i = 0; i < 9; i++) {
    b.insn(i * 4);
    const rd = next(31);
    const rs1 = next(31);
    const rs2 = next(31);
    switch (next(9)) {
      case 0:
      case 1:
        b.set(rd, b.addI(b.get(rs1), next(4096) - 2048));
        break;
      case 2:
      case 3:
        b.set(rd, b.ld("i64", next(2) === 0 ? "u64" : "s32", b.addI(b.get(rs1), 8 * next(64)), 0));
        break;
      case 4:
        b.st("u64", b.addI(b.get(rs1), 8 * next(64)), b.get(rs2), 0);
        break;
      case 5:
        b.set(rd, b.ext32s(b.add(b.get(rs1), b.get(rs2))));
        break;
      case 6:
        b.set(rd, b.shlI(b.get(rs1), 1 + next(32)));
        break;
      case 7:
        b.set(rd, b.and(b.get(rs1), b.get(rs2)));
        break;
      case 8:
        b.set(rd, b.constant("i64", next(1 << 20) * 4096));
        break;
    }
  }
  b.insn(36);
  const taken = b.label();
  b.brcond("ne", b.get(next(31)), b.get(next(31)), taken);
  b.set(pc, b.constant("i64", at + 40));
  b.gotoTb(0);
  b.place(taken);
  b.set(pc, b.constant("i64", at - 200));
  b.gotoTb(1);
  return b.finish();
}

/** Processor time of the process so far, µs. */
const now = (): number => process.cpuUsage().user;

const count = Number(process.argv[2] ?? 70_000);
for (let round = 0; round < 4; round++) {
  const builder = new Builder(context);
  const optimiser = new Optimiser();
  let ops = 0;
  let left = 0;
  seed = 1;
  const start = now();
  for (let i = 0; i < count; i++) ops += build(builder, 0x8000_0000 + i * 64).ops.length;
  const built = now();
  seed = 1;
  for (let i = 0; i < count; i++) left += optimiser.run(build(builder, 0x8000_0000 + i * 64)).ops.length;
  const done = now();
  const us = (total: number): string => (total / count).toFixed(2);
  console.log(
    `${count} blocks of ${(ops / count).toFixed(1)} operations (${(left / count).toFixed(1)} after): ` +
      `build ${us(built - start)} µs, build and optimise ${us(done - built)} µs a block`,
  );
}
