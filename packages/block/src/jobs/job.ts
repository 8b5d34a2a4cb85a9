import { asBlockError, BlockError } from "../errors.ts";
import type { GraphNode } from "../graph-node.ts";
import type { ThrottleClock } from "../throttle.ts";

/** States of a job. Source: QEMU 7.2, qapi/job.json, `JobStatus`. */
export type JobStatus =
  | "created"
  | "running"
  | "paused"
  | "ready"
  | "standby"
  | "waiting"
  | "pending"
  | "aborting"
  | "concluded"
  | "null";
/** What kinds of jobs there are. Source: QEMU 7.2, qapi/job.json, `JobType`. */
export type JobType = "commit" | "stream" | "mirror" | "backup" | "create" | "amend";
/** What can be asked of a job. Source: QEMU 7.2, qapi/job.json, `JobVerb`. */
export type JobVerb = "cancel" | "pause" | "resume" | "set-speed" | "complete" | "finalize" | "dismiss" | "change";
/** What a job does when a request of its own fails. */
export type OnError = "report" | "ignore" | "enospc" | "stop" | "auto";

/** Which verbs each state takes. Source: QEMU 7.2, qapi/job.json, `JobVerb`, and measured. */
const TAKES: Readonly<Record<JobVerb, readonly JobStatus[]>> = {
  cancel: ["created", "running", "paused", "ready", "standby", "waiting", "pending"],
  pause: ["created", "running", "paused", "ready", "standby"],
  resume: ["created", "running", "paused", "ready", "standby"],
  "set-speed": ["created", "running", "paused", "ready", "standby"],
  complete: ["ready"],
  finalize: ["pending"],
  dismiss: ["concluded"],
  change: ["created", "running", "paused", "ready", "standby"],
};

/** Told to the monitor: QMP's event name and data. */
export interface JobEvent {
  /** Such as `BLOCK_JOB_COMPLETED`. */
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What a job does; the four last ones end it, after all jobs of its transaction have run. */
export interface JobBody {
  /** The job is made; it starts later, maybe after a moment that the body keeps. */
  attach?(job: Job): void;
  /** The work. Asks `job.pausePoint` often, and returns early when `job.cancelled`. */
  run(job: Job): Promise<void>;
  /** Changes the graph; may fail, and then everything is undone. */
  prepare?(): Promise<void>;
  /** Everything went well. What fails here is told, but undoes nothing. */
  commit?(): Promise<void> | void;
  /** The job failed or was cancelled: takes back what it did. */
  abort?(): Promise<void> | void;
  /** Always, last. */
  clean?(): Promise<void> | void;
  /** `block-job-complete`: a job that is ready ends well. */
  complete?(): void;
  /** Canceling a job that is ready without force leaves the copy as it is: no failure. */
  readonly softCancel?: boolean;
}

/** How a job is made, in QMP's terms. */
export interface JobOptions {
  /** Unique among the jobs of the graph. */
  readonly id: string;
  readonly type: JobType;
  /** Node or drive name that old commands know the job by. */
  readonly device?: string;
  /** Bytes a second; 0 = no limit. */
  readonly speed?: number;
  /** Default true. False: the job waits for `finalize` before it changes the graph. */
  readonly autoFinalize?: boolean;
  /** Default true. False: a concluded job stays to be looked at until `dismiss`. */
  readonly autoDismiss?: boolean;
  /** For failed reads; default "report". */
  readonly onSourceError?: OnError;
  /** For failed writes; default "report". */
  readonly onTargetError?: OnError;
  /** Block jobs tell more events than others. */
  readonly blockJob?: boolean;
  /** Nodes that nobody else may change or close meanwhile. */
  readonly nodes?: readonly GraphNode[];
  /** Jobs that end together. */
  readonly group?: JobGroup;
}

/** Jobs of one transaction with `completion-mode: grouped`: all succeed, or all are undone. */
export class JobGroup {
  /** Its members so far. */
  readonly jobs: Set<Job> = new Set();
}

/** A long operation that a monitor watches and steers. */
export class Job {
  /** Unique among the jobs of the graph. */
  readonly id: string;
  readonly type: JobType;
  /** What it was made with. */
  readonly options: JobOptions;
  /** The work. */
  readonly body: JobBody;
  /** Where it is in its life; verbs depend on it. */
  status: JobStatus = "created";
  /** Most bytes a second; 0 = no limit. */
  speed: number;
  /** Work done and work known so far, in bytes (or steps). */
  current = 0;
  total = 0;
  /** Why it failed; undefined while it has not. */
  error: BlockError | undefined;
  /** An error made it pause; until it is resumed. */
  ioStatus: "ok" | "failed" | "nospace" = "ok";
  /** It was asked to end without a result. */
  cancelled = false;
  /** Resolves when the job is over (concluded). */
  readonly done: Promise<void>;
  readonly #clock: ThrottleClock | undefined;
  readonly #tell: (event: JobEvent) => void;
  readonly #gone: () => void;
  #finish: () => void = () => undefined;
  /** Pauses that are in force: by the user, by drained sections. */
  #pauses = 0;
  #userPaused = false;
  #wake: (() => void)[] = [];
  #ready = false;
  #waitingToEnd = false;
  /** Bytes that the current slice of time allows still. */
  #slice = { start: 0, used: 0 };

  constructor(
    options: JobOptions,
    body: JobBody,
    env: { clock: ThrottleClock | undefined; tell: (event: JobEvent) => void; gone: () => void },
  ) {
    this.id = options.id;
    this.type = options.type;
    this.options = options;
    this.body = body;
    this.speed = options.speed ?? 0;
    this.#clock = env.clock;
    this.#tell = env.tell;
    this.#gone = env.gone;
    this.done = new Promise((resolve) => (this.#finish = resolve));
    options.group?.jobs.add(this);
    for (const node of options.nodes ?? []) node.holds.add(this.#hold);
    body.attach?.(this);
  }

  get #hold(): string {
    return `job '${this.id}'`;
  }
  async #letGo(): Promise<void> {
    const nodes = this.options.nodes ?? [];
    for (const node of nodes) node.holds.delete(this.#hold);
    for (const node of nodes) await node.closeUnheld();
  }

  /** It is held back, by the user or by a drained section. */
  get paused(): boolean {
    return this.#pauses > 0;
  }
  /** The user paused it, or an error did on the user's behalf. */
  get userPaused(): boolean {
    return this.#userPaused;
  }
  /** The copy has caught up once: `complete` may be called. */
  get isReady(): boolean {
    return this.#ready;
  }
  /** It is at work, not paused and not waiting. */
  get busy(): boolean {
    return this.status === "running" || (this.status === "ready" && this.#wake.length === 0);
  }

  /** Begins to work; resolves at once. */
  start(): void {
    this.#become("running");
    void this.#work();
  }

  /** @throws BlockError when the state does not take the verb */
  check(verb: JobVerb): void {
    if (TAKES[verb].includes(this.status)) return;
    throw new BlockError(
      "bad-option",
      `Job '${this.id}' in state '${this.status}' cannot accept command verb '${verb}'`,
    );
  }

  /** Pauses it for the user. @throws BlockError when the state does not take it */
  pause(): void {
    this.check("pause");
    if (this.#userPaused) throw new BlockError("bad-option", "Job is already paused");
    this.#userPaused = true;
    this.hold();
  }
  /** Ends the user's pause. @throws BlockError when there is none */
  resume(): void {
    this.check("resume");
    if (!this.#userPaused) throw new BlockError("bad-option", "Can't resume a job that was not paused");
    this.#userPaused = false;
    this.ioStatus = "ok";
    this.release();
  }
  /** Holds the job back: a drained section, or a pause of the user. */
  hold(): void {
    this.#pauses++;
  }
  /** Takes back one `hold`. */
  release(): void {
    if (--this.#pauses === 0) this.#wakeUp();
  }

  /** Bytes a second from now on; 0 = no limit. @throws BlockError "bad-option" below 0 */
  setSpeed(speed: number): void {
    this.check("set-speed");
    if (speed < 0) throw new BlockError("bad-option", "Invalid parameter 'speed'");
    this.speed = speed;
    this.#slice = { start: 0, used: 0 };
    this.#wakeUp();
  }

  /** Asks a job that is ready to end well. @throws BlockError when the state does not take it */
  complete(): void {
    this.check("complete");
    if (this.cancelled || !this.body.complete)
      throw new BlockError("bad-option", `The active block job '${this.id}' cannot be completed`);
    this.body.complete();
    this.#wakeUp();
  }

  /** Ends the job without its result; a job that is ready ends well unless `force`. */
  cancel(force = false): void {
    this.check("cancel");
    if (this.#ready && !force && this.body.softCancel) {
      this.body.complete?.();
      this.softCancelled = true;
    } else this.cancelled = true;
    if (this.#userPaused && !force) {
      this.#userPaused = false;
      this.#pauses--;
    }
    if (force) this.#pauses = 0;
    this.#wakeUp();
    if (this.#waitingToEnd) void this.#end();
  }
  /** A job that was ready ends where it is: the graph stays as it was. */
  softCancelled = false;

  /** Takes back a job that has not started. */
  async drop(): Promise<void> {
    await this.body.clean?.();
    await this.#letGo();
    this.#become("null");
    this.#finish();
    this.#gone();
  }

  /** Lets a pending job, and those of its group, change the graph. @throws BlockError when it is not pending */
  async finalize(): Promise<void> {
    this.check("finalize");
    await this.#conclude();
  }

  /** Forgets a concluded job. @throws BlockError when it is not concluded */
  dismiss(): void {
    this.check("dismiss");
    this.#become("null");
    this.#gone();
  }

  // ---- for the body ----

  /** Waits while the job is paused, and as long as its speed wants after `bytes` of work, which count as progress. */
  pausePoint(bytes = 0): Promise<void> {
    this.current += bytes;
    return this.breathe(bytes);
  }
  /** The same without counting. */
  async breathe(bytes: number): Promise<void> {
    if (this.speed > 0 && bytes > 0 && this.#clock) await this.#limit(bytes, this.#clock);
    while (this.#pauses > 0 && !this.cancelled) {
      const back = this.status;
      this.#become(back === "ready" ? "standby" : "paused");
      await this.#sleep();
      this.#become(back);
    }
  }

  /** The copy has caught up: `complete` may be called. */
  ready(): void {
    if (this.#ready) return;
    this.#ready = true;
    this.#become("ready");
    if (this.options.blockJob !== false) this.#tell({ name: "BLOCK_JOB_READY", data: this.#eventData(false) });
  }

  /** Waits until something wakes the job (a write, complete, cancel, resume), or `ns` have passed. */
  async idle(ns: number): Promise<void> {
    await (this.#clock ? Promise.race([this.#clock.delay(ns), this.#sleep()]) : this.#sleep());
  }
  /** Ends an `idle`. */
  wake(): void {
    this.#wakeUp();
  }

  /** What to do after a failed request: "report" ends the job, "ignore" goes on, "retry" after the user has resumed. */
  async failed(error: BlockError, where: "read" | "write"): Promise<"report" | "ignore" | "retry"> {
    const policy = (where === "read" ? this.options.onSourceError : this.options.onTargetError) ?? "report";
    const noSpace = error.kind === "no-space";
    const action = policy === "enospc" || policy === "auto" ? (noSpace ? "stop" : "report") : policy;
    this.#tell({ name: "BLOCK_JOB_ERROR", data: { device: this.id, operation: where, action } });
    if (action !== "stop") return action;
    this.ioStatus = noSpace ? "nospace" : "failed";
    if (!this.#userPaused) {
      this.#userPaused = true;
      this.hold();
    }
    await this.pausePoint();
    return this.cancelled ? "report" : "retry";
  }

  // ---- inside ----

  async #work(): Promise<void> {
    try {
      await this.pausePoint();
      if (!this.cancelled) await this.body.run(this);
    } catch (e) {
      if (!this.cancelled) this.error = asBlockError(e, `Job '${this.id}'`);
    }
    await this.#end();
  }

  /** The work is over: waits for the others of its transaction, then for `finalize`. */
  async #end(): Promise<void> {
    if (this.#concluding) return;
    const group = this.options.group;
    if (this.error || this.cancelled) {
      if (group) for (const other of group.jobs) if (other !== this) other.#failWith();
      return this.#conclude();
    }
    this.#waitingToEnd = true;
    this.#become("waiting");
    if (group && [...group.jobs].some((j) => !j.#waitingToEnd)) return;
    for (const job of group?.jobs ?? [this]) job.#become("pending");
    const manual = [...(group?.jobs ?? [this])].some((j) => j.options.autoFinalize === false);
    if (manual) {
      for (const job of group?.jobs ?? [this])
        if (job.options.blockJob !== false)
          job.#tell({ name: "BLOCK_JOB_PENDING", data: { type: job.type, id: job.id } });
      return;
    }
    await this.#conclude();
  }

  #failWith(): void {
    if (this.#concluding || this.cancelled) return;
    this.cancelled = true;
    this.#pauses = 0;
    this.#wakeUp();
    if (this.#waitingToEnd) void this.#end();
  }

  #concluding = false;
  async #conclude(): Promise<void> {
    if (this.#concluding) return;
    const members = this.error || this.cancelled ? [this as Job] : [...(this.options.group?.jobs ?? [this])];
    for (const job of members) job.#concluding = true;
    try {
      for (const job of members) if (!job.#bad && !job.softCancelled) await job.body.prepare?.();
    } catch (e) {
      const error = asBlockError(e, `Job '${this.id}'`);
      for (const job of members) job.error ??= error;
    }
    for (const job of members) await job.#settle();
  }

  get #bad(): boolean {
    return this.error !== undefined || this.cancelled;
  }

  async #settle(): Promise<void> {
    const bad = this.#bad;
    if (bad) this.#become("aborting");
    try {
      if (bad || this.softCancelled) await this.body.abort?.();
      else await this.body.commit?.();
    } catch (e) {
      this.error ??= asBlockError(e, `Job '${this.id}'`);
    }
    try {
      await this.body.clean?.();
      await this.#letGo();
    } catch (e) {
      this.error ??= asBlockError(e, `Job '${this.id}'`);
    }
    if (this.options.blockJob !== false) {
      const name = this.cancelled ? "BLOCK_JOB_CANCELLED" : "BLOCK_JOB_COMPLETED";
      this.#tell({ name, data: this.#eventData(name === "BLOCK_JOB_COMPLETED") });
    }
    this.#become("concluded");
    this.#finish();
    if (this.options.autoDismiss !== false) this.dismiss();
  }

  #eventData(withError: boolean): Record<string, unknown> {
    return {
      type: this.type,
      device: this.id,
      len: this.total,
      offset: this.current,
      speed: this.speed,
      ...(withError && this.error ? { error: this.error.message } : {}),
    };
  }

  async #limit(bytes: number, clock: ThrottleClock): Promise<void> {
    const now = clock.now();
    const sliceMs = 100;
    const allowed = (this.speed * sliceMs) / 1000;
    if (now >= this.#slice.start + sliceMs * Math.ceil(Math.max(1, this.#slice.used / Math.max(1, allowed))))
      this.#slice = { start: now, used: 0 };
    this.#slice.used += bytes;
    const until = this.#slice.start + sliceMs * Math.floor(this.#slice.used / Math.max(1, allowed));
    const speed = this.speed;
    while (!this.cancelled && this.speed === speed && this.#pauses === 0) {
      const left = until - clock.now();
      if (left <= 0) return;
      await Promise.race([clock.delay(Math.ceil(Math.min(left, 100) * 1e6)), this.#sleep()]);
    }
  }

  #sleep(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }
  #wakeUp(): void {
    for (const go of this.#wake.splice(0)) go();
  }

  #become(status: JobStatus): void {
    if (this.status === status) return;
    this.status = status;
    this.#tell({ name: "JOB_STATUS_CHANGE", data: { status, id: this.id } });
  }
}
