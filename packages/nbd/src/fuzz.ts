import type { BlockNode } from "@mimus/block";
import { BlockError } from "@mimus/block";
import { be, encode, join } from "./bytes.ts";
import { NbdClient } from "./client/client.ts";
import { Haggle } from "./client/negotiate.ts";
import { CHUNK, CMD, MAGIC, OPT, REP } from "./constants.ts";
import { NbdError } from "./errors.ts";
import { streamPair } from "./memory-stream.ts";
import { NbdServer } from "./server/server.ts";

/** Numbers that follow from a seed: xorshift32 (Marsaglia 2003). */
class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  }
  /** 0 to `below` - 1. */
  roll(below: number): number {
    let s = this.#state;
    s ^= s << 13;
    s ^= s >>> 17;
    this.#state = (s ^ (s << 5)) >>> 0;
    return this.#state % below;
  }
  pick<T>(list: readonly T[]): T {
    return list[this.roll(list.length)] as T;
  }
  /** Mostly small, sometimes at the edges of what 32 bits hold. */
  number(): number {
    return this.pick([0, 1, 8, 12, 511, 512, 4096, 4097, 1 << 20, 2 ** 31, 2 ** 32 - 1, this.roll(70_000)]);
  }
  bytes(length: number): Uint8Array {
    const out = new Uint8Array(length);
    for (let at = 0; at < length; at += 4)
      for (let word = this.roll(2 ** 32), i = at; i < Math.min(at + 4, length); i++, word >>>= 8) out[i] = word;
    return out;
  }
}

/** Bytes as they are, or with parts changed, doubled or cut off. */
function damaged(dice: Dice, bytes: Uint8Array): Uint8Array {
  const out = bytes.slice();
  switch (dice.roll(6)) {
    case 0:
      for (let n = dice.roll(4); n >= 0 && out.length > 0; n--) out[dice.roll(out.length)] = dice.roll(256);
      return out;
    case 1:
      return out.subarray(0, dice.roll(out.length + 1));
    case 2:
      return join(out, out.subarray(dice.roll(out.length + 1)));
    default:
      return out;
  }
}

/** In pieces of any size. */
function* cut(dice: Dice, bytes: Uint8Array): Iterable<Uint8Array> {
  for (let at = 0; at < bytes.length;) {
    const length = 1 + dice.roll(dice.pick([1, 30, 1000, 100_000]));
    yield bytes.slice(at, at + length);
    at += length;
  }
}

/** Talks nonsense to a server. @returns "ended" when it let go of the client in the end @throws what must never be thrown */
export async function fuzzServer(seed: number, node: BlockNode): Promise<"ended" | "hangs"> {
  const dice = new Dice(seed);
  const wrong: string[] = [];
  const server = new NbdServer({ log: (line) => void (line.includes("RangeError") && wrong.push(line)) });
  server.add({ name: "", node, writable: dice.roll(2) === 0, allocationDepth: true });
  const [a, b] = streamPair();
  const over = server.serve(a).then(() => "ended" as const);
  b.onData(() => undefined);
  b.onClose(() => undefined);
  const text = join(be(32, 0), be(16, 0));
  const option = (number: number, data: Uint8Array): Uint8Array =>
    join(be(32, MAGIC.option[0]), be(32, MAGIC.option[1]), be(32, number), be(32, data.length), data);
  const pieces: Uint8Array[] = [be(32, dice.pick([3, 3, 3, 3, 1, 0, 4]))];
  if (dice.roll(3) > 0) pieces.push(option(OPT.STRUCTURED_REPLY, new Uint8Array(0)));
  const contexts = join(be(32, 0), be(32, 1), be(32, 15), encode("base:allocation"));
  if (dice.roll(3) > 0) pieces.push(option(OPT.SET_META_CONTEXT, contexts));
  for (let n = dice.roll(4); n > 0; n--)
    pieces.push(
      damaged(dice, option(dice.pick(Object.values(OPT)), dice.pick([text, contexts, dice.bytes(dice.roll(40))]))),
    );
  pieces.push(option(OPT.GO, text));
  for (let n = dice.roll(20); n > 0; n--) {
    const type = dice.pick([...Object.values(CMD), 99]);
    const length = dice.pick([dice.number(), dice.roll(5000)]);
    const head = join(
      ...[be(32, MAGIC.request), be(16, dice.pick([0, 0, 0, 1, dice.roll(65536)])), be(16, type), dice.bytes(8)],
      ...[be(32, dice.pick([0, 0, 0, dice.number()])), be(32, dice.number()), be(32, length)],
    );
    pieces.push(damaged(dice, type === CMD.WRITE ? join(head, dice.bytes(Math.min(length, 9000))) : head));
  }
  for (const piece of cut(dice, join(...pieces))) b.write([piece]);
  await turns(50);
  b.end();
  const result = await ended(over);
  if (wrong.length > 0) throw new Error(wrong.join("\n"));
  return result;
}

/** Talks nonsense to a client that has requests under way. @returns "ended" when each of them got an answer or an error */
export async function fuzzClient(seed: number): Promise<"ended" | "hangs"> {
  const dice = new Dice(seed);
  const [a, b] = streamPair();
  a.onData(() => undefined);
  a.onClose(() => undefined);
  const reply = (option: number, type: number, data: Uint8Array = new Uint8Array(0)): Uint8Array =>
    join(
      be(32, MAGIC.optionReply[0]),
      be(32, MAGIC.optionReply[1]),
      be(32, option),
      be(32, type),
      be(32, data.length),
      data,
    );
  const info = join(be(16, 0), be(64, 1 << 20), be(16, 0x5ed));
  const sizes = join(
    be(16, 3),
    be(32, dice.pick([1, 512, 4096, 3])),
    be(32, 4096),
    be(32, dice.pick([1 << 25, 65536, 2 ** 32 - 1])),
  );
  const context = join(be(32, 5), encode("base:allocation"));
  const pieces = [
    join(be(32, MAGIC.init[0]), be(32, MAGIC.init[1]), be(32, MAGIC.option[0]), be(32, MAGIC.option[1]), be(16, 3)),
    reply(OPT.STRUCTURED_REPLY, dice.pick([REP.ACK, REP.ACK, REP.ERR_UNSUP])),
    reply(OPT.SET_META_CONTEXT, REP.META_CONTEXT, context),
    reply(OPT.SET_META_CONTEXT, REP.ACK),
    reply(OPT.GO, REP.INFO, sizes),
    reply(OPT.GO, REP.INFO, info),
    reply(OPT.GO, dice.pick([REP.ACK, REP.ACK, REP.ERR_UNKNOWN]), dice.bytes(dice.roll(3))),
  ].map((piece) => (dice.roll(8) === 0 ? damaged(dice, piece) : piece));
  for (let n = dice.roll(30); n > 0; n--) {
    const cookie = be(64, dice.roll(6));
    const type = dice.pick([...Object.values(CHUNK), 77]);
    const body = dice.pick([
      () => dice.bytes(dice.roll(60)),
      () => join(be(64, dice.roll(2000)), dice.bytes(dice.roll(2000))),
      () => join(be(64, dice.roll(2000)), be(32, dice.number())),
      () => join(be(32, 5), be(32, dice.number()), be(32, dice.roll(4))),
    ])();
    const length = dice.roll(10) === 0 ? dice.number() : body.length;
    const chunk = (): Uint8Array =>
      join(be(32, MAGIC.structuredReply), be(16, dice.roll(2)), be(16, type), cookie, be(32, length), body);
    const simple = (): Uint8Array =>
      join(be(32, MAGIC.simpleReply), be(32, dice.pick([0, 0, 5, 2 ** 31])), cookie, dice.bytes(dice.roll(300)));
    pieces.push(damaged(dice, dice.roll(3) === 0 ? simple() : chunk()));
  }
  const talk = async (): Promise<"ended"> => {
    try {
      const haggle = await Haggle.begin(b);
      const client = new NbdClient(await haggle.open("", ["base:allocation"]));
      const calls = [
        client.read(0, new Uint8Array(512)),
        client.read(1000, new Uint8Array(1000)),
        client.write(0, new Uint8Array(100)),
        client.flush(),
        client.status("base:allocation", 0, 4096),
        client.writeZeroes(0, 10, 0),
      ];
      for (const call of calls) await call.catch(known);
    } catch (error) {
      known(error);
    }
    return "ended";
  };
  const over = talk();
  for (const piece of cut(dice, join(...pieces))) {
    a.write([piece]);
    if (dice.roll(3) === 0) await turns(3);
  }
  await turns(50);
  a.end();
  return ended(over);
}

/** @throws every error that is not one of ours */
function known(error: unknown): void {
  if (!(error instanceof NbdError) && !(error instanceof BlockError)) throw error;
}

/** Whether a promise resolves within many rounds of the microtask queue. */
async function ended(over: Promise<"ended">): Promise<"ended" | "hangs"> {
  const results: "ended"[] = [];
  void over.then((end) => results.push(end));
  for (let n = 0; n < 1000 && results.length === 0; n++) await turns(100);
  return results[0] ?? "hangs";
}

async function turns(count: number): Promise<void> {
  for (let n = 0; n < count; n++) await Promise.resolve();
}
