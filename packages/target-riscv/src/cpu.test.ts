import { ClockSet, type CpuClass, Machine, MachineMemory } from "@mimus/machine-core";
import { describeProps, Registry } from "@mimus/qom";
import type { AttachableCpu } from "@mimus/tcg";
import { describe, expect, test } from "vitest";
import manifest from "../package.json" with { type: "json" };
import { SmallHart } from "../tests/small-hart.ts";
import { cpuTypes, type RiscvCpu } from "./cpu.ts";
import { gdbFeatures } from "./gdb.ts";
import { plugin } from "./plugin.ts";

/** A machine with nothing but a CPU; the engine is the one of a hart for unit tests. */
function machineWith(
  type: string,
  props: Record<string, unknown> = {},
): { cpu: RiscvCpu; machine: Machine; now: { ns: number } } {
  const now = { ns: 0 };
  const machine = new Machine({
    registry: new Registry().use(plugin),
    memory: new MachineMemory(new ArrayBuffer(1 << 20)),
    clocks: new ClockSet(
      () => now.ns,
      () => 0,
    ),
    createCpu(request) {
      const cpu = (request.type.class["cpu"] as CpuClass<AttachableCpu>).create(request);
      cpu.attach(new SmallHart().hart.engine, 0);
      return cpu;
    },
  });
  const cpu = machine.createCpu(type, props, 2) as RiscvCpu;
  machine.reset();
  return { cpu, machine, now };
}

describe("types", () => {
  test("the manifest names exactly what the plugin registers", () => {
    expect(
      plugin.types
        .filter((t) => t.abstract !== true)
        .map((t) => t.name)
        .toSorted(),
    ).toEqual(manifest.mimus.provides.cpu);
  });
  test("each model has one name per target", () => {
    const names = cpuTypes.map((t) => t.class!["cpu"] as CpuClass).map((c) => `${c.targets[0]} ${c.model}`);
    expect(new Set(names).size).toBe(names.length);
  });
  test("help comes from the type", () => {
    const type = new Registry().use(plugin).require("rv64-riscv-cpu", "cpu");
    const help = describeProps(type);
    expect(help.find((p) => p.name === "zba")).toMatchObject({ name: "zba", default: true });
    expect(help.find((p) => p.name === "resetvec")).toBeDefined();
    expect(help.every((p) => (p.description ?? "") !== "")).toBe(true);
  });
});

describe("a CPU object", () => {
  test("is the hart that its properties say", () => {
    const { cpu } = machineWith("rv64-riscv-cpu", { zbc: "off", resetvec: "0x80000000" });
    expect(cpu.isaString).toBe("rv64imafdc_zicsr_zifencei_zihintpause_zba_zbb_zbs_sstc");
    expect(cpu.hart.csrs.read(0xf14)).toBe(2n);
    expect(cpu.hart.bits64(384)).toBe(0x8000_0000n);
  });
  test("unknown properties and impossible ones are refused", () => {
    expect(() => machineWith("rv64-riscv-cpu", { zbaa: "on" })).toThrow(/zbaa/);
    expect(() => machineWith("rv64-riscv-cpu", { f: "off" })).toThrow(/extension d needs f/);
    expect(() => machineWith("sifive-u54-riscv-cpu", { zba: "on" })).toThrow(/zba/);
  });
  test("interrupt lines reach mip", () => {
    const { cpu } = machineWith("rv32-riscv-cpu");
    cpu.setIrq(7, true);
    cpu.irqIn("irq", 11)(true);
    expect(cpu.hart.csrs.read(0x344)).toBe(0x880n);
  });
  test("the supervisor timer runs on the virtual clock", () => {
    const { cpu, machine, now } = machineWith("rv64-riscv-cpu");
    machine.clocks.start();
    const ticks = (): number => Math.floor(machine.clocks.virtual.now() / 100);
    cpu.setTimeSource({
      time(out) {
        out[0] = ticks();
        out[1] = 0;
      },
      deadline: (lo, hi) => (hi > 0 ? Infinity : lo <= ticks() ? undefined : lo * 100),
    });
    cpu.hart.csrs.write(0x30a, 1n << 63n);
    cpu.hart.csrs.write(0x14d, 50n);
    machine.clocks.run();
    expect(cpu.hart.csrs.read(0x344)).toBe(0n);
    expect(machine.clocks.nextDeadline()).toBe(5000);
    now.ns = 5000;
    machine.clocks.run();
    expect(cpu.hart.csrs.read(0x344)).toBe(0x20n);
  });
  test("is part of the machine's state", () => {
    const { cpu, machine } = machineWith("rv64-riscv-cpu");
    cpu.hart.set(128 + 8 * 5, 55, 0);
    const saved = machine.saveState();
    const other = machineWith("rv64-riscv-cpu");
    other.machine.loadState(saved);
    expect(other.cpu.hart.x(5)).toBe(55n);
    other.machine.reset();
    expect(other.cpu.hart.x(5)).toBe(0n);
  });
});

describe("debugger registers", () => {
  test("GDB's own features, every register once", () => {
    const { hart } = new SmallHart();
    const features = gdbFeatures(hart.config);
    expect(features.map((f) => [f.name, f.registers.length > 0])).toEqual([
      ["org.gnu.gdb.riscv.cpu", true],
      ["org.gnu.gdb.riscv.fpu", true],
      ["org.gnu.gdb.riscv.csr", true],
      ["org.gnu.gdb.riscv.virtual", true],
    ]);
    expect(features[0]!.registers).toHaveLength(33);
    expect(features[1]!.registers).toHaveLength(35);
    const names = features.flatMap((f) => f.registers.map((r) => r.name));
    expect(new Set(names).size).toBe(names.length);
  });
  test("read back what was written", () => {
    const h = new SmallHart();
    const find = (name: string) =>
      gdbFeatures(h.hart.config)
        .flatMap((f) => f.registers)
        .find((r) => r.name === name)!;
    for (const [name, value] of [
      ["sp", 0x1234_5678_9abc_def0n],
      ["pc", 0x8000_0000n],
      ["fa0", 0x3ff0_0000_0000_0000n],
      ["mscratch", 7n],
      ["priv", 1n],
    ] as const) {
      find(name).write(h.hart, value);
      expect([name, find(name).read(h.hart)]).toEqual([name, value]);
    }
    find("zero").write(h.hart, 5n);
    expect(find("zero").read(h.hart)).toBe(0n);
  });
});
