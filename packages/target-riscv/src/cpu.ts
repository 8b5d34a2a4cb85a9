/** The CPU objects of the tree, and their QOM types. */
import { cpuType, type CpuClass, CpuObject, type CpuRequest } from "@mimus/machine-core";
import type { TypeSpec } from "@mimus/qom";
import type { AttachableCpu, Engine, Target } from "@mimus/tcg";
import { isaString, type HartConfig } from "./config.ts";
import type { TimeSource } from "./counters.ts";
import { RiscvError } from "./errors.ts";
import { Hart } from "./hart.ts";
import { hartConfig, MODELS } from "./models.ts";
import { commonProps, extensionProps, type CpuModel, type CpuProps } from "./props.ts";
import { HartState } from "./snapshot.ts";
import { createTarget } from "./target.ts";

/** A RISC-V hart as an object of the machine. */
export class RiscvCpu extends CpuObject implements AttachableCpu {
  readonly config: HartConfig;
  #hart: Hart | undefined;
  #time: TimeSource | undefined;
  #executed: (() => number) | undefined;

  constructor(request: CpuRequest, model: CpuModel) {
    const wiring = {
      get cpu(): unknown {
        return self().attached;
      },
      setIrq: (line: number, level: boolean): void => self().hart.setIrq(line, level),
    };
    super(request.type, request.machine, request.props, request.index, wiring);
    const self = (): RiscvCpu => this;
    this.config = { ...hartConfig(model, request.props as CpuProps, request.index), inlineTraps: true };
  }

  target(): Target {
    return createTarget(this.config);
  }

  attach(engine: Engine, env: number): Hart {
    const hart = new Hart(engine, env, this.index, this.config);
    this.#hart = hart;
    if (this.#executed) hart.counters.setExecuted(this.#executed);
    if (this.#time) hart.counters.setTimeSource(this.#time);
    return hart;
  }

  /** The hart, when an engine is attached. */
  get attached(): Hart | undefined {
    return this.#hart;
  }

  /** @throws RiscvError when no engine is attached */
  get hart(): Hart {
    if (!this.#hart) throw new RiscvError("bad-state", `hart ${this.config.hartid} has no engine to run it`);
    return this.#hart;
  }

  setExecuted(executed: () => number): void {
    this.#executed = executed;
    this.#hart?.counters.setExecuted(executed);
  }

  /** Where `time` and the Sstc timer come from: the board's machine timer. */
  setTimeSource(source: TimeSource): void {
    this.#time = source;
    this.#hart?.counters.setTimeSource(source);
  }

  /** Call when the time source jumped: mtime was written. */
  timeChanged(): void {
    this.#hart?.counters.timeChanged();
  }

  /** The hart's name in the device tree. */
  get isaString(): string {
    return isaString(this.config, this.getProperty("short-isa-string") === true);
  }

  override realize(): void {
    if (this.realized) return;
    super.realize();
    const dev = this.context;
    dev.stateful(new HartState(() => this.hart), "hart");
    dev.input("irq", 16, (line, level) => this.setIrq(line, level));
    this.hart.counters.setTimer(dev.timer(() => this.hart.counters.timeChanged()));
    dev.onLoaded(() => this.hart.counters.timeChanged());
  }
}

/** Root of the RISC-V CPU types. */
export const riscvCpu: TypeSpec = {
  name: "riscv-cpu",
  kind: "cpu",
  parent: "cpu",
  bases: [cpuType],
  abstract: true,
  summary: "a RISC-V hart",
  props: commonProps,
};

/** QOM name of a model's type. `any` exists in both widths, so its name says which. */
function typeName(model: CpuModel): string {
  return model.name === "any" ? `any-riscv${model.xlen}-cpu` : `${model.name}-riscv-cpu`;
}

/** One type for each model. */
export const cpuTypes: readonly TypeSpec[] = MODELS.map((model) => {
  const cpu: CpuClass<AttachableCpu> = {
    model: model.name,
    targets: [`riscv${model.xlen}`],
    create: (request) => new RiscvCpu(request, model),
  };
  return {
    name: typeName(model),
    kind: "cpu",
    parent: "riscv-cpu",
    summary: model.summary,
    userCreatable: false,
    ...(model.flexible ? { props: extensionProps } : {}),
    class: { cpu },
  };
});
