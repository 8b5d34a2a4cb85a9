import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

import { SHELL_PROMPT } from "../../tools/guests/initramfs.ts";
import { Console } from "../lib/console.ts";
import { guest, runMimus, startMimus } from "../lib/mimus.ts";

const kernel = guest("riscv64/linux");
const initrd = guest("riscv64/initramfs-modules.gz");
const MINUTES = 60_000;

let home = "";
let shared = "";
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "mimus-p9-"));
  shared = join(home, "shared");
  mkdirSync(join(shared, "folder"), { recursive: true });
  writeFileSync(join(shared, "from-host"), "hello guest\n");
  writeFileSync(join(home, "secret"), "not for guests\n");
  symlinkSync("../secret", join(shared, "link"));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));
afterEach(() => Console.killAll());

const linux = (...extra: string[]): Console =>
  startMimus([
    ...["system-riscv64", "-M", "virt", "-m", "512", "-nographic", "-kernel", kernel ?? "", "-initrd", initrd ?? ""],
    ...["-append", "console=ttyS0 quiet", ...extra],
  ]);

describe.skipIf(kernel === undefined || initrd === undefined)(
  "a shared folder in Debian's Linux (needs 'pnpm guests')",
  { timeout: 6 * MINUTES },
  () => {
    test("is listed, read and written through 9p; a read-only one is not written", async () => {
      const machine = linux(
        ...["-fsdev", `local,id=f0,path=${shared},security_model=none`],
        ...["-device", "virtio-9p-device,fsdev=f0,mount_tag=share"],
        ...["-virtfs", `local,path=${shared},mount_tag=fixed,security_model=passthrough,readonly=on`],
      );
      const run = async (command: string, answer: string | RegExp): Promise<void> => {
        await machine.type(`${command}\n`);
        await machine.waitFor(answer, MINUTES);
      };
      await machine.waitFor(SHELL_PROMPT, 4 * MINUTES);
      const mount = (tag: string, at: string): string =>
        `mkdir -p /tmp/${at}; mount -t 9p -o trans=virtio,version=9p2000.L ${tag} /tmp/${at} && echo mounted=${at}`;
      await run(mount("share", "a"), "\nmounted=a");
      await run("ls /tmp/a; cat /tmp/a/from-host", /folder\s+from-host\s+link\s+hello guest/);
      await run("echo hello host > /tmp/a/folder/from-guest; mv /tmp/a/folder /tmp/a/moved; echo rc=$?", "\nrc=0");
      await run(
        "dd if=/dev/zero of=/tmp/a/big bs=64k count=16 2>/dev/null; md5sum < /tmp/a/big",
        "b6d81b360a5672d80c27430f39153e2c",
      );
      await run("cat /tmp/a/link; echo rc=$?", "\nrc=1");
      await run(mount("fixed", "b"), "\nmounted=b");
      await run("cat /tmp/b/moved/from-guest; echo x > /tmp/b/no; echo rc=$?", /hello host[^]*\nrc=1/);
      await run("poweroff -f", "");
      expect(await machine.exit(MINUTES)).toBe(0);
      expect(readFileSync(join(shared, "moved/from-guest"), "utf8")).toBe("hello host\n");
      expect(existsSync(join(shared, "no"))).toBe(false);
      expect(readFileSync(join(home, "secret"), "utf8")).toBe("not for guests\n");
    });
  },
);

test.each([
  [
    "local,id=f,path=/nowhere/at/all,security_model=none",
    /cannot share '\/nowhere\/at\/all': there is no such directory/,
  ],
  ["local,id=f,path=/,security_model=mapped-xattr", /security_model=mapped-xattr: .* use security_model=none/],
  ["proxy,id=f", /-fsdev proxy: there is only 'local'/],
  ["local,path=/,security_model=none", /needs id=/],
  ["local,id=f,path=/", /needs security_model=none or passthrough/],
])("-fsdev %s is one clear line", (fsdev, message) => {
  const { status, stderr } = runMimus(["system-riscv64", "-M", "virt", "-bios", "none", "-fsdev", fsdev]);
  expect(status).toBe(1);
  expect(stderr).toMatch(message);
  expect(stderr.trim().split("\n")).toHaveLength(1);
});
