import type { Tb } from "./blocks.ts";
import { CALL_DEPTH, ENV, EXIT, STORE_TO_CODE, TB_FLAGS_MMU } from "./contract.ts";
import type { ExitReason, TargetCpu } from "./contract.ts";
import { WARM_UP } from "./defaults.ts";
import { EXIT_LINK, EXIT_LOOKUP, TB } from "./descriptor.ts";
import { UNCOMMON } from "../region/span-emitter.ts";
import { JumpCache } from "./jump-cache.ts";
import type { BlockKey, TcgMachine } from "./machine.ts";
import { MemorySource } from "./memory-source.ts";
import { NOT_RAM, SoftTlb } from "./soft-tlb.ts";

/**
 * Pauses after which a run ends, though no other vCPU waits for its turn. A guest that pauses waits for time to pass or a device,
 * and its few instructions say nothing of the time they take: a tick that a booting riscv64 Linux spins for came 50 ms late.
 */
const MOST_PAUSES = 32;

/** A vCPU: the run loop around generated code. */
export class Vcpu {
  readonly env: number;
  readonly cpu: TargetCpu;
  /** @internal */
  readonly tlb: SoftTlb;
  /** @internal */
  readonly jumpCache: JumpCache;
  /** Instructions executed before the current run. */
  #before = 0;
  /** The block that {@link Vcpu.runBlock} ran last. */
  lastBlock: Tb | undefined;
  readonly #machine: TcgMachine;
  readonly #i32: Int32Array;
  /** Word index of the state block, and of the program counter. */
  readonly #e: number;
  readonly #pc: number;
  readonly #words: Int32Array;
  readonly #source: MemorySource;
  readonly #elsewhere: boolean;
  #stop = false;
  #running = false;
  /** Address of the breakpoint that `run` stopped at last: the next `run` steps over it. */
  #stoppedAt: bigint | undefined;

  /** @internal `elsewhere`: another thread runs it; it is looked at while it stands. */
  constructor(machine: TcgMachine, env: number, cpu: TargetCpu, elsewhere = false) {
    this.#machine = machine;
    this.#elsewhere = elsewhere;
    this.env = env;
    this.cpu = cpu;
    this.#i32 = machine.i32;
    this.#e = env >>> 2;
    this.#pc = (env + machine.pcOffset) >>> 2;
    this.#words = new Int32Array(machine.target.insnWords);
    this.tlb = new SoftTlb(machine, env, machine.target.mmuIndexes, machine.bus, machine.blocks, cpu, machine.counters, machine.codePages); // prettier-ignore
    this.jumpCache = new JumpCache(machine.i32, env);
    this.#source = new MemorySource(machine, this.tlb);
    // Hosts optimise what runs: V8 the interpreter, in 0.2 s, on another thread while the machine is put together. The jump cache is empty.
    for (let n = elsewhere ? WARM_UP : 0; n < WARM_UP; n++) machine.runtime.run(env, machine.trampoline);
  }

  /** Instructions executed since the machine was made; inside a block, as if the block had ended. */
  get executed(): number {
    if (!this.#running) return this.#before;
    const taken = this.#i32[this.#e + ENV.kicked / 4]!;
    return this.#before + this.#given - this.#i32[this.#e + ENV.budget / 4]! - (taken === 0 ? 0 : taken - 1);
  }

  /** Makes `run` return "kick" before its next block. */
  kick(): void {
    if (!this.#running) return;
    this.#stop = true;
    this.recheck();
  }

  /** Makes the run loop look at interrupts again before its next block. */
  recheck(): void {
    if (this.#elsewhere) return;
    const i32 = this.#i32;
    const at = this.#e;
    const taken = i32[at + ENV.kicked / 4]!;
    i32[at + ENV.kicked / 4] = (taken === 0 ? 1 : taken) + i32[at + ENV.budget / 4]!;
    i32[at + ENV.budget / 4] = 0;
  }

  flushTlb(mask: number, keepGlobal = false): void {
    this.#machine.counters.tlbFlushes++;
    this.tlb.flush(mask, keepGlobal);
    this.jumpCache.flush(keepGlobal);
    this.#unwind();
  }

  flushTlbPage(lo: number, hi: number): void {
    this.#machine.counters.tlbPageFlushes++;
    if (this.tlb.flushPage(lo, hi)) this.jumpCache.flush();
    else {
      this.jumpCache.flushPage(lo, hi);
      this.#machine.regions?.entriesWith(lo, (tb) => this.jumpCache.remove(tb));
    }
    this.#unwind();
  }

  /** Guest calls in progress do not go on in the regions that made them. */
  #unwind(): void {
    if (this.#elsewhere) return;
    this.#i32[this.#e + ENV.returns / 4] = EXIT_LOOKUP;
  }

  /**
   * Runs about `budget` instructions (1..2^31 − 1): exactly as many with `options.exact`, else up to the last block
   * that fits, and one at least. A delivered exception counts as an instruction.
   */
  run(budget: number): ExitReason {
    return this.#run(budget, 0);
  }

  /** Runs one instruction. */
  step(): ExitReason {
    const reason = this.#run(1, 1);
    return reason === "budget" ? "debug" : reason;
  }

  /** Runs one block, without those it is chained to. */
  runBlock(): ExitReason {
    return this.#run(1, -1);
  }

  /** `mode`: 0 normal, n > 0 blocks of at most n instructions, -1 one block whatever its length. */
  #run(budget: number, mode: number): ExitReason {
    const machine = this.#machine;
    const i32 = this.#i32;
    const at = this.#e;
    this.#stop = false;
    this.#running = true;
    const { cpu } = machine.runtime;
    if (cpu.value !== this.cpu) cpu.value = this.cpu;
    i32[at + ENV.kicked / 4] = 0;
    i32[at + ENV.budget / 4] = budget;
    this.#given = budget;
    machine.aging();
    try {
      return this.#loop(mode);
    } finally {
      this.#collect();
      const executed = this.#given - i32[at + ENV.budget / 4]!;
      this.#before += executed;
      machine.executed += executed;
      i32[at + ENV.budget / 4] = 0;
      this.#running = false;
    }
  }

  /** Budget handed out in this run, including what was added so that one block fits. */
  #given = 0;

  /** Takes back what a kick took away. */
  #collect(): void {
    const i32 = this.#i32;
    const at = this.#e;
    const taken = i32[at + ENV.kicked / 4]!;
    if (taken === 0) return;
    i32[at + ENV.budget / 4]! += taken - 1;
    i32[at + ENV.kicked / 4] = 0;
  }

  #loop(mode: number): ExitReason {
    const machine = this.#machine;
    const { counters } = machine;
    const { exits } = counters;
    const i32 = this.#i32;
    const at = this.#e;
    const { cpu, env } = this;
    const { tlb } = this;
    const { run } = machine.runtime;
    const seesOwnStores = machine.target.seesOwnStores === true;
    const { exact } = machine.options;
    const traceExec = machine.options.trace?.exec;
    const chained = mode === 0 && traceExec === undefined;
    let ran = false;
    /** The block, and its slot, that wants to be chained to the next one. */
    let from: Tb | undefined;
    let slot = 0;
    let look = true;
    /** Instructions that the next block may have at most, 0 for as many as there are. */
    let forced = 0;
    /** The next block is one instruction, whose stores into code need no care. */
    let alone = false;
    let pauses = 0;
    for (;;) {
      if (look || i32[at + ENV.kicked / 4] !== 0) {
        look = false;
        from = undefined;
        this.#collect();
        machine.flushIfWanted();
        machine.buildRegions(this.#fetchPage);
        if (this.#stop) return "kick";
        if (i32[at + ENV.halted / 4] !== 0) {
          if (!cpu.hasWork()) return "halted";
          i32[at + ENV.halted / 4] = 0;
        }
        cpu.interrupt();
        // What was done here may ask for another look: code that was evicted, for example.
        if (i32[at + ENV.kicked / 4] !== 0) continue;
      }
      const left = i32[at + ENV.budget / 4]!;
      if (left <= 0 || (ran && mode === -1)) return "budget";
      if (machine.breakpoints.size > 0) {
        const pc = this.pc;
        if (machine.breakpoints.has(pc)) {
          if (this.#stoppedAt !== pc || ran) {
            this.#stoppedAt = pc;
            return "debug";
          }
          this.#stoppedAt = undefined;
        }
      }
      let held = 0;
      // What the jump cache knows needs no look at the page tables.
      let address = chained && from === undefined && forced === 0 ? this.#cached() : 0;
      if (address === 0 || i32[(address + TB.insns) >>> 2]! > left) {
        counters.lookups++;
        let tb = this.#find(mode > 0 ? mode : forced);
        alone = tb !== undefined && seesOwnStores && (forced === 1 || mode === 1);
        forced = 0;
        if (tb === undefined) {
          // The fetch raised: pc is precise.
          this.#deliver();
          i32[at + ENV.budget / 4]!--;
          ran = look = true;
          continue;
        }
        if (tb.insns > left) {
          if (exact === true && mode === 0) tb = this.#find(left)!;
          else if (ran) return "budget";
          else {
            this.#given += tb.insns - left;
            i32[at + ENV.budget / 4] = tb.insns;
          }
        }
        if (from !== undefined) this.#link(from, slot, tb);
        from = undefined;
        if (!chained && mode <= 0) {
          this.lastBlock = tb;
          traceExec?.(tb.pcLo, tb.pcHi, tb.flags);
          held = i32[at + ENV.budget / 4]! - tb.insns;
          i32[at + ENV.budget / 4] = tb.insns;
        }
        address = tb.address;
      }
      ran = true;
      i32[at + ENV.returns / 4] = EXIT.return;
      i32[at + ENV.depth / 4] = CALL_DEPTH;
      tlb.alone = alone || !seesOwnStores;
      const code = run(env, address);
      alone = false;
      tlb.alone = true;
      if (held > 0) i32[at + ENV.budget / 4]! += held;
      if (code >>> 0 >= EXIT_LINK) {
        exits.link++;
        slot = (code & 15) - 1;
        from = machine.blocks.all[i32[((code & ~15) + TB.id) >>> 2]!];
        continue;
      }
      switch (code) {
        case EXIT_LOOKUP:
          continue;
        case EXIT.budget:
          exits.budget++;
          continue;
        case EXIT.fault:
          exits.fault++;
          if (this.#givenBack()) forced = 1;
          else this.#fault();
          break;
        case EXIT.uncommon:
          exits.uncommon++;
          this.#uncommon();
          forced = 1;
          break;
        case EXIT.exception:
          exits.exception++;
          this.#deliver();
          i32[at + ENV.budget / 4]!--;
          break;
        case EXIT.halt:
          exits.halt++;
          // Waiting with something pending is waiting for another vCPU: it gets its turn.
          if (machine.turns > 1 && cpu.hasWork()) {
            i32[at + ENV.halted / 4] = 0;
            return "kick";
          }
          break;
        case EXIT.yield:
          exits.yield++;
          if (machine.turns > 1 || machine.shared || ++pauses === MOST_PAUSES) return "kick";
          break;
        case EXIT.debug:
          exits.debug++;
          return "debug";
        default:
          exits.next++;
      }
      look = true;
    }
  }

  /** Place of a page of code in the machine memory, negative when it can't be fetched. Raises nothing. */
  readonly #fetchPage = (pcLo: number, pcHi: number, flags: number): number => {
    const page = this.tlb.fetchPage(pcLo, pcHi, flags & TB_FLAGS_MMU);
    if (page === -1) this.#i32[this.#e + ENV.exception / 4] = 0;
    return page;
  };

  /** Descriptor of the block at pc, when the jump cache has it; else 0. */
  #cached(): number {
    const i32 = this.#i32;
    const high = this.#machine.target.wordType === "i64" ? i32[this.#pc + 1]! : 0;
    return this.jumpCache.find(i32[this.#pc]!, high, i32[this.#e + ENV.tbFlags / 4]!);
  }

  /** Guest address of the next instruction. */
  get pc(): bigint {
    const high = this.#machine.target.wordType === "i64" ? this.#i32[this.#pc + 1]! >>> 0 : 0;
    return (BigInt(high) << 32n) | BigInt(this.#i32[this.#pc]! >>> 0);
  }

  /** A region left in the middle of a block, before an instruction: makes the state that of its beginning. */
  #uncommon(): void {
    const i32 = this.#i32;
    const at = this.#e;
    const address = i32[at + ENV.exitTb / 4]!;
    const site = i32[at + ENV.exitSite / 4]! & ~UNCOMMON;
    this.#rewind(address, site);
    const machine = this.#machine;
    const tb = machine.blocks.all[i32[(address + TB.id) >>> 2]!];
    machine.regions?.uncommon(address, tb, site, this.executed);
  }

  /** Makes the state that of the beginning of an instruction of a block, and takes back the budget from there on. */
  #rewind(address: number, site: number): void {
    this.#restore(address, site);
    this.#i32[this.#e + ENV.budget / 4]! += this.#i32[(address + TB.insns) >>> 2]! - site;
  }

  #restore(address: number, site: number): void {
    const i32 = this.#i32;
    const tb = address >>> 2;
    const perInsn = this.#words.length;
    const from = tb + TB.words / 4 + site * perInsn;
    for (let n = 0; n < perInsn; n++) this.#words[n] = i32[from + n]!;
    this.cpu.restore(this.#words, i32[tb + TB.pc / 4]!, i32[tb + TB.pc / 4 + 1]!);
  }

  /** The fault is an instruction that stores into code: makes the state that of its beginning. */
  #givenBack(): boolean {
    const i32 = this.#i32;
    const at = this.#e;
    if (i32[at + ENV.exception / 4] !== STORE_TO_CODE) return false;
    i32[at + ENV.exception / 4] = 0;
    const address = i32[at + ENV.exitTb / 4]!;
    const site = i32[at + ENV.exitSite / 4]!;
    this.#rewind(address, site);
    return true;
  }

  /** An exception in the middle of a block: makes the state precise, takes back what did not run, delivers it. */
  #fault(): void {
    const i32 = this.#i32;
    const at = this.#e;
    const address = i32[at + ENV.exitTb / 4]!;
    const site = i32[at + ENV.exitSite / 4]!;
    this.#rewind(address, site);
    i32[at + ENV.budget / 4]!--;
    this.#deliver();
  }

  #deliver(): void {
    const i32 = this.#i32;
    const at = this.#e + ENV.exception / 4;
    const exception = i32[at]! - 1;
    i32[at] = 0;
    this.cpu.deliver(exception);
  }

  /** The block at pc; undefined when the target raised an exception. */
  #find(limit: number): Tb | undefined {
    const i32 = this.#i32;
    const machine = this.#machine;
    const pcLo = i32[this.#pc]!;
    const pcHi = machine.target.wordType === "i64" ? i32[this.#pc + 1]! : 0;
    const flags = i32[this.#e + ENV.tbFlags / 4]!;
    const mmu = flags & TB_FLAGS_MMU;
    const page = this.tlb.fetchPage(pcLo, pcHi, mmu);
    if (page === -1) return undefined;
    const ram = page === NOT_RAM ? -1 : page + (pcLo & 4095);
    if (ram >= 0) {
      for (let tb = machine.blocks.at(ram); tb !== undefined; tb = tb.next) {
        if (tb.pcLo !== pcLo || tb.pcHi !== pcHi || tb.flags !== flags || tb.limit !== limit) continue;
        if (tb.ram2 >= 0 && tb.ram2 !== this.#source.secondPage(pcLo, pcHi, mmu)) continue;
        if (tb.region !== undefined && machine.regions?.usable(tb.region, this.#fetchPage) === false)
          return this.#find(machine.maxInsns);
        if (limit === 0) this.jumpCache.insert(tb, this.#isGlobal(tb));
        return tb;
      }
    }
    const tb = this.#translate({ pcLo, pcHi, flags, limit, ram }, mmu);
    if (tb !== undefined) {
      // The fetch of an instruction that the block ends before may have raised.
      i32[this.#e + ENV.exception / 4] = 0;
      if (limit === 0 && ram >= 0 && this.#cacheable(tb)) this.jumpCache.insert(tb, this.#isGlobal(tb));
    }
    return tb;
  }

  /** Translates the block at pc. Code that another thread was about to change meanwhile is read once more. */
  #translate(key: BlockKey, mmu: number): Tb | undefined {
    const machine = this.#machine;
    const { codePages } = machine;
    for (;;) {
      if (key.ram >= 0) codePages?.enter(key.ram);
      this.#source.start(key.ram, key.pcLo, key.pcHi, mmu);
      const tb = machine.translate(this, key, this.#source);
      if (tb === undefined || tb.ram < 0 || codePages === undefined) return tb;
      if (codePages.holds(tb.ram) && (tb.ram2 < 0 || codePages.holds(tb.ram2))) return tb;
      machine.blocks.drop(tb);
    }
  }

  /** All pages with code of a block, or of its region, are mapped the same in all address spaces. */
  #isGlobal(tb: Tb): boolean {
    const mmu = tb.flags & TB_FLAGS_MMU;
    const { tlb } = this;
    if (tb.ram2 >= 0 || !tlb.isGlobal(tb.pcLo, tb.pcHi, mmu)) return false;
    const pages = tb.region?.pages;
    if (pages === undefined || pages.length < 2) return true;
    return pages.every(({ pcLo }) => tlb.isGlobal(pcLo, tb.pcHi, mmu));
  }

  #cacheable(tb: Tb): boolean {
    const machine = this.#machine;
    if (machine.options.trace?.exec !== undefined) return false;
    return machine.breakpoints.size === 0 || !machine.breakpoints.has(pcOf(tb));
  }

  /** Chains two blocks; where the second may come to lie elsewhere, the chain leads to the jump cache. */
  #link(from: Tb, slot: number, to: Tb): void {
    if (!from.alive || !to.alive || from.limit !== 0 || to.limit !== 0 || from.flags !== to.flags) return;
    if (from.ram < 0 || to.ram < 0 || !this.#cacheable(to)) return;
    const { blocks, counters } = this.#machine;
    counters.links++;
    const samePage = from.ram >>> 12 === to.ram >>> 12 && from.pcLo >>> 12 === to.pcLo >>> 12 && from.pcHi === to.pcHi;
    const stays = samePage && to.ram2 < 0 && (to.region === undefined || to.region.pages.length < 2);
    if (stays || this.#machine.direct !== undefined) blocks.link(from, slot, to);
    else this.#i32[(from.address + TB.link + 4 * slot) >>> 2] = this.#machine.trampoline;
  }
}

function pcOf(tb: Tb): bigint {
  return (BigInt(tb.pcHi >>> 0) << 32n) | BigInt(tb.pcLo >>> 0);
}
