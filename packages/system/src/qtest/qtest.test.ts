import { expect, it } from "vitest";
import type { QtestPort } from "./port.ts";
import { fromBase64, parseU64, toBase64 } from "./number.ts";
import { Qtest } from "./protocol.ts";

function session(): {
  memory: Uint8Array;
  ask(line: string): string | undefined;
  sent: string[];
  qtest: Qtest;
  changed: (n: number, l: boolean) => void;
} {
  const memory = new Uint8Array(64);
  const sent: string[] = [];
  let now = 0;
  const s = {
    memory,
    sent,
    changed: (_n: number, _l: boolean): void => {},
    ask: (line: string) => {
      s.qtest.line(line);
      return sent.at(-1);
    },
    qtest: undefined as unknown as Qtest,
  };
  const view = new DataView(memory.buffer);
  const port: QtestPort = {
    bigEndian: false,
    read(address, size, out) {
      out[0] = out[1] = 0;
      if (size === 8) [out[0], out[1]] = [view.getUint32(address, true), view.getUint32(address + 4, true)];
      else for (let i = size - 1; i >= 0; i--) out[0] = (out[0] as number) * 256 + (memory[address + i] as number);
    },
    write(address, size, lo, hi) {
      for (let i = 0; i < Math.min(size, 4); i++) memory[address + i] = lo >>> (8 * i);
      if (size === 8) view.setUint32(address + 4, hi, true);
    },
    readBytes: (address, into) => into.set(memory.subarray(address, address + into.length)),
    writeBytes: (address, from) => memory.set(from, address),
    readPort: (_port, size) => 2 ** (8 * size) - 1,
    writePort: () => {},
    clockStep: (ns) => (now += ns ?? 100),
    clockSet: (ns) => (now = Math.max(now, ns)),
    intercept: (path, _inputs, changed) => {
      s.changed = changed;
      return path === "/good" ? undefined : "Unknown device";
    },
    setIrqIn: (path) => (path === "/good" ? undefined : "Unknown device"),
  };
  s.qtest = new Qtest(port, (line) => sent.push(line));
  return s;
}

it("reads and writes in every size", () => {
  const { ask } = session();
  expect(ask("writeq 0x8 0x1122334455667788")).toBe("OK");
  expect(ask("readb 0x8")).toBe("OK 0x0000000000000088");
  expect(ask("readw 10")).toBe("OK 0x0000000000005566");
  expect(ask("readl 014")).toBe("OK 0x0000000011223344");
  expect(ask("readq 0x8")).toBe("OK 0x1122334455667788");
  expect(ask("writeb 0 0x1ff")).toBe("OK");
  expect(ask("readl 0")).toBe("OK 0x00000000000000ff");
});

it("moves blocks", () => {
  const { ask } = session();
  expect(ask("write 0x0 0x4 0x01020304")).toBe("OK");
  expect(ask("read 0x0 0x5")).toBe("OK 0x0102030400");
  expect(ask("b64read 0x0 4")).toBe("OK AQIDBA==");
  expect(ask("b64write 0x10 4 AQIDBA==")).toBe("OK");
  expect(ask("memset 0x2 2 0xab")).toBe("OK");
  expect(ask("read 0x0 4")).toBe("OK 0x0102abab");
});

it("answers ports, time and byte order", () => {
  const { ask } = session();
  expect(ask("inb 0x80")).toBe("OK 0x00ff");
  expect(ask("inl 0x80")).toBe("OK 0xffffffff");
  expect(ask("outl 0x80 1")).toBe("OK");
  expect(ask("endianness")).toBe("OK little");
  expect(ask("clock_step")).toBe("OK 100");
  expect(ask("clock_step 50")).toBe("OK 150");
  expect(ask("clock_set 20")).toBe("OK 150");
});

it("refuses what it cannot do, in one line", () => {
  const { ask } = session();
  expect(ask("frobnicate")).toBe("FAIL Unknown command 'frobnicate'");
  expect(ask("inq 0")).toBe("FAIL Unknown command 'inq'");
  expect(ask("readl")).toBe("FAIL readl: a number is missing");
  expect(ask("readl zero")).toBe("FAIL readl: 'zero' is not a number");
  expect(ask("read 0 0xffffffffffffffff")).toMatch(/^FAIL read: 18446744073709551615 bytes are more/);
  expect(ask("write 0 4 0x123")).toMatch(/^FAIL write: data/);
  expect(ask("irq_intercept_in /bad")).toBe("FAIL Unknown device");
  expect(ask("set_irq_in /bad x 0 1")).toBe("FAIL Unknown device");
});

it("reports intercepted lines", () => {
  const s = session();
  expect(s.ask("irq_intercept_out /good")).toBe("OK");
  expect(s.ask("irq_intercept_out /good")).toBe("OK");
  expect(s.ask("irq_intercept_in /good")).toBe("FAIL IRQ intercept already enabled");
  s.changed(3, true);
  s.changed(3, false);
  expect(s.sent.slice(-2)).toEqual(["IRQ raise 3", "IRQ lower 3"]);
});

it("takes lines in any pieces", () => {
  const s = session();
  const bytes = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
  s.qtest.receive(bytes("writeb 0 1\nrea"));
  s.qtest.receive(bytes("db 0\r\n\n"));
  expect(s.sent).toEqual(["OK", "OK 0x0000000000000001"]);
});

it("reads numbers as C does, and base64 both ways", () => {
  expect([parseU64("0x10"), parseU64("010"), parseU64("-1"), parseU64("08x")]).toEqual([
    16n,
    8n,
    2n ** 64n - 1n,
    undefined,
  ]);
  for (let n = 0; n < 5; n++) {
    const bytes = Uint8Array.from({ length: n }, (_, i) => 250 + i);
    expect(fromBase64(toBase64(bytes))).toEqual(bytes);
  }
  expect(fromBase64("a!b")).toBeUndefined();
});
