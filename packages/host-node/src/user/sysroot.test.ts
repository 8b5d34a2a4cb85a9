import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { SysrootPaths } from "./sysroot.ts";

describe("a sysroot", () => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "mimus-sysroot-")));
  let paths: SysrootPaths;
  beforeAll(() => {
    for (const dir of ["usr/lib", "etc/alternatives", "only/here", "tmp"])
      mkdirSync(join(root, dir), { recursive: true });
    writeFileSync(join(root, "usr/lib/libc.so.6"), "");
    writeFileSync(join(root, "etc/mimus-test"), "");
    symlinkSync("usr/lib", join(root, "lib"));
    symlinkSync("/etc/alternatives/tool", join(root, "usr/tool"));
    symlinkSync("/usr/lib/libc.so.6", join(root, "etc/alternatives/tool"));
    symlinkSync("/dev/null", join(root, "etc/nowhere"));
    symlinkSync("round", join(root, "round"));
    symlinkSync("../../../../../../../../../../../etc/mimus-test", join(root, "usr/lib/up"));
    symlinkSync("/only/here/new", join(root, "dangling"));
    paths = new SysrootPaths(root);
  });
  afterAll(() => rmSync(root, { recursive: true }));

  it("has its files before the host", () => {
    expect(paths.host("/etc/mimus-test", true)).toBe(join(root, "etc/mimus-test"));
    expect(paths.host("/", true)).toBe(root);
  });

  it("leaves everything else to the host", () => {
    expect(paths.host("/proc/version", true)).toBe("/proc/version");
    expect(paths.host("/no/such/file", true)).toBe("/no/such/file");
  });

  it("follows its links within it, absolute ones too", () => {
    expect(paths.host("/lib/libc.so.6", true)).toBe(join(root, "usr/lib/libc.so.6"));
    expect(paths.host("/usr/tool", true)).toBe(join(root, "usr/lib/libc.so.6"));
    expect(paths.host("/usr/tool", false)).toBe(join(root, "usr/tool"));
  });

  it("does not let links with many steps up lead out of it", () => {
    expect(paths.host("/usr/lib/up", true)).toBe(join(root, "etc/mimus-test"));
    expect(paths.host("/usr/lib/../../../etc/mimus-test", true)).toBe(join(root, "etc/mimus-test"));
  });

  it("follows a link to a file that the host alone has", () => {
    expect(paths.host("/etc/nowhere", true)).toBe("/dev/null");
  });

  it("ends where links go round", () => {
    expect(() => paths.host("/round", true)).toThrow("ELOOP");
    expect(paths.host("/round", false)).toBe(join(root, "round"));
  });

  it("makes new files where their directory is: on the host when it has one of that name", () => {
    expect(paths.host("/only/here/new", false)).toBe(join(root, "only/here/new"));
    expect(paths.host("/tmp/new-file-of-a-test", false)).toBe("/tmp/new-file-of-a-test");
  });

  it("makes what a dangling link names", () => {
    expect(paths.host("/dangling", true)).toBe(join(root, "only/here/new"));
  });

  it("shows its files without its own name", () => {
    expect(paths.guest(join(root, "usr/lib"))).toBe("/usr/lib");
    expect(paths.guest(root)).toBe("/");
    expect(paths.guest("/usr/lib")).toBe("/usr/lib");
    expect(paths.guest(`${root}-other`)).toBe(`${root}-other`);
  });
});
