/** The CPU objects of the tree, and their QOM types. */
import { cpuType, type CpuClass, CpuObject, type CpuRequest } from "@mimus/machine-core";
import type { TypeSpec } from "@mimus/qom";
import type { AttachableCpu, Engine, Target, ThreadableCpu } from "@mimus/tcg";
import type {
  CpuSignals, InterruptController, LocalApic, PhysicalWindow, PortBus, TimeSource, X86Config,
} from "./config.ts"; // prettier-ignore
import { X86Cpu } from "./cpu.ts";
import { X86Error } from "./errors.ts";
import { MODEL_ALIASES, MODEL_DATA } from "./models/data.ts";
import { findModel, x86Config } from "./models/expand.ts";
import type { ModelData } from "./models/model.ts";
import { cpuProps, type CpuProps } from "./models/props.ts";
import { X86State } from "./snapshot.ts";
import type { WordSize } from "./state.ts";
import { createTarget } from "./target.ts";
import { answerFar } from "./threads/answer.ts";
import type { X86ThreadData } from "./threads/far-cpu.ts";
import { ORDER } from "./threads/functions.ts";

/** An x86 CPU as an object of the machine. */
class X86CpuObject extends CpuObject implements AttachableCpu, ThreadableCpu {
  readonly config: X86Config;
  readonly #data: X86ThreadData;
  /** Where the CPU runs on another thread. */
  #order: ((fn: number, ...values: readonly number[]) => boolean) | undefined;
  #smram: PhysicalWindow | undefined;
  #cpu: X86Cpu | undefined;
  #signals: CpuSignals = {};

  constructor(request: CpuRequest, model: ModelData, word: WordSize) {
    const self = (): X86CpuObject => this;
    const wiring = {
      get cpu(): unknown {
        return self().attached;
      },
      setIrq: (line: number, level: boolean): void => self().cpuState.setIrq(line, level),
    };
    super(request.type, request.machine, request.props, request.index, wiring);
    const { machine, index } = request;
    const { cpus, topology } = machine.options;
    const place = {
      index,
      cpus,
      threads: topology?.threads ?? 1,
      cores: topology === undefined ? cpus : topology.cores * topology.dies,
    };
    this.#data = { model: model.name, word, props: request.props as CpuProps, place };
    this.config = x86Config(model, request.props as CpuProps, word, place, (text) => {
      if (index === 0) machine.log.write("warning", "cpu", text);
    });
  }

  target(): Target {
    return createTarget(this.config);
  }

  attach(engine: Engine, env: number): X86Cpu {
    const cpu = new X86Cpu(engine, env, this.index, this.config);
    this.#cpu = cpu;
    cpu.setSignals(this.#wires());
    return cpu;
  }

  /** The CPU's state, when an engine is attached. */
  get attached(): X86Cpu | undefined {
    return this.#cpu;
  }
  /** @throws X86Error when no engine is attached */
  get cpuState(): X86Cpu {
    if (!this.#cpu) throw new X86Error("bad-state", `CPU ${this.index} has no engine to run it`);
    return this.#cpu;
  }

  setExecuted(): void {}

  setPortBus(ports: PortBus): void {
    this.cpuState.setPortBus(ports);
  }
  setInterruptController(controller: InterruptController): void {
    this.cpuState.setInterruptController(controller);
  }
  setApic(apic: LocalApic): void {
    this.cpuState.setApic(apic);
  }
  setTimeSource(time: TimeSource): void {
    this.cpuState.setTimeSource(time);
  }
  setWindow(name: "apic" | "smram", window: PhysicalWindow | undefined): void {
    if (name === "smram") this.#smram = window;
    this.cpuState.setWindow(name, window);
    this.#order?.(ORDER.rewire);
  }
  /** What the CPU tells the machine; a shutdown resets the machine unless `shutdown` is given. */
  setSignals(signals: CpuSignals): void {
    this.#signals = signals;
    this.#cpu?.setSignals(this.#wires());
  }
  sipi(vector: number): void {
    if (this.#order?.(ORDER.sipi, vector) !== true) this.cpuState.sipi(vector);
  }

  threadData(): X86ThreadData {
    return this.#data;
  }
  moveTo(order: (fn: number, ...values: readonly number[]) => boolean): void {
    this.#order = order;
  }
  answer(asked: Float64Array, answer: Float64Array): void {
    answerFar(this.cpuState, this.cpuState.signals, this.#smram, asked, answer);
  }

  #wires(): CpuSignals {
    const { machine } = this;
    const { log } = machine;
    const bytes = new Uint8Array(4);
    const words = new DataView(bytes.buffer);
    return {
      shutdown: () => machine.requestReset("guest"),
      random: () => {
        machine.random(bytes);
        return words.getInt32(0);
      },
      log: {
        wants: (what) => log.enabled(what === "reset" ? "cpu-reset" : "interrupt"),
        onChange: (fn) => log.onChange(fn),
        write: (what, text) => log.write(what === "reset" ? "cpu-reset" : "interrupt", "cpu", text),
      },
      ...this.#signals,
    };
  }

  override realize(): void {
    if (this.realized) return;
    super.realize();
    this.context.stateful(new X86State(() => this.cpuState), "cpu");
  }
}

/** Root of the x86 CPU types. */
const root = (name: string, summary: string): TypeSpec => ({
  name,
  kind: "cpu",
  parent: "cpu",
  bases: [cpuType],
  abstract: true,
  summary,
  props: cpuProps,
});

/** The abstract types. */
export const x86Cpu: readonly TypeSpec[] = [root("x86_64-cpu", "an x86-64 CPU"), root("i386-cpu", "an i386 CPU")];

function typeOf(name: string, model: ModelData, word: WordSize, summary: string = model.summary): TypeSpec {
  const target = word === 64 ? "x86_64" : "i386";
  const cpu: CpuClass<AttachableCpu> = {
    model: name,
    targets: [target],
    threads: "@mimus/target-x86",
    storesInOrder: true,
    create: (request) => new X86CpuObject(request, model, word),
  };
  return {
    name: `${name}-${target}-cpu`,
    kind: "cpu",
    parent: `${target}-cpu`,
    summary,
    userCreatable: false,
    class: { cpu },
  };
}

/** One type for each name of a model and each word size. */
export const cpuTypes: readonly TypeSpec[] = ([64, 32] as const).flatMap((word) => [
  ...MODEL_DATA.map((model) => typeOf(model.name, model, word)),
  ...Object.entries(MODEL_ALIASES).map(([alias, name]) => {
    const what = name === `${alias}-v1` ? "(alias configured by machine type)" : `(alias of ${name})`;
    return typeOf(alias, findModel(alias)!, word, what);
  }),
]);
