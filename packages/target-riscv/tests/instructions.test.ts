import { describe, expect, it } from "vitest";
import type { BackEnd } from "@mimus/tcg";
import { EXC } from "../src/constants.ts";
import { FS } from "../src/state.ts";
import { DATA, HANDLER, RAM, RunningHart, type RunOptions, type Trap } from "./running-hart.ts";

const at = (offset: number): bigint => BigInt(RAM + offset);

describe.each<BackEnd>(["interp", "wasm"])("on %s", (backend) => {
  const hart = (options: RunOptions = {}): RunningHart => new RunningHart({ backend, ...options });
  const run = (source: string, options: RunOptions = {}): Trap => hart(options).run(source);

  describe("illegal instructions", () => {
    const illegal = (tval: bigint, offset = 0): Trap => ({ cause: EXC.ILLEGAL, epc: at(offset), tval });
    it.each([
      ["all zeros", ".word 0", 0n],
      ["all ones", ".word 0xffffffff", 0xffffffffn],
      ["an unknown opcode", ".word 0x0000007f", 0x7fn],
      ["a reserved compressed encoding", ".half 0x8002", 0x8002n],
      ["a reserved static rounding mode", ".word 0x003150d3", 0x3150d3n],
      ["a write to a read-only CSR", ".word 0xf1401073", 0xf1401073n],
      ["an unknown CSR", ".word 0x5c001073", 0x5c001073n],
    ])("%s: the bits are the trap value", (_name, source, tval) => {
      expect(run(source)).toEqual(illegal(tval));
    });
    it("leave what ran before", () => {
      const h = hart();
      expect(h.run("li a0, 5\n.half 0x8002")).toEqual(illegal(0x8002n, 4));
      expect(h.x(10)).toBe(5n);
    });
    it("a dynamic rounding mode that is reserved", () => {
      expect(run("fsrm zero, zero\nli t0, 5\nfsrm t0\nfadd.s fa0, fa1, fa2").cause).toBe(EXC.ILLEGAL);
    });
    it.each([
      ["c", "c.nop_", ".half 0x0001"],
      ["m", "mul", "mul a0, a1, a2"],
      ["a", "lr.w", "lr.w a0, (a1)"],
      ["zba", "sh1add", "sh1add a0, a1, a2"],
      ["zbb", "clz", "clz a0, a1"],
      ["zbs", "bset", "bset a0, a1, a2"],
      ["zbc", "clmul", "clmul a0, a1, a2"],
      ["zicboz", "cbo.zero", "cbo.zero (a0)"],
    ])("without extension %s", (extension, _name, source) => {
      expect(run(source, { props: { [extension]: false } }).cause).toBe(EXC.ILLEGAL);
    });
    it("floating point without D, and without F", () => {
      expect(run("fadd.d fa0, fa1, fa2", { props: { d: false } }).cause).toBe(EXC.ILLEGAL);
      expect(run("flw fa0, 0(a0)", { props: { d: false, f: false } }).cause).toBe(EXC.ILLEGAL);
    });
    it.each([
      "fadd.s fa0, fa1, fa2",
      "flw fa0, 0(a0)",
      "fsd fa0, 0(a0)",
      "fmv.x.w a0, fa0",
      "feq.d a0, fa0, fa1",
      "frflags a0",
    ])("%s while FS is Off", (source) => {
      expect(run(source, { fs: FS.OFF }).cause).toBe(EXC.ILLEGAL);
    });
    it("registers above x15 with E", () => {
      const props = { e: true, i: false };
      expect(run("add a0, a1, a6", { props }).cause).toBe(EXC.ILLEGAL);
      expect(run("add a0, a1, a5\necall", { props }).cause).toBe(EXC.ECALL_M);
    });
    it("privileged instructions in U-mode", () => {
      for (const source of ["mret", "sret", "wfi", "sfence.vma", "csrr a0, sstatus", "csrw mscratch, a0"])
        expect(run(source, { priv: 0 }).cause).toBe(EXC.ILLEGAL);
    });
  });

  describe("floating-point state", () => {
    it("becomes dirty with the first instruction that writes it, in mstatus and in the translation flags", () => {
      const h = hart();
      h.run("fmv.w.x fa0, zero\necall");
      expect(h.fs).toEqual([FS.DIRTY, FS.DIRTY]);
    });
    it("stays as it is when only read", () => {
      const h = hart({ fs: FS.CLEAN });
      h.run("fmv.x.w a0, fa0\nli a1, DATA\nfsd fa0, 0(a1)\necall");
      expect(h.fs).toEqual([FS.CLEAN, FS.CLEAN]);
    });
    it("stays clean when a load faults", () => {
      const h = hart({ fs: FS.CLEAN });
      expect(h.run("fld fa0, 0(zero)").cause).toBe(EXC.LOAD_ACCESS);
      expect(h.fs).toEqual([FS.CLEAN, FS.CLEAN]);
    });
    it("rounds by the instruction's mode, then by frm again", () => {
      const h = hart();
      // 1 + 2^-60 in the modes RUP (static), and frm = RNE
      h.setF(1, 0x3ff0000000000000n);
      h.setF(2, 0x3c30000000000000n);
      h.run("fadd.d f3, f1, f2, rup\nfadd.d f4, f1, f2\nfrflags a0\nfrrm a1\necall");
      expect([h.f(3), h.f(4), h.x(10), h.x(11)]).toEqual([0x3ff0000000000001n, 0x3ff0000000000000n, 1n, 0n]);
    });
  });

  describe("control transfers", () => {
    it.each([
      ["jal", "j 1f\n.half 0\n1: nop"],
      ["a taken branch", "beq zero, zero, 1f\n.half 0\n1: nop"],
    ])("%s to two bytes off, without C", (_name, source) => {
      expect(run(source, { props: { c: false } })).toEqual({ cause: EXC.FETCH_MISALIGNED, epc: at(0), tval: at(6) });
    });
    it("jalr to two bytes off, without C, leaves rd", () => {
      const h = hart({ props: { c: false } });
      expect(h.run(`li a0, ${RAM + 0x102}\nli ra, 7\njalr ra, 0(a0)`)).toMatchObject({
        cause: EXC.FETCH_MISALIGNED,
        tval: at(0x102),
      });
      expect(h.x(1)).toBe(7n);
    });
    it("an untaken branch to two bytes off is none", () => {
      expect(run("bne zero, zero, 1f\necall\n.half 0\n1: nop", { props: { c: false } }).cause).toBe(EXC.ECALL_M);
    });
    it("calls and returns", () => {
      const h = hart();
      h.run("li a0, 1\ncall f\naddi a0, a0, 1\necall\nf: slli a0, a0, 4\nret");
      expect(h.x(10)).toBe(17n);
    });
    it("loops", () => {
      const h = hart();
      h.run("li a0, 0\nli a1, 100\n1: add a0, a0, a1\naddi a1, a1, -1\nbnez a1, 1b\necall");
      expect(h.x(10)).toBe(5050n);
    });
    it("a jump to where nothing is faults there", () => {
      expect(run("li a0, 0x1000\njr a0")).toEqual({ cause: EXC.FETCH_ACCESS, epc: 0x1000n, tval: 0x1000n });
    });
  });

  describe("environment", () => {
    it.each([
      [0, EXC.ECALL_U],
      [1, EXC.ECALL_S],
      [3, EXC.ECALL_M],
    ] as const)("ecall from privilege %i", (priv, cause) => {
      expect(run("nop\necall", { priv })).toEqual({ cause, epc: at(4), tval: 0n });
    });
    it("ebreak and c.ebreak give their address", () => {
      expect(run("nop\nebreak")).toEqual({ cause: EXC.BREAKPOINT, epc: at(4), tval: at(4) });
      expect(run("c.ebreak")).toEqual({ cause: EXC.BREAKPOINT, epc: at(0), tval: at(0) });
    });
    it("mret goes to mepc in the mode of MPP", () => {
      const h = hart();
      expect(h.run("la t0, 1f\ncsrw mepc, t0\nli t0, 0x1800\ncsrc mstatus, t0\nmret\nnop\n1: ecall").cause).toBe(
        EXC.ECALL_U,
      );
    });
    it("CSR instructions return the old value; sscratch and mscratch too", () => {
      const h = hart();
      h.run(
        "li a0, 3\ncsrw mscratch, a0\ncsrrwi a1, mscratch, 5\ncsrrs a2, mscratch, a0\ncsrrci a3, mscratch, 1\ncsrr a4, mscratch\necall",
      );
      expect([11, 12, 13, 14].map((n) => h.x(n))).toEqual([3n, 5n, 7n, 6n]);
    });
    it("fence.i makes new code visible", () => {
      const h = hart();
      // Overwrite `li a0, 1` with `li a0, 2` after it ran once.
      h.run(`
        li a2, 2
        la a1, 1f
        li t0, 0x00200513
      1: li a0, 1
        sw t0, 0(a1)
        fence.i
        addi a2, a2, -1
        bnez a2, 1b
        ecall`);
      expect(h.x(10)).toBe(2n);
    });
  });

  describe("atomics", () => {
    it.each(["lr.w", "lr.d"])("%s misaligned is a load's fault", (name) => {
      expect(run(`li a0, ${DATA + 2}\n${name} a1, (a0)`)).toMatchObject({
        cause: EXC.LOAD_MISALIGNED,
        tval: BigInt(DATA + 2),
      });
    });
    it.each(["sc.w a1, a2, (a0)", "amoadd.d a1, a2, (a0)"])("%s misaligned is a store's fault", (source) => {
      expect(run(`li a0, ${DATA + 2}\n${source}`)).toMatchObject({
        cause: EXC.STORE_MISALIGNED,
        tval: BigInt(DATA + 2),
      });
    });
    it("an AMO on nothing is a store's fault", () => {
      expect(run("amoadd.w a1, a2, (zero)").cause).toBe(EXC.STORE_ACCESS);
    });
    it("sc fails without a reservation, elsewhere, twice, and after a change", () => {
      const h = hart();
      h.run(`
        li a0, DATA
        addi a1, a0, 8
        sc.d s0, a0, (a0)
        lr.d t0, (a0)
        sc.d s1, a0, (a1)
        lr.d t0, (a0)
        sc.d s2, a0, (a0)
        sc.d s3, a0, (a0)
        lr.d t0, (a0)
        sd zero, 0(a0)
        sc.d s4, a0, (a0)
        ecall`);
      expect([8, 9, 18, 19, 20].map((n) => h.x(n))).toEqual([1n, 1n, 0n, 1n, 1n]);
    });
  });

  describe("cache blocks", () => {
    it("cbo.zero clears its aligned block", () => {
      const h = hart({ props: { zicboz: true } });
      for (let i = 0; i < 256; i++) h.ram.setUint8(DATA - RAM + i, 0xff);
      h.run(`li a0, ${DATA + 64 + 5}\ncbo.zero (a0)\necall`);
      expect(h.ram.getUint8(DATA - RAM + 63)).toBe(0xff);
      expect(h.ram.getBigUint64(DATA - RAM + 64, true)).toBe(0n);
      expect(h.ram.getBigUint64(DATA - RAM + 120, true)).toBe(0n);
      expect(h.ram.getUint8(DATA - RAM + 128)).toBe(0xff);
    });
    it("are illegal below M until menvcfg allows them", () => {
      const props = { zicbom: true, zicboz: true };
      for (const source of ["cbo.zero (a0)", "cbo.flush (a0)", "cbo.inval (a0)"]) {
        expect(run(source, { props, priv: 1 }).cause).toBe(EXC.ILLEGAL);
        const h = hart({ props, priv: 1 });
        h.hart.csrs.write(0x30a, 0xf0n);
        expect(h.run(`li a0, DATA\n${source}\necall`).cause).toBe(EXC.ECALL_S);
      }
    });
  });

  describe("what qemu 7.2 gets wrong", () => {
    it("ctzw of a zero word is 32", () => {
      const h = hart();
      h.run("li a0, 1 << 40\nctzw a1, a0\necall");
      expect(h.x(11)).toBe(32n);
    });
  });

  describe("RV32", () => {
    it("has no RV64 instructions", () => {
      for (const source of [".word 0x00053503", ".word 0x0000051b", ".half 0x2501"]) {
        const h = hart({ xlen: 32 });
        h.ram.setUint32(4, 0x00000073, true);
        const trap = h.run(source);
        // c.addiw's encoding is c.jal there.
        expect(trap.cause === EXC.ILLEGAL || h.x(1) !== 0n).toBe(true);
      }
    });
    it("shifts by at most 31: bit 25 must be zero", () => {
      expect(run(".word 0x02051513", { xlen: 32 }).cause).toBe(EXC.ILLEGAL);
      expect(run(".half 0x1502", { xlen: 32 }).cause).toBe(EXC.ILLEGAL);
    });
    it("wraps addresses", () => {
      const h = hart({ xlen: 32 });
      h.run(
        `li a0, ${DATA - 0x10000_0000 + 2040}\nli a1, 77\nsw a1, -2040(a0)\nlui a0, ${DATA >>> 12}\nlw a2, 0(a0)\necall`,
      );
      expect(h.x(12)).toBe(77n);
    });
    it("fld reads 64 bits", () => {
      const h = hart({ xlen: 32 });
      h.ram.setBigUint64(DATA - RAM, 0x123456789abcdef0n, true);
      h.run("li a0, DATA\nfld fa0, 0(a0)\nfsd fa0, 8(a0)\necall");
      expect(h.f(10)).toBe(0x123456789abcdef0n);
      expect(h.ram.getBigUint64(DATA - RAM + 8, true)).toBe(0x123456789abcdef0n);
    });
  });

  it("an instruction may lie across two pages", () => {
    const h = hart();
    // jump to an `addi a0, zero, 9` at 0x0ffe
    h.ram.setUint32(0xffe, 0x00900513, true);
    h.ram.setUint32(0x1002, 0x00000073, true);
    expect(h.run(`li t0, ${RAM + 0xffe}\njr t0`)).toMatchObject({ cause: EXC.ECALL_M, epc: at(0x1002) });
    expect(h.x(10)).toBe(9n);
  });
  it("traps to the handler", () => {
    const h = hart();
    h.run("ecall");
    expect(BigInt(HANDLER)).toBe(BigInt.asUintN(32, h.csr(0x305)));
  });
});
