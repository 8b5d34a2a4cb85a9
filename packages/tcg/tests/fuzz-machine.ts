/** A machine whose guest code is random blocks: what `evaluate` says of a block is compared with what a back end does. */
import {
  ENV, TcgMachine, evaluate, print,
  type Access, type BackEnd, type Block, type Builder, type Engine, type Helper, type PhysicalBus, type Target, type TargetCpu,
  type Translation, type Vcpu,
} from "../src/index.ts"; // prettier-ignore
import {
  GLOBALS, Generator, HELPERS, TestState, blockFrom, performHelper, scramble, type BlockOptions,
} from "./random-block.ts"; // prettier-ignore

/** Guest memory that blocks access: four pages from here, of which the last is not mapped. */
const DATA = 0x20000;
const DATA_SIZE = 0x3000;
/** Pages of code: one for each block, used in turn. */
const CODE_PAGES = 64;
const CODE = 0x40000;
const RAM = 0x10_0000;
const PC = GLOBALS.find((g) => g.name === "pc")!.offset;
/** Words of the state block that blocks use without a name: the loop counter and the rest. */
const FIELDS = [508, 544] as const;

const OPTIONS: BlockOptions = {
  address: (b, v) => b.addI(b.andI(v, 0x3fff), DATA),
  env: [512, 544],
};

const faults = (address: bigint): boolean => address >= BigInt(DATA + DATA_SIZE);

const pristine = Uint8Array.from({ length: DATA_SIZE }, (_, i) => Number(scramble(BigInt(DATA + i)) & 0xffn));

class FuzzCpu implements TargetCpu {
  readonly env: number;
  readonly index = 0;
  readonly engine: Engine;
  /** Words of the instruction that faulted. */
  faulted: number | undefined;
  log: string[] = [];

  constructor(env: number, engine: Engine) {
    this.env = env;
    this.engine = engine;
  }
  translate(lo: number, hi: number, _access: Access, _mmu: number, _size: number, out: Translation): boolean {
    if (hi !== 0 || lo >>> 0 >= RAM || (lo >>> 12) - (DATA >>> 12) === 3) {
      this.engine.i32[(this.env + ENV.exception) >>> 2] = 1;
      return false;
    }
    out.physical = lo;
    out.prot = 7;
    out.pageBits = 12;
    return true;
  }
  busFault(): boolean {
    return false;
  }
  interrupt(): boolean {
    return false;
  }
  deliver(): void {}
  restore(words: Int32Array): void {
    this.faulted = words[0]!;
  }
  hasWork(): boolean {
    return true;
  }
  reset(): void {}

  get view(): DataView {
    return new DataView(this.engine.memory.buffer);
  }
  readGlobals(): bigint[] {
    const { view, env } = this;
    return GLOBALS.map((g) => {
      if (g.type === "i32") return BigInt(view.getUint32(env + g.offset, true));
      const low = view.getBigUint64(env + g.offset, true);
      return g.type === "v128" ? (view.getBigUint64(env + g.offset + 8, true) << 64n) | low : low;
    });
  }
  writeGlobals(values: readonly bigint[]): void {
    const { view, env } = this;
    GLOBALS.forEach((g, i) => {
      if (g.type === "i32") view.setUint32(env + g.offset, Number(values[i]!), true);
      else view.setBigUint64(env + g.offset, BigInt.asUintN(64, values[i]!), true);
      if (g.type === "v128") view.setBigUint64(env + g.offset + 8, values[i]! >> 64n, true);
    });
  }
}

const helpers: Helper[] = HELPERS.map((helper) => ({
  ...helper,
  impl: {
    kind: "js",
    fn: (cpu: FuzzCpu, ...args: number[]) => {
      const globals = cpu.readGlobals();
      const before = [...globals];
      const result = performHelper(
        helper,
        args.slice(0, helper.params.filter((p) => p !== "env").length).map((a) => BigInt(a >>> 0)),
        globals,
        cpu.log,
      );
      if (result === "fault") {
        cpu.engine.i32[(cpu.env + ENV.exception) >>> 2] = 1;
        return 0;
      }
      if (globals.some((g, i) => g !== before[i])) cpu.writeGlobals(globals);
      return helper.result === undefined ? undefined : Number(BigInt.asIntN(32, result));
    },
  },
}));

/** Writes the operations of a block, instruction by instruction. */
function copier(block: Block, b: Builder): Pick<Generator, "insn"> {
  let at = 0;
  b.block.labels = block.labels;
  const insn = (): boolean => {
    do {
      const op = block.ops[at++]!;
      b.block.ops.push({ ...op, list: [...op.list] });
    } while (at < block.ops.length && block.ops[at]!.spec.name !== "insn");
    return at === block.ops.length;
  };
  return { insn };
}

/** A block as choices. */
export interface Case {
  readonly script: readonly number[];
  readonly seed: number;
  readonly loops: boolean;
}

export class FuzzMachine {
  readonly tcg: TcgMachine;
  readonly #vcpu: Vcpu;
  readonly #cpu: FuzzCpu;
  #script: readonly number[] = [];
  /** The block to run instead of what the script makes. */
  #given: Block | undefined;
  #options: BlockOptions = OPTIONS;
  #page = 0;
  /** The optimised block that ran. */
  #optimised = "";

  constructor(backend: BackEnd, optimise = true) {
    const memory = new WebAssembly.Memory({ initial: 256 });
    let next = 65536 + RAM;
    const ram = 65536;
    let generator: Pick<Generator, "insn"> | undefined;
    const target: Target = {
      name: "fuzz",
      wordType: "i64",
      bigEndian: false,
      pageBits: 12,
      mmuIndexes: 1,
      globals: GLOBALS,
      pcGlobal: "pc",
      helpers,
      modules: [],
      insnWords: 1,
      begin: (ctx) => {
        generator =
          this.#given === undefined ? new Generator(ctx.ir, this.#script, this.#options) : copier(this.#given, ctx.ir);
      },
      insn: (ctx) => {
        ctx.done = generator!.insn();
        return 4;
      },
      end: () => {
        throw new Error("The block is too long for its page");
      },
      disassemble: () => ({ text: "?", length: 4 }),
    };
    const physical: PhysicalBus = {
      lookup: (at) => (at < RAM ? { base: 0, size: RAM, ramOffset: ram, readonly: false } : undefined),
      read: () => 0,
      write: () => {},
      readWide: () => {},
      writeWide: () => {},
      lastFault: true,
      watchCode: () => {},
      onCodeWrite: () => {},
      onChange: () => {},
    };
    this.tcg = new TcgMachine({
      memory,
      alloc: (_name, size) => {
        const at = next;
        next += (size + 65535) & ~65535;
        return at;
      },
      target,
      physical,
      options: {
        backend,
        optimise,
        tbSize: 1 << 21,
        maxInsns: 1000,
        batch: 1,
        trace: { opOpt: (text) => void (this.#optimised = text) },
      },
    });
    let cpu: FuzzCpu | undefined;
    this.#vcpu = this.tcg.createCpu((env, engine) => (cpu = new FuzzCpu(env, engine)));
    this.#cpu = cpu!;
  }

  /** Runs a block here and in the evaluator; a description of the difference, or undefined. */
  difference({ script, seed, loops }: Case): string | undefined {
    this.#script = script;
    this.#options = { ...OPTIONS, loops };
    this.#given = undefined;
    return this.#compare(blockFrom(script, this.#options), seed);
  }

  /** The same for a block of four bytes an instruction. */
  differenceOf(block: Block, seed: number): string | undefined {
    this.#given = block;
    return this.#compare(block, seed);
  }

  #compare(block: Block, seed: number): string | undefined {
    const state = new TestState(seed, faults);
    state.globals[8] = 0n;
    const [mine, theirs] = [this.#run(state), this.#evaluate(block, state)];
    if (mine === theirs) return undefined;
    return `the evaluator says\n${theirs}\nthe back end\n${mine}\nof\n${print(block)}optimised to\n${this.#optimised}`;
  }

  /** Runs the block from the state given, which is not changed. */
  #run(state: TestState): string {
    const cpu = this.#cpu;
    const { env, engine } = cpu;
    if (this.#page === CODE_PAGES) {
      this.tcg.flushCode();
      this.#page = 0;
    }
    const pc = CODE + 4096 * this.#page++;
    const ram = 65536;
    engine.u8.set(pristine, ram + DATA);
    engine.u8.set(state.env.subarray(...FIELDS), env + FIELDS[0]);
    cpu.writeGlobals(state.globals);
    cpu.view.setBigUint64(env + PC, BigInt(pc), true);
    cpu.faulted = undefined;
    cpu.log = [];
    this.#vcpu.runBlock();
    const globals = cpu.readGlobals();
    const fields = engine.u8.slice(env + FIELDS[0], env + FIELDS[1]);
    const bytes = engine.u8.subarray(ram + DATA, ram + DATA + DATA_SIZE);
    const changed: string[] = [];
    for (let i = 0; i < DATA_SIZE; i++) if (bytes[i] !== pristine[i]) changed.push(`${DATA + i}:${bytes[i]}`);
    return describe(cpu.faulted, globals, pc, fields, changed, cpu.log);
  }

  #evaluate(block: Block, state: TestState): string {
    const pc = CODE + 4096 * (this.#page - 1);
    state.globals[8] = BigInt(pc);
    const exit = evaluate(block, state);
    const bytes = [...state.bytes].filter(([at, v]) => Number(v) !== pristine[Number(at) - DATA]);
    const changed = bytes.toSorted(([a], [b]) => Number(a - b)).map(([at, v]) => `${at}:${v}`);
    const faulted = exit.kind === "fault" ? exit.insn * 4 : undefined;
    const log = state.log.filter((line) => !/^(load|store) /.test(line));
    return describe(faulted, state.globals, pc, state.env.subarray(...FIELDS), changed, log);
  }
}

function describe(
  faulted: number | undefined,
  globals: readonly bigint[],
  start: number,
  fields: Uint8Array,
  changed: readonly string[],
  log: readonly string[],
): string {
  const pc = globals[8] === BigInt(start) ? "start" : globals[8]!.toString(16);
  return [
    faulted === undefined ? "left" : `faulted at ${faulted}`,
    `pc ${pc}`,
    globals.with(8, 0n).map((g, i) => `${GLOBALS[i]!.name} ${g.toString(16)}`).join(", "),
    `env ${fields.join(" ")}`,
    `memory ${changed.join(" ")}`,
    ...log.map((line) => `  ${line}`),
  ].join("\n"); // prettier-ignore
}
