import { randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

import { oracle, runMimus } from "../lib/mimus.ts";
import { freePort, mimusWords, NbdServerProcess, run } from "../lib/nbd.ts";

const SIZE = 16 << 20;
let home = "";
let image = "";
let content: Buffer;
let servers: NbdServerProcess[] = [];
let sockets = 0;

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "mimus-nbd-"));
  image = join(home, "disk.raw");
});
afterAll(() => rmSync(home, { recursive: true, force: true }));
afterEach(async () => {
  for (const server of servers) await server.stop();
  servers = [];
});

/** A sparse disk: data at 1 MiB and at 8 MiB. */
function freshImage(): void {
  content = Buffer.alloc(SIZE);
  rmSync(image, { force: true });
  writeFileSync(image, "");
  truncateSync(image, SIZE);
  const file = openSync(image, "r+");
  for (const [at, length] of [
    [1 << 20, 3 << 20],
    [8 << 20, 65536],
  ] as const) {
    randomBytes(length).copy(content, at);
    writeSync(file, content, at, length, at);
  }
  closeSync(file);
}

async function serve(...args: string[]): Promise<NbdServerProcess> {
  const socket = join(home, `s${sockets++}`);
  const server = await NbdServerProcess.start(mimusWords("nbd", "-t", "-e", "0", "-k", socket, ...args), socket);
  servers.push(server);
  return server;
}

const missing = !["nbdinfo", "nbdcopy", "qemu-img", "qemu-io", "qemu-nbd"].map(oracle).every(Boolean);

describe.skipIf(missing)("mimus nbd (needs libnbd-bin and qemu-utils)", { timeout: 60_000 }, () => {
  test("nbdinfo: sizes, flags, map, list", async () => {
    freshImage();
    const server = await serve("-f", "raw", "-x", "exp", "-D", "a disk", "-A", image);
    const info = JSON.parse(run("nbdinfo", ["--json", server.uri("exp")]).stdout) as {
      exports: Record<string, unknown>[];
    };
    expect(info.exports[0]).toMatchObject({
      ...{ "export-name": "exp", description: "a disk", "export-size": SIZE, is_read_only: false, can_trim: true },
      ...{ can_multi_conn: true, can_fua: true, can_df: true, can_fast_zero: true, block_size_maximum: 33554432 },
      contexts: ["base:allocation", "qemu:allocation-depth"],
    });
    const map = JSON.parse(run("nbdinfo", ["--map", "--json", server.uri("exp")]).stdout) as {
      offset: number;
      type: number;
    }[];
    expect(map.map(({ offset, type }) => [offset, type])).toEqual([
      ...[
        [0, 3],
        [1 << 20, 0],
        [4 << 20, 3],
        [8 << 20, 0],
        [(8 << 20) + 65536, 3],
      ],
    ]);
    expect(run("nbdinfo", ["--list", server.uri()]).stdout).toContain('export="exp"');
    expect(run("nbdinfo", [server.uri("other")]).status).not.toBe(0);
    expect(run("qemu-nbd", ["-L", "-k", server.socket]).stdout).toBe(
      runMimus(["nbd", "-L", "-k", server.socket]).stdout,
    );
  });

  test("nbdcopy both ways, over several connections", async () => {
    freshImage();
    const server = await serve("-f", "raw", "--discard=unmap", image);
    const out = join(home, "out.raw");
    expect(run("nbdcopy", [server.uri(), out])).toMatchObject({ status: 0 });
    expect(readFileSync(out).equals(content)).toBe(true);
    const other = randomBytes(SIZE);
    writeFileSync(out, other);
    expect(run("nbdcopy", ["--flush", out, server.uri()])).toMatchObject({ status: 0 });
    expect(readFileSync(image).equals(other)).toBe(true);
  });

  test("qemu-io: patterns, zeroes, discard, FUA, flush; errors outside and on a read-only export", async () => {
    freshImage();
    const server = await serve("-f", "raw", "--discard=unmap", image);
    const io = (...commands: string[]): string =>
      run("qemu-io", ["-f", "raw", ...commands.flatMap((c) => ["-c", c]), server.uri()]).stdout;
    const said = io(
      "write -P 7 1000 70000",
      "write -f -P 8 5M 64k",
      "flush",
      "read -P 7 1000 70000",
      "read -P 8 5M 64k",
    );
    expect(said).not.toMatch(/failed|Pattern/);
    expect(
      io("write -z 5M 32k", "read -P 0 5M 32k", "write -zu 6M 1M", "discard 7M 1M", "read -P 8 5152k 16k"),
    ).not.toMatch(/failed|Pattern/);
    expect(
      readFileSync(image)
        .subarray(1000, 71_000)
        .every((byte) => byte === 7),
    ).toBe(true);
    const readOnly = await serve("-f", "raw", "-r", image);
    const { stdout, stderr } = run("qemu-io", ["-f", "raw", "-c", "write 0 512", readOnly.uri()]);
    expect(stdout + stderr).toMatch(/read-only|not permitted|denied/i);
  });

  test("qemu-img: convert, compare, map agree with the file", async () => {
    freshImage();
    const server = await serve("-f", "raw", "-r", image);
    const copy = join(home, "copy.qcow2");
    expect(run("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", server.uri(), copy]).status).toBe(0);
    expect(run("qemu-img", ["compare", "-f", "raw", "-F", "qcow2", image, copy]).stdout).toContain("identical");
    const map = (of: string): unknown[] =>
      (JSON.parse(run("qemu-img", ["map", "-f", "raw", "--output=json", of]).stdout) as Record<string, unknown>[]).map(
        ({ start, length, data }) => [start, length, data],
      );
    expect(map(server.uri())).toEqual(map(image));
  });

  test("an image of another format: its content, allocation depth and dirty bitmap", async () => {
    freshImage();
    const top = join(home, "top.qcow2");
    run("qemu-img", ["create", "-q", "-f", "qcow2", "-b", image, "-F", "raw", top]);
    run("qemu-img", ["bitmap", "--add", "-g", "65536", top, "b0"]);
    run("qemu-io", ["-f", "qcow2", "-c", "write -P 9 2M 128k", top]);
    const server = await serve("-f", "qcow2", "-r", "-A", "-B", "b0", top);
    const map = (context: string): unknown =>
      (JSON.parse(run("nbdinfo", [`--map=${context}`, "--json", server.uri()]).stdout) as Record<string, number>[]).map(
        ({ offset, length, type }) => [offset, length, type],
      );
    expect(map("qemu:dirty-bitmap:b0")).toEqual([
      [0, 2 << 20, 0],
      [2 << 20, 131072, 1],
      [(2 << 20) + 131072, SIZE - (2 << 20) - 131072, 0],
    ]);
    expect(map("qemu:allocation-depth")).toEqual([
      [0, 2 << 20, 2],
      [2 << 20, 131072, 1],
      [(2 << 20) + 131072, SIZE - (2 << 20) - 131072, 2],
    ]);
    expect(run("qemu-io", ["-r", "-f", "raw", "-c", "read -P 9 2M 128k", server.uri()]).stdout).not.toMatch(
      /failed|Pattern/,
    );
  });

  test("a part of the image; a temporary layer", async () => {
    freshImage();
    const part = await serve("-f", "raw", "-r", "-o", "1M", image);
    expect(run("nbdinfo", ["--size", part.uri()]).stdout.trim()).toBe(String(SIZE - (1 << 20)));
    const layer = await serve("-f", "raw", "-s", image);
    expect(
      run("qemu-io", ["-f", "raw", "-c", "write -P 1 0 64k", "-c", "read -P 1 0 64k", layer.uri()]).stdout,
    ).not.toMatch(/failed|Pattern/);
    expect(readFileSync(image).equals(content)).toBe(true);
  });

  test("the server ends after the last client, on a signal, and serves from the background", async () => {
    freshImage();
    const socket = join(home, "once");
    const once = await NbdServerProcess.start(mimusWords("nbd", "-f", "raw", "-k", socket, image), socket);
    const ended = new Promise((resolve) => once.child.once("exit", resolve));
    expect(run("nbdinfo", ["--size", once.uri()]).status).toBe(0);
    expect(await ended).toBe(0);
    expect(existsSync(socket)).toBe(false);
    const stays = await serve("-f", "raw", image);
    expect(await stays.stop()).toBe(0);
    const pidFile = join(home, "pid");
    expect(runMimus(["nbd", "--fork", "-t", `--pid-file=${pidFile}`, "-f", "raw", "-k", socket, image]).status).toBe(0);
    expect(run("nbdinfo", ["--size", `nbd+unix:///?socket=${socket}`]).stdout.trim()).toBe(String(SIZE));
    process.kill(Number(readFileSync(pidFile, "utf8")));
  });

  test("a socket that the caller opened, and a TCP port", async () => {
    freshImage();
    expect(
      run("nbdinfo", ["--size", "--", "[", ...mimusWords("nbd", "-f", "raw", "-r", image), "]"]).stdout.trim(),
    ).toBe(String(SIZE));
    const port = await freePort();
    const pidFile = join(home, "pid2");
    expect(
      runMimus([
        "nbd",
        "--fork",
        "-t",
        "-b",
        "127.0.0.1",
        "-p",
        String(port),
        "-f",
        "raw",
        image,
        "--pid-file",
        pidFile,
      ]).status,
    ).toBe(0);
    expect(run("nbdinfo", ["--size", `nbd://127.0.0.1:${port}`]).stdout.trim()).toBe(String(SIZE));
    process.kill(Number(readFileSync(pidFile, "utf8")));
  });

  test("the process number's file is there once a port is served", async () => {
    freshImage();
    const port = await freePort();
    const file = join(home, "pid3");
    const where = ["-b", "127.0.0.1", "-p", String(port), "-x", "disk", "--pid-file", file];
    const server = await NbdServerProcess.start(mimusWords("nbd", "-t", "-f", "raw", ...where, image), file);
    expect(readFileSync(file, "utf8").trim()).toBe(String(server.child.pid));
    expect(run("nbdinfo", ["--size", `nbd://127.0.0.1:${port}/disk`]).stdout.trim()).toBe(String(SIZE));
    await server.stop();
    expect(existsSync(file)).toBe(false);
  });

  test.skipIf(!oracle("openssl"))("TLS with certificates and with keys", async () => {
    freshImage();
    const { server, client } = certificates(join(home, "pki"));
    const x509 = `tls-creds-x509,id=t,endpoint=server,dir=${server}`;
    const secured = await serve("-f", "raw", "--object", x509, "--tls-creds", "t", image);
    expect(run("nbdinfo", ["--size", secured.uri()]).stderr).toMatch(/TLS|encrypt/i);
    const target = ["--object", `tls-creds-x509,id=t,endpoint=client,dir=${client}`, "--image-opts"];
    const opts = `driver=nbd,server.type=unix,server.path=${secured.socket},tls-creds=t,tls-hostname=localhost`;
    expect(run("qemu-img", ["info", ...target, opts]).stdout).toContain("16 MiB");
    const listing = ["nbd", "-L", "-k", secured.socket, "--tls-creds", "t", "--tls-hostname", "localhost"];
    expect(runMimus([...listing, ...target.slice(0, 2)]).stdout).toContain("exports available: 1");
    expect(runMimus(["nbd", "-L", "-k", secured.socket]).stderr).toMatch(/wants encryption/);
    const wrong = opts.replace("localhost", "elsewhere");
    expect(run("qemu-img", ["info", ...target, wrong]).status).not.toBe(0);
    const psk = join(home, "psk");
    mkdirSync(psk);
    writeFileSync(join(psk, "keys.psk"), `qemu:${randomBytes(32).toString("hex")}\n`);
    const keyed = await serve(
      "-f",
      "raw",
      "--object",
      `tls-creds-psk,id=p,endpoint=server,dir=${psk}`,
      "--tls-creds",
      "p",
      image,
    );
    const uri = `nbds+unix://qemu@/?socket=${keyed.socket}&tls-psk-file=${join(psk, "keys.psk")}`;
    expect(run("nbdinfo", ["--size", uri])).toMatchObject({ status: 0, stdout: `${SIZE}\n` });
  });

  test("mistakes on the command line are one clear line", () => {
    freshImage();
    for (const [args, message] of [
      [["-f", "raw", "/nonexistent"], /Could not open '\/nonexistent'/],
      [["-f", "raw"], /Invalid number of arguments/],
      [["-c", "/dev/nbd0", image], /nbd-client/],
      [["-e", "x", image], /Invalid shared device number 'x'/],
      [["-p", "70000", image], /Invalid port '70000'/],
      [["--cache", "x", "-k", "s", "-f", "raw", image], /Invalid cache mode 'x'/],
      [["-f", "raw", "-k", join(home, "t"), "-B", "b", image], /Bitmap 'b' is not found/],
      [["-f", "raw", "-o", "1T", image], /cannot be greater than size/],
      [["--tls-creds", "t", "-f", "raw", image], /No tls-creds object with id 't'/],
      [["--bogus"], /unrecognized option '--bogus'/],
    ] as const) {
      const { status, stderr } = runMimus(["nbd", ...args]);
      expect([args, status]).toEqual([args, 1]);
      expect(stderr.split("\n")[0]).toMatch(message);
    }
  });
});

/** A CA, a server's and a client's certificate, in folders as tls-creds-x509 wants them. */
function certificates(folder: string): { server: string; client: string } {
  const [server, client] = [join(folder, "server"), join(folder, "client")];
  for (const dir of [folder, server, client]) mkdirSync(dir, { recursive: true });
  const openssl = (...args: string[]): void => {
    const { status, stderr } = run("openssl", args);
    if (status !== 0) throw new Error(stderr);
  };
  const key = (path: string): string[] => ["-newkey", "rsa:2048", "-nodes", "-keyout", path];
  const ca = join(folder, "ca.pem");
  const caKey = join(folder, "ca-key.pem");
  openssl("req", "-x509", ...key(caKey), "-out", ca, "-days", "2", "-subj", "/CN=mimus test CA");
  for (const [dir, name, extra] of [
    [server, "server", "subjectAltName=DNS:localhost"],
    [client, "client", "extendedKeyUsage=clientAuth"],
  ] as const) {
    const request = join(folder, `${name}.csr`);
    openssl(
      "req",
      "-new",
      ...key(join(dir, `${name}-key.pem`)),
      "-out",
      request,
      "-subj",
      `/CN=${name === "server" ? "localhost" : name}`,
    );
    const extensions = join(folder, `${name}.ext`);
    writeFileSync(extensions, `${extra}\n`);
    const sign = ["-CA", ca, "-CAkey", caKey, "-CAcreateserial", "-days", "2", "-extfile", extensions];
    openssl("x509", "-req", "-in", request, ...sign, "-out", join(dir, `${name}-cert.pem`));
    writeFileSync(join(dir, "ca-cert.pem"), readFileSync(ca));
  }
  return { server, client };
}
