import type { BlockProtocol, ProtocolContext } from "@mimus/block";
import { BlockError, defineProtocol } from "@mimus/block";
import { onOff, size } from "@mimus/qom";
import { z } from "zod";
import { basic } from "./basic.ts";
import type { HttpFetch } from "./fetch.ts";
import { HttpNode } from "./node.ts";
import { RemoteFile } from "./remote-file.ts";

const refused = (why: string): z.ZodOptional<z.ZodNever> => z.never(why).optional();

/** Source: QEMU 7.2, qapi/block-core.json, BlockdevOptionsCurlHttp and BlockdevOptionsCurlHttps. */
const shape = {
  url: z.string().min(1).describe("address of the file"),
  readahead: size
    .refine((n) => n >= 512 && n % 512 === 0 && n <= 16 << 20, "a multiple of 512 up to 16M")
    .default(256 << 10)
    .describe("bytes of a block: each read fetches whole ones"),
  timeout: z.coerce.number().int().min(0).max(86400).default(5).describe("seconds until a request fails; 0 = never"),
  username: z.string().optional().describe("user name for the server"),
  "password-secret": z.string().optional().describe("id of a secret object: the password"),
  cookie: z.string().optional().describe("cookies to send: NAME=VALUE; NAME=VALUE"),
  "cookie-secret": z.string().optional().describe("id of a secret object: the cookies"),
  sslverify: onOff.default(true).describe("check the server's certificate"),
  "proxy-username": refused("proxies with passwords are not supported"),
  "proxy-password-secret": refused("proxies with passwords are not supported"),
};
const HttpOptions = z.strictObject(shape);

type Settings = z.output<typeof HttpOptions>;

async function open(driver: string, o: Settings, ctx: ProtocolContext): Promise<HttpNode> {
  const match = /^(https?):\/\/(?:([^/?#@]*)@)?([^/?#]+.*)$/is.exec(o.url);
  if (match === null || match[1]?.toLowerCase() !== driver)
    throw new BlockError("bad-option", `'${o.url}': ${driver} needs an address such as ${driver}://host/file`);
  const url = `${driver}://${match[3]?.replace(/#.*$/s, "") ?? ""}`;
  if (!ctx.readOnly)
    throw new BlockError("read-only", `'${url}': web servers take no writes: open it with read-only=on`);
  const fetch = ctx.services["fetch"] as HttpFetch | undefined;
  if (fetch === undefined) throw new BlockError("unsupported-feature", `'${url}': this host offers no HTTP`);
  const { file, head } = await RemoteFile.open(
    {
      ...{ url, fetch, headers: await headers(o, match[2], ctx), insecure: !o.sslverify },
      ...{ timeoutNs: o.timeout * 1e9, delay: ctx.delay },
    },
    o.readahead,
  );
  return new HttpNode({ name: ctx.name, filename: url, driver }, file, head, o.readahead);
}

async function headers(o: Settings, user: string | undefined, ctx: ProtocolContext): Promise<Record<string, string>> {
  const lookup = ctx.services["secret"] as ((id: string) => Promise<Uint8Array>) | undefined;
  const secret = async (id: string): Promise<string> => {
    if (lookup === undefined) throw new BlockError("bad-option", `http: there is no secret object '${id}'`);
    let text = "";
    for (const byte of await lookup(id)) text += String.fromCharCode(byte);
    return text;
  };
  const out: Record<string, string> = {};
  const [name, ...password] = (user ?? "").split(":").map(decodeURIComponent);
  const username = o.username ?? (user === undefined ? undefined : name);
  if (username !== undefined) {
    const given = o["password-secret"] === undefined ? password.join(":") : await secret(o["password-secret"]);
    out["authorization"] = basic(username, given);
  }
  if (o.cookie !== undefined && o["cookie-secret"] !== undefined)
    throw new BlockError("bad-option", "http: cookie and cookie-secret exclude each other");
  const cookie = o["cookie-secret"] === undefined ? o.cookie : await secret(o["cookie-secret"]);
  if (cookie !== undefined) {
    if (/[\r\n\0]/.test(cookie)) throw new BlockError("bad-option", "http: a cookie has no line ends");
    out["cookie"] = cookie;
  }
  return out;
}

const web = ["http", "https"].map((name) =>
  defineProtocol({
    name,
    summary: `A file of a web server${name === "https" ? ", encrypted" : ""}, read-only`,
    options: HttpOptions,
    open: (options, ctx) => open(name, options, ctx),
    parse: (url) => ({ url }),
  }),
);
const ftp = ["ftp", "ftps"].map((name) =>
  defineProtocol({
    name,
    summary: "Refused: there is no FTP here",
    options: z.looseObject({ url: z.string().optional() }),
    open: async ({ url }) => {
      throw new BlockError(
        "unsupported-feature",
        `'${url ?? name}': FTP is not supported: download the file, or serve it by HTTP`,
      );
    },
    parse: (url) => ({ url }),
  }),
);

/** http, https; ftp and ftps, which are refused. */
export const protocols: readonly BlockProtocol[] = [...web, ...ftp];
