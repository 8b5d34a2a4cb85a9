import { createImage, openImage } from "@mimus/block";
import type { BlockNode } from "@mimus/block";
import { RecordedFiles, Seeded } from "@mimus/testkit";
import { expect, it } from "vitest";
import { qcow2 } from "./qcow2.ts";

// Power cuts inside operations on the whole image: afterwards the disk is as before the operation or as after it.

const SIZE = 1 << 19;
const CUTS = 40;

const snapshot = { vmStateSize: 0, dateSec: 1, dateNsec: 0, vmClockNs: 0, diskSize: SIZE };

async function content(node: BlockNode): Promise<string> {
  const bytes = new Uint8Array(node.size);
  await node.read(0, bytes);
  return `${node.size}:${hash(bytes)}`;
}

function hash(bytes: Uint8Array): number {
  let h = 2166136261;
  for (const b of bytes) h = Math.imul(h ^ b, 16777619);
  return h >>> 0;
}

type Step = (n: BlockNode, r: Seeded) => Promise<unknown>;
const fill: Step = (n, r) => n.write(r.below(n.size / 2), r.bytes(100_000));
const steps: Record<string, Step> = {
  fill,
  "create a": async (n) => n.image?.snapshots?.create({ ...snapshot, name: "a" }),
  "fill over a": fill,
  "create b": async (n) => n.image?.snapshots?.create({ ...snapshot, name: "b" }),
  "apply a": async (n) => n.image?.snapshots?.apply("a"),
  grow: async (n) => n.resize?.(SIZE * 3),
  "delete b": async (n) => n.image?.snapshots?.delete("b"),
  "add bitmap": async (n) => n.image?.bitmaps?.add("bits", 4096, false),
  "store bitmap": async (n) => n.image?.bitmaps?.store("bits", new Uint8Array((SIZE * 3) / 4096 / 8).fill(0xa5)),
  widen: async (n) => n.image?.amend?.({ refcount_bits: 32 }),
  backing: async (n) => n.image?.changeBacking?.("elsewhere", "raw"),
  "another backing": async (n) => n.image?.changeBacking?.("x".repeat(700), "qcow2"),
  "a third backing": async (n) => n.image?.changeBacking?.("y".repeat(800), "qcow2"),
  "no backing": async (n) => n.image?.changeBacking?.(undefined, undefined),
  shrink: async (n) => n.resize?.(SIZE / 2),
  "delete a": async (n) => n.image?.snapshots?.delete("a"),
};

it.each([
  { cluster_size: 4096 },
  { cluster_size: 2048, lazy_refcounts: true },
  { extended_l2: true, cluster_size: 16384 },
])("survives cuts inside operations on the whole image, %j", { timeout: 120_000 }, async (options) => {
  const files = new RecordedFiles();
  await createImage(qcow2, await files.open("disk", { writable: true, create: true }), SIZE, { options });
  files.settle();
  const base = new Map([["disk", await files.read("disk")]]);
  const node = await openImage(qcow2, await files.open("disk", { writable: true }), { backing: null });
  const random = new Seeded(4);
  const before: { from: number; step: string; states: [string, string] }[] = [];
  for (const [step, act] of Object.entries(steps)) {
    const from = files.log.length;
    const was = await content(node);
    await act(node, random);
    await node.flush();
    before.push({ from, step, states: [was, await content(node)] });
  }
  const end = files.log.length;
  const list = await node.image?.snapshots?.list();
  expect(list).toEqual([]);
  await node.close();
  for (let i = 0; i < CUTS; i++) {
    const cut = Math.floor((end * i) / CUTS) + random.below(Math.ceil(end / CUTS));
    const after = await RecordedFiles.afterCut(base, files.log, cut, random);
    const at = before.findLast((b) => b.from <= cut);
    if (!at) continue;
    const opened = await openImage(qcow2, await after.open("disk", { writable: true }), { backing: null });
    const report = await opened.image?.check?.("none");
    expect([at.step, cut, report?.corruptions, ...(report?.corruptions ? report.messages : [])]).toEqual([
      at.step,
      cut,
      0,
    ]);
    const now = await content(opened);
    // Data may arrive in part, and sizes change in steps; whole-image operations happen or do not.
    if (!at.step.startsWith("fill") && at.step !== "shrink")
      expect([at.step, at.states.includes(now)]).toEqual([at.step, true]);
    for (const s of (await opened.image?.snapshots?.list()) ?? []) {
      const open = await opened.image?.snapshots?.open(s.id, s.name);
      if (open) await content(open);
      await open?.close();
    }
    for (const b of (await opened.image?.bitmaps?.list()) ?? [])
      if (!b.inUse) await opened.image?.bitmaps?.load(b.name);
    await opened.close();
  }
});
