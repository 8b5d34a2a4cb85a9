import type { BlockBackend, IoErrorEvent } from "@mimus/block";
import { INPUT_ROUTER, type InputRouter } from "@mimus/display";
import type { Machine, MachineState, StopReason, WakeReason } from "@mimus/machine-core";
import type { TcgMachine, Vcpu } from "@mimus/tcg";
import type { CpuSet } from "./cpu.ts";
import { SystemError } from "./errors.ts";
import type { SystemHost } from "./host.ts";
import { Mailbox } from "./mailbox.ts";
import { RunLoop, type LoopOptions, type StepResult } from "./run-loop.ts";

/** What a machine is doing; the names are QMP's RunState. */
export type RunState =
  | "prelaunch"
  | "running"
  | "suspended"
  | "paused"
  | "debug"
  | "watchdog"
  | "shutdown"
  | "guest-panicked"
  | "io-error";

/** How a machine ended. */
export interface Exit {
  /** Why it ended. */
  readonly reason: "guest-shutdown" | "guest-reset" | "guest-panic" | "host-quit" | "error";
  /** Exit status for the process. */
  readonly code: number;
  /** What went wrong, for "error". */
  readonly error?: unknown;
}

/** What a machine does when its guest asks to end or to restart. */
export interface Policies {
  /** Guest powers off: end, or stay for the monitor. Default "poweroff". */
  readonly shutdown?: "poweroff" | "pause";
  /** Guest restarts. Default "reset". */
  readonly reboot?: "reset" | "shutdown";
  /** Guest tells that it has crashed: as `shutdown` says, stop, end with status 1, or nothing. Default "shutdown". */
  readonly panic?: "shutdown" | "pause" | "exit-failure" | "none";
}

/** Something that happened to the machine. */
export type SystemEvent =
  | { readonly type: "state"; readonly state: RunState; readonly running: boolean }
  | { readonly type: "reset"; readonly guest: boolean }
  | { readonly type: "io-error"; readonly error: IoErrorEvent }
  | { readonly type: "shutdown"; readonly reason: Exit["reason"]; readonly guest: boolean };

/** What a {@link System} is made of; `assemble` does it. */
export interface SystemParts {
  readonly machine: Machine;
  readonly cpus: CpuSet;
  readonly host: SystemHost;
  readonly loop?: LoopOptions;
  readonly policies?: Policies;
  /** No vCPU runs and time stands still: a test protocol drives the machine. */
  readonly qtest?: boolean;
}

/** A whole machine that runs, pauses, resets and ends. All methods may be called at any time from outside guest code. */
export class System {
  /** The board with its devices. */
  readonly machine: Machine;
  /** What it was given of the outside world. */
  readonly host: SystemHost;
  /** No CPU runs: devices are driven by the test protocol. */
  readonly qtest: boolean;
  /** Resolves when the machine has ended. */
  readonly exit: Promise<Exit>;
  readonly #cpus: CpuSet;
  readonly #mailbox: Mailbox = new Mailbox();
  readonly #loop: RunLoop;
  readonly #policies: Policies;
  readonly #listeners: Set<(event: SystemEvent) => void> = new Set();
  readonly #drives: BlockBackend[] = [];
  #state: RunState = "prelaunch";
  #active: Promise<void> | undefined;
  /** A reset that waits until the drives are idle. */
  #resetWanted: { readonly guest: boolean } | undefined;
  #resolveExit: (exit: Exit) => void = () => {};
  #ended = false;

  /** @internal */
  constructor(parts: SystemParts) {
    this.machine = parts.machine;
    this.host = parts.host;
    this.qtest = parts.qtest ?? false;
    this.#cpus = parts.cpus;
    this.#policies = parts.policies ?? {};
    this.exit = new Promise((resolve) => (this.#resolveExit = resolve));
    const { clocks } = this.machine;
    clocks.stop();
    // Building took host time, but guest time begins now.
    clocks.virtual.set(0);
    const runnable = this.qtest ? [] : this.#cpus.runnable;
    this.#loop = new RunLoop(runnable, clocks, this.host, this.#mailbox, parts.loop);
    if (this.qtest) {
      // Time moves only when the protocol says so; nothing runs by itself.
      clocks.virtual.setSource(() => 0);
      clocks.start();
    }
    this.#cpus.onInterrupt = (index) => this.#loop.interrupted(index);
    this.#cpus.onTranslation = () => this.#loop.translated();
    let resets = 0;
    this.machine.on("reset-request", (reason: "guest" | "host") => {
      // A guest may ask many times before it is heard: that is one reset.
      if (resets++ > 0) return;
      this.post(() => {
        resets = 0;
        this.#resetRequested(reason === "guest");
      });
    });
    this.machine.on("shutdown-request", (reason: Exit["reason"], code: number) =>
      this.post(() => this.#shutdownRequested(reason, code)),
    );
    this.machine.on("stop-request", (reason: StopReason) =>
      this.post(() => {
        if (this.#active !== undefined || this.qtest) this.#stop(reason);
      }),
    );
    this.machine.on("suspend-request", () => this.post(() => this.#suspend()));
    this.machine.on("wakeup-request", (reason: WakeReason) => this.post(() => this.#wake(reason)));
  }

  /** Run state, in QMP's names. */
  get state(): RunState {
    return this.#state;
  }
  /** Guest code runs. */
  get running(): boolean {
    return this.#state === "running";
  }
  /** The guest sleeps: only an event of {@link Machine.requestWakeup} or a reset ends that. */
  get suspended(): boolean {
    return this.#loop.suspended;
  }
  /** The engine's vCPUs, by CPU index. */
  get vcpus(): readonly Vcpu[] {
    return this.#cpus.vcpus;
  }
  /** The translation engine; undefined for a machine without CPUs. */
  get engine(): TcgMachine | undefined {
    return this.#cpus.engine;
  }
  /** The vCPU that hit a breakpoint last. */
  get debugStop(): number | undefined {
    return this.#loop.debugStop;
  }
  /** Instructions executed by all vCPUs. */
  get executed(): number {
    return this.#loop.executed;
  }
  /** The flattened device tree of the machine, when it has one. */
  get deviceTree(): Uint8Array | undefined {
    return this.machine.backend("fdt", "machine") as Uint8Array | undefined;
  }

  /** Keyboard and pointer of the guest; give it events through {@link System.post}. */
  get input(): InputRouter {
    return this.machine.backend(INPUT_ROUTER.kind, INPUT_ROUTER.id) as InputRouter;
  }

  /** Calls `listener` for each event. @returns a function that stops it */
  onEvent(listener: (event: SystemEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * The one door to a machine: `fn` runs between two slices of guest code, in the order of posting; at once while the machine does not run.
   */
  post(fn: () => void): void {
    this.#mailbox.post(fn);
    if (this.#active === undefined) this.#mailbox.deliver();
  }

  /** Applies the drive's error policy: a request that fails may stop the machine, and is tried again when it goes on. */
  watchDrive(drive: BlockBackend): void {
    this.#drives.push(drive);
    drive.onIoError = (error) => {
      this.#emit({ type: "io-error", error });
      if (error.action === "stop" && this.#ticking) this.post(() => this.#stop("io-error"));
    };
  }

  /** Starts the machine, or lets it go on. */
  start(): void {
    if (this.#ended) throw new SystemError("bad-state", "the machine has ended");
    if (this.#state === "running") return;
    if (this.#state === "shutdown" || this.#state === "guest-panicked") {
      throw new SystemError("bad-state", `the machine is in state ${this.#state}: reset it first`);
    }
    if (this.#active !== undefined && this.#state === "suspended") return;
    this.#setState(this.suspended ? "suspended" : "running");
    for (const drive of this.#drives) drive.retry();
    if (this.qtest) return;
    this.machine.clocks.start();
    this.#startThreads();
    this.#active = (this.#active ?? Promise.resolve()).then(() => this.#run());
  }

  /** Stops guest code and guest time. Resolves when no guest code runs any more and no request to a drive is in flight. */
  async pause(state: RunState = "paused"): Promise<void> {
    if (this.#ticking) this.#stop(state);
    await this.#active;
    await this.#drain();
  }

  /** Resets the machine; a machine that was shut down may run again afterwards. */
  reset(): void {
    this.post(() => this.#reset(false));
  }

  /** Ends the machine. */
  shutdown(code = 0): void {
    this.#end({ reason: "host-quit", code });
  }

  /** One round of timers and vCPUs without waiting, for tests; the machine must be paused. Guest time runs during it. */
  step(maxInsns?: number): StepResult {
    if (this.#active !== undefined) throw new SystemError("bad-state", "the machine runs: pause it before stepping");
    this.machine.clocks.start();
    this.#startThreads();
    try {
      return this.#loop.step(maxInsns);
    } finally {
      this.#cpus.threads?.stop();
      this.machine.clocks.stop();
    }
  }

  /** The machine's state for a snapshot. @throws SystemError bad-state while it runs */
  saveState(): MachineState {
    if (this.#active !== undefined) throw new SystemError("bad-state", "the machine runs: pause it first");
    return this.machine.saveState();
  }

  /** Puts a state of `saveState` in place. @throws SystemError bad-state while it runs, MachineError for a state of another machine */
  loadState(raw: unknown): void {
    if (this.#active !== undefined) throw new SystemError("bad-state", "the machine runs: pause it first");
    this.machine.loadState(raw);
  }

  /** Does something while no vCPU runs, on any thread: what it looks at does not change. */
  standing<T>(fn: () => T): T {
    const { threads } = this.#cpus;
    return threads === undefined ? fn() : threads.standing(fn);
  }

  /** Starts the threads of vCPUs, which stand. Called once, before the machine is reset for the first time. */
  async openThreads(): Promise<void> {
    const failed = (error: unknown): void => this.#end({ reason: "error", code: 1, error });
    await this.#cpus.threads?.open(this.machine, (fn) => this.post(fn), failed);
  }

  /** Lets the vCPUs on threads run, where the first one may. */
  #startThreads(): void {
    if (!this.suspended) this.#cpus.threads?.run(() => this.host.now(), this.machine.clocks);
  }

  async #run(): Promise<void> {
    if (!this.#ticking) {
      this.#active = undefined;
      return;
    }
    try {
      do {
        await this.#resetWhenIdle();
        if ((await this.#loop.run()) === "debug") this.#stop("debug");
      } while (this.#resetWanted !== undefined && this.#ticking);
      await this.#resetWhenIdle();
    } catch (error) {
      this.#end({ reason: "error", code: 1, error });
    }
    this.#active = undefined;
    this.#mailbox.deliver();
  }

  async #drain(): Promise<void> {
    for (const drive of this.#drives) await drive.drain();
  }

  /** The reset that waits for the drives: what they still read must not land in the memory of a machine that starts anew. */
  async #resetWhenIdle(): Promise<void> {
    if (this.#resetWanted === undefined) return;
    await this.#drain();
    const { guest } = this.#resetWanted;
    this.#resetWanted = undefined;
    this.#resetNow(guest);
  }

  #stop(state: RunState): void {
    this.#cpus.threads?.stop();
    if (!this.qtest) this.machine.clocks.stop();
    this.#loop.stop();
    this.#setState(state);
  }

  /** Guest time passes: the guest runs or sleeps. */
  get #ticking(): boolean {
    return this.#state === "running" || this.#state === "suspended";
  }

  #suspend(): void {
    if (!this.running) return;
    this.#loop.suspended = true;
    this.#cpus.threads?.stop();
    this.#setState("suspended");
    this.machine.emit("suspend");
  }

  /** Everything but memory starts anew; firmware finds out that it did so before. */
  #wake(reason: WakeReason): void {
    if (!this.suspended) return;
    const sleeping = this.#state === "suspended";
    this.#loop.suspended = false;
    this.machine.reset();
    this.machine.emit("wakeup", reason);
    if (sleeping) {
      this.#startThreads();
      this.#setState("running");
    }
  }

  #setState(state: RunState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#emit({ type: "state", state, running: state === "running" });
  }

  #emit(event: SystemEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  #resetRequested(guest: boolean): void {
    if (guest && this.#policies.reboot === "shutdown") this.#shutdownRequested("guest-reset", 0);
    else this.#reset(guest);
  }

  #reset(guest: boolean): void {
    if (this.#ended || this.#resetWanted !== undefined) return;
    for (const drive of this.#drives) drive.abandon();
    if (!this.#drives.some((drive) => drive.inFlight > 0)) return this.#resetNow(guest);
    this.#resetWanted = { guest };
    if (this.#active !== undefined) this.#loop.stop();
    else
      this.#active = this.#resetWhenIdle().finally(() => {
        this.#active = undefined;
        this.#mailbox.deliver();
      });
  }

  #resetNow(guest: boolean): void {
    if (this.#ended) return;
    this.#loop.suspended = false;
    this.#cpus.threads?.stop();
    this.machine.reset();
    if (this.#ticking) this.#startThreads();
    if (this.#state === "suspended") this.#setState("running");
    if (this.#state === "shutdown" || this.#state === "guest-panicked") this.#setState("prelaunch");
    this.#emit({ type: "reset", guest });
  }

  #shutdownRequested(reason: Exit["reason"], code: number): void {
    if (this.#ended) return;
    const panicked = reason === "guest-panic";
    const { panic, shutdown } = this.#policies;
    if (panicked && panic === "none") return;
    this.#emit({ type: "shutdown", reason, guest: reason !== "host-quit" });
    if (panicked && panic === "exit-failure") return this.#end({ reason, code: 1 });
    if ((panicked && panic === "pause") || (shutdown === "pause" && reason !== "host-quit")) {
      this.#stop(panicked ? "guest-panicked" : "shutdown");
      return;
    }
    this.#end({ reason, code });
  }

  #end(exit: Exit): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stop("shutdown");
    this.#cpus.threads?.close();
    this.#resolveExit(exit);
  }
}
