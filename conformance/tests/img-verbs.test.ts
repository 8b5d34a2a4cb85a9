/** `mimus img` prints what qemu-img 7.2 prints, and ends as it does: each verb, on the same files. */
import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { hasQemuTools, ImagePair } from "../lib/img.ts";

const there = hasQemuTools();
const IMAGES = [
  "qemu-img create -q -f raw a.raw 1M && qemu-io -f raw -c 'write -P 5 4k 8k' a.raw",
  "cp a.raw b.raw && qemu-io -f raw -c 'write -P 6 512k 8k' b.raw",
  "cp a.raw long.raw && truncate -s 2M long.raw && truncate -s 512k short.raw",
  "qemu-img create -q -f qcow2 a.qcow2 64M && qemu-io -c 'write 0 128k' -c 'write -z 1M 64k' a.qcow2",
  "qemu-img snapshot -c s1 a.qcow2",
  "qemu-img create -q -f qcow2 -b a.raw -F raw b.qcow2",
  "qemu-img create -q -f qcow2 -b b.qcow2 -F qcow2 c.qcow2 2M",
  "qemu-img create -q -u -f qcow2 -b nope -F raw n.qcow2 1M",
  "qemu-img convert -c -O qcow2 a.raw comp.qcow2",
  "qemu-img create -q -f qcow2 bits.qcow2 8M && qemu-img bitmap --add bits.qcow2 one",
  "for f in vdi vmdk vpc vhdx qed; do qemu-img create -q -f $f z.$f 1M; done",
  "qemu-img create -q -f qcow2 base.q 4M && qemu-io -c 'write -P 1 0 1M' base.q",
  "qemu-img create -q -f qcow2 -b base.q -F qcow2 mid.q && qemu-io -c 'write -P 2 1M 1M' mid.q",
  "qemu-img create -q -f qcow2 -b mid.q -F qcow2 top.q && qemu-io -c 'write -P 3 2M 64k' top.q",
  "qemu-img convert -O raw top.q flat.raw",
  "qemu-img create -q -f qcow2 other.q 4M && qemu-io -c 'write -P 9 0 64k' other.q",
];

/** Command lines by what they are about; each list runs in its own copies, one after the other. */
const LINES: Readonly<Record<string, readonly string[]>> = {
  general: [
    "",
    "foo",
    "create -f",
    "create --zz x",
    "info -x a.raw",
    "info",
    "info a b",
    "convert",
    "check -r foo a.qcow2",
  ],
  info: [
    "info a.raw",
    "info --output=json a.raw",
    "info --output=xx a.raw",
    "info -f bad a.raw",
    "info nope",
    "info a.qcow2",
    "info --output json a.qcow2",
    "info --backing-chain c.qcow2",
    "info --output=json --backing-chain c.qcow2",
    "info --backing-chain n.qcow2",
    "info z.vmdk",
    "info --output=json z.vmdk",
    "info z.vhdx",
    "info z.vpc",
    "info z.vdi",
    "info z.qed",
    "info --image-opts driver=qcow2,file.filename=a.qcow2",
    `info 'json:{"driver":"qcow2","file.filename":"a.qcow2"}'`,
    "info --image-opts -f raw a.raw",
    "info --image-opts driver",
    "info --image-opts foo=bar,driver=raw,file.filename=a.raw",
  ],
  "map and check": [
    "map -f raw --output=json long.raw",
    "map a.raw",
    "map --output=json a.raw",
    "map a.qcow2",
    "map --output=json c.qcow2",
    "map comp.qcow2",
    "map --output=json comp.qcow2",
    "map -s 1k -l 4k a.raw",
    "map --output=json --start-offset=2M a.raw",
    "map --start-offset=x a.raw",
    "check a.raw",
    "check a.qcow2",
    "check --output=json a.qcow2",
    "check --output=json comp.qcow2",
    "check -q a.qcow2",
    "check -r all a.qcow2",
    "check z.vdi",
    "check nope",
  ],
  compare: [
    "compare a.raw b.raw",
    "compare a.raw a.raw",
    "compare a.raw",
    "compare a.raw long.raw",
    "compare -s a.raw long.raw",
    "compare -q a.raw long.raw",
    "compare a.raw comp.qcow2",
    "compare -s a.raw comp.qcow2",
    "compare a.raw c.qcow2",
    "compare nope a.raw",
    "compare -T foo a.raw a.raw",
  ],
  create: [
    "create x.raw 1M",
    "create -q x.raw 1M",
    "create -f qcow2 x.qcow2 64M",
    "create -f qcow2 -b a.raw -F raw y.qcow2",
    "create -f qcow2 -b y.qcow2 -F qcow2 z.qcow2 2M",
    "create -f qcow2 x.qcow2",
    "create -f qcow2 x.qcow2 1Z",
    "create -f qcow2 x.qcow2 -- -1",
    "create -f qcow2 x.qcow2 1M 2M",
    "create -f qcow2 -o foo=1 x 1M",
    "create -f raw -b a.raw x.raw 1M",
    "create -F raw x 1M",
    "create -f raw /nonex/x.raw 1M",
    "create -f bad x 1M",
    "create -f qcow2 -b nope -F raw n2.qcow2",
    "create -u -f qcow2 -b nope -F raw n2.qcow2 1M",
    "create -f qcow2 -b n2.qcow2 n2.qcow2 1M",
    "create -f qcow2 -o cluster_size=64k,lazy_refcounts=on,compat=1.1 x.qcow2 1M",
    "create -f raw -o size=2M x.raw 1000",
    "create -f raw -o preallocation=full x.raw 1M",
    "create --object foo x 1M",
    "create --object secret,id=s x 1M",
    "create --object secret,id=s,data=abc -f luks -o key-secret=s,iter-time=10 y.luks 1M",
  ],
  convert: [
    "convert a.raw",
    "convert a.raw o.raw",
    "compare a.raw o.raw",
    "convert nope o.raw",
    "convert -O bad a.raw o.raw",
    "convert -O qcow2 -o bad=1 a.raw o",
    "convert -c a.raw o2.raw",
    "convert -O qcow2 -B b.qcow2 c.qcow2 o.qcow2",
    "convert -O qcow2 -B b.qcow2 -F qcow2 c.qcow2 o.qcow2",
    "info o.qcow2",
    "convert -n a.raw nope.raw",
    "convert -n -O raw a.raw short.raw",
    "convert -l s1 a.qcow2 snap.raw",
    "convert -l nope a.qcow2 snap.raw",
    "convert -m 0 a.raw o.raw",
    "convert -S 1 a.raw o.raw",
    "convert -S 0 -O qcow2 a.raw o.qcow2",
    "map o.qcow2",
    "convert -c -O qcow2 a.raw o3.qcow2",
    "check o3.qcow2",
    "convert -c -o preallocation=full -O qcow2 a.raw o.qcow2",
    "convert --target-is-zero a.raw o.raw",
    "convert --bitmaps a.raw o.raw",
    "convert --bitmaps -O qcow2 bits.qcow2 o4.qcow2",
    "info o4.qcow2",
    "convert --skip-broken-bitmaps a.raw o.raw",
    "convert -C -S 0 a.raw o.raw",
    "convert a.raw b.raw o.raw",
    "compare a.raw o.raw",
    "convert -t bad a.raw o.raw",
    "convert -n --target-image-opts a.raw driver=raw,file.filename=o.raw",
    "dd if=a.raw",
    "dd if=a.raw of=dd.raw bs=4k count=2 skip=1",
    "compare dd.raw a.raw",
    "dd if=a.raw of=dd.raw foo=bar",
    "dd if=a.raw of=dd.raw bs=0",
  ],
  "commit and rebase": [
    "commit top.q",
    "compare top.q flat.raw",
    "commit -b base.q top.q",
    "compare top.q flat.raw",
    "commit base.q",
    "commit -b nope top.q",
    "commit -q -d mid.q",
    "rebase top.q",
    "rebase -b base.q top.q",
    "rebase -b base.q -F qcow2 top.q",
    "compare top.q flat.raw",
    "rebase -b other.q -F qcow2 top.q",
    "compare top.q flat.raw",
    `rebase -b "" top.q`,
    "compare top.q flat.raw",
    "rebase -u -b foo -F raw top.q",
    "info top.q",
    "rebase -b nope -F raw mid.q",
    "rebase -b base.q -F foo mid.q",
  ],
  "snapshots, bitmaps, options, sizes": [
    "snapshot -l a.qcow2",
    "snapshot -c s2 a.qcow2",
    "snapshot -l a.qcow2",
    "snapshot -a s1 a.qcow2",
    "snapshot -d nope a.qcow2",
    "snapshot -d s2 a.qcow2",
    "snapshot -c x -d y a.raw",
    "bitmap bits.qcow2 two",
    "bitmap --add bits.qcow2 one",
    "bitmap --add -g 32k --disable bits.qcow2 two",
    "bitmap --merge one bits.qcow2 two",
    "bitmap --remove bits.qcow2 nope",
    "info --output=json bits.qcow2",
    "measure -O qcow2 bits.qcow2",
    "measure --output=json -O qcow2 --size 1M",
    "measure -O vdi a.raw",
    "measure",
    "amend -o lazy_refcounts=on bits.qcow2",
    "amend -o foo=1 bits.qcow2",
    "amend -o size=12M bits.qcow2",
    "info bits.qcow2",
    "amend -o size=8M bits.qcow2",
    "info bits.qcow2",
    "resize bits.qcow2 16M",
    "resize bits.qcow2 8M",
    "resize --shrink bits.qcow2 8M",
    "info bits.qcow2",
    "resize -f raw a.raw +1M",
    "resize -f raw a.raw -1M",
    "resize -f raw a.raw xx",
    "resize z.vdi 2M",
    "bench -f raw -c 10 a.raw",
    "bench --flush-interval 1 a.raw",
    "bench -i foo a.raw",
  ],
};

describe.skipIf(!there)("mimus img", () => {
  for (const [about, lines] of Object.entries(LINES))
    it(`${about}: ${lines.length} command lines as qemu-img answers them`, { timeout: 120_000 }, async () => {
      const pair = new ImagePair(IMAGES);
      afterAll(() => pair.remove());
      for (const line of lines) {
        const { theirs, ours } = await pair.img(line);
        expect(ours, `qemu-img ${line}`).toEqual(theirs);
      }
    });

  it("map: the holes of preallocated clusters show from a tenth on", { timeout: 120_000 }, async () => {
    const pair = new ImagePair([]);
    afterAll(() => pair.remove());
    // Of 133 clusters, so many have no room on the disk: unwritten room is none the less room.
    for (const holes of [0, 11, 12]) {
      const image = join(pair.theirs, "f.qcow2");
      execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", "-o", "preallocation=falloc", image, "8M"]);
      const discard = `discard ${statSync(image).size - (holes << 16)} ${holes << 16}`;
      if (holes > 0) execFileSync("qemu-io", ["-d", "unmap", "-f", "raw", "-c", discard, image]);
      const { theirs, ours } = await pair.img(`map --output=json ${image}`);
      expect(theirs.out.includes('"zero": true')).toBe(holes === 12);
      expect(ours, `${holes} holes`).toEqual(theirs);
    }
  });
});
