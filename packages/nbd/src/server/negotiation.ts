import { be, decode, encode, join, put16, put32, put64, u16, u32 } from "../bytes.ts";
import { HANDSHAKE, MAGIC, MAX_OPTION, MAX_REQUEST, MAX_STRING, OPT, REP } from "../constants.ts";
import { NbdError } from "../errors.ts";
import type { ByteStream, TlsCredentials } from "../stream.ts";
import { ByteReader } from "../stream.ts";
import type { MetaContext } from "./contexts.ts";
import { BadOption, contextsOf, matches, parseContexts, stringAt } from "./contexts.ts";
import type { NbdExport } from "./export.ts";
import { exportFlags, exportInfo } from "./export.ts";

/** What a client and this server agreed on. */
export interface Session {
  readonly stream: ByteStream;
  readonly of: NbdExport;
  readonly structured: boolean;
  readonly contexts: readonly MetaContext[];
  /** Requests that came along with the end of the negotiation. */
  readonly rest: readonly Uint8Array[];
}

/** Where a negotiation finds exports and credentials. */
export interface NegotiationHost {
  readonly exports: Iterable<NbdExport>;
  find(name: string): NbdExport | undefined;
  readonly tls?: TlsCredentials | undefined;
}

/** Options that one client may send: a conversation ends. */
const MAX_OPTIONS = 4096;

/**
 * Newstyle negotiation with one client. Source: sections "Newstyle negotiation", "Fixed newstyle negotiation", "Option haggling".
 * @returns undefined when the client left by NBD_OPT_ABORT @throws NbdError
 */
export function negotiate(stream: ByteStream, host: NegotiationHost): Promise<Session | undefined> {
  return new Negotiation(stream, host).run();
}

class Negotiation {
  readonly #host: NegotiationHost;
  #stream: ByteStream;
  #reader: ByteReader;
  #noZeroes = false;
  #full = false;
  #encrypted = false;
  #structured = false;
  #contexts: { readonly of: NbdExport; readonly list: readonly MetaContext[] } | undefined;

  constructor(stream: ByteStream, host: NegotiationHost) {
    this.#host = host;
    this.#stream = stream;
    this.#reader = new ByteReader(stream);
  }

  async run(): Promise<Session | undefined> {
    const hello = new Uint8Array(18);
    put64pair(hello, 0, MAGIC.init);
    put64pair(hello, 8, MAGIC.option);
    put16(hello, 16, HANDSHAKE.fixedNewstyle | HANDSHAKE.noZeroes);
    this.#stream.write([hello]);
    const flags = u32(await this.#reader.take(4), 0);
    if ((flags & ~(HANDSHAKE.fixedNewstyle | HANDSHAKE.noZeroes)) !== 0)
      throw new NbdError("protocol", `client flags 0x${flags.toString(16)}: only 0x3 are known`);
    this.#noZeroes = (flags & HANDSHAKE.noZeroes) !== 0;
    for (let n = 0; n < MAX_OPTIONS; n++) {
      const done = await this.#option((flags & HANDSHAKE.fixedNewstyle) !== 0);
      if (done === "abort") return undefined;
      if (done !== undefined) return done;
      while (this.#full) {
        await this.#reader.drained();
        this.#full = false;
      }
    }
    throw new NbdError("protocol", `more than ${MAX_OPTIONS} options`);
  }

  async #option(fixed: boolean): Promise<Session | "abort" | undefined> {
    const head = await this.#reader.take(16);
    if (u32(head, 0) !== MAGIC.option[0] || u32(head, 4) !== MAGIC.option[1])
      throw new NbdError("protocol", "an option without its magic number");
    const option = u32(head, 8);
    const length = u32(head, 12);
    if (length > MAX_REQUEST)
      throw new NbdError("protocol", `option ${option} of ${length} bytes: at most ${MAX_OPTION}`);
    if (!fixed && option !== OPT.EXPORT_NAME)
      throw new NbdError("protocol", `option ${option} of a client that does not speak fixed newstyle`);
    const secret = this.#host.tls !== undefined && !this.#encrypted;
    if (option === OPT.EXPORT_NAME) {
      if (secret) throw new NbdError("tls", "the client asked for an export without encryption");
      return this.#exportName(length);
    }
    if (length > MAX_OPTION) {
      await this.#reader.skip(length);
      this.#refuse(option, REP.ERR_TOO_BIG, `${length} bytes of data: at most ${MAX_OPTION}`);
      return undefined;
    }
    const data = await this.#reader.take(length);
    if (option === OPT.ABORT) {
      this.#reply(option, REP.ACK);
      this.#stream.end();
      return "abort";
    }
    if (option === OPT.STARTTLS) {
      await this.#startTls(data);
      return undefined;
    }
    if (secret) {
      this.#refuse(option, REP.ERR_TLS_REQD, "this server wants encryption first: NBD_OPT_STARTTLS");
      return undefined;
    }
    try {
      return this.#plain(option, data);
    } catch (error) {
      if (!(error instanceof BadOption)) throw error;
      this.#refuse(option, REP.ERR_INVALID, error.message);
      return undefined;
    }
  }

  #plain(option: number, data: Uint8Array): Session | undefined {
    switch (option) {
      case OPT.LIST:
        this.#empty(data);
        for (const of of this.#host.exports) {
          const name = encode(of.name);
          this.#reply(option, REP.SERVER, join(be(32, name.length), name, encode(of.description ?? "")));
        }
        this.#reply(option, REP.ACK);
        return undefined;
      case OPT.STRUCTURED_REPLY:
        this.#empty(data);
        if (this.#structured) throw new BadOption("structured replies are agreed on already");
        this.#structured = true;
        this.#reply(option, REP.ACK);
        return undefined;
      case OPT.INFO:
      case OPT.GO:
        return this.#go(option, data);
      case OPT.LIST_META_CONTEXT:
      case OPT.SET_META_CONTEXT:
        this.#metaContext(option, data);
        return undefined;
      case OPT.EXTENDED_HEADERS:
        this.#refuse(option, REP.ERR_UNSUP, "extended headers are not supported");
        return undefined;
      default:
        this.#refuse(option, REP.ERR_UNSUP, `unknown option ${option}`);
        return undefined;
    }
  }

  /** Source: NBD_OPT_EXPORT_NAME: no reply but the export's size and flags; errors close the connection. */
  async #exportName(length: number): Promise<Session> {
    if (length > MAX_STRING) throw new NbdError("protocol", `export name of ${length} bytes: at most ${MAX_STRING}`);
    const name = decode(await this.#reader.take(length));
    const of = name === undefined ? undefined : this.#host.find(name);
    if (of === undefined) throw new NbdError("refused", `there is no export '${name ?? "(not UTF-8)"}'`);
    const out = new Uint8Array(this.#noZeroes ? 10 : 134);
    put64(out, 0, of.node.size);
    put16(out, 8, exportFlags(of, this.#structured));
    this.#stream.write([out]);
    return this.#session(of);
  }

  /** Source: NBD_OPT_INFO, NBD_OPT_GO. */
  #go(option: number, data: Uint8Array): Session | undefined {
    const { text: name, end } = stringAt(data, 0, "export name");
    if (end + 2 > data.length) throw new BadOption("the number of information requests is missing");
    const count = u16(data, end);
    if (end + 2 + 2 * count !== data.length)
      throw new BadOption(`${count} information requests do not fit ${data.length} bytes of data`);
    const asked = new Set<number>();
    for (let n = 0; n < count; n++) asked.add(u16(data, end + 2 + 2 * n));
    const of = this.#host.find(name);
    if (of === undefined) {
      this.#refuse(option, REP.ERR_UNKNOWN, `there is no export '${name}'`);
      return undefined;
    }
    for (const info of exportInfo(of, asked, this.#structured)) this.#reply(option, REP.INFO, info);
    this.#reply(option, REP.ACK);
    return option === OPT.GO ? this.#session(of) : undefined;
  }

  #metaContext(option: number, data: Uint8Array): void {
    const listing = option === OPT.LIST_META_CONTEXT;
    if (!this.#structured) throw new BadOption("metadata needs structured replies: NBD_OPT_STRUCTURED_REPLY first");
    if (!listing) this.#contexts = undefined;
    const { name, queries } = parseContexts(data);
    const of = this.#host.find(name);
    if (of === undefined) {
      this.#refuse(option, REP.ERR_UNKNOWN, `there is no export '${name}'`);
      return;
    }
    const all = listing && queries.length === 0;
    const chosen = contextsOf(of).filter((c) => all || queries.some((q) => matches(c.name, q, listing)));
    for (const { id, name: text } of chosen)
      this.#reply(option, REP.META_CONTEXT, join(be(32, listing ? 0 : id), encode(text)));
    this.#reply(option, REP.ACK);
    if (!listing) this.#contexts = { of, list: chosen };
  }

  /** Source: section "TLS support"; everything agreed on before is forgotten. */
  async #startTls(data: Uint8Array): Promise<void> {
    const { tls } = this.#host;
    const option = OPT.STARTTLS;
    if (data.length > 0) return this.#refuse(option, REP.ERR_INVALID, "NBD_OPT_STARTTLS carries no data");
    if (tls === undefined) return this.#refuse(option, REP.ERR_POLICY, "this server has no TLS credentials");
    if (this.#encrypted) return this.#refuse(option, REP.ERR_INVALID, "the connection is encrypted already");
    // What came before the encryption could be anybody's: it must not be taken as part of it.
    if (this.#reader.buffered > 0) throw new NbdError("protocol", "the client did not wait for the answer to STARTTLS");
    this.#reply(option, REP.ACK);
    this.#stream = await tls.secure(this.#stream, {});
    this.#reader = new ByteReader(this.#stream);
    this.#encrypted = true;
    this.#structured = false;
    this.#contexts = undefined;
  }

  #session(of: NbdExport): Session {
    const contexts = this.#contexts?.of === of ? this.#contexts.list : [];
    return { stream: this.#stream, of, structured: this.#structured, contexts, rest: this.#reader.rest() };
  }

  #empty(data: Uint8Array): void {
    if (data.length > 0) throw new BadOption(`${data.length} bytes of data where none belong`);
  }

  #refuse(option: number, type: number, message: string): void {
    this.#reply(option, type, encode(message).subarray(0, MAX_STRING));
  }

  /** Source: section "Option replies". */
  #reply(option: number, type: number, data: Uint8Array = new Uint8Array(0)): void {
    const out = new Uint8Array(20 + data.length);
    put64pair(out, 0, MAGIC.optionReply);
    put32(out, 8, option);
    put32(out, 12, type);
    put32(out, 16, data.length);
    out.set(data, 20);
    if (!this.#stream.write([out])) this.#full = true;
  }
}

function put64pair(out: Uint8Array, at: number, [high, low]: readonly [number, number]): void {
  put32(out, at, high);
  put32(out, at + 4, low);
}
