import type { CpuClass, CpuObject, CpuRequest, Machine } from "@mimus/machine-core";
import { didYouMean, type Registry, type ResolvedType } from "@mimus/qom";
import {
  type AttachableCpu,
  ENV,
  type Target,
  type TargetCpu,
  type ThreadableCpu,
  TcgMachine,
  type TcgOptions,
  type Vcpu,
  type WasmMemory,
} from "@mimus/tcg";
import { physicalBus } from "@mimus/machine-core";
import { SystemError } from "./errors.ts";
import type { RunnableCpu } from "./run-loop.ts";
import { VcpuThreads } from "./threads/vcpu-threads.ts";
import type { VcpuThreadHost } from "./threads/host.ts";

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

/** So many models fit into a message. */
const FEW = 20;

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
  const list = names.length === 0 || names.length > FEW ? "" : `; there are: ${names.join(", ")}`;
  throw new SystemError("unknown-cpu", `unknown CPU model '${model}' for ${target}${didYouMean(model, names)}${list}`);
}

/** The vCPUs of one machine and the engine that runs them. */
export class CpuSet {
  readonly vcpus: Vcpu[] = [];
  readonly runnable: RunnableCpu[] = [];
  #engine: TcgMachine | undefined;
  readonly #memory: WasmMemory;
  readonly #options: TcgOptions;
  /** Threads of all vCPUs but the first; undefined where all take turns on one. */
  readonly threads: VcpuThreads | undefined;
  /** Called when an interrupt input of CPU `index` went up. */
  onInterrupt: ((index: number) => void) | undefined;
  /** Called before and after guest code is translated. */
  onTranslation: (() => void) | undefined;

  /** @param threads where there are more vCPUs than one, and each has a thread */
  constructor(memory: WasmMemory, options: TcgOptions, threads?: { host: VcpuThreadHost; cpus: number }) {
    this.#memory = memory;
    this.#options = options;
    this.threads = threads && new VcpuThreads(memory, threads.cpus, threads.host, options);
  }

  get engine(): TcgMachine | undefined {
    return this.#engine;
  }

  /** Makes a CPU object with its vCPU. */
  create(request: CpuRequest): CpuObject {
    const info = request.type.class["cpu"] as CpuClass<AttachableCpu> | undefined;
    if (info === undefined) {
      throw new SystemError("unknown-cpu", `CPU type '${request.type.name}' cannot be run: it has no class data 'cpu'`);
    }
    const object = info.create(request);
    const engine = (this.#engine ??= this.#start(request.machine, object.target()));
    let guest: TargetCpu | undefined;
    const { threads } = this;
    const moved = threads !== undefined && request.index > 0;
    const vcpu = engine.createCpu((env, e) => (guest = object.attach(e, env)), moved);
    this.vcpus.push(vcpu);
    if (moved) return this.#move(object, request, info, vcpu, threads);
    object.setExecuted(() => vcpu.executed);
    const runnable = new EngineCpu(vcpu, guest as TargetCpu, engine.i32);
    this.runnable.push(threads === undefined ? runnable : threads.polled(runnable));
    const setIrq = object.setIrq.bind(object);
    object.setIrq = (line, level) => {
      setIrq(line, level);
      if (level) this.onInterrupt?.(request.index);
    };
    return object;
  }

  #move(
    object: CpuObject & AttachableCpu,
    { index, machine }: CpuRequest,
    { threads: module, model }: CpuClass,
    { env }: Vcpu,
    threads: VcpuThreads,
  ): CpuObject {
    if (module === undefined)
      throw new SystemError("bad-option", `thread=multi: CPUs of model '${model}' do not run on threads of their own`);
    const code = machine.memory.allocate(`tcg.code${index}`, this.#options.tbSize ?? 0);
    threads.move(index, object as unknown as ThreadableCpu, module, env, code);
    object.setExecuted(() => threads.executed(index));
    const setIrq = object.setIrq.bind(object);
    object.setIrq = (line, level) => {
      if (!threads.setIrq(index, line, level)) setIrq(line, level);
    };
    return object;
  }

  #start(machine: Machine, target: Target): TcgMachine {
    return new TcgMachine({
      memory: this.#memory,
      alloc: (name, size) => machine.memory.allocate(name, size),
      target,
      physical: physicalBus(machine.system, machine.memory),
      ...(this.threads === undefined ? {} : { codePages: this.threads.notices }),
      options: { ...this.#options, onTranslation: () => this.onTranslation?.() },
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
