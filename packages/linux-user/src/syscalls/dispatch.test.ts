import { describe, expect, it } from "vitest";

import { BE32, DATA, testProcess } from "./test-kernel.ts";

const O_NONBLOCK = 0o4000;

describe("system calls over files in memory", () => {
  it("reads a file, a piece at a time", () => {
    const p = testProcess();
    const fd = p.call("openat", -100, "/etc/motd", 0) as number;
    expect(p.call("read", fd, DATA, 4)).toBe(4);
    expect(p.call("read", fd, DATA + 4, 100)).toBe(4);
    expect(p.text(0, 8)).toBe("welcome\n");
    expect(p.call("read", fd, DATA, 100)).toBe(0);
  });

  it("waits for a pipe, and wakes when something is written", async () => {
    const p = testProcess();
    expect(p.call("pipe2", DATA, 0)).toBe(0);
    const [from, to] = [p.memory.u32(DATA), p.memory.u32(DATA + 4)];
    const reading = p.call("read", from, DATA + 100, 10);
    expect(typeof reading).toBe("object");
    expect(p.call("write", to, "ok", 2)).toBe(2);
    expect(await reading).toBe(2);
    expect(p.text(100, 2)).toBe("ok");
  });

  it("raises SIGPIPE when nobody reads", () => {
    const p = testProcess();
    void p.call("pipe2", DATA, 0);
    void p.call("close", p.memory.u32(DATA));
    expect(p.call("write", p.memory.u32(DATA + 4), "x", 1)).toBe(-32);
    expect(p.raised).toEqual([13]);
  });

  it("transfers what is mapped of a buffer, and fails when nothing is", () => {
    const p = testProcess();
    const fd = p.call("openat", -100, "/dev/zero", 0) as number;
    expect(p.call("read", fd, DATA + 65536 - 10, 100)).toBe(10);
    expect(p.call("read", fd, DATA + 65536, 100)).toBe(-14);
  });

  it("keeps the places of directory entries", () => {
    const p = testProcess();
    for (const name of ["a", "b", "c"]) p.files.addFile(`/tmp/${name}`, "");
    const fd = p.call("openat", -100, ".", 0) as number;
    const names = (length: number): string[] => {
      const out: string[] = [];
      for (let at = 0; at < length; at += p.memory.u16(DATA + at + 16)) out.push(p.memory.string(DATA + at + 19));
      return out;
    };
    const first = p.call("getdents64", fd, DATA, 60) as number;
    expect(names(first)).toEqual([".", ".."]);
    const place = p.memory.u64(DATA + 24 + 8);
    expect(names(p.call("getdents64", fd, DATA, 4096) as number)).toEqual(["a", "b", "c"]);
    expect(p.call("getdents64", fd, DATA, 4096)).toBe(0);
    expect(p.call("lseek", fd, place, 0)).toBe(place);
    expect(names(p.call("getdents64", fd, DATA, 4096) as number)).toEqual(["a", "b", "c"]);
    expect(p.call("getdents64", fd, DATA, 10)).toBe(0);
  });

  it("shows the process in /proc", () => {
    const p = testProcess();
    expect(p.call("readlinkat", -100, "/proc/self/exe", DATA, 100)).toBe(9);
    expect(p.text(0, 9)).toBe("/bin/test");
    const fd = p.call("openat", -100, "/proc/self/status", 0) as number;
    const length = p.call("read", fd, DATA, 4096) as number;
    expect(p.text(0, length)).toContain("Pid:\t42\n");
    const comm = p.call("openat", -100, "/proc/self/comm", 0) as number;
    expect(p.text(0, p.call("read", comm, DATA, 4096) as number)).toBe("test\n");
    expect(p.call("readlinkat", -100, `/proc/42/fd/${fd}`, DATA, 100)).toBe(17);
    expect(p.text(0, 17)).toBe("/proc/self/status");
    expect(p.call("openat", -100, "/proc/43/status", 0)).toBe(-2);
  });

  it("shares a pipe that is opened through /proc/self/fd", async () => {
    const p = testProcess();
    void p.call("pipe2", DATA, O_NONBLOCK);
    const [from, to] = [p.memory.u32(DATA), p.memory.u32(DATA + 4)];
    const again = p.call("openat", -100, `/proc/self/fd/${from}`, O_NONBLOCK) as number;
    void p.call("write", to, "abc", 3);
    void p.call("close", from);
    expect(p.call("read", again, DATA + 50, 10)).toBe(3);
    void p.call("close", again);
    expect(p.call("write", to, "abc", 3)).toBe(-32);
  });

  it("sees writes in shared mappings, and the other way round", () => {
    const p = testProcess();
    p.files.addFile("/tmp/f", "0123456789");
    const fd = p.call("openat", -100, "f", 2) as number;
    const at = p.call("mmap", 0, 4096, 3, 1, fd, 0) as number;
    expect(p.memory.string(at)).toBe("0123456789");
    expect(p.call("pwrite64", fd, "AB", 2, 0)).toBe(2);
    expect(p.memory.u8(at)).toBe(65);
    p.memory.setU8(at + 5, 90);
    expect(p.call("pread64", fd, DATA, 10, 0)).toBe(10);
    expect(p.text(0, 10)).toBe("AB234Z6789");
  });

  it("tells times by the clock of the host", () => {
    const p = testProcess();
    p.time.now = 12_345_678_901;
    expect(p.call("clock_gettime", 1, DATA)).toBe(0);
    expect([p.memory.u64(DATA), p.memory.u64(DATA + 8)]).toEqual([12, 345_678_901]);
    expect(p.call("clock_gettime", 99, DATA)).toBe(-22);
  });

  it("ends a wait by its time-out", async () => {
    const p = testProcess();
    void p.call("pipe2", DATA, 0);
    p.memory.setU32(DATA + 100, p.memory.u32(DATA));
    p.memory.setU16(DATA + 104, 1);
    p.memory.setU64(DATA + 200, 3);
    p.memory.setU64(DATA + 208, 0);
    const before = p.time.now;
    expect(await p.call("ppoll", DATA + 100, 1, DATA + 200, 0, 8)).toBe(0);
    expect(p.time.now - before).toBe(3e9);
    expect(p.memory.u64(DATA + 200)).toBe(0);
  });

  it("lets one file size limit hold", () => {
    const p = testProcess();
    p.process.limits[1] = [5, 5];
    const fd = p.call("openat", -100, "f", 0o102, 0o600) as number;
    expect(p.call("write", fd, "0123456789", 10)).toBe(5);
    expect(p.call("write", fd, "x", 1)).toBe(-27);
    expect(p.raised).toEqual([25]);
    expect(p.call("ftruncate", fd, 6)).toBe(-27);
  });

  it("writes nothing at offsets that no file reaches", () => {
    const p = testProcess();
    p.files.addFile("/tmp/f", "0123456789");
    const fd = p.call("openat", -100, "f", 2) as number;
    for (const far of [2n ** 53n, 2n ** 53n + 1n, 2n ** 62n]) {
      expect(p.call("pwrite64", fd, "AB", 2, far)).toBe(-27);
      expect(p.call("pread64", fd, DATA, 10, far)).toBe(0);
      expect(p.call("ftruncate", fd, far)).toBe(-27);
      expect(p.call("lseek", fd, far, 0)).toBe(-22);
    }
    expect(p.call("lseek", fd, 0, 99)).toBe(-22);
    expect(p.call("read", fd, DATA, 20)).toBe(10);
    expect(p.text(0, 10)).toBe("0123456789");
  });

  it("takes 64-bit offsets from pairs of registers on 32-bit ABIs", () => {
    const p = testProcess(BE32);
    p.files.addFile("/tmp/f", "0123456789");
    const fd = p.call("openat", -100, "f", 2) as number;
    expect(p.call("pread64", fd, DATA, 3, 0, 4)).toBe(3);
    expect(p.text(0, 3)).toBe("456");
    expect(p.call("llseek", fd, 1, 2, DATA, 0)).toBe(0);
    expect([...p.bytes(0, 8)]).toEqual([0, 0, 0, 1, 0, 0, 0, 2]);
  });

  it("exits with the low byte of the status", () => {
    const p = testProcess();
    void p.call("exit_group", 0x1_07);
    expect(p.exited).toBe(7);
  });
});
