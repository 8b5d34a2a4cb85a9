/** What system instructions call. Names begin with the instruction or the thing. */
import { ENV, type Helper, type HelperSpec } from "@mimus/tcg";
import type { X86Cpu } from "../cpu.ts";
import { ALL_INDEXES, FLAG, OFF, REG, regNames, regOffset, SEG, SEG_NAMES, type WordSize } from "../state.ts";
import { CR4 } from "./bits.ts";
import { writeCr0, writeCr3, writeCr4, writeCr8, writeXcr } from "./control.ts";
import { cpuid } from "./cpuid.ts";
import { breakAfter, breakBefore, readDebug, writeDebug } from "./debug.ts";
import { callFar, jumpFar, returnFar, returnFromInterrupt } from "./far.ts";
import { popFlags, popFlagsVme, pushFlagsVme, setVirtualIf } from "./flags.ts";
import { interruptV86 } from "./v86.ts";
import { invpcid } from "./invpcid.ts";
import { readMsr, readTsc, writeMsr } from "./msr.ts";
import { checkPort, portIn, portOut, watchPort } from "./ports.ts";
import { accessRights, loadLdt, loadSegment, loadTask, segmentLimit, verify } from "./segments.ts";
import { resume } from "./smm.ts";
import type { Width } from "./stack.ts";
import { syscall, sysenter, sysexit, sysret } from "./syscall.ts";
import { EXC, FAULT } from "./vectors.ts";

type Params = readonly ("i32" | "i64")[];
type Fn = (cpu: X86Cpu, ...args: number[]) => number | void;

/** Catches what {@link X86Cpu.fault} throws: the exception is in the state block. */
function guarded(fn: Fn): Fn {
  return (cpu, a, b, c, d, e) => {
    try {
      return fn(cpu, a!, b!, c!, d!, e!) ?? 0;
    } catch (thrown) {
      if (thrown !== FAULT) throw thrown;
      return 0;
    }
  };
}

/** A helper that touches no global and raises nothing itself; a device that it reaches may ask for attention. */
function plain(name: string, params: Params, fn: Fn, result?: "i32" | "i64"): Helper {
  const spec: HelperSpec = {
    name,
    params,
    mayFault: true,
    reads: [],
    writes: [],
    ...(result === undefined ? {} : { result }),
  };
  return { ...spec, impl: { kind: "js", fn: fn as never } };
}

/** A helper that may do anything to the state, and raise. */
function whole(name: string, params: Params, fn: Fn, result?: "i32"): Helper {
  const spec: HelperSpec = { name, params, mayFault: true, ...(result === undefined ? {} : { result }) };
  return { ...spec, impl: { kind: "js", fn: guarded(fn) as never } };
}

/** A helper that touches no global, and may raise. */
function apart(name: string, params: Params, fn: Fn, result?: "i32" | "i64"): Helper {
  const helper = plain(name, params, fn, result);
  return { ...helper, impl: { kind: "js", fn: guarded(fn) as never } };
}

/** What systems do all the time, in WebAssembly: it does the usual case, or nothing. `globals`: those it looks at and changes. */
function quick(name: string, params: readonly ("env" | "i32")[], from: string, globals?: readonly string[]): Helper {
  const spec: HelperSpec = { name, params, result: "i32", mayFault: false };
  const known = globals === undefined ? spec : { ...spec, reads: globals, writes: globals };
  return { ...known, impl: { kind: "wasm", module: "x86-integer", export: from } };
}

/** Segment registers that instructions load. */
const LOADED = [SEG.es, SEG.ss, SEG.ds, SEG.fs, SEG.gs] as const;

/** load_ds_fast(number, selector) -> whether it did, load_ds(number, selector), and so on. */
function segmentLoaders(segment: number): Helper[] {
  const name = `load_${SEG_NAMES[segment]!}`;
  const globals = [`${SEG_NAMES[segment]!}_base`, "tbflags"];
  const slow = apart(name, ["i32", "i32"], (cpu, n, selector) => {
    loadSegment(cpu, n!, selector! & 0xffff);
    cpu.updateFlags();
  });
  const reads = [...globals, "eflags"];
  return [
    quick(`${name}_fast`, ["env", "i32", "i32"], "load_data_segment", globals),
    { ...slow, reads, writes: globals },
  ];
}

/** MOV to, from control registers, by number. */
function writeControl(cpu: X86Cpu, n: number, lo: number, hi: number): void {
  if (n === 0) writeCr0(cpu, lo, hi);
  else if (n === 2) cpu.set(OFF.cr2, lo, hi);
  else if (n === 3) writeCr3(cpu, lo, hi);
  else if (n === 4) writeCr4(cpu, lo, hi);
  else if (n === 8) writeCr8(cpu, lo, hi);
  else cpu.fault(EXC.UD);
}

function pairToAxDx(cpu: X86Cpu): void {
  cpu.set(regOffset(REG.ax), cpu.pair[0]! | 0, 0);
  cpu.set(regOffset(REG.dx), cpu.pair[1]! | 0, 0);
}

function pairToScratch(cpu: X86Cpu): void {
  cpu.set(ENV.scratch, cpu.pair[0]! | 0, cpu.pair[1]! | 0);
}

/** The helpers for a word size. Offsets and addresses are of the word type. */
export function systemHelpers(word: WordSize): Helper[] {
  const type = word === 64 ? "i64" : "i32";
  const names = regNames(word);
  return [
    // Far transfers: pc is behind the instruction.
    whole("jump_far", ["i32", type], (cpu, selector, lo, hi = 0) => jumpFar(cpu, selector!, lo!, hi)),
    whole("jump_far_done", [], (cpu) => cpu.updateFlags()),
    whole("call_far", ["i32", "i32", type], (cpu, width, selector, lo, hi = 0) =>
      callFar(cpu, selector!, lo!, hi, width as Width),
    ),
    whole("return_far", ["i32", "i32"], (cpu, width, release) => {
      returnFar(cpu, width as Width, release!);
      cpu.updateFlags();
    }),
    whole("iret", ["i32"], (cpu, width) => {
      returnFromInterrupt(cpu, width as Width);
      cpu.updateFlags();
    }),
    // int_v86(vector) -> whether the program's own handler was entered. pc is behind the instruction.
    whole("int_v86", ["i32"], (cpu, vector) => interruptV86(cpu, vector!), "i32"),
    // iret_fast(operand size) -> whether it did: the usual returns from ring 0. pc is behind the instruction.
    quick("iret_fast", ["env", "i32"], "return_from_handler"),
    // int_fast(vector, error code, by INT n, RF) -> whether the handler was entered: the usual ways into ring 0. pc is behind the instruction.
    quick("int_fast", ["env", "i32", "i32", "i32", "i32"], "enter_handler"),
    whole("rsm", [], resume),
    // Segments
    ...LOADED.flatMap(segmentLoaders),
    whole("load_ldt", ["i32"], (cpu, selector) => loadLdt(cpu, selector! & 0xffff)),
    whole("load_task", ["i32"], (cpu, selector) => loadTask(cpu, selector! & 0xffff)),
    apart("access_rights", ["i32"], (cpu, selector) => accessRights(cpu, selector! & 0xffff), "i32"),
    apart("segment_limit", ["i32"], (cpu, selector) => segmentLimit(cpu, selector! & 0xffff), "i32"),
    apart("segment_limit_value", [], (cpu) => cpu.pair[0]! | 0, "i32"),
    // (selector, writing) -> whether it may; -1: the next one knows
    quick("verify_fast", ["env", "i32", "i32"], "verify_segment", []),
    apart("verify", ["i32", "i32"], (cpu, selector, writing) => verify(cpu, selector! & 0xffff, writing !== 0), "i32"),
    // Flags
    whole("popf", ["i32", "i32"], (cpu, value, size) => popFlags(cpu, value!, size!)),
    whole("pushf_vme", ["i32"], (cpu, size) => pushFlagsVme(cpu, size!)),
    whole("popf_vme", ["i32"], (cpu, size) => popFlagsVme(cpu, size!)),
    whole("virtual_if", ["i32"], (cpu, on) => setVirtualIf(cpu, on !== 0)),
    whole("update_flags", [], (cpu) => cpu.updateFlags()),
    // Control and debug registers
    whole("write_cr", ["i32", type], (cpu, n, lo, hi = 0) => writeControl(cpu, n!, lo!, hi)),
    apart("write_cr8", [type], (cpu, lo, hi = 0) => writeCr8(cpu, lo!, hi)),
    apart("read_cr8", [], (cpu) => cpu.controller.tpr & 15, "i32"),
    whole("lmsw", ["i32"], (cpu, value) => {
      const old = cpu.lo(OFF.cr0);
      // PE can be set by it, and not cleared.
      writeCr0(cpu, (old & ~14) | (value! & 15), 0);
    }),
    apart("read_dr", ["i32"], (cpu, n) => cpu.copy(ENV.scratch, readDebug(cpu, n!)), "i64"),
    whole("write_dr", ["i32", type], (cpu, n, lo, hi = 0) => {
      writeDebug(cpu, n!, lo!, hi);
    }),
    plain("invlpg", [type], (cpu, lo, hi = 0) => cpu.engine.flushTlbPage(cpu.env, lo!, hi)),
    whole("invpcid", [type, type], word === 64 ? invpcid : (cpu, kind, at) => invpcid(cpu, kind!, 0, at!, 0)),
    whole("xsetbv", [], (cpu) =>
      writeXcr(cpu, cpu.lo(regOffset(REG.cx)), cpu.lo(regOffset(REG.ax)), cpu.lo(regOffset(REG.dx))),
    ),
    apart("write_pkru", ["i32"], (cpu, value) => {
      if (value === cpu.lo(OFF.pkru)) return;
      cpu.setLo(OFF.pkru, value!);
      if (cpu.lo(OFF.cr4) & CR4.PKE) cpu.engine.flushTlb(cpu.env, ALL_INDEXES);
    }),
    // Model-specific registers, time, identification
    whole("rdmsr", [], (cpu) => {
      readMsr(cpu, cpu.lo(regOffset(REG.cx)), cpu.pair);
      pairToAxDx(cpu);
    }),
    whole("wrmsr", [], (cpu) =>
      writeMsr(cpu, cpu.lo(regOffset(REG.cx)), cpu.lo(regOffset(REG.ax)), cpu.lo(regOffset(REG.dx))),
    ),
    plain(
      "rdtsc",
      [],
      (cpu) => {
        readTsc(cpu, cpu.pair);
        pairToScratch(cpu);
      },
      "i64",
    ),
    // -> whether it did: leaves without subleaves that were asked for before
    quick(
      "cpuid_fast",
      ["env"],
      "cpuid",
      [REG.ax, REG.bx, REG.cx, REG.dx].map((n) => names[n]!),
    ),
    {
      name: "cpuid",
      params: [],
      mayFault: false,
      reads: [REG.ax, REG.cx].map((n) => names[n]!),
      writes: [REG.ax, REG.bx, REG.cx, REG.dx].map((n) => names[n]!),
      impl: { kind: "js", fn: cpuid as never },
    },
    // System calls
    whole("sysenter", [], sysenter),
    whole("sysexit", ["i32"], (cpu, wide) => sysexit(cpu, wide!)),
    whole("syscall", [], syscall),
    whole("sysret", ["i32"], (cpu, wide) => sysret(cpu, wide!)),
    // Waits only where nothing but an interrupt that is let in could end it: other CPUs may write what is watched, and with
    // ECX bit 0 an interrupt ends it that is not.
    whole("mwait", [], (cpu) => {
      cpu.setLo(ENV.halted, cpu.config.topology.alone && (cpu.lo(OFF.eflags) & FLAG.if) !== 0 ? 1 : 0);
    }),
    // Ports
    plain("port_in", ["i32", "i32"], (cpu, port, size) => portIn(cpu, port!, size!), "i32"),
    plain("port_out", ["i32", "i32", "i32"], (cpu, port, size, value) => portOut(cpu, port!, size!, value!)),
    whole("port_in_regs", ["i32", "i32"], (cpu, port, size) => portIn(cpu, port!, size!), "i32"),
    quick("port_check_fast", ["env", "i32", "i32"], "port_allowed", []),
    apart("port_check", ["i32", "i32"], (cpu, port, size) => checkPort(cpu, port!, size!)),
    apart("port_watch", ["i32", "i32"], (cpu, port, size) => watchPort(cpu, port!, size!)),
    // Breakpoints
    apart("break_before", [type], (cpu, lo, hi = 0) => void breakBefore(cpu, lo!, hi)),
    {
      // break_after(stepping) -> whether #DB is raised; pc is behind the instruction.
      name: "break_after",
      params: ["i32"],
      result: "i32",
      mayFault: false,
      reads: [],
      writes: [],
      impl: { kind: "js", fn: (cpu: X86Cpu, stepping: number) => breakAfter(cpu, stepping !== 0) },
    },
  ];
}

/** The segment registers that LDS and its like load. */
export const LOADED_BY: Readonly<Record<"les" | "lds" | "lss" | "lfs" | "lgs", number>> = {
  les: SEG.es, lds: SEG.ds, lss: SEG.ss, lfs: SEG.fs, lgs: SEG.gs,
}; // prettier-ignore
