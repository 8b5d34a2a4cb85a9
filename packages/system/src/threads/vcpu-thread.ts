import {
  type ExitReason,
  type FarCpu,
  type FarCpuFactory,
  TcgMachine,
  type TcgOptions,
  type Vcpu,
  type WasmMemory,
} from "@mimus/tcg";
import { Asking, Orders, ring } from "./calls.ts";
import { CodeNotices } from "./code-notices.ts";
import { FarBus } from "./far-bus.ts";
import { ORDER } from "./functions.ts";
import { ENGINE, SharedBlock, STATUS, VALUE, WORD } from "./shared-block.ts";
import { Slice } from "./slice.ts";

/** What a vCPU's thread begins with: all of it can be copied between threads. */
export interface ThreadStart {
  readonly memory: WasmMemory;
  readonly block: SharedArrayBuffer;
  readonly engines: number;
  /** Number of the engine, and of its CPU. */
  readonly index: number;
  /** Place of the CPU's state block, and of memory for code, in the machine memory. */
  readonly env: number;
  readonly code: number;
  readonly options: TcgOptions;
}

/**
 * The life of a vCPU on a thread of its own. Returns when the machine ends.
 * @param now the host's time in ns, as the devices' thread has it
 */
export function runVcpu(start: ThreadStart, factory: FarCpuFactory, now: () => number): void {
  new VcpuThread(start, factory, now).run();
}

class VcpuThread {
  readonly #block: SharedBlock;
  readonly #words: Int32Array;
  readonly #notices: CodeNotices;
  readonly #orders: Orders;
  readonly #bus: FarBus;
  readonly #vcpu: Vcpu;
  readonly #cpu: FarCpu;
  readonly #status: number;
  readonly #wanted: number;
  readonly #executed: number;
  readonly #now: () => number;
  readonly #length: Slice = new Slice();
  #map = 0;

  constructor(start: ThreadStart, factory: FarCpuFactory, now: () => number) {
    const { memory, index } = start;
    const block = new SharedBlock(start.block, start.engines, memory.buffer.byteLength);
    this.#now = now;
    this.#block = block;
    this.#words = block.words;
    this.#status = block.at(index, ENGINE.status);
    this.#wanted = block.at(index, ENGINE.wanted);
    this.#executed = block.at(index, ENGINE.executed);
    this.#notices = new CodeNotices(block, index);
    this.#orders = new Orders(block, index);
    const asking = new Asking(block, index, this.#notices);
    const bus = new FarBus(asking, memory.buffer);
    this.#bus = bus;
    const machine = new TcgMachine({
      memory,
      // The state block is there already, and code is all that is asked for besides.
      alloc: (name) => (name === "tcg.code" ? start.code : start.env),
      target: factory.target(),
      physical: bus,
      codePages: this.#notices,
      options: start.options,
    });
    const far = {
      now: () => block.latest(now()) - block.values[VALUE.lag]!,
      ask: (fn: number, a?: number, b?: number, c?: number, d?: number, e?: number): number =>
        asking.ask(fn, a, b, c, d, e),
      answer: asking.answer,
    };
    let cpu: FarCpu | undefined;
    this.#vcpu = machine.createCpu((env, engine) => (cpu = factory.attach(engine, env, far)));
    this.#cpu = cpu as FarCpu;
    asking.onAnswer = () => this.#look(false);
    this.#notices.onLate = () => this.#vcpu.kick();
    this.#notices.onLost = () => {
      this.#vcpu.flushTlb(-1);
      machine.flushCode();
    };
  }

  run(): void {
    for (;;) {
      this.#obey();
      const wanted = Atomics.load(this.#words, this.#wanted);
      if (wanted === STATUS.ended) return this.#tell(STATUS.ended);
      if (wanted !== STATUS.running) {
        this.#tell(STATUS.stopped);
        Atomics.wait(this.#words, this.#wanted, wanted);
        if (Atomics.load(this.#words, this.#wanted) !== STATUS.running) continue;
        Atomics.store(this.#words, this.#status, STATUS.running);
        this.#bus.forget();
        this.#cpu.resumed();
        continue;
      }
      this.#look(true);
      this.#notices.unpark();
      const reason = this.#slice();
      this.#notices.park();
      if (reason === "halted") this.#orders.sleep();
    }
  }

  #tell(status: number): void {
    Atomics.store(this.#words, this.#status, status);
    Atomics.notify(this.#words, this.#status);
    ring(this.#block);
  }

  #obey(): void {
    for (let order = this.#orders.take(); order !== undefined; order = this.#orders.take()) {
      if (order[0] === ORDER.irq) this.#cpu.setIrq(order[1]!, order[2] !== 0);
      else if (order[0] === ORDER.cpu) this.#cpu.ordered(order.subarray(1));
    }
  }

  /**
   * After each answer, and between two slices of guest code: the address space may have changed, and orders may wait. In
   * the middle of an access a change is not done with: what the access goes on to note may be older.
   */
  #look(between: boolean): void {
    const map = Atomics.load(this.#words, WORD.map);
    if (map !== this.#map) {
      if (between) this.#map = map;
      else this.#vcpu.kick();
      this.#bus.forget();
    }
    if (!between && this.#orders.waiting) this.#vcpu.kick();
  }

  /** Runs guest code for a while, and tells how much. */
  #slice(): ExitReason {
    const vcpu = this.#vcpu;
    const before = vcpu.executed;
    const began = this.#now();
    const reason = vcpu.run(this.#length.insns);
    const { executed } = vcpu;
    this.#length.observe(executed - before, this.#now() - began);
    Atomics.store(this.#words, this.#executed, executed | 0);
    Atomics.store(this.#words, this.#executed + 1, Math.floor(executed / 2 ** 32));
    return reason;
  }
}
