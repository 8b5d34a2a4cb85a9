import { describe, expect, it } from "vitest";

import { BE32, DATA, testProcess } from "./test-kernel.ts";
import { AT_FLAGS, OPEN_FLAGS } from "./flag-names.ts";
import { quote, showFlags, showResult } from "./show.ts";

describe("-strace", () => {
  const lineOf = (name: string, ...args: (number | bigint | string)[]): string => {
    const p = testProcess(undefined, { strace: true });
    void p.call(name, ...args);
    return p.strace.at(-1) ?? "";
  };

  it("shows text, flags and results", () => {
    expect(lineOf("write", 1, "hello\n", 6)).toBe('write(1, "hello\\n", 6) = 6');
    expect(lineOf("openat", -100, "/etc/motd", 0o2000000)).toBe(
      'openat(AT_FDCWD, "/etc/motd", O_RDONLY|O_CLOEXEC, 0) = 3',
    );
    expect(lineOf("openat", -100, "new", 0o1102, 0o644)).toBe(
      'openat(AT_FDCWD, "new", O_RDWR|O_CREAT|O_TRUNC, 0644) = 3',
    );
  });

  it("shows errors by name", () => {
    expect(lineOf("openat", -100, "none", 0)).toBe('openat(AT_FDCWD, "none", O_RDONLY, 0) = -1 ENOENT');
    expect(lineOf("read", 77, DATA, 10)).toBe("read(77, 0x10000, 10) = -1 EBADF");
  });

  it("shows an address where nothing can be read", () => {
    expect(lineOf("openat", -100, 8, 0)).toBe("openat(AT_FDCWD, 0x8, O_RDONLY, 0) = -1 EFAULT");
    expect(lineOf("write", 1, 8, 4)).toBe("write(1, 0x8, 4) = -1 EFAULT");
  });

  it("shows what a call filled in", () => {
    expect(lineOf("clock_gettime", 1, DATA)).toBe("clock_gettime(CLOCK_MONOTONIC, {sec=1, nsec=0}) = 0");
    expect(lineOf("clock_gettime", 1, 8)).toBe("clock_gettime(CLOCK_MONOTONIC, 0x8) = -1 EFAULT");
  });

  it("shows an array of iovec", () => {
    const p = testProcess(undefined, { strace: true });
    p.memory.setU64(DATA, DATA + 100);
    p.memory.setU64(DATA + 8, 2);
    p.memory.bytes(DATA + 100, 2, "w").set([104, 105]);
    void p.call("writev", 1, DATA, 1);
    expect(p.strace).toEqual(['writev(1, [{"hi", 2}], 1) = 2']);
  });

  it("shows the end of a program", () => expect(lineOf("exit_group", 3)).toBe("exit_group(3) = ?"));

  it("shows a call that nobody knows", () => {
    const p = testProcess(undefined, { strace: true });
    expect(p.calls.call(9999, new Int32Array(6), new Int32Array(6))).toBe(-38);
    expect(p.strace).toEqual(["syscall_9999(...) = -1 ENOSYS"]);
    expect(p.unimp).toEqual(["system call 9999"]);
  });

  it("shows a call that waited, when it is over", async () => {
    const p = testProcess(undefined, { strace: true });
    p.memory.setU64(DATA, 2);
    p.memory.setU64(DATA + 8, 5);
    const result = p.call("nanosleep", DATA, 0);
    expect(p.strace).toEqual([]);
    expect(await result).toBe(0);
    expect(p.strace).toEqual(["nanosleep({sec=2, nsec=5}, NULL) = 0"]);
  });

  it("cuts long text, and escapes it", () => {
    expect(quote(Uint8Array.of(0, 49, 9, 34, 200), true)).toBe('"\\0001\\t\\"\\310"...');
    expect(lineOf("write", 1, "x".repeat(40), 40)).toBe(`write(1, "${"x".repeat(32)}"..., 40) = 40`);
  });

  it("shows bits without a name as a number", () => {
    expect(showFlags(AT_FLAGS, 0x80000100)).toBe("AT_SYMLINK_NOFOLLOW|0x80000000");
    expect(showFlags(AT_FLAGS, 0)).toBe("0");
    expect(showFlags(OPEN_FLAGS, 3)).toBe("0x3");
  });

  it("shows results that are addresses, and calls that will be made again", () => {
    expect(showResult("mmap", 0x7000)).toBe("0x7000");
    expect(showResult("read", -512)).toBe("? ERESTARTSYS (interrupted)");
  });

  it("reads the order of bytes of the program", () => {
    const p = testProcess(BE32, { strace: true });
    void p.call("clock_gettime64", 1, DATA);
    expect(p.strace).toEqual(["clock_gettime64(CLOCK_MONOTONIC, {sec=1, nsec=0}) = 0"]);
    expect([...p.bytes(0, 8)]).toEqual([0, 0, 0, 0, 0, 0, 0, 1]);
  });
});
