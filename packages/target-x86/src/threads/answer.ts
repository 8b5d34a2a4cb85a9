/** What a CPU object answers its CPU on another thread. */
import type { CpuSignals, PhysicalWindow } from "../config.ts";
import type { X86Cpu } from "../cpu.ts";
import { ASK } from "./functions.ts";

const out = new Uint32Array(2);

/** Answers `asked` for `cpu`, which has the state and the wires, and does not run. */
export function answerFar(
  cpu: X86Cpu, signals: CpuSignals, smram: PhysicalWindow | undefined, asked: Float64Array, answer: Float64Array,
): void {
  const { apic, controller } = cpu;
  const a = asked[1]!;
  const b = asked[2]!;
  const c = asked[3]!;
  const pair = (at: number): void => {
    answer[at] = out[0]!;
    answer[at + 1] = out[1]!;
  };
  switch (asked[0]) {
    case ASK.acknowledge:
      answer[0] = controller.acknowledge();
      return;
    case ASK.readTpr:
      answer[0] = controller.tpr;
      return;
    case ASK.writeTpr:
      controller.tpr = a;
      return;
    case ASK.readBase:
      apic?.readBase(out);
      return pair(0);
    case ASK.writeBase:
      answer[0] = apic?.writeBase(a, b) === true ? 1 : 0;
      return;
    case ASK.readMsr:
      out.fill(0);
      answer[0] = apic?.readMsr(a, out) === true ? 1 : 0;
      return pair(1);
    case ASK.writeMsr:
      answer[0] = apic?.writeMsr(a, b, c) === true ? 1 : 0;
      return;
    case ASK.initReset:
      return apic?.initReset();
    case ASK.timeChanged:
      return apic?.timeChanged?.();
    case ASK.portIn:
      answer[0] = cpu.ports.in(a, b);
      return;
    case ASK.portOut:
      return cpu.ports.out(a, b, c);
    case ASK.shutdown:
      return signals.shutdown?.();
    case ASK.ferr:
      return signals.ferr?.(a !== 0);
    case ASK.smm:
      return signals.smm?.(a !== 0);
    case ASK.random:
      answer[0] = signals.random?.() ?? 0;
      return;
    default:
      answer[0] = apic?.page ?? -1;
      answer[1] = cpu.walker.a20 ? 1 : 0;
      answer[2] = smram === undefined ? 0 : 1;
      answer[3] = smram?.base ?? 0;
      answer[4] = smram?.size ?? 0;
      answer[5] = smram?.to ?? 0;
  }
} // prettier-ignore
