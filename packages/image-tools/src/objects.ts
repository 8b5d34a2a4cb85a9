import { ToolError } from "./errors.ts";
import type { ToolHost } from "./host.ts";
import { keyValues } from "./key-values.ts";

/** Opens the sealed data of a secret: AES-256 in CBC mode with the key of another secret. */
export type Unseal = (key: Uint8Array, iv: Uint8Array, data: Uint8Array) => Promise<Uint8Array>;

/** The objects that `--object` made. */
export class Objects {
  readonly #host: ToolHost;
  readonly #secrets: Map<string, () => Promise<Uint8Array>> = new Map();

  constructor(host: ToolHost) {
    this.#host = host;
  }

  /** Takes one `--object`: `secret,id=s0,file=key.txt`. @throws ToolError */
  add(text: string): void {
    const values: Record<string, unknown> = text.startsWith("{") ? fromJson(text) : keyValues(text, "qom-type");
    const type = String(values["qom-type"] ?? "");
    if (type !== "secret" && this.#host.object?.(values, (of) => this.secret(of)) === true) return;
    if (type !== "secret") throw new ToolError(`Parameter 'qom-type' does not accept value '${type}'`);
    const id = values["id"];
    if (typeof id !== "string" || id === "") throw new ToolError("Parameter 'id' is missing");
    if (!/^[A-Za-z][A-Za-z0-9._-]*$/.test(id)) throw new ToolError(`Parameter 'id' expects an identifier`);
    if (this.#secrets.has(id))
      throw new ToolError(`attempt to add duplicate property '${id}' to object (type 'container')`);
    for (const key of Object.keys(values))
      if (!["qom-type", "id", "data", "file", "format", "keyid", "iv"].includes(key))
        throw new ToolError(`Parameter '${key}' is unexpected`);
    for (const [key, value] of Object.entries(values))
      if (typeof value !== "string") throw new ToolError(`Parameter '${key}' of a secret expects a string`);
    const { data, file, format = "raw", keyid, iv } = values as Readonly<Record<string, string>>;
    if (data === undefined && file === undefined) throw new ToolError("Either 'file' or 'data' must be provided");
    if (data !== undefined && file !== undefined) throw new ToolError("'file' and 'data' are mutually exclusive");
    if (format !== "raw" && format !== "base64")
      throw new ToolError(`Parameter 'format' does not accept value '${format}'`);
    if (keyid !== undefined && iv === undefined) throw new ToolError("IV is required to decrypt secret");
    let loaded: Promise<Uint8Array> | undefined;
    this.#secrets.set(id, () => (loaded ??= this.#load(data, file, format, keyid, iv)));
  }

  /** Forgets a secret. What it opened stays open. @returns whether there was one */
  remove(id: string): boolean {
    return this.#secrets.delete(id);
  }

  /** Bytes of a secret. @throws ToolError for an unknown id */
  async secret(id: string): Promise<Uint8Array> {
    const load = this.#secrets.get(id);
    if (load === undefined) throw new ToolError(`No secret with id '${id}'`);
    return load();
  }

  async #load(
    data: string | undefined,
    file: string | undefined,
    format: string,
    keyid: string | undefined,
    iv: string | undefined,
  ): Promise<Uint8Array> {
    const bytes = file === undefined ? utf8(data ?? "") : await this.#host.files.read(file);
    if (keyid === undefined) return format === "base64" ? base64(text(bytes)) : bytes;
    const key = await this.secret(keyid);
    if (key.length !== 32) throw new ToolError(`Key should be 32 bytes in length`);
    const start = base64(iv ?? "");
    if (start.length !== 16) throw new ToolError(`IV should be 16 bytes in length instead of ${start.length}`);
    const sealed = format === "base64" ? base64(text(bytes)) : bytes;
    const { unseal } = this.#host;
    if (unseal === undefined) throw new ToolError("Secrets sealed with a key cannot be opened here");
    const plain = await unseal(key, start, sealed);
    const pad = plain.at(-1) ?? 0;
    if (pad < 1 || pad > 16) throw new ToolError("Incorrect number of padding bytes found on decrypted data");
    return plain.subarray(0, plain.length - pad);
  }
}

function fromJson(given: string): Record<string, unknown> {
  try {
    return JSON.parse(given) as Record<string, unknown>;
  } catch (e) {
    throw new ToolError(`--object: not valid JSON: ${e instanceof Error ? e.message : String(e)}`);
  }
}

/** Bytes of a text in UTF-8. */
export function utf8(given: string): Uint8Array {
  const escaped = encodeURIComponent(given);
  const out: number[] = [];
  for (let i = 0; i < escaped.length; i++) {
    if (escaped[i] === "%") {
      out.push(Number.parseInt(escaped.slice(i + 1, i + 3), 16));
      i += 2;
    } else out.push(escaped.charCodeAt(i));
  }
  return new Uint8Array(out);
}

function text(bytes: Uint8Array): string {
  let out = "";
  for (const b of bytes) out += String.fromCharCode(b);
  return out;
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** RFC 4648, section 4; white space is skipped. @throws ToolError */
export function base64(given: string): Uint8Array {
  const digits = given.replaceAll(/\s/g, "").replace(/=+$/, "");
  const out = new Uint8Array((digits.length * 3) >> 2);
  let bits = 0;
  let have = 0;
  let at = 0;
  for (const c of digits) {
    const value = DIGITS.indexOf(c);
    if (value < 0) throw new ToolError("Base64 data contains invalid characters");
    bits = ((bits << 6) | value) & 0xffffff;
    have += 6;
    if (have >= 8) out[at++] = (bits >> (have -= 8)) & 0xff;
  }
  return out;
}
