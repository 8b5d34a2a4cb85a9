/** Images on OpenSSH's own server. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";

import type { HostKeyCheck } from "@mimus/block-ssh";
import { nodeSsh } from "@mimus/host-node";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

import { mimusCommand } from "../lib/mimus.ts";
import { freePort } from "../lib/nbd.ts";

const SSHD = "/usr/sbin/sshd";
const there = existsSync(SSHD) && ["ssh-keygen", "qemu-img"].every((p) => spawnSync("which", [p]).status === 0);
if (!there) console.warn("ssh: skipped, sshd, ssh-keygen (openssh-server) or qemu-img is not installed");

let home = "";
let port = 0;
let server: ChildProcess | undefined;
let log = "";
const user = userInfo().username;

beforeAll(async () => {
  if (!there) return;
  home = mkdtempSync(join(tmpdir(), "mimus-ssh-"));
  mkdirSync(join(home, ".ssh"), { mode: 0o700 });
  const key = (path: string, type = "ed25519"): Buffer =>
    execFileSync("ssh-keygen", ["-q", "-t", type, "-N", "", "-f", join(home, path)]);
  key("host");
  key("other");
  key(".ssh/id_ed25519");
  writeFileSync(join(home, "authorized"), readFileSync(join(home, ".ssh/id_ed25519.pub")));
  vi.stubEnv("HOME", home);
  vi.stubEnv("SSH_AUTH_SOCK", undefined);
  port = await freePort();
  const config = [
    ...[`Port ${port}`, "ListenAddress 127.0.0.1", `HostKey ${join(home, "host")}`, `PidFile ${join(home, "pid")}`],
    ...["StrictModes no", "UsePAM no", "PasswordAuthentication no", "PermitRootLogin prohibit-password"],
    ...[`AuthorizedKeysFile ${join(home, "authorized")}`, "Subsystem sftp internal-sftp"],
  ];
  writeFileSync(join(home, "config"), `${config.join("\n")}\n`);
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true });
  server = spawn(SSHD, ["-D", "-e", "-f", join(home, "config")], { stdio: ["ignore", "ignore", "pipe"] });
  server.stderr?.on("data", (text: Buffer) => (log += text.toString()));
  for (let n = 0; n < 200; n++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => (socket.destroy(), resolve(true)));
      socket.once("error", () => resolve(false));
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`sshd does not listen: ${log}`);
});
afterAll(() => {
  server?.kill();
  vi.unstubAllEnvs();
  if (home !== "") rmSync(home, { recursive: true });
});

function mimus(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const { command, args: own } = mimusCommand();
  return spawnSync(command, [...own, ...args], { encoding: "utf8", timeout: 60_000 });
}
const uri = (name: string, check = "no"): string =>
  `ssh://${user}@127.0.0.1:${port}${join(home, name)}?host_key_check=${check}`;
const knows = (of: string): void => {
  const [type = "", key = ""] = readFileSync(join(home, `${of}.pub`), "utf8").split(" ");
  writeFileSync(join(home, ".ssh/known_hosts"), `[127.0.0.1]:${port} ${type} ${key}\n`);
};

describe.skipIf(!there)(
  "an image on OpenSSH's server (needs openssh-server and qemu-utils)",
  { timeout: 120_000 },
  () => {
    test("is made, written, flushed and read there", () => {
      const image = join(home, "disk.qcow2");
      expect(mimus("img", "create", "-f", "qcow2", uri("disk.qcow2"), "8M")).toMatchObject({ status: 0 });
      const io = mimus(
        "io",
        "-f",
        "qcow2",
        "-c",
        "write -P 7 1000 70000",
        "-c",
        "flush",
        "-c",
        "read -P 7 1000 70000",
        uri("disk.qcow2"),
      );
      expect(io).toMatchObject({ status: 0, stderr: "" });
      expect(io.stdout).not.toMatch(/fail/);
      execFileSync("qemu-img", ["check", "-q", image]);
      execFileSync("qemu-io", ["-r", "-c", "read -P 7 1000 70000", image]);
      expect(mimus("img", "convert", "-f", "qcow2", "-O", "vmdk", uri("disk.qcow2"), uri("disk.vmdk"))).toMatchObject({
        status: 0,
      });
      execFileSync("qemu-img", ["compare", "-q", image, join(home, "disk.vmdk")]);
    });

    const open = async (name: string, hostKey: HostKeyCheck = { mode: "none" }): Promise<string> => {
      try {
        const file = await nodeSsh({ host: "127.0.0.1", port, user, path: join(home, name), hostKey, writable: false });
        await file.close();
        return "";
      } catch (error) {
        return (error as Error).message;
      }
    };

    test("host keys: known, unknown, changed, by their hash", async () => {
      const known = { mode: "known_hosts" } as const;
      rmSync(join(home, ".ssh/known_hosts"), { force: true });
      expect(await open("config", known)).toMatch(/no host key of '127.0.0.1' is known/);
      knows("host");
      expect(await open("config", known)).toBe("");
      execFileSync("ssh-keygen", ["-H", "-f", join(home, ".ssh/known_hosts")], { stdio: "ignore" });
      expect(await open("config", known)).toBe("");
      knows("other");
      expect(await open("config", known)).toMatch(/host key of '127.0.0.1' does not match the one in/);
      const key = Buffer.from(readFileSync(join(home, "host.pub"), "utf8").split(" ")[1] ?? "", "base64");
      for (const type of ["md5", "sha256"] as const) {
        const hash = createHash(type).update(key).digest("hex");
        expect(await open("config", { mode: "hash", type, hash })).toBe("");
        const wrong = hash.replaceAll(/./g, "0");
        expect(await open("config", { mode: "hash", type, hash: wrong })).toContain(`'${type}:${hash}' does not match`);
      }
    });

    test("what goes wrong has a name", async () => {
      expect(await open("nothing")).toMatch(/^'ssh:[^\n]*\/nothing': No such file$/);
      expect(await open(".ssh")).toMatch(/it is a directory/);
      writeFileSync(join(home, "authorized"), readFileSync(join(home, "other.pub")));
      expect(await open("config")).toMatch(/^'ssh:[^\n]*authentication methods failed: add a key/);
      writeFileSync(join(home, "authorized"), readFileSync(join(home, ".ssh/id_ed25519.pub")));
    });

    test("a server that goes away is an error of the next request", async () => {
      const file = await nodeSsh({
        host: "127.0.0.1",
        port,
        user,
        path: join(home, "config"),
        hostKey: { mode: "none" },
        writable: true,
      });
      expect(await file.read(0, new Uint8Array(4))).toBe(4);
      const [session] = execFileSync("pgrep", ["-P", String(server?.pid)], { encoding: "utf8" })
        .trim()
        .split("\n");
      process.kill(Number(session), "SIGKILL");
      await expect(file.read(0, new Uint8Array(4))).rejects.toThrow(
        /^'ssh:.*(lost|closed|ECONNRESET|EPIPE|disconnected)/,
      );
      await expect(file.write(0, new Uint8Array(4))).rejects.toThrow(/^'ssh:/);
      await file.close();
    });
  },
);
