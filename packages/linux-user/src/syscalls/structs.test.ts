import { describe, expect, it } from "vitest";

import type { Layout } from "../layout.ts";
import * as structs from "./structs.ts";

import { BE32, RV64 } from "./test-kernel.ts";

const S = { ...structs };

/** What `sizeof` says in C programs for riscv64 and for 32-bit ABIs with the generic structures. */
const SIZES: readonly (readonly [name: keyof typeof structs, bits64: number, bits32: number])[] = [
  ["TIMESPEC", 16, 8], ["TIMESPEC64", 16, 16], ["TIMEVAL", 16, 8], ["ITIMERSPEC", 32, 16], ["ITIMERVAL", 32, 16],
  ["STATX", 256, 256], ["RUSAGE", 144, 72], ["SYSINFO", 112, 56], ["TMS", 32, 16], ["RLIMIT", 16, 8],
  ["RLIMIT64", 16, 16], ["IOVEC", 16, 8], ["POLLFD", 8, 8], ["EPOLL_EVENT", 16, 12], ["EPOLL_EVENT_PACKED", 12, 12],
  ["TERMIOS", 36, 36], ["TERMIOS2", 44, 44], ["WINSIZE", 8, 8], ["FLOCK", 32, 16], ["OPEN_HOW", 24, 24],
  ["DIRENT64_HEAD", 19, 19], ["CAP_HEADER", 8, 8], ["CAP_DATA", 12, 12], ["HWPROBE", 16, 16], ["STATFS", 120, 84],
]; // prettier-ignore

describe("structures of system calls", () => {
  it.each(SIZES)("%s has its size", (name, bits64, bits32) => {
    const layout = S[name] as unknown as Layout;
    expect(layout.on(RV64).size).toBe(bits64);
    expect(layout.on(BE32).size).toBe(bits32);
  });

  it("has struct stat as C has it", () => {
    const { size, offsets } = S.STAT.on(RV64);
    expect(size).toBe(128);
    expect([offsets.mode, offsets.nlink, offsets.uid, offsets.rdev, offsets.size, offsets.blksize]).toEqual([
      16, 20, 24, 32, 48, 56,
    ]);
    expect([offsets.blocks, offsets.atime, offsets.mtime, offsets.ctime]).toEqual([64, 72, 88, 104]);
    expect(S.STAT64.on({ ...BE32, align64: 8 }).size).toBe(104);
  });

  it("has struct statx as C has it", () => {
    const { offsets } = S.STATX.on(RV64);
    expect([offsets.mode, offsets.ino, offsets.size, offsets.blocks]).toEqual([28, 32, 40, 48]);
    expect([offsets.atime, offsets.btime, offsets.ctime, offsets.mtime]).toEqual([64, 80, 96, 112]);
    expect([offsets.rdevMajor, offsets.devMajor, offsets.mntId]).toEqual([128, 136, 144]);
  });

  it("has sigevent's tid behind the notification", () => {
    const { size, offsets } = S.SIGEVENT.on(RV64);
    expect([size, offsets.signo, offsets.notify, offsets.tid]).toEqual([64, 8, 12, 16]);
  });
});
