import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { SecureContextOptions, TLSSocket } from "node:tls";

import { type ByteStream, NbdError, type TlsCredentials } from "@mimus/nbd";

import { late } from "../builtins.ts";
import { NodeStream, socketStream } from "./sockets.ts";

/** `-object tls-creds-x509`: certificates in a folder. Names of the files: QEMU 7.2 documentation, "TLS setup for network services". */
export interface X509Options {
  /** Folder that holds certificates and keys, as QEMU names the files. */
  readonly dir: string;
  readonly endpoint: "client" | "server";
  /** A server wants certificates of its clients; a client checks the server's. Default true. */
  readonly verifyPeer?: boolean;
  /** Pass phrase of the private key. */
  readonly passphrase?: string;
  /** Names (of certificates' subjects) that a server takes; absent = every one that the CA signed. */
  readonly allow?: (subject: string) => boolean;
}

/** `-object tls-creds-psk`: keys that both ends know, in the file keys.psk of a folder. */
export interface PskOptions {
  /** Folder that holds the keys, as QEMU names the files. */
  readonly dir: string;
  readonly endpoint: "client" | "server";
  /** Whose key a client uses; default "qemu". */
  readonly username?: string;
}

/** @throws Error that names the file which is missing or wrong */
export function x509Credentials(options: X509Options): TlsCredentials {
  const { dir, endpoint, verifyPeer = true } = options;
  const file = (name: string, needed: boolean): Buffer | undefined => {
    try {
      return readFileSync(join(dir, name));
    } catch (error) {
      if (!needed) return undefined;
      throw new Error(`tls-creds-x509: cannot read '${join(dir, name)}': ${(error as Error).message}`, {
        cause: error,
      });
    }
  };
  const server = endpoint === "server";
  const ca = file("ca-cert.pem", server ? verifyPeer : true);
  const cert = file(`${endpoint}-cert.pem`, server);
  const key = file(`${endpoint}-key.pem`, server);
  const crl = file("ca-crl.pem", false);
  let secureContext;
  try {
    secureContext = late.tls.createSecureContext({
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined || key === undefined ? {} : { cert, key }),
      ...(crl === undefined ? {} : { crl }),
      ...(options.passphrase === undefined ? {} : { passphrase: options.passphrase }),
      minVersion: "TLSv1.2",
    });
  } catch (error) {
    throw new Error(`tls-creds-x509: the credentials in '${dir}' are wrong: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return {
    endpoint,
    secure: (stream, { hostname }) =>
      server
        ? serve(stream, { secureContext, requestCert: verifyPeer, rejectUnauthorized: verifyPeer }, options.allow)
        : dialTls(stream, { secureContext, rejectUnauthorized: verifyPeer }, hostname),
  };
}

/** A client's credentials without any of its own: servers are checked against the certificates that this host trusts. */
export function trustCredentials(): TlsCredentials {
  return { endpoint: "client", secure: (stream, { hostname }) => dialTls(stream, { minVersion: "TLSv1.2" }, hostname) };
}

/** @throws Error that names the file which is missing or wrong */
export function pskCredentials({ dir, endpoint, username = "qemu" }: PskOptions): TlsCredentials {
  const path = join(dir, "keys.psk");
  const keys = new Map<string, Buffer>();
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new Error(`tls-creds-psk: cannot read '${path}': ${(error as Error).message}`, { cause: error });
  }
  for (const line of text.split("\n")) {
    const [, name, hex] = /^([^:#\s]+):([\da-f]+)\s*$/i.exec(line) ?? [];
    if (name !== undefined && hex !== undefined) keys.set(name, Buffer.from(hex, "hex"));
  }
  const own = keys.get(username);
  if (endpoint === "client" && own === undefined)
    throw new Error(`tls-creds-psk: '${path}' has no key of '${username}'`);
  // OpenSSL takes such keys only up to TLS 1.2 through this interface.
  const secureContext = late.tls.createSecureContext({
    ciphers: "PSK",
    maxVersion: "TLSv1.2",
  } satisfies SecureContextOptions);
  const common = { secureContext, ciphers: "PSK", maxVersion: "TLSv1.2" as const };
  return {
    endpoint,
    secure: (stream) =>
      endpoint === "server"
        ? serve(stream, { ...common, pskCallback: (_socket: unknown, identity: string) => keys.get(identity) ?? null })
        : dialTls(stream, {
            ...common,
            checkServerIdentity: () => undefined,
            pskCallback: () => ({ psk: own as Buffer, identity: username }),
          }),
  };
}

/** The server's end of the handshake. */
function serve(stream: ByteStream, options: object, allow?: (subject: string) => boolean): Promise<ByteStream> {
  const { socket, peer } = plain(stream);
  const encrypted = new late.tls.TLSSocket(socket, { isServer: true, ...options });
  return new Promise((resolve, reject) => {
    const failed = (error?: Error): void => reject(tlsError(error));
    encrypted.once("error", failed);
    encrypted.once("close", failed);
    encrypted.once("secure", () => {
      const { rejectUnauthorized = false } = options as { rejectUnauthorized?: boolean };
      const problem = (encrypted as unknown as { ssl?: { verifyError?(): Error | null } }).ssl?.verifyError?.();
      if (rejectUnauthorized && problem) {
        encrypted.destroy();
        reject(tlsError(problem));
        return;
      }
      const subject = subjectText(encrypted);
      if (allow !== undefined && !allow(subject)) {
        encrypted.destroy();
        reject(new NbdError("tls", `the certificate's subject '${subject}' is not authorized`));
        return;
      }
      encrypted.off("error", failed);
      encrypted.off("close", failed);
      resolve(socketStream(encrypted, peer));
    });
  });
}

/** The client's end. */
function dialTls(stream: ByteStream, options: object, hostname?: string): Promise<ByteStream> {
  const { socket, peer } = plain(stream);
  return new Promise((resolve, reject) => {
    const encrypted = late.tls.connect({
      socket,
      ...(hostname === undefined ? {} : { host: hostname, servername: nameFor(hostname) }),
      ...options,
    });
    const failed = (error?: Error): void => reject(tlsError(error));
    encrypted.once("error", failed);
    encrypted.once("close", failed);
    encrypted.once("secureConnect", () => {
      encrypted.off("error", failed);
      encrypted.off("close", failed);
      resolve(socketStream(encrypted, peer));
    });
  });
}

/** Server names may not be addresses (RFC 6066, section 3). */
function nameFor(hostname: string): string {
  return /^[\d.]+$|:/.test(hostname) ? "" : hostname;
}

function plain(stream: ByteStream): { socket: ReturnType<NodeStream["release"]>; peer: string } {
  if (!(stream instanceof NodeStream)) throw new NbdError("tls", "only sockets of this host can be encrypted");
  return { socket: stream.release(), peer: stream.peer };
}

/** The subject as GnuTLS writes it: "CN=name,O=org", last part of the certificate first. */
function subjectText(socket: TLSSocket): string {
  const subject =
    (socket.getPeerCertificate() as { subject?: Record<string, string | string[]> } | undefined)?.subject ?? {};
  return Object.entries(subject)
    .flatMap(([key, value]) => (Array.isArray(value) ? value : [value]).map((v) => `${key}=${v}`))
    .toReversed()
    .join(",");
}

function tlsError(cause: Error | undefined): NbdError {
  return new NbdError("tls", `TLS handshake failed: ${cause?.message ?? "the other end closed the connection"}`, {
    cause,
  });
}
