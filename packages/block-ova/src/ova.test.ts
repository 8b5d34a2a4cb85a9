import { createImage, MemoryFile, openImage } from "@mimus/block";
import { vmdk } from "@mimus/block-vmdk";
import { testHost } from "@mimus/testkit";
import { describe, expect, it } from "vitest";
import { ova } from "./index.ts";
import { parseXml } from "./xml.ts";

const MiB = 1 << 20;
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** One member of a tar archive, padded. */
function member(name: string, content: Uint8Array, type = "0"): Uint8Array {
  const out = new Uint8Array(512 + Math.ceil(content.length / 512) * 512);
  const put = (at: number, text: string): void => out.set(bytesOf(text), at);
  put(0, name);
  put(100, "0000644\0");
  put(124, content.length.toString(8).padStart(11, "0"));
  put(156, type);
  put(257, "ustar\x0000");
  put(148, "        ");
  const sum = out.subarray(0, 512).reduce((n, b) => n + b, 0);
  put(148, `${sum.toString(8).padStart(6, "0")}\0 `);
  out.set(content, 512);
  return out;
}
function archive(...members: Uint8Array[]): MemoryFile {
  const parts = [...members, new Uint8Array(1024)];
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    all.set(p, at);
    at += p.length;
  }
  return new MemoryFile("machine.ova", all);
}
async function disk(fill: number, size = MiB): Promise<Uint8Array> {
  const file = new MemoryFile("d.vmdk");
  await createImage(vmdk, file, size, { options: { subformat: "streamOptimized" }, host: testHost() });
  const node = await openImage(vmdk, file, { host: testHost() });
  await node.write(0, new Uint8Array(65536).fill(fill));
  await node.close();
  return file.content();
}
const FORMAT = "http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized";
function descriptor(disks: string, files = ""): Uint8Array {
  return bytesOf(`<?xml version="1.0"?>
<ovf:Envelope xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"><!-- two disks -->
  <References><File ovf:href="a&amp;b.vmdk" ovf:id="f1" ovf:size="1"/><ovf:File ovf:id='f2' ovf:href='two.vmdk'/>${files}</References>
  <ovf:DiskSection><Info>disks</Info>${disks}</ovf:DiskSection>
</ovf:Envelope>`);
}
const TWO =
  `<Disk ovf:diskId="d1" ovf:fileRef="f1" ovf:capacity="1" ovf:capacityAllocationUnits="byte * 2^20" ovf:format="${FORMAT}"/>` +
  `<Disk ovf:diskId="d2" ovf:fileRef="f2" ovf:capacity="2097152" ovf:format="${FORMAT}"/><Disk ovf:diskId="d3" ovf:capacity="5"/>`;

describe("disks of an archive", () => {
  const make = async (): Promise<MemoryFile> =>
    archive(
      member("machine.ovf", descriptor(TWO)),
      member("a&b.vmdk", await disk(1)),
      member("two.vmdk", await disk(2, 2 * MiB)),
    );

  it("are listed, and read by number", async () => {
    const file = await make();
    expect(ova.class.format.probe(file.content().subarray(0, 2048), "x")).toBe(100);
    for (const [index, size] of [MiB, 2 * MiB].entries()) {
      const node = await openImage(ova, file, {
        readOnly: true,
        options: { disk: index },
        host: testHost(),
        formats: [vmdk],
      });
      expect(node.size).toBe(size);
      const read = new Uint8Array(65536 * 2);
      await node.read(0, read);
      expect(read[65535]).toBe(index + 1);
      expect(read[65536]).toBe(0);
      const info = await node.image?.info?.();
      expect(info?.specific).toMatchObject({
        type: "ova",
        data: {
          disk: index,
          disks: [{ id: "d1", filename: "a&b.vmdk", "virtual-size": MiB }, { id: "d2" }, { id: "d3" }],
        },
      });
      expect(await node.image?.check?.("all")).toMatchObject({ corruptions: 0 });
      await node.close();
    }
  });

  it("are refused with the reason", async () => {
    const file = await make();
    const open = (f: MemoryFile, n = 0, readOnly = true): Promise<unknown> =>
      openImage(ova, f, { readOnly, options: { disk: n }, host: testHost(), formats: [vmdk] });
    await expect(open(file, 2)).rejects.toThrow("disk 'd3' is empty");
    await expect(open(file, 3)).rejects.toThrow("disk 3 must be 0 to 2 (0: a&b.vmdk, 1: two.vmdk, 2: empty)");
    await expect(open(file, 0, false)).rejects.toMatchObject({ kind: "read-only" });
    const [vm, one] = [member("m.ovf", descriptor(TWO)), member("a&b.vmdk", await disk(1))];
    await expect(open(archive(vm, one), 1)).rejects.toThrow("the archive has no file 'two.vmdk'");
    await expect(open(archive(one))).rejects.toThrow("no .ovf file");
    await expect(open(new MemoryFile("x", 4096))).rejects.toMatchObject({ kind: "not-this-format" });
    const broken = vm.slice();
    broken[130] = 0x37;
    await expect(open(archive(broken, one))).rejects.toThrow("checksum");
    for (const [text, why] of [
      ["<Envelope>", "<Envelope> is not closed"],
      ['<!DOCTYPE a [<!ENTITY b "c">]><Envelope/>', "markup"],
      ["<a/>", "must be <Envelope>"],
      ["<a>".repeat(100), "deeper than 64"],
      ["", "there is no element"],
    ] as const)
      await expect(open(archive(member("m.ovf", bytesOf(text)), one))).rejects.toThrow(why);
    const packed =
      '<File ovf:id="f9" ovf:href="p" ovf:compression="gzip"/><File ovf:id="f8" ovf:href="q" ovf:chunkSize="5"/>';
    const more = '<Disk ovf:diskId="p" ovf:fileRef="f9"/><Disk ovf:diskId="q" ovf:fileRef="f8"/>';
    const odd = archive(member("m.ovf", descriptor(more, packed)));
    await expect(open(odd, 0)).rejects.toThrow("compression 'gzip'");
    await expect(open(odd, 1)).rejects.toThrow("chunks");
    const lacking = archive(member("m.ovf", descriptor('<Disk ovf:diskId="p" ovf:fileRef="f7"/>')));
    await expect(open(lacking)).rejects.toThrow("which <References> lacks");
  });

  it("may lie behind long names", async () => {
    const pax = bytesOf("22 path=x/machine.ovf\n");
    const long = bytesOf(`${"n".repeat(120)}.vmdk\0`);
    const files = `<File ovf:id="f5" ovf:href="${"n".repeat(120)}.vmdk"/>`;
    const file = archive(
      member("pax", pax, "x"),
      member("short", descriptor('<Disk ovf:diskId="d" ovf:fileRef="f5"/>', files)),
      member("././@LongLink", long, "L"),
      member("n", await disk(7)),
    );
    const node = await openImage(ova, file, { readOnly: true, host: testHost(), formats: [vmdk] });
    const read = new Uint8Array(1);
    await node.read(9, read);
    expect(read[0]).toBe(7);
    await node.close();
  });

  it("survive damage", async () => {
    const good = (await make()).content();
    const end = 4096 + 1024;
    for (let i = 0; i < end; i += 13) {
      const bytes = good.slice();
      bytes[i] = (bytes[i] ?? 0) ^ (1 << (i % 8));
      await openImage(ova, new MemoryFile("d.ova", bytes), { readOnly: true, host: testHost(), formats: [vmdk] }).then(
        (n) => n.close(),
        (e: unknown) => expect(e).toMatchObject({ name: "BlockError" }),
      );
    }
  });
});

describe("XML", () => {
  it("has attributes, text and references", () => {
    const a = parseXml('<?xml?><x:a b:c="1 &lt; &#50; &#x33; &un;"><![CDATA[<>]]>&gt;<d/></x:a>');
    expect([a.name, a.attributes.get("c"), a.text, a.children.length]).toEqual(["a", "1 < 2 3 &un;", "<>>", 1]);
    expect(() => parseXml("<a></b>")).toThrow("closes");
    expect(() => parseXml("<a/>".repeat(50_001))).toThrow("more than");
  });
});
