/** Whole virt machines running small programs: what devices, board and run loop do together. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BaseChar } from "@mimus/chardev";
import { readFdt, type FdtNode } from "@mimus/hw-virt";
import { assemble as assembleMachine, type AssembleOptions, type Exit, type System } from "@mimus/system";
import { assemble } from "@mimus/target-riscv";
import { afterEach, describe, expect, it } from "vitest";
import { oracle } from "../lib/mimus.ts";
import { nodeHost } from "../tools/host.ts";
import { riscvRegistry } from "../tools/plugins.ts";

const RAM = 0x8000_0000n;

class Recorder extends BaseChar {
  text = "";
  onText: (() => void) | undefined;
  constructor() {
    super("recorder");
  }
  write(bytes: Uint8Array): number {
    this.text += String.fromCharCode(...bytes);
    this.onText?.();
    return bytes.length;
  }
  async close(): Promise<void> {}
  type(text: string): void {
    this.input(Uint8Array.from(text, (c) => c.charCodeAt(0)));
  }
}

function program(source: string, xlen: 32 | 64 = 64): Uint8Array {
  return assemble(source, { xlen, origin: RAM }).bytes;
}

let running: System | undefined;
afterEach(() => running?.shutdown());

async function machine(
  source: string,
  options: Partial<AssembleOptions> = {},
): Promise<{ system: System; console: Recorder }> {
  const console = new Recorder();
  const target = options.target ?? "riscv64";
  const system = await assembleMachine({
    registry: riscvRegistry(),
    host: nodeHost(),
    target,
    machine: "virt",
    ram: 2 ** 24,
    serials: [console],
    bios: program(source, target === "riscv32" ? 32 : 64),
    ...options,
  });
  running = system;
  return { system, console };
}

async function run(
  source: string,
  options: Partial<AssembleOptions> = {},
): Promise<{ exit: Exit; text: string; system: System }> {
  const { system, console } = await machine(source, options);
  system.start();
  const exit = await system.exit;
  if (exit.error !== undefined) throw exit.error;
  return { exit, text: console.text, system };
}

/** Ends with the finisher word in a0. */
const FINISH = `
finish:
  li t0, 0x100000
  sw a0, 0(t0)
  j .`;
const PASS = `
pass:
  li a0, 0x5555
  j finish${FINISH}`;

const HELLO = `
  li t0, 0x10000000
  la t1, text
next:
  lbu t2, 0(t1)
  beqz t2, pass
  sb t2, 0(t0)
  addi t1, t1, 1
  j next
${PASS}
text: .asciz "hello\\n"`;

describe.each(["riscv64", "riscv32"])("%s", (target) => {
  it("prints and powers off", async () => {
    const { exit, text } = await run(HELLO, { target });
    expect([text, exit.reason, exit.code]).toEqual(["hello\n", "guest-shutdown", 0]);
  });

  it("ends with the code that the guest gives", async () => {
    const { exit } = await run(`li a0, 0x2a3333\n j finish${FINISH}`, { target });
    expect([exit.reason, exit.code]).toEqual(["guest-panic", 0x2a]);
  });

  it("passes hart id and device tree, and the dynamic firmware's structure", async () => {
    const { exit } = await run(
      `
      bnez a0, bad
      lw t0, 0(a1)
      li t1, 0xedfe0dd0
      bne t0, t1, bad
      lw t0, 0(a2)
      li t1, 0x4942534f
      bne t0, t1, bad
      j pass
    bad:
      li a0, 0x13333
      j finish
      ${PASS}`.replace("lw t0, 0(a1)\n", target === "riscv64" ? "lwu t0, 0(a1)\n" : "lw t0, 0(a1)\n"),
      { target },
    );
    expect(exit.code).toBe(0);
  });
});

it("takes the timer interrupt when guest time has come", async () => {
  const { exit, system } = await run(`
    la t0, pass
    csrw mtvec, t0
    li t0, 0x200bff8
    ld t1, 0(t0)
    li t2, 200000            # 20 ms
    add t1, t1, t2
    li t0, 0x2004000
    sd t1, 0(t0)
    li t0, 0x80
    csrw mie, t0
    csrsi mstatus, 8
  wait:
    wfi
    j wait
    .align 2
    ${PASS}`);
  expect(exit.reason).toBe("guest-shutdown");
  expect(system.machine.clocks.virtual.now()).toBeGreaterThanOrEqual(20e6);
});

it("wakes another hart through its software interrupt", async () => {
  const { exit } = await run(
    `
    bnez a0, other
    li t0, 0x2000000
    li t1, 1
    sw t1, 12(t0)            # hart 3
  wait0:
    wfi
    j wait0
  other:
    la t0, pass
    csrw mtvec, t0
    csrwi mie, 8
    csrsi mstatus, 8
  wait:
    wfi
    j wait
    .align 2
    ${PASS}`,
    { smp: 4 },
  );
  expect(exit.reason).toBe("guest-shutdown");
});

it("brings typed characters to a guest that waits for them", async () => {
  const { system, console } = await machine(`
    la t0, trap
    csrw mtvec, t0
    li t0, 0x10000000
    li t1, 1
    sb t1, 1(t0)             # receive interrupt
    li t0, 0xc000000
    sw t1, 40(t0)            # priority of source 10
    li t1, 0x400
    li t0, 0xc002000
    sw t1, 0(t0)             # hart 0, machine mode
    li t1, 0x800
    csrw mie, t1
    csrsi mstatus, 8
  wait:
    wfi
    j wait
    .align 2
  trap:
    li t0, 0x10000000
    lbu t1, 0(t0)
    sb t1, 0(t0)
    li t2, '!'
    beq t1, t2, pass
    li t0, 0xc200004
    lw t1, 0(t0)
    sw t1, 0(t0)
    mret
    ${PASS}`);
  system.start();
  setTimeout(() => console.type("abc!"), 20);
  const exit = await system.exit;
  expect([exit.reason, console.text]).toEqual(["guest-shutdown", "abc!"]);
});

const COUNT = `
  li s0, 0
loop:
  addi s0, s0, 1
  j loop`;

/** Waits while the machine runs beside it. */
async function until(reached: () => boolean): Promise<void> {
  while (!reached()) await new Promise((resolve) => setTimeout(resolve, 1));
}

it("pauses, resumes and resets", async () => {
  const { system } = await machine(COUNT);
  const events: string[] = [];
  system.onEvent((e) => events.push(e.type === "state" ? e.state : e.type));
  system.start();
  await until(() => system.executed > 0);
  await system.pause();
  const now = system.machine.clocks.virtual.now();
  const executed = system.executed;
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect([system.machine.clocks.virtual.now(), system.executed]).toEqual([now, executed]);
  system.reset();
  expect(system.vcpus[0]?.pc).toBe(0x1000n);
  system.start();
  await until(() => system.executed > executed);
  await system.pause();
  expect(events).toEqual(["running", "paused", "reset", "running", "paused"]);
});

it("resets when the guest asks, and puts changed memory back", async () => {
  const { exit, text } = await run(`
    li t0, 0x10000000
    li t1, '.'
    sb t1, 0(t0)
    la t2, value
    lw t3, 0(t2)
    li t1, 7
    bne t3, t1, bad
    sw zero, 0(t2)
    la t2, 0x80800000        # survives: not part of an image
    lw t3, 0(t2)
    addi t3, t3, 1
    sw t3, 0(t2)
    li t1, 3
    beq t3, t1, pass
    li a0, 0x7777
    j finish
  bad:
    li a0, 0x13333
    j finish
    ${PASS}
    .align 2
  value: .word 7`);
  expect([exit.code, text]).toEqual([0, "..."]);
});

it("ends instead of resetting when told so", async () => {
  const { exit } = await run(`li a0, 0x7777\n j finish${FINISH}`, { policies: { reboot: "shutdown" } });
  expect(exit.reason).toBe("guest-reset");
});

it("stays for the monitor when told so", async () => {
  const { system } = await machine(`li a0, 0x5555\n j finish${FINISH}`, { policies: { shutdown: "pause" } });
  const stopped = new Promise((resolve) =>
    system.onEvent((e) => e.type === "state" && e.state === "shutdown" && resolve(e)),
  );
  system.start();
  await stopped;
  await system.pause();
  expect(() => system.start()).toThrow(/reset it first/);
  system.reset();
  expect(system.state).toBe("prelaunch");
});

it("sleeps while every hart waits", async () => {
  const { system } = await machine("wait: wfi\n j wait", { smp: 2 });
  system.start();
  await new Promise((resolve) => setTimeout(resolve, 100));
  const before = process.cpuUsage();
  const executed = system.executed;
  await new Promise((resolve) => setTimeout(resolve, 500));
  const used = process.cpuUsage(before);
  expect(system.executed).toBe(executed);
  expect((used.user + used.system) / 500_000).toBeLessThan(0.1); // the bound is 0.02; tests run beside this one
});

it("runs the same way twice when instructions are the clock", async () => {
  const source = `
    la t0, trap
    csrw mtvec, t0
    li s0, 0x2004000
    li s1, 0x200bff8
    li s2, 50
    li t1, 0x80
    csrw mie, t1
    j again
  loop:
    csrr t0, mcycle
    add s3, s3, t0
    xor s3, s3, t1
    j loop
    .align 2
  trap:
    csrr t0, mepc
    add s3, s3, t0
    addi s2, s2, -1
    beqz s2, show
  again:
    ld t1, 0(s1)
    addi t1, t1, 300
    sd t1, 0(s0)
    la t0, loop
    csrw mepc, t0
    li t0, 0x1880
    csrs mstatus, t0
    mret
  show:
    li t0, 0x10000000
    li t2, 16
  digit:
    andi t1, s3, 15
    addi t1, t1, 'a'
    sb t1, 0(t0)
    srli s3, s3, 4
    addi t2, t2, -1
    bnez t2, digit
    ${PASS}`;
  const once = async (): Promise<string> =>
    (await run(source, { loop: { icount: { nsPerInsn: 10, skipIdle: true } } })).text;
  const first = await once();
  expect(first).toHaveLength(16);
  expect(await once()).toBe(first);
});

it("saves a paused machine and goes on in another one", async () => {
  const { system } = await machine(COUNT);
  system.start();
  await until(() => system.executed > 0);
  await system.pause();
  const state = system.saveState();
  const at = system.vcpus[0]?.pc;
  system.shutdown();
  const other = await machine(COUNT);
  other.system.loadState(state);
  expect(other.system.vcpus[0]?.pc).toBe(at);
});

it.each([
  ["an unknown CPU", { cpu: "rv65" }, /unknown CPU model 'rv65' for riscv64.*rv64/],
  ["an unknown CPU property", { cpu: "rv64,zbq=on" }, /zbq/],
  ["an unknown machine", { machine: "vrit" }, /vrit.*virt/],
  ["a machine property", { machineProps: { acl: "on" } }, /acl.*aclint/],
  ["AIA", { machineProps: { aia: "aplic" } }, /aia.*none/],
  ["more CPUs than there can be", { smp: 513 }, /512/],
  ["too much RAM", { ram: 2 ** 33 }, /8192 MiB of RAM do not fit.*-m/],
  ["-append alone", { append: "x" }, /-append only allowed with -kernel/],
  ["a bad device tree", { dtb: new Uint8Array(100) }, /d00dfeed/],
  ["a board device", { devices: [{ driver: "riscv.sifive.plic" }] }, /part of a board/],
])("refuses %s in one line", async (_what, options, message) => {
  await expect(machine(HELLO, options)).rejects.toThrow(message);
});

/** The tree as plain data; phandles and what differs on purpose left out. */
function plain(node: FdtNode, skip: readonly string[]): unknown {
  const properties = [...node.properties]
    .filter(([name]) => !skip.includes(name))
    .map(([name, v]) => [name, [...v].join()]);
  return {
    properties: Object.fromEntries(properties),
    children: Object.fromEntries(node.children.map((c) => [c.name, plain(c, skip)])),
  };
}

describe.runIf(oracle("qemu-system-riscv64"))("device tree against QEMU", () => {
  it.each([
    ["riscv64", "virt", 1],
    ["riscv64", "virt", 5],
    ["riscv64", "virt,aclint=on", 2],
    ["riscv32", "virt", 2],
  ] as const)("%s -M %s -smp %d", async (target, machineArg, smp) => {
    const dir = mkdtempSync(join(tmpdir(), "mimus-fdt-"));
    try {
      const file = join(dir, "qemu.dtb");
      const common = ["-smp", String(smp), "-m", "256", "-display", "none", "-serial", "null", "-bios", "none"];
      execFileSync(`qemu-system-${target}`, ["-M", `${machineArg},dumpdtb=${file}`, ...common], { stdio: "ignore" });
      const theirs = readFdt(new Uint8Array((await import("node:fs")).readFileSync(file)));
      const [, ...props] = machineArg.split(",");
      const { system } = await machine(HELLO, {
        target,
        smp,
        ram: 2 ** 28,
        machineProps: Object.fromEntries(props.map((p) => p.split("="))),
      });
      const ours = readFdt(system.deviceTree as Uint8Array);
      // The ISA differs by what is modelled; the seed is random; QEMU's PMU map ends in five empty cells.
      const skip = ["riscv,isa", "rng-seed", "riscv,event-to-mhpmcounters"];
      expect(plain(ours, skip)).toEqual(plain(theirs, skip));
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it.runIf(oracle("dtc"))("dtc finds nothing wrong with it", async () => {
    const { system } = await machine(HELLO);
    const dir = mkdtempSync(join(tmpdir(), "mimus-fdt-"));
    try {
      const file = join(dir, "ours.dtb");
      writeFileSync(file, system.deviceTree as Uint8Array);
      const text = execFileSync("dtc", ["-I", "dtb", "-O", "dts", "-q", file], { encoding: "utf8" });
      expect(text).toContain('compatible = "riscv-virtio"');
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
