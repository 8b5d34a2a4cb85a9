import { be, decode, encode, join, put16, put32, u16, u32, u64 } from "../bytes.ts";
import { FLAG, HANDSHAKE, INFO, MAGIC, MAX_REQUEST, MAX_STRING, OPT, REP } from "../constants.ts";
import { NbdError } from "../errors.ts";
import type { ByteStream, TlsCredentials } from "../stream.ts";
import { ByteReader } from "../stream.ts";

/** What a client wants of a server. */
export interface ClientOptions {
  /** Encrypts with these; absent = in the clear. */
  readonly tls?: TlsCredentials | undefined;
  /** Whose certificate the server has to show. */
  readonly tlsHostname?: string | undefined;
}

/** An export as a server describes it. */
export interface ExportInfo {
  /** What clients open it by. */
  readonly name: string;
  /** For people. */
  readonly description?: string;
  /** Bytes. */
  readonly size: number;
  /** Of {@link FLAG}. */
  readonly flags: number;
  /** Bytes: requests are multiples of `minimum`, and at most `maximum`. */
  readonly minimum: number;
  /** Size that requests are best made in. */
  readonly preferred: number;
  /** Most bytes of one request. */
  readonly maximum: number;
}

/** An agreement with a server about one export. */
export interface ClientSession {
  /** The connection, after the negotiation. */
  readonly stream: ByteStream;
  /** What was opened. */
  readonly of: ExportInfo;
  /** Replies come in chunks. */
  readonly structured: boolean;
  /** Metadata contexts by the name that was asked for. */
  readonly contexts: ReadonlyMap<string, number>;
  /** Input that came and was not taken. */
  readonly rest: readonly Uint8Array[];
}

/** Bytes of the data of one option reply. */
const MAX_REPLY = 1 << 16;
/** Replies to one option. */
const MAX_REPLIES = 65536;
/** Bytes of the data of all replies to one option: 65,536 exports with names and descriptions of 256 bytes together. */
const MAX_REPLIES_BYTES = 1 << 24;

interface Reply {
  readonly type: number;
  readonly data: Uint8Array;
}

/** The client's side of a negotiation. Source: sections "Newstyle negotiation", "Oldstyle negotiation", "Option haggling". */
export class Haggle {
  #stream: ByteStream;
  #reader: ByteReader;
  readonly #options: ClientOptions;
  #fixed = false;
  #noZeroes = false;
  #old = false;
  #structured = false;

  private constructor(stream: ByteStream, options: ClientOptions) {
    this.#stream = stream;
    this.#reader = new ByteReader(stream);
    this.#options = options;
  }

  /** Greets the server, encrypts, and agrees on structured replies where the server knows them. @throws NbdError */
  static async begin(stream: ByteStream, options: ClientOptions = {}): Promise<Haggle> {
    const haggle = new Haggle(stream, options);
    await haggle.#greet();
    if (!haggle.#fixed) return haggle;
    if (options.tls !== undefined) await haggle.#startTls(options.tls);
    const [reply] = await haggle.#ask(OPT.STRUCTURED_REPLY, new Uint8Array(0));
    haggle.#structured = reply?.type === REP.ACK;
    if (reply?.type === REP.ERR_TLS_REQD) throw new NbdError("tls", `${stream.peer} wants encryption: give tls-creds`);
    return haggle;
  }

  /** Replies will come in chunks, and say where there are holes. */
  get structured(): boolean {
    return this.#structured;
  }

  /** Names and descriptions of the server's exports. @throws NbdError */
  async list(): Promise<{ name: string; description?: string }[]> {
    this.#needFixed("listing its exports");
    const replies = await this.#ask(OPT.LIST, new Uint8Array(0));
    this.#must(replies, "list exports");
    return replies.flatMap(({ type, data }) => {
      if (type !== REP.SERVER) return [];
      if (data.length < 4 || u32(data, 0) > data.length - 4) throw this.#broken("an export's name that does not fit");
      const length = u32(data, 0);
      const name = this.#text(data.subarray(4, 4 + length));
      return length + 4 === data.length ? [{ name }] : [{ name, description: this.#text(data.subarray(4 + length)) }];
    });
  }

  /** The server's contexts for an export: all, or those that match the queries. */
  async listContexts(name: string, queries: readonly string[] = []): Promise<string[]> {
    if (!this.#structured) return [];
    const replies = await this.#ask(OPT.LIST_META_CONTEXT, contextRequest(name, queries));
    return replies.flatMap(({ type, data }) =>
      type === REP.META_CONTEXT && data.length >= 4 ? [this.#text(data.subarray(4))] : [],
    );
  }

  /** What an export is, without opening it. @throws NbdError */
  async info(name: string): Promise<ExportInfo> {
    this.#needFixed("describing exports");
    const found = await this.#go(OPT.INFO, name);
    if (found === undefined) throw new NbdError("refused", `${this.#stream.peer} cannot describe its exports`);
    return found;
  }

  /** Opens an export: the negotiation is over. @throws NbdError */
  async open(name: string, contexts: readonly string[] = []): Promise<ClientSession> {
    if (this.#old && name !== "")
      throw new NbdError("refused", `${this.#stream.peer} has one export without a name, not '${name}'`);
    const chosen = await this.#setContexts(name, contexts);
    const of = this.#old
      ? await this.#oldExport()
      : ((this.#fixed ? await this.#go(OPT.GO, name) : undefined) ?? (await this.#exportName(name)));
    return {
      stream: this.#stream,
      of,
      structured: this.#structured,
      contexts: chosen,
      rest: this.#reader.rest(),
    };
  }

  /** Leaves without an export. */
  abort(): void {
    if (this.#fixed) this.#send(OPT.ABORT, new Uint8Array(0));
    this.#stream.end();
  }

  // ---- steps ----

  async #greet(): Promise<void> {
    const head = await this.#reader.take(16);
    const is = (at: number, [high, low]: readonly [number, number]): boolean =>
      u32(head, at) === high && u32(head, at + 4) === low;
    if (!is(0, MAGIC.init)) throw this.#broken("something else than NBD");
    if (is(8, MAGIC.oldstyle)) {
      if (this.#options.tls !== undefined)
        throw new NbdError("tls", `${this.#stream.peer} speaks the oldstyle protocol, which has no encryption`);
      this.#old = true;
      return;
    }
    if (!is(8, MAGIC.option)) throw this.#broken("an unknown kind of negotiation");
    const flags = u16(await this.#reader.take(2), 0);
    this.#fixed = (flags & HANDSHAKE.fixedNewstyle) !== 0;
    this.#noZeroes = (flags & HANDSHAKE.noZeroes) !== 0;
    if (!this.#fixed && this.#options.tls !== undefined)
      throw new NbdError("tls", `${this.#stream.peer} does not know STARTTLS`);
    this.#stream.write([be(32, flags & (HANDSHAKE.fixedNewstyle | HANDSHAKE.noZeroes))]);
  }

  async #startTls(tls: TlsCredentials): Promise<void> {
    const [reply] = await this.#ask(OPT.STARTTLS, new Uint8Array(0));
    if (reply?.type !== REP.ACK)
      throw new NbdError(
        "tls",
        `${this.#stream.peer} refuses encryption${reply === undefined ? "" : this.#words(reply)}`,
      );
    if (this.#reader.buffered > 0) throw this.#broken("plain bytes behind its agreement to encrypt");
    const { tlsHostname } = this.#options;
    this.#stream = await tls.secure(this.#stream, tlsHostname === undefined ? {} : { hostname: tlsHostname });
    this.#reader = new ByteReader(this.#stream);
  }

  async #setContexts(name: string, wanted: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const chosen = new Map<string, number>();
    if (!this.#structured || wanted.length === 0) return chosen;
    for (const { type, data } of await this.#ask(OPT.SET_META_CONTEXT, contextRequest(name, wanted))) {
      if (type !== REP.META_CONTEXT) continue;
      if (data.length < 4) throw this.#broken("a metadata context without its number");
      const context = this.#text(data.subarray(4));
      if (wanted.includes(context)) chosen.set(context, u32(data, 0));
    }
    return chosen;
  }

  /** @returns undefined when the server does not know the option */
  async #go(option: number, name: string): Promise<ExportInfo | undefined> {
    const text = encode(name);
    const wants = join(be(16, 2), be(16, INFO.BLOCK_SIZE), be(16, INFO.DESCRIPTION));
    const replies = await this.#ask(option, join(be(32, text.length), text, wants));
    if (replies.at(-1)?.type === REP.ERR_UNSUP) return undefined;
    this.#must(replies, `open export '${name}'`);
    let [size, flags, minimum, preferred, maximum] = [-1, 0, 1, 4096, MAX_REQUEST];
    let description: string | undefined;
    for (const { type, data } of replies) {
      if (type !== REP.INFO || data.length < 2) continue;
      const kind = u16(data, 0);
      if (kind === INFO.EXPORT && data.length === 12) [size, flags] = [u64(data, 2), u16(data, 10)];
      else if (kind === INFO.BLOCK_SIZE && data.length === 14)
        [minimum, preferred, maximum] = [u32(data, 2), u32(data, 6), u32(data, 10)];
      else if (kind === INFO.DESCRIPTION) description = this.#text(data.subarray(2));
    }
    if (size < 0) throw this.#broken("an export without its size");
    return this.#checked({
      name,
      ...(description === undefined ? {} : { description }),
      ...{ size, flags, minimum, preferred, maximum },
    });
  }

  /** Source: NBD_OPT_EXPORT_NAME. */
  async #exportName(name: string): Promise<ExportInfo> {
    this.#send(OPT.EXPORT_NAME, encode(name));
    const head = await this.#reader.take(10).catch((error: unknown) => {
      throw new NbdError("refused", `${this.#stream.peer} has no export '${name}': it closed the connection`, {
        cause: error,
      });
    });
    if (!this.#noZeroes) await this.#reader.skip(124);
    return this.#plain(name, u64(head, 0), u16(head, 8));
  }

  /** Source: section "Oldstyle negotiation": size, flags of both kinds, 124 reserved bytes. */
  async #oldExport(): Promise<ExportInfo> {
    const head = await this.#reader.take(12 + 124);
    return this.#plain("", u64(head, 0), u16(head, 10));
  }

  #plain(name: string, size: number, flags: number): ExportInfo {
    return this.#checked({ name, size, flags, minimum: 1, preferred: 4096, maximum: MAX_REQUEST });
  }

  /** Source: section "Block size constraints". */
  #checked(of: ExportInfo): ExportInfo {
    const { size, minimum, maximum, flags } = of;
    if (size > Number.MAX_SAFE_INTEGER) throw this.#broken(`an export of more than 2^53 bytes`);
    if (minimum < 1 || (minimum & (minimum - 1)) !== 0 || minimum > 65536)
      throw this.#broken(`a smallest block of ${minimum} bytes: a power of two up to 65536`);
    if (maximum < minimum || maximum < 512) throw this.#broken(`a largest request of ${maximum} bytes`);
    const usable = size - (size % minimum);
    const most = Math.min(maximum, MAX_REQUEST);
    return { ...of, size: usable, maximum: most - (most % minimum), flags: flags & FLAG.HAS_FLAGS ? flags : 0 };
  }

  // ---- messages ----

  #send(option: number, data: Uint8Array): void {
    const out = new Uint8Array(16 + data.length);
    put32(out, 0, MAGIC.option[0]);
    put32(out, 4, MAGIC.option[1]);
    put32(out, 8, option);
    put32(out, 12, data.length);
    out.set(data, 16);
    this.#stream.write([out]);
  }

  /** All replies to an option: the last one is an ACK or an error. */
  async #ask(option: number, data: Uint8Array): Promise<Reply[]> {
    this.#send(option, data);
    const replies: Reply[] = [];
    let bytes = 0;
    while (replies.length < MAX_REPLIES) {
      const head = await this.#reader.take(20);
      if (u32(head, 0) !== MAGIC.optionReply[0] || u32(head, 4) !== MAGIC.optionReply[1])
        throw this.#broken("an option reply without its magic number");
      if (u32(head, 8) !== option) throw this.#broken(`a reply to option ${u32(head, 8)} instead of ${option}`);
      const [type, length] = [u32(head, 12), u32(head, 16)];
      if (length > MAX_REPLY) throw this.#broken(`an option reply of ${length} bytes: at most ${MAX_REPLY}`);
      bytes += length;
      if (bytes > MAX_REPLIES_BYTES)
        throw this.#broken(`replies of more than ${MAX_REPLIES_BYTES} bytes to one option`);
      replies.push({ type, data: await this.#reader.take(length) });
      if (type === REP.ACK || type >= 2 ** 31) return replies;
    }
    throw this.#broken(`more than ${MAX_REPLIES} replies to one option`);
  }

  /** @throws NbdError when the last reply is an error */
  #must(replies: readonly Reply[], what: string): void {
    const last = replies.at(-1);
    if (last === undefined || last.type === REP.ACK) return;
    if (last.type === REP.ERR_TLS_REQD)
      throw new NbdError("tls", `${this.#stream.peer} wants encryption: give tls-creds`);
    throw new NbdError("refused", `${this.#stream.peer} did not ${what}${this.#words(last)}`);
  }

  #words({ type, data }: Reply): string {
    const kind = Object.entries(REP).find(([, value]) => value === type)?.[0] ?? `error 0x${type.toString(16)}`;
    const said = decode(data.subarray(0, MAX_STRING))?.replace(/\p{Cc}+/gu, " ");
    return said === undefined || said === "" ? `: ${kind}` : `: ${said} (${kind})`;
  }

  #text(bytes: Uint8Array): string {
    const text = bytes.length > MAX_STRING ? undefined : decode(bytes);
    if (text === undefined) throw this.#broken("a string that is too long, or not UTF-8");
    return text;
  }

  #needFixed(what: string): void {
    if (!this.#fixed) throw new NbdError("refused", `${this.#stream.peer} speaks an old protocol, without ${what}`);
  }

  #broken(what: string): NbdError {
    return new NbdError("protocol", `${this.#stream.peer} sent ${what}`);
  }
}

function contextRequest(name: string, queries: readonly string[]): Uint8Array {
  const strings = [name, ...queries].map((text) => {
    const bytes = encode(text);
    const out = new Uint8Array(4 + bytes.length);
    put32(out, 0, bytes.length);
    out.set(bytes, 4);
    return out;
  });
  const count = new Uint8Array(4);
  put16(count, 2, queries.length);
  return join(strings[0] as Uint8Array, count, ...strings.slice(1));
}
