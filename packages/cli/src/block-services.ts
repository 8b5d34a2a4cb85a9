import {
  nodeDirectory,
  nodeFetch,
  nodeSockets,
  nodeSsh,
  pskCredentials,
  trustCredentials,
  x509Credentials,
} from "@mimus/host-node";
import type { TlsCredentials, TlsLookup } from "@mimus/nbd";
import { onOff } from "@mimus/qom";

import type { KeyValues } from "./args/keyval.ts";
import { UsageError } from "./errors.ts";

export { isNetworkObject } from "./network-objects.ts";

/** Finds the bytes of a `secret` object. */
export type SecretLookup = (id: string) => Promise<Uint8Array>;

/**
 * What protocols of block nodes may use of this host, by the names under which they look for it. `objects`: those of the command line,
 * parsed, of which `tls-creds-*` and `authz-*` are used here.
 */
export function blockServices(
  objects: readonly KeyValues[] = [],
  secret: SecretLookup = noSecret,
): Readonly<Record<string, unknown>> {
  return {
    sockets: nodeSockets,
    tls: tlsLookup(objects, secret),
    fetch: nodeFetch,
    ssh: nodeSsh,
    secret,
    directory: nodeDirectory,
  };
}

/** Credentials by the id of their object; `authz`: id of the object that says which clients a server takes. */
export function tlsLookup(objects: readonly KeyValues[], secret: SecretLookup = noSecret, authz?: string): TlsLookup {
  return async (id) =>
    id === undefined
      ? trustCredentials()
      : credentials(
          find(objects, id, "tls-creds"),
          secret,
          authz === undefined ? undefined : identities(find(objects, authz, "authz")),
        );
}

/** What an object `tls-creds-*` says. */
interface CredentialOptions {
  /** The option, for messages. */
  readonly what: string;
  readonly type: "tls-creds-x509" | "tls-creds-psk";
  readonly dir: string;
  readonly endpoint: "client" | "server";
  readonly verifyPeer: boolean;
  readonly passwordId: string | undefined;
  readonly username: string | undefined;
}

/** Reads the options of an object `tls-creds-*`. @throws UsageError */
export function credentialOptions(object: KeyValues): CredentialOptions {
  const {
    "qom-type": type,
    id,
    dir,
    endpoint = "client",
    "verify-peer": verify = "on",
    passwordid,
    username,
    ...rest
  } = object;
  const what = `--object ${String(type)},id=${String(id)}`;
  const { priority: _priority, "sanity-check": _check, ...unknown } = rest;
  const [wrong] = Object.keys(unknown);
  if (wrong !== undefined) throw new UsageError(`${what}: invalid parameter '${wrong}'`);
  if (endpoint !== "client" && endpoint !== "server")
    throw new UsageError(`${what}: endpoint=${String(endpoint)}: expected client or server`);
  if (type !== "tls-creds-x509" && type !== "tls-creds-psk")
    throw new UsageError(
      `${what}: only tls-creds-x509 and tls-creds-psk are there; anonymous TLS protects from nobody`,
    );
  if (typeof dir !== "string") throw new UsageError(`${what}: needs dir=`);
  const verifyPeer = onOff.safeParse(verify);
  if (!verifyPeer.success) throw new UsageError(`${what}: verify-peer=${String(verify)}: expected on or off`);
  const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
  const [passwordId, user] = [text(passwordid), text(username)];
  return { what, type, dir, endpoint, verifyPeer: verifyPeer.data, passwordId, username: user };
}

async function credentials(
  object: KeyValues,
  secret: SecretLookup,
  allow: ((subject: string) => boolean) | undefined,
): Promise<TlsCredentials> {
  const { what, type, dir, endpoint, verifyPeer, passwordId, username } = credentialOptions(object);
  try {
    if (type === "tls-creds-psk")
      return pskCredentials({ dir, endpoint, ...(username === undefined ? {} : { username }) });
    const passphrase = passwordId === undefined ? undefined : new TextDecoder().decode(await secret(passwordId));
    return x509Credentials({
      ...{ dir, endpoint, verifyPeer },
      ...(passphrase === undefined ? {} : { passphrase }),
      ...(allow === undefined ? {} : { allow }),
    });
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${what}: ${(error as Error).message}`);
  }
}

/** Names that an `authz-simple` or `authz-list` object takes. Source: QEMU 7.2, qapi/authz.json. */
function identities(object: KeyValues): (subject: string) => boolean {
  const { "qom-type": type, id, identity, policy = "deny", rules = [] } = object;
  if (type === "authz-simple" && typeof identity === "string") return (subject) => subject === identity;
  if (type !== "authz-list")
    throw new UsageError(`--object ${String(type)},id=${String(id)}: use authz-simple or authz-list`);
  const list = Object.values(rules as Record<string, { match?: string; policy?: string; format?: string }>);
  return (subject) => {
    const rule = list.find(({ match = "", format }) =>
      format === "glob" ? glob(match).test(subject) : match === subject,
    );
    return (rule?.policy ?? policy) === "allow";
  };
}

function glob(pattern: string): RegExp {
  const parts = pattern
    .split(/([*?])/)
    .map((p) => (p === "*" ? ".*" : p === "?" ? "." : p.replace(/[\\^$.|+()[\]{}]/g, "\\$&")));
  return new RegExp(`^${parts.join("")}$`, "s");
}

function find(objects: readonly KeyValues[], id: string, kind: string): KeyValues {
  const object = objects.find((o) => o["id"] === id);
  if (object === undefined)
    throw new UsageError(`No ${kind} object with id '${id}': add --object ${kind}-...,id=${id}`);
  if (!String(object["qom-type"]).startsWith(kind))
    throw new UsageError(`Object with id '${id}' is not a ${kind} object (it is ${String(object["qom-type"])})`);
  return object;
}

function noSecret(id: string): Promise<Uint8Array> {
  return Promise.reject(new UsageError(`There is no secret object with id '${id}': add --object secret,id=${id},...`));
}
