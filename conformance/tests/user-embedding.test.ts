/** Programs run from TypeScript, as a page runs them: everything in memory, no host. */
import { LinuxUserError, memoryHost, MemoryFs, runProgram, SIG, type ExitStatus } from "@mimus/linux-user";
import { assemble } from "@mimus/target-riscv";
import { userTargets } from "@mimus/target-riscv/user";
import { describe, expect, it } from "vitest";

const BASE = 0x10000;
const HEADERS = 120;

/** A static program of assembly source. */
function program(source: string): Uint8Array {
  const { bytes } = assemble(source, { xlen: 64, origin: BigInt(BASE + HEADERS) });
  const file = new Uint8Array(HEADERS + bytes.length);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 243, true);
  view.setUint32(24, BASE + HEADERS, true);
  view.setUint32(32, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  view.setUint32(64, 1, true);
  view.setUint32(68, 7, true);
  view.setUint32(80, BASE, true);
  view.setUint32(96, file.length, true);
  view.setUint32(104, file.length + 4096, true);
  file.set(bytes, HEADERS);
  return file;
}

interface Outcome {
  readonly end: ExitStatus;
  readonly output: string;
}

async function run(source: string, input = "", during?: (raise: (signal: number) => void) => void): Promise<Outcome> {
  let output = "";
  let now = 0;
  const time = {
    monotonicNs: () => (now += 1000),
    realtime: () => ({ sec: 1_000_000, nsec: 0 }),
    random: (bytes: Uint8Array) => void bytes.fill(4),
    after: (ns: number, fn: () => void) => {
      const timer = setTimeout(fn, ns / 1e6);
      return () => clearTimeout(timer);
    },
    yield: () => new Promise<void>((resolve) => setTimeout(resolve, 0)),
  };
  const files = new MemoryFs({ clock: time });
  files.addFile("/bin/test", program(source), 0o755);
  const host = memoryHost({
    files,
    time,
    input,
    output: (fd, bytes) => (output += `${fd}:${new TextDecoder().decode(bytes.slice())}`),
  });
  const running = runProgram({
    target: userTargets.riscv64(),
    host,
    program: "/bin/test",
    argv: ["test"],
    addressSpace: 64 * 2 ** 20,
    tcg: { tbSize: 2 ** 20 },
  });
  during?.((signal) => running.process.raise(signal));
  return { end: await running.exit, output };
}

const exit = (status: number): string => `li a7, 94\nli a0, ${status}\necall\n`;

describe("a program that is run from TypeScript", () => {
  it("writes to its two outputs and ends with its status", async () => {
    const source = `
      li a7, 64\nli a0, 1\nla a1, text\nli a2, 3\necall
      li a7, 64\nli a0, 2\nla a1, text\nli a2, 2\necall
      ${exit(5)}
      text: .ascii "abc"`;
    expect(await run(source)).toEqual({ end: { kind: "exited", status: 5 }, output: "1:abc2:ab" });
  });

  it("reads its input to the end", async () => {
    const source = `
      again: li a7, 63\nli a0, 0\nli a1, ${BASE + 0x800}\nli a2, 3\necall
      beqz a0, over
      mv a2, a0\nli a7, 64\nli a0, 1\nli a1, ${BASE + 0x800}\necall
      j again
      over: ${exit(0)}`;
    expect((await run(source, "hello")).output).toBe("1:hel1:lo");
  });

  it("that loops is ended by a signal from outside", async () => {
    const { end } = await run("here: j here\n", "", (raise) => setTimeout(() => raise(SIG.TERM), 20));
    expect(end).toMatchObject({ kind: "signaled", signal: SIG.TERM, core: false });
  });

  it("that waits is ended by a signal from outside", async () => {
    // ppoll of nothing, without a limit
    const source = `li a7, 73\nli a0, 0\nli a1, 0\nli a2, 0\nli a3, 0\necall\n${exit(1)}`;
    const { end } = await run(source, "", (raise) => setTimeout(() => raise(SIG.INT), 20));
    expect(end).toMatchObject({ kind: "signaled", signal: SIG.INT });
  });

  it("that jumps nowhere ends by SIGSEGV at that address", async () => {
    const { end } = await run("li t0, 0x123000\njr t0\n");
    expect(end).toMatchObject({ kind: "signaled", signal: SIG.SEGV, core: true, info: { addr: 0x123000, code: 1 } });
  });

  it("runs to the same instruction each time", async () => {
    const source = `li t0, 100000\nloop: addi t0, t0, -1\nbnez t0, loop\ncsrr a0, instret\nandi a0, a0, 255\nli a7, 94\necall\n`;
    const first = await run(source);
    expect(await run(source)).toEqual(first);
  });
});

it("a file that is no program is an error that says so", () => {
  const time = {
    monotonicNs: () => 0,
    realtime: () => ({ sec: 0, nsec: 0 }),
    random: () => {},
    after: () => () => {},
    yield: () => Promise.resolve(),
  };
  const files = new MemoryFs({ clock: time });
  files.addFile("/a", "text", 0o755);
  const host = memoryHost({ files, time, output: () => {} });
  const start = (name: string) => () =>
    runProgram({ target: userTargets.riscv64(), host, program: name, argv: [name] });
  expect(start("/a")).toThrow(LinuxUserError);
  expect(start("/a")).toThrow("/a: not an ELF program");
  expect(start("/b")).toThrow("/b: No such file or directory");
});
