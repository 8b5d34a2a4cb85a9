import type { ClockSet, Machine } from "@mimus/machine-core";
import { CPU_FUNCTIONS, type TcgOptions, type ThreadableCpu, type WasmMemory } from "@mimus/tcg";
import type { RunnableCpu } from "../run-loop.ts";
import { Answering, awaitStopped, Orders } from "./calls.ts";
import { CodeNotices, rest } from "./code-notices.ts";
import { ASK, ORDER } from "./functions.ts";
import type { VcpuThread, VcpuThreadHost } from "./host.ts";
import { blockSize, ENGINE, SharedBlock, STATUS, VALUE, WORD } from "./shared-block.ts";
import { Slice } from "./slice.ts";

/** A vCPU that gets a thread. */
interface Moved {
  readonly object: ThreadableCpu;
  /** Package of its CPU type, and the export that makes {@link import("@mimus/tcg").FarCpuFactory}. */
  readonly module: string;
  readonly env: number;
  readonly code: number;
  readonly orders: Orders;
}

/** The threads of a machine's vCPUs but the first, which stays on the thread of the devices. */
export class VcpuThreads {
  readonly notices: CodeNotices;
  readonly #memory: WasmMemory;
  readonly #block: SharedBlock;
  readonly #host: VcpuThreadHost;
  readonly #options: TcgOptions;
  readonly #moved: Moved[] = [];
  readonly #threads: VcpuThread[] = [];
  readonly #wide = new Uint32Array(2);
  #answering: Answering | undefined;
  #machine: Machine | undefined;
  #listening = false;
  #running = false;
  #ended = false;

  constructor(memory: WasmMemory, cpus: number, host: VcpuThreadHost, options: TcgOptions) {
    this.#memory = memory;
    const bytes = memory.buffer.byteLength;
    this.#block = new SharedBlock(new SharedArrayBuffer(blockSize(cpus, bytes)), cpus, bytes);
    for (let n = 0; n < cpus; n++) this.#block.words[this.#block.at(n, ENGINE.parked)] = 1;
    for (let n = 0; n < cpus; n++) this.#block.words[this.#block.at(n, ENGINE.wanted)] = STATUS.stopped;
    this.#host = host;
    this.#options = options;
    this.notices = new CodeNotices(this.#block, 0);
  }

  /** The host's time, ns; set when the machine runs. */
  now: () => number = () => 0;

  /** The host's time as all threads see it. */
  latest(now: number): number {
    return this.#block.latest(now);
  }

  /** Moves the vCPU of a CPU object to a thread that begins later. `index` is the CPU's, at least 1. */
  move(index: number, object: ThreadableCpu, module: string, env: number, code: number): void {
    const orders = new Orders(this.#block, index);
    this.#moved[index] = { object, module, env, code, orders };
    object.moveTo((fn, ...values) => this.#order(index, ORDER.cpu, fn, ...values));
  }

  /** Gives a change of an input to a vCPU's thread; false: it stands, and the CPU object may be changed. */
  setIrq(index: number, line: number, level: boolean): boolean {
    return this.#order(index, ORDER.irq, line, level ? 1 : 0);
  }

  #order(index: number, kind: number, ...values: readonly number[]): boolean {
    if (!this.#running) return false;
    this.#moved[index]!.orders.give(() => {}, kind, ...values);
    return true;
  }

  /** Starts the threads; they stand. Resolves when all are there. @throws what kept one from starting */
  async open(machine: Machine, post: (fn: () => void) => void, failed: (error: unknown) => void): Promise<void> {
    this.#machine = machine;
    this.#answering = new Answering(this.#block, (engine, asked, answer) => this.#answer(engine, asked, answer));
    machine.system.onChange(() => Atomics.add(this.#block.words, WORD.map, 1));
    machine.memory.onCodeWrite((at, length) => this.#wrote(at, length));
    machine.memory.onMark(() => this.notices.heed(true));
    this.notices.onLockWait = () => this.serve();
    void this.#listen(post);
    const { now: _now, trace: _trace, ...options } = this.#options;
    const starts = this.#moved.map(async ({ object, module, env, code }, index) => {
      const start = { memory: this.#memory, block: this.#block.buffer, engines: this.#block.engines, index, env, code, options };
      const thread = await this.#host.start({ start, module, data: object.threadData() }, failed);
      this.#threads.push(thread);
    }); // prettier-ignore
    await Promise.all(starts);
    for (const index of this.#moved.keys()) if (index > 0) await this.#started(index);
  }

  async #started(index: number): Promise<void> {
    const { words } = this.#block;
    const at = this.#block.at(index, ENGINE.status);
    while (Atomics.load(words, at) === STATUS.starting) {
      const wait = Atomics.waitAsync(words, at, STATUS.starting);
      if (wait.async) await wait.value;
    }
  }

  /** Posts a look at the calls whenever a thread rings. */
  async #listen(post: (fn: () => void) => void): Promise<void> {
    if (this.#listening) return;
    this.#listening = true;
    const { words } = this.#block;
    while (!this.#ended) {
      const bell = Atomics.load(words, WORD.bell);
      post(() => this.serve());
      const wait = Atomics.waitAsync(words, WORD.bell, bell);
      if (wait.async) await wait.value;
    }
  }

  /** Answers all that ask now. */
  serve(): void {
    this.#answering?.serve();
  }

  /** Lets the vCPUs run: guest time has started. */
  run(now: () => number, clocks: ClockSet): void {
    if (this.#running || this.#ended) return;
    this.now = now;
    clocks.virtual.exact?.();
    const guest = clocks.virtual.now();
    this.#block.values[VALUE.lag] = now() - guest;
    this.#running = true;
    this.#want(STATUS.running);
  }

  /** Stops them, and returns when no guest code runs. */
  stop(): void {
    if (!this.#running) return;
    this.#want(STATUS.stopped);
    awaitStopped(this.#block, () => this.serve());
    this.#running = false;
  }

  /** Does something while no vCPU runs. */
  standing<T>(fn: () => T): T {
    if (!this.#running) return fn();
    this.stop();
    try {
      return fn();
    } finally {
      this.#running = true;
      this.#want(STATUS.running);
    }
  }

  #want(status: number): void {
    const { words } = this.#block;
    for (const [index, moved] of this.#moved.entries()) {
      if (moved === undefined) continue;
      Atomics.store(words, this.#block.at(index, ENGINE.wanted), status);
      Atomics.notify(words, this.#block.at(index, ENGINE.wanted));
      // One that is halted waits for an order.
      if (status !== STATUS.running) moved.orders.give(() => {}, ORDER.nothing);
    }
    // A thread that was told to run counts as running from now on, or it might be taken for standing.
    if (status === STATUS.running)
      for (const index of this.#moved.keys())
        if (index > 0) while (Atomics.load(words, this.#block.at(index, ENGINE.status)) !== status) rest(words);
  }

  /** Ends the threads. */
  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#running = false;
    this.#want(STATUS.ended);
    Atomics.notify(this.#block.words, WORD.bell);
    for (const thread of this.#threads) thread.end();
  }

  /** Instructions that the thread of a CPU has executed. */
  executed(index: number): number {
    const at = this.#block.at(index, ENGINE.executed);
    const { words } = this.#block;
    return (Atomics.load(words, at + 1) >>> 0) * 2 ** 32 + (Atomics.load(words, at) >>> 0);
  }

  /** The first vCPU: its slices are short, and between them the others are answered. */
  polled(vcpu: RunnableCpu): RunnableCpu {
    return new PolledCpu(vcpu, this);
  }

  /** A device wrote to pages with code. */
  #wrote(at: number, length: number): void {
    for (let page = at - (at % 4096); page < at + length; page += 4096) {
      this.notices.beforeStore(page);
      if (!this.notices.has(page)) this.#machine?.memory.watchCode(page, false);
    }
  }

  #answer(engine: number, asked: Float64Array, answer: Float64Array): void {
    const fn = asked[0]!;
    if (fn >= CPU_FUNCTIONS) return this.#moved[engine]!.object.answer(asked, answer);
    const space = this.#machine!.system;
    const at = asked[1]!;
    if (fn === ASK.lookup) {
      const range = space.lookup(at);
      answer[0] = range === undefined ? 0 : 1;
      answer[1] = range?.base ?? 0;
      answer[2] = range?.size ?? 0;
      answer[3] = range?.ramOffset ?? -1;
      answer[4] = range?.readonly === true ? 1 : 0;
      return;
    }
    const size = asked[2]! as 1 | 2 | 4;
    if (fn === ASK.read) answer[0] = space.read(at, size);
    else if (fn === ASK.write) space.write(at, size, asked[3]!);
    else if (fn === ASK.readWide) {
      space.readWide(at, this.#wide);
      answer[0] = this.#wide[0]!;
      answer[2] = this.#wide[1]!;
    } else space.writeWide(at, asked[2]!, asked[3]!);
    answer[1] = space.lastFault ? 1 : 0;
  }
}

/** A vCPU on the thread of the devices. */
class PolledCpu implements RunnableCpu {
  readonly #vcpu: RunnableCpu;
  readonly #threads: VcpuThreads;
  readonly #length: Slice = new Slice();
  #kicked = false;

  constructor(vcpu: RunnableCpu, threads: VcpuThreads) {
    this.#vcpu = vcpu;
    this.#threads = threads;
    threads.notices.onLate = () => vcpu.kick();
  }

  get executed(): number {
    return this.#vcpu.executed;
  }
  get runnable(): boolean {
    return this.#vcpu.runnable;
  }

  run(budget: number): "budget" | "halted" | "kick" | "debug" {
    const threads = this.#threads;
    this.#kicked = false;
    for (let left = budget; left > 0;) {
      const before = this.#vcpu.executed;
      threads.notices.unpark();
      const began = threads.now();
      const reason = this.#vcpu.run(Math.min(left, this.#length.insns));
      this.#length.observe(this.#vcpu.executed - before, threads.now() - began);
      threads.notices.park();
      threads.serve();
      if (reason === "debug" || reason === "halted") return reason;
      if (this.#kicked) return "kick";
      left -= Math.max(1, this.#vcpu.executed - before);
    }
    return "budget";
  }

  kick(): void {
    this.#kicked = true;
    this.#vcpu.kick();
  }
}
