import { describe, expect, it } from "vitest";

import { allCalls, buildTable } from "./table.ts";
import { numberings } from "./numbers/generic.ts";

describe("the table of system calls", () => {
  const generic = buildTable("generic", 64, "riscv64");

  it("has each call once", () => {
    const names = allCalls.map(({ name }) => name);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });

  it("has a number for each call in one of the numberings", () => {
    const known = new Set(Object.values(numberings).flatMap((numbering) => [...numbering().values()]));
    expect(allCalls.map(({ name }) => name).filter((name) => !known.has(name))).toEqual([]);
  });

  it("gives each name one number", () => {
    for (const numbering of Object.values(numberings)) {
      const names = [...numbering().values()];
      expect(new Set(names).size).toBe(names.length);
    }
  });

  it.each([
    [17, "getcwd"], [29, "ioctl"], [56, "openat"], [63, "read"], [64, "write"], [79, "newfstatat"], [80, "fstat"],
    [93, "exit"], [98, "futex"], [113, "clock_gettime"], [134, "rt_sigaction"], [172, "getpid"], [198, "socket"],
    [214, "brk"], [222, "mmap"], [226, "mprotect"], [259, "riscv_flush_icache"], [260, "wait4"], [261, "prlimit64"],
    [278, "getrandom"], [291, "statx"], [435, "clone3"], [436, "close_range"], [439, "faccessat2"],
  ])("numbers as in unistd.h: %i is %s", (number, name) => {
    expect(generic.names.get(number)).toBe(name);
    expect(generic.rows[number]?.def.name).toBe(name);
  }); // prettier-ignore

  it("has no kind that takes more than six registers, pairs included", () => {
    for (const bits of [32, 64])
      for (const row of buildTable(bits === 64 ? "generic" : "generic32", bits, "riscv").rows)
        if (row)
          expect(
            row.registers.every((r) => r < 7),
            row.def.name,
          ).toBe(true);
  });

  it("keeps calls of RISC-V from other machines", () => {
    expect(buildTable("generic", 64, "aarch64").rows[259]).toBeUndefined();
  });

  it("has forms of 32-bit ABIs at their numbers", () => {
    const { rows, names } = buildTable("generic32", 32, "riscv32");
    expect([rows[62]?.def.name, rows[222]?.def.name, rows[403]?.def.name]).toEqual([
      "llseek",
      "mmap2",
      "clock_gettime64",
    ]);
    expect(names.has(113)).toBe(false);
  });

  it("refuses a numbering that is not there by name", () => {
    expect(() => buildTable("vax", 32, "vax")).toThrow("no table 'vax'");
  });
});
