/** Expressions, memory and ports. What is expected is what QEMU 7.2 answers. */
import { AddressSpace, MachineMemory, MemoryRegion } from "@mimus/machine-core";
import { describe, expect, it } from "vitest";
import { execute } from "./commands.ts";
import type { MachineControl } from "./control.ts";
import { newSession } from "./session.ts";

const CODE = [0xea, 0x5b, 0xe0, 0x00, 0xf0, 0x30, 0x36, 0x2f, 0x32, 0x33, 0x2f, 0x39, 0x39, 0x00, 0xfc, 0x00];

function setup() {
  const saved: [string, Uint8Array][] = [];
  const asked: unknown[] = [];
  const memory = new MachineMemory(new ArrayBuffer(2 ** 21));
  const ram = memory.ram("ram", 2 ** 20);
  ram.bytes.set(CODE, 0xffff0);
  const system = new AddressSpace("system", MemoryRegion.container("system", 2 ** 40));
  system.root.add(0, MemoryRegion.ram("ram", ram));
  const io = new AddressSpace("io", MemoryRegion.container("io", 0x10000));
  io.root.add(
    0x60,
    MemoryRegion.mmio(
      { name: "port", size: 16 },
      {
        read: (at, size) => 0x18181818 >>> (32 - 8 * size),
        write: (at, size, value) => void asked.push([at, size, value]),
      },
    ),
  );
  const cpu = (index: number) => ({
    index,
    halted: false,
    pc: "0",
    registers: () => `EAX=${index}`,
    register: (name: string) => ({ pc: 0xfffffff0n, eip: 0xfff0n, "cs.base": 0xffff0000n })[name],
    translate: (address: bigint) => (address < 0x1000_0000n ? address & 0xfffffn : undefined),
    read: (address: bigint, into: Uint8Array) =>
      address < 0x1000_0000n && system.readBytes(Number(address & 0xfffffn), into),
    disassemble: (_at: bigint, bytes: Uint8Array) => ({ text: `insn ${bytes[0]}`, length: bytes[0] === 0xea ? 5 : 10 }),
  });
  let sleeping = false;
  const machine = {
    memory: system,
    spaces: [system, io],
    cpus: () => [cpu(0), cpu(1)],
    status: () => "io-error",
    nmi: () => asked.push("nmi"),
    wakeup: () => sleeping,
    setWatchdogAction: (action: string) => action === "pause",
    saveFile: (path: string, bytes: Uint8Array) => void saved.push([path, bytes]),
  } as unknown as MachineControl;
  const session = newSession();
  return {
    saved,
    asked,
    sleep: () => (sleeping = true),
    run: (line: string) => execute(machine, line, session) as string,
  };
}

describe("expressions", () => {
  it.each([
    ["1+", "unexpected end of expression"],
    ["(1+2)*3", "0x9"],
    ["4+1&1", "0x5"],
    ["2*3&1", "0"],
    ["5-1|8", "0xfffffffffffffffc"],
    ["10-3-2", "0x5"],
    ["7%4*2", "0x6"],
    ["3*-2", "0xfffffffffffffffa"],
    ["- 3", "0xfffffffffffffffd"],
    ["~0", "0xffffffffffffffff"],
    ["7/0", "division by zero"],
    ["1 +2", "0x3"],
    ["010", "0x8"],
    ["0x", "print|p: extraneous characters at the end of line"],
    ["1<<4", "print|p: extraneous characters at the end of line"],
    ["'a'", "0x61"],
    ["$pc", "0xfffffff0"],
    ["$cs.base+$eip", "0xfffffff0"],
    ["$foo", "unknown register"],
    ["((1)", "')' expected"],
    [")", "invalid char ')' in expression"],
    ["(".repeat(10_000), "the expression is too deep"],
  ])("%s", (text, shown) => {
    expect(setup().run(`p ${text}`)).toBe(`${shown}\n`);
  });
  it("are shown as the command says, or the one before it", () => {
    const { run } = setup();
    expect(["p /d -5", "p 5", "p /c 65", "p /o 8", "p /u -1", "p /x 3"].map(run)).toEqual(
      ["-5", "5", "'A'", "010", "18446744073709551615", "0x3"].map((line) => `${line}\n`),
    );
    expect(run("p /s 1")).toBe("invalid char in format: 's'\n");
  });
});

describe("memory", () => {
  it.each([
    ["xp 0xffff0", "00000000000ffff0: 0x00e05bea"],
    ["xp/10xb 0xffff0", "00000000000ffff0: 0xea 0x5b 0xe0 0x00 0xf0 0x30 0x36 0x2f\n00000000000ffff8: 0x32 0x33"],
    ["xp /2dw 0xffff0", "00000000000ffff0:   14703594  792080624"],
    ["xp /5dh 0xffff0", "00000000000ffff0: 23530   224 12528 12086 13106"],
    ["xp /5db 0xffff0", "00000000000ffff0: 234  91 224   0 240"],
    ["xp /2cb 0xffff0", "00000000000ffff0: '\\xea' '['"],
    ["xp /2ob 0xffff0", "00000000000ffff0: 0352 0133"],
    ["xp /3xw 0x100000000", "0000000100000000: Cannot access memory"],
    ["xp /2i", "unexpected end of expression"],
    ["x /2hx 0xffff0", "00000000000ffff0: 0x5bea 0x00e0"],
    ["x /xb2 0xffff0", "invalid char in format: '2'"],
    ["x /1i 0xffff0", "0x000ffff0:  ea 5b e0 00 f0           insn 234"],
    ["x /1i 0xffff5", "0x000ffff5:  30 36 2f 32 33 2f 39 39  insn 48\n0x000ffffd:  00 fc"],
    ["x /1i 0xfffffff0", "0xfffffff0: unable to read memory"],
    ["xp /99999999999xb 0", "at most 65536 units at once"],
    ["gva2gpa 0x2000010", "gpa: 0x10"],
    ["gva2gpa 0xffffffff", "Unmapped"],
    ["sum 0xffff0 3", "00328"],
    ["sum 0xffff0", "unexpected end of expression"],
    ["memsave 0xfffffff 16 f", "Error: Invalid addr 0x000000000fffffff/size 16 specified"],
  ])("%s", (line, shown) => {
    expect(setup().run(line)).toBe(`${shown}\n`);
  });
  it("goes to files", () => {
    const { run, saved } = setup();
    expect(run('memsave 0x20ffff0 4 "a b"') + run("pmemsave 0xffff1 2 c")).toBe("");
    expect(saved).toEqual([
      ["a b", Uint8Array.from(CODE.slice(0, 4))],
      ["c", Uint8Array.from(CODE.slice(1, 3))],
    ]);
  });
  it("ports", () => {
    const { run, asked } = setup();
    expect([run("i /b 0x64"), run("i /h 0x64"), run("i 0x64"), run("i /w 0x64 3")].join("")).toBe(
      "portb[0x0064] = 0x18\nportw[0x0064] = 0x1818\nportw[0x0064] = 0x1818\nportl[0x0065] = 0x18181818\n",
    );
    expect(run("o /b 0x60 0x1ff") + run("o 0x61")).toBe("unexpected end of expression\n");
    expect(asked).toEqual([
      [4, 1, 3],
      [0, 1, 0xff],
    ]);
  });
});

describe("processors and what guests cannot see", () => {
  it("one is chosen", () => {
    const { run } = setup();
    expect(run("info registers")).toBe("\nCPU#0\nEAX=0\n");
    expect(run("cpu 3")).toBe("invalid CPU index\n");
    expect(run("cpu 1")).toBe("");
    expect(run("info registers")).toBe("\nCPU#1\nEAX=1\n");
    expect(run("info registers -a")).toBe("\nCPU#0\nEAX=0\n\nCPU#1\nEAX=1\n");
    expect(run("info registers 5")).toBe("CPU#5 not available\n");
    expect(run("info cpus").split("\n")[1]).toMatch(/^\* CPU #1/);
  });
  it("NMI, sleep, watchdog", () => {
    const { run, asked, sleep } = setup();
    expect(run("nmi") + run("info status")).toBe("VM status: paused (io-error)\n");
    expect(asked).toEqual(["nmi"]);
    expect(run("system_wakeup")).toBe("Error: Unable to wake up: guest is not in suspended state\n");
    sleep();
    expect(run("system_wakeup") + run("watchdog_action pause")).toBe("");
    expect(run("watchdog_action foo")).toBe("Error: invalid parameter value: foo\n");
  });
});
