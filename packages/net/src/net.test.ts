import { describe, expect, it } from "vitest";
import { defaultMac, formatMac, LoopbackNet, NetHub, parseMac, TestNet } from "./index.ts";
import type { NetNic } from "./index.ts";

class Card implements NetNic {
  readonly name: string;
  readonly mac = "52:54:00:00:00:01";
  room = Number.POSITIVE_INFINITY;
  got: number[] = [];
  up = true;
  constructor(name = "card") {
    this.name = name;
  }
  receive(frame: Uint8Array): boolean {
    if (this.room <= 0) return false;
    this.room--;
    this.got.push(frame[14]!);
    return true;
  }
  linkChanged(up: boolean): void {
    this.up = up;
  }
}
const frame = (n: number, size = 60): Uint8Array => {
  const f = new Uint8Array(size);
  f[14] = n;
  return f;
};

describe("a back end", () => {
  it("holds frames for a card that has no room, in order, and drops beyond its bound", () => {
    const net = new TestNet("n0");
    const card = new Card();
    card.room = 0;
    const peer = net.attach(card);
    for (let i = 0; i < 1100; i++) net.feed(frame(i & 255));
    expect(net.stats.dropped).toBe(76);
    card.room = 3;
    peer.ready();
    expect(card.got).toEqual([0, 1, 2]);
    card.room = Number.POSITIVE_INFINITY;
    peer.ready();
    expect(card.got).toHaveLength(1024);
  });
  it("bounds bytes, too", () => {
    const net = new TestNet("n0");
    const card = new Card();
    card.room = 0;
    net.attach(card);
    for (let i = 0; i < 100; i++) net.feed(frame(1, 65000));
    expect(net.stats.dropped).toBe(36);
  });
  it("drops runts, giants, and everything while the link is down", () => {
    const net = new TestNet("n0");
    const card = new Card();
    const peer = net.attach(card);
    peer.send(new Uint8Array(13));
    peer.send(new Uint8Array(70000));
    net.setLink(false);
    peer.send(frame(1));
    net.feed(frame(1));
    expect([net.frames.length, card.got.length, card.up, net.stats.dropped]).toEqual([0, 0, false, 4]);
    net.setLink(true);
    peer.send(frame(1));
    expect([net.frames.length, card.up]).toEqual([1, true]);
  });
  it("takes one card", () => {
    const net = new TestNet("n0");
    net.attach(new Card("one"));
    expect(() => net.attach(new Card("two"))).toThrow(/'n0' is already used by one/);
  });
  it("tells the card when it can send again", () => {
    const net = new TestNet("n0");
    net.room = 1;
    let told = 0;
    const peer = net.attach(Object.assign(new Card(), { writable: () => void told++ }));
    expect([peer.send(frame(1)), peer.send(frame(2))]).toEqual([true, false]);
    net.release(5);
    expect([told, peer.send(frame(2)), net.frames.length]).toEqual([1, true, 2]);
  });
});

describe("cables", () => {
  it("hub: all others hear", () => {
    const hub = new NetHub(0);
    const cards = [new Card(), new Card(), new Card()];
    const peers = cards.map((c, i) => hub.port(`p${i}`).attach(c));
    peers[1]!.send(frame(7));
    expect(cards.map((c) => c.got)).toEqual([[7], [], [7]]);
  });
  it("loopback", () => {
    const card = new Card();
    new LoopbackNet("l").attach(card).send(frame(9));
    expect(card.got).toEqual([9]);
  });
});

describe("addresses", () => {
  it("parse and print", () => {
    expect(formatMac(parseMac("52:54:0:12:34:ff"))).toBe("52:54:00:12:34:ff");
    expect(formatMac(defaultMac(1))).toBe("52:54:00:12:34:57");
    for (const bad of ["", "52:54:00:12:34", "52:54:00:12:34:5g", "525400123456"])
      expect(() => parseMac(bad)).toThrow(/not a MAC/);
  });
});
