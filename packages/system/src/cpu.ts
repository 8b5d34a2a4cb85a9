import type { CpuObject, CpuRequest, Machine } from "@mimus/machine-core";
import { didYouMean, type Registry, type ResolvedType } from "@mimus/qom";
import {
  ENV,
  type Engine,
  type Target,
  type TargetCpu,
  TcgMachine,
  type TcgOptions,
  type Vcpu,
  type WasmMemory,
} from "@mimus/tcg";
import { physicalBus } from "@mimus/machine-core";
import { SystemError } from "./errors.ts";
import type { RunnableCpu } from "./run-loop.ts";

/** What a CPU type says of itself, under class key `"cpu"`. */
export interface CpuClass {
  /** Name for `-cpu`. */
  readonly model: string;
  /** Targets it exists for: `"riscv64"`. */
  readonly targets: readonly string[];
  /** Makes the object; an engine is attached to it before it is realized. */
  create(request: CpuRequest): CpuObject & AttachableCpu;
}

/** A CPU that an engine of translated code can run. */
export interface AttachableCpu {
  /** A new instance of its instruction set. The CPUs of one engine share the first one's. */
  target(): Target;
  /** Makes the vCPU's part that is not translated code. Call once. */
  attach(engine: Engine, env: number): TargetCpu;
  /** Tells it how to learn the number of instructions it has executed. */
  setExecuted(executed: () => number): void;
}

/** A `-cpu` value taken apart: model and properties. `+x` and `-x` are old spellings of `x=on` and `x=off`. */
export function parseCpu(text: string): { model: string; props: Record<string, unknown> } {
  const [model = "", ...rest] = text.split(",");
  const props: Record<string, unknown> = {};
  for (const part of rest.filter((p) => p !== "")) {
    const at = part.indexOf("=");
    if (at > 0) props[part.slice(0, at)] = part.slice(at + 1);
    else if (/^[+-]/.test(part)) props[part.slice(1)] = part.startsWith("+");
    else props[part] = true;
  }
  return { model, props };
}

/** The CPU type that a model name, or a type name, means for a target. @throws SystemError unknown-cpu */
export async function resolveCpu(registry: Registry, model: string, target: string): Promise<ResolvedType> {
  const known = registry.known("cpu");
  const candidates = known.filter(
    ({ name }) => name === model || (name.startsWith(`${model}-`) && name.endsWith("-cpu")),
  );
  for (const { name } of candidates) {
    const type = await registry.ensure(name, "cpu");
    const info = type.class["cpu"] as CpuClass | undefined;
    if (!type.abstract && info?.targets.includes(target) === true && (info.model === model || name === model))
      return type;
  }
  // Nothing by that name: tell what there is for this target.
  for (const { name } of known) await registry.ensure(name, "cpu");
  const names = registry
    .known("cpu")
    .map((k) => k.type?.class["cpu"] as CpuClass | undefined)
    .filter((c): c is CpuClass => c !== undefined && c.targets.includes(target))
    .map((c) => c.model)
    .filter((name, i, all) => all.indexOf(name) === i);
  const list = names.length === 0 ? "" : `; there are: ${names.join(", ")}`;
  throw new SystemError("unknown-cpu", `unknown CPU model '${model}' for ${target}${didYouMean(model, names)}${list}`);
}

/** The vCPUs of one machine and the engine that runs them. */
export class CpuSet {
  readonly vcpus: Vcpu[] = [];
  readonly runnable: RunnableCpu[] = [];
  #engine: TcgMachine | undefined;
  readonly #memory: WasmMemory;
  readonly #options: TcgOptions;
  /** Called when an interrupt input of CPU `index` went up. */
  onInterrupt: ((index: number) => void) | undefined;

  constructor(memory: WasmMemory, options: TcgOptions) {
    this.#memory = memory;
    this.#options = options;
  }

  get engine(): TcgMachine | undefined {
    return this.#engine;
  }

  /** Makes a CPU object with its vCPU. */
  create(request: CpuRequest): CpuObject {
    const info = request.type.class["cpu"] as CpuClass | undefined;
    if (info === undefined) {
      throw new SystemError("unknown-cpu", `CPU type '${request.type.name}' cannot be run: it has no class data 'cpu'`);
    }
    const object = info.create(request);
    const engine = (this.#engine ??= this.#start(request.machine, object.target()));
    let guest: TargetCpu | undefined;
    const vcpu = engine.createCpu((env, e) => (guest = object.attach(e, env)));
    object.setExecuted(() => vcpu.executed);
    this.vcpus.push(vcpu);
    this.runnable.push(new EngineCpu(vcpu, guest as TargetCpu, engine.i32));
    const setIrq = object.setIrq.bind(object);
    object.setIrq = (line, level) => {
      setIrq(line, level);
      if (level) this.onInterrupt?.(request.index);
    };
    return object;
  }

  #start(machine: Machine, target: Target): TcgMachine {
    return new TcgMachine({
      memory: this.#memory,
      alloc: (name, size) => machine.memory.allocate(name, size),
      target,
      physical: physicalBus(machine.system, machine.memory),
      options: this.#options,
    });
  }
}

/** A vCPU for the run loop. */
class EngineCpu implements RunnableCpu {
  readonly #vcpu: Vcpu;
  readonly #guest: TargetCpu;
  readonly #i32: Int32Array;
  readonly #halted: number;
  readonly #budget: number;

  constructor(vcpu: Vcpu, guest: TargetCpu, i32: Int32Array) {
    this.#vcpu = vcpu;
    this.#guest = guest;
    this.#i32 = i32;
    this.#budget = (vcpu.env + ENV.budget) >>> 2;
    this.#halted = (vcpu.env + ENV.halted) >>> 2;
  }

  get executed(): number {
    return this.#vcpu.executed;
  }
  get mark(): number {
    // 0 after a kick, which takes the budget away.
    return this.#i32[this.#budget]!;
  }
  get runnable(): boolean {
    return this.#i32[this.#halted] === 0 || this.#guest.hasWork();
  }
  run(budget: number): "budget" | "halted" | "kick" | "debug" {
    return this.#vcpu.run(budget);
  }
  kick(): void {
    this.#vcpu.kick();
  }
}
