import { describe, expect, test } from "vitest";
import { SmallHart } from "../../tests/small-hart.ts";
import { CSRS } from "./table.ts";

const FFLAGS = 0x001, FCSR = 0x003, SSTATUS = 0x100, SIE = 0x104, STVEC = 0x105, SEPC = 0x141, SIP = 0x144; // prettier-ignore
const STIMECMP = 0x14d, SATP = 0x180, MSTATUS = 0x300, MISA = 0x301, MEDELEG = 0x302, MIDELEG = 0x303, MIE = 0x304; // prettier-ignore
const MTVEC = 0x305, MCOUNTEREN = 0x306, MENVCFG = 0x30a, MCOUNTINHIBIT = 0x320, MEPC = 0x341, MCAUSE = 0x342, MIP = 0x344; // prettier-ignore
const TSELECT = 0x7a0, MCYCLE = 0xb00, MINSTRET = 0xb02, CYCLE = 0xc00, TIME = 0xc01, MHARTID = 0xf14; // prettier-ignore
const RW = 1, RS = 2, RC = 3; // prettier-ignore
const U = 0, S = 1; // prettier-ignore

describe("the table", () => {
  test.each([32, 64] as const)("has one row per number on RV%i", (xlen) => {
    const { config } = new SmallHart(xlen).hart;
    const numbers = CSRS.filter((csr) => csr.on?.(config) ?? true).map((csr) => csr.number);
    expect(new Set(numbers).size).toBe(numbers.length);
  });
  test("every read-only register has no write, every other one of M and S keeps what it reads", () => {
    const h = new SmallHart();
    for (const csr of h.hart.csrs.list()) {
      if (csr.number >> 10 === 3) expect(csr.write, csr.name).toBeUndefined();
      const before = h.csr(csr.number);
      h.setCsr(csr.number, before);
      expect(h.csr(csr.number), csr.name).toBe(before);
    }
  });
});

describe("access", () => {
  test("an unknown register, a level too low and a write to a read-only one are illegal", () => {
    const h = new SmallHart();
    expect(h.execute(RS, 0x5c0, 0n)).toBe("illegal");
    expect(h.execute(RW, MHARTID, 0n)).toBe("illegal");
    expect(h.execute(RS, MHARTID, 0n, 0)).toBe(0n);
    h.hart.setPriv(S);
    expect(h.execute(RS, MSTATUS, 0n, 0)).toBe("illegal");
    h.hart.setPriv(U);
    expect(h.execute(RS, SSTATUS, 0n, 0)).toBe("illegal");
  });
  test("the trap value is the instruction", () => {
    const h = new SmallHart();
    h.hart.csrs.access(0x5c0_0a0f3 | 0, 0, 0);
    expect(h.hart.bits64(864)).toBe(0x5c00a0f3n);
  });
  test("set and clear combine with the old value; x0 does not write", () => {
    const h = new SmallHart();
    expect(h.execute(RW, 0x340, 0xffff_0000_ffff_0000n)).toBe(0n);
    expect(h.execute(RS, 0x340, 0x0000_00ff_0000_00ffn)).toBe(0xffff_0000_ffff_0000n);
    expect(h.execute(RC, 0x340, 0xffff_0000_0000_0000n)).toBe(0xffff_00ff_ffff_00ffn);
    expect(h.csr(0x340)).toBe(0x0000_00ff_ffff_00ffn);
    expect(h.execute(RC, 0x340, -1n, 0)).toBe(0x0000_00ff_ffff_00ffn);
    expect(h.csr(0x340)).toBe(0x0000_00ff_ffff_00ffn);
  });
});

describe("mstatus", () => {
  test("keeps only the bits there are; UXL and SXL say 64", () => {
    const h = new SmallHart();
    h.setCsr(MSTATUS, -1n);
    expect(h.csr(MSTATUS).toString(16)).toBe("8000000a007e79aa");
    h.setCsr(MSTATUS, 0n);
    expect(h.csr(MSTATUS).toString(16)).toBe("a00000000");
  });
  test("MPP does not take the reserved value", () => {
    const h = new SmallHart();
    h.setCsr(MSTATUS, 3n << 11n);
    h.setCsr(MSTATUS, 2n << 11n);
    expect((h.csr(MSTATUS) >> 11n) & 3n).toBe(3n);
  });
  test("without U-mode MPP stays M", () => {
    const h = new SmallHart(64, { u: "off", s: "off" });
    h.setCsr(MSTATUS, 0n);
    expect((h.csr(MSTATUS) >> 11n) & 3n).toBe(3n);
  });
  test("sstatus is a view", () => {
    const h = new SmallHart();
    h.setCsr(MSTATUS, 3n << 11n);
    h.setCsr(SSTATUS, -1n);
    expect(h.csr(SSTATUS).toString(16)).toBe("80000002000c6122");
    expect((h.csr(MSTATUS) >> 11n) & 3n).toBe(3n);
    expect(h.csr(MSTATUS) & 8n).toBe(0n);
  });
  test("SD is bit 31 on RV32, and mstatush is zero", () => {
    const h = new SmallHart(32);
    h.setCsr(MSTATUS, 0x6000n);
    expect(h.csr(MSTATUS)).toBe(0x8000_6000n);
    expect(h.csr(0x310)).toBe(0n);
  });
  test("MXR flushes what is translated; SUM and MPRV change the flags only", () => {
    const h = new SmallHart();
    h.setCsr(MSTATUS, 1n << 19n);
    expect(h.take()).toEqual(["flush 111"]);
    const data = (): number => (h.hart.lo(20) >> 3) & 3;
    h.setCsr(MSTATUS, (1n << 19n) | (1n << 18n) | (1n << 17n) | (1n << 11n));
    expect(data()).toBe(2);
    h.setCsr(MSTATUS, (1n << 19n) | (1n << 17n) | (1n << 11n));
    expect(data()).toBe(1);
    h.setCsr(MSTATUS, (1n << 19n) | (1n << 17n));
    expect(data()).toBe(0);
    h.setCsr(MSTATUS, 1n << 19n);
    expect(data()).toBe(3);
    expect(h.take()).toEqual([]);
  });
});

describe("WARL fields", () => {
  test("xtvec takes direct and vectored", () => {
    const h = new SmallHart();
    for (const csr of [MTVEC, STVEC]) {
      h.setCsr(csr, 0x8000_0001n);
      h.setCsr(csr, 0x9000_0002n);
      expect(h.csr(csr)).toBe(0x8000_0001n);
    }
  });
  test("xepc drops bit 0, without C bit 1 too", () => {
    const h = new SmallHart();
    h.setCsr(MEPC, -1n);
    expect(h.csr(MEPC)).toBe(0xffff_ffff_ffff_fffen);
    const plain = new SmallHart(64, { c: "off" });
    plain.setCsr(SEPC, -1n);
    expect(plain.csr(SEPC)).toBe(0xffff_ffff_ffff_fffcn);
  });
  test("xcause holds anything", () => {
    const h = new SmallHart();
    h.setCsr(MCAUSE, -1n);
    expect(h.csr(MCAUSE)).toBe(0xffff_ffff_ffff_ffffn);
  });
  test("delegation: no ecall from M, no machine interrupt", () => {
    const h = new SmallHart();
    h.setCsr(MEDELEG, -1n);
    h.setCsr(MIDELEG, -1n);
    expect(h.csr(MEDELEG)).toBe(0xb3ffn);
    expect(h.csr(MIDELEG)).toBe(0x222n);
  });
  test("satp takes modes that are there, and nothing of a write with another", () => {
    const h = new SmallHart(64, { sv57: "off" });
    h.setCsr(SATP, (9n << 60n) | 0x1234n);
    h.take();
    h.setCsr(SATP, (10n << 60n) | 0x5678n);
    h.setCsr(SATP, (1n << 60n) | 0x5678n);
    expect(h.csr(SATP)).toBe((9n << 60n) | 0x1234n);
    expect(h.take()).toEqual([]);
    h.setCsr(SATP, (8n << 60n) | (0xffffn << 44n) | 0x1234n);
    expect(h.csr(SATP)).toBe((8n << 60n) | (0xffffn << 44n) | 0x1234n);
    expect(h.take()).toEqual(["flush 111"]);
  });
  test("satp is zero without paging, and illegal under TVM", () => {
    const h = new SmallHart(64, { mmu: "off" });
    h.setCsr(SATP, 8n << 60n);
    expect(h.csr(SATP)).toBe(0n);
    h.setCsr(MSTATUS, 1n << 20n);
    h.hart.setPriv(S);
    expect(h.execute(RS, SATP, 0n, 0)).toBe("illegal");
  });
  test("misa says what there is and does not change", () => {
    const h = new SmallHart();
    expect(h.csr(MISA).toString(16)).toBe("800000000014112d");
    h.setCsr(MISA, 0n);
    expect(h.csr(MISA).toString(16)).toBe("800000000014112d");
    expect(new SmallHart(32).csr(MISA).toString(16)).toBe("4014112d");
  });
  test("menvcfg follows the extensions", () => {
    const h = new SmallHart();
    h.setCsr(MENVCFG, -1n);
    expect(h.csr(MENVCFG)).toBe((1n << 63n) | 1n);
    const cmo = new SmallHart(64, { zicbom: "on", zicboz: "on", sstc: "off" });
    cmo.setCsr(MENVCFG, -1n);
    expect(cmo.csr(MENVCFG)).toBe(0xf1n);
    cmo.setCsr(MENVCFG, 0x20n);
    expect(cmo.csr(MENVCFG)).toBe(0x30n);
  });
  test("tselect stays 0 and tdata1 names no trigger", () => {
    const h = new SmallHart();
    expect(h.execute(RW, TSELECT, 1n)).toBe(0n);
    expect(h.execute(RS, TSELECT, 0n, 0)).toBe(0n);
    expect(h.execute(RS, 0x7a1, 0n, 0)).toBe(0n);
    expect(new SmallHart(64, { debug: "off" }).execute(RS, TSELECT, 0n, 0)).toBe("illegal");
  });
});

describe("interrupt registers", () => {
  test("mip: software writes SSIP, STIP and SEIP; lines are or-ed in", () => {
    const h = new SmallHart();
    h.setCsr(MIP, -1n);
    expect(h.csr(MIP)).toBe(0x222n);
    h.setCsr(MIP, 0n);
    h.hart.setIrq(7, true);
    h.hart.setIrq(9, true);
    expect(h.csr(MIP)).toBe(0x280n);
  });
  test("setting another bit of mip does not latch the SEI line", () => {
    const h = new SmallHart();
    h.hart.setIrq(9, true);
    expect(h.execute(RS, MIP, 2n)).toBe(0x200n);
    h.hart.setIrq(9, false);
    expect(h.csr(MIP)).toBe(2n);
  });
  test("a software SEIP outlives the line", () => {
    const h = new SmallHart();
    h.execute(RS, MIP, 0x200n);
    h.hart.setIrq(9, true);
    h.hart.setIrq(9, false);
    expect(h.csr(MIP)).toBe(0x200n);
  });
  test("sie and sip show what is delegated; S writes SSIP only", () => {
    const h = new SmallHart();
    h.setCsr(MIDELEG, 0x222n);
    h.setCsr(MIE, 0xaaan);
    expect(h.csr(SIE)).toBe(0x222n);
    h.setCsr(SIE, 0n);
    expect(h.csr(MIE)).toBe(0x888n);
    h.setCsr(MIP, 0x222n);
    h.setCsr(SIP, 0n);
    expect(h.csr(SIP)).toBe(0x220n);
    h.setCsr(MIDELEG, 0n);
    h.setCsr(SIP, 2n);
    expect(h.csr(MIP)).toBe(0x220n);
  });
});

describe("floating-point registers", () => {
  test("are illegal while FS is off, and make it dirty", () => {
    const h = new SmallHart();
    expect(h.execute(RS, FFLAGS, 0n, 0)).toBe("illegal");
    h.setCsr(MSTATUS, 0x2000n);
    expect(h.execute(RW, FCSR, 0xffn)).toBe(0n);
    expect((h.csr(MSTATUS) >> 13n) & 3n).toBe(3n);
    expect(h.csr(FFLAGS)).toBe(31n);
    expect(h.csr(2)).toBe(7n);
    expect((h.hart.lo(20) >> 8) & 7).toBe(7);
    expect((h.hart.lo(20) >> 5) & 3).toBe(3);
  });
  test("do not exist without F", () => {
    const h = new SmallHart(64, { d: "off", f: "off" });
    h.setCsr(MSTATUS, 0x6000n);
    expect(h.csr(MSTATUS) & 0x6000n).toBe(0n);
    expect(h.execute(RS, FCSR, 0n, 0)).toBe("illegal");
  });
});

describe("counters", () => {
  const counting = (xlen: 32 | 64 = 64): { h: SmallHart; run: (n: number) => void } => {
    const h = new SmallHart(xlen);
    let executed = 0;
    h.hart.counters.setExecuted(() => executed);
    return { h, run: (n) => void (executed += n) };
  };
  test("count instructions from what was written", () => {
    const { h, run } = counting();
    h.setCsr(MINSTRET, 0xffff_fffen);
    run(3);
    expect(h.csr(MINSTRET)).toBe(0x1_0000_0001n);
    expect(h.csr(CYCLE)).toBe(3n);
    h.setCsr(MCYCLE, 0n);
    run(5);
    expect(h.csr(CYCLE)).toBe(5n);
    expect(h.csr(0xc02)).toBe(0x1_0000_0006n);
  });
  test("wrap", () => {
    const { h, run } = counting();
    run(2 ** 40);
    h.setCsr(MINSTRET, -1n);
    run(1);
    expect(h.csr(MINSTRET)).toBe(0n);
    h.setCsr(MINSTRET, 5n);
    expect(h.csr(MINSTRET)).toBe(5n);
  });
  test("mcountinhibit stops each of them", () => {
    const { h, run } = counting();
    run(10);
    h.setCsr(MCOUNTINHIBIT, -1n);
    expect(h.csr(MCOUNTINHIBIT)).toBe(5n);
    run(10);
    expect([h.csr(MCYCLE), h.csr(MINSTRET)]).toEqual([10n, 10n]);
    h.setCsr(MCYCLE, 100n);
    h.setCsr(MCOUNTINHIBIT, 4n);
    run(1);
    expect([h.csr(MCYCLE), h.csr(MINSTRET)]).toEqual([101n, 10n]);
  });
  test("RV32 splits them", () => {
    const { h, run } = counting(32);
    h.setCsr(0xb80, 7n);
    run(2);
    expect([h.csr(MCYCLE), h.csr(0xb80), h.csr(0xc80)]).toEqual([2n, 7n, 7n]);
  });
  test("mcounteren and scounteren gate them", () => {
    const { h, run } = counting();
    run(1);
    h.hart.setPriv(S);
    expect(h.execute(RS, CYCLE, 0n, 0)).toBe("illegal");
    h.setCsr(MCOUNTEREN, 1n);
    expect(h.execute(RS, CYCLE, 0n, 0)).toBe(0n);
    h.hart.setPriv(U);
    expect(h.execute(RS, CYCLE, 0n, 0)).toBe("illegal");
    h.setCsr(0x106, 1n);
    expect(h.execute(RS, CYCLE, 0n, 0)).toBe(0n);
    expect(h.execute(RS, TIME, 0n, 0)).toBe("illegal");
  });
  test("performance counters read zero, as many as there are", () => {
    const h = new SmallHart(64, { "pmu-num": 2 });
    expect(h.execute(RW, 0xb04, 5n)).toBe(0n);
    expect(h.csr(0xb04)).toBe(0n);
    expect(h.execute(RS, 0xb05, 0n, 0)).toBe("illegal");
  });
});

describe("the supervisor timer", () => {
  const timed = (): { h: SmallHart; time: { now: number }; armed: () => number | undefined } => {
    const h = new SmallHart();
    const time = { now: 1000 };
    let armed: number | undefined;
    h.hart.counters.setTimer({ arm: (ns) => void (armed = ns), cancel: () => void (armed = undefined) });
    h.hart.counters.setTimeSource({
      time(out) {
        out[0] = time.now;
        out[1] = 0;
      },
      deadline: (lo, hi) => (hi > 0 ? Infinity : lo <= time.now ? undefined : lo * 100),
    });
    h.take();
    return { h, time, armed: () => armed };
  };
  const STCE = 1n << 63n;
  test("STIP follows stimecmp while menvcfg.STCE is set", () => {
    const { h, time, armed } = timed();
    h.setCsr(STIMECMP, 1500n);
    expect(armed()).toBeUndefined();
    h.setCsr(MENVCFG, STCE);
    expect(armed()).toBe(150_000);
    expect(h.csr(MIP)).toBe(0n);
    h.setCsr(MIP, 0x20n);
    expect(h.csr(MIP)).toBe(0n);
    time.now = 1500;
    h.hart.counters.timeChanged();
    expect(h.csr(MIP)).toBe(0x20n);
    h.setCsr(STIMECMP, -1n);
    expect(h.csr(MIP)).toBe(0n);
    expect(armed()).toBeUndefined();
    h.setCsr(STIMECMP, 5n);
    expect(h.csr(MIP)).toBe(0x20n);
    h.setCsr(MENVCFG, 0n);
    expect(h.csr(MIP)).toBe(0n);
  });
  test("S may use it with TM and STCE", () => {
    const { h } = timed();
    h.hart.setPriv(S);
    expect(h.execute(RS, STIMECMP, 0n, 0)).toBe("illegal");
    h.setCsr(MCOUNTEREN, 2n);
    expect(h.execute(RS, STIMECMP, 0n, 0)).toBe("illegal");
    h.setCsr(MENVCFG, STCE);
    expect(h.execute(RS, STIMECMP, 0n, 0)).toBe(0xffff_ffff_ffff_ffffn);
    expect(h.execute(RS, TIME, 0n, 0)).toBe(1000n);
  });
});
