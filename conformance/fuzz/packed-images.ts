/** Images of the formats that are only read: Bochs, cloop, DMG and OVA, made here from their specifications. */
import { deflateSync } from "node:zlib";

/** Images of a format that makes none itself; none for the others. `disk`: a compressed VMDK, for an archive */
export async function packedImages(
  format: string,
  disk: () => Promise<Uint8Array>,
): Promise<ReadonlyMap<string, Uint8Array>[]> {
  const images: Readonly<Record<string, () => Promise<Uint8Array[]> | Uint8Array[]>> = {
    bochs: () => [bochs(1), bochs(2)],
    cloop: () => [cloop()],
    dmg: () => [dmg(false), dmg(true)],
    ova: async () => [ova(await disk())],
  };
  return ((await images[format]?.()) ?? []).map((bytes) => new Map([["disk.img", bytes]]));
}

/** A growing redolog of four extents, of which one is stored. */
function bochs(version: 1 | 2): Uint8Array {
  const extent = 4096;
  const out = Buffer.alloc(512 + 16 + 512 + extent);
  out.write("Bochs Virtual HD Image", 0);
  out.write("Redolog", 32);
  out.write("Growing", 48);
  [version << 16, 512, 4, 1, extent].forEach((value, i) => out.writeUInt32LE(value, 64 + 4 * i));
  out.writeUInt32LE(3 * extent, version === 1 ? 84 : 88);
  [0xffffffff, 0xffffffff, 0, 0xffffffff].forEach((value, i) => out.writeUInt32LE(value, 512 + 4 * i));
  out[528] = 5;
  return bytesOf(out);
}

function cloop(): Uint8Array {
  const blocks = [1, 2, 3].map((n) => deflateSync(Buffer.alloc(1024, n)));
  const head = Buffer.alloc(136 + 8 * 4);
  head.write("#!/bin/sh\n#V2.0 Format\n", 0);
  head.writeUInt32BE(1024, 128);
  head.writeUInt32BE(3, 132);
  let at = head.length;
  for (const [i, block] of blocks.entries()) {
    head.writeUInt32BE(at, 136 + 8 * i + 4);
    at += block.length;
  }
  head.writeUInt32BE(at, 136 + 8 * 3 + 4);
  return bytesOf(Buffer.concat([head, ...blocks]));
}

/** Chunks of each kind, listed in a property list or in a resource fork. The packed ones are of 5.2's letters "B" and "X". */
function dmg(resources: boolean): Uint8Array {
  const adc = Buffer.concat(Array.from({ length: 4 }, () => Buffer.concat([Buffer.of(0xff), Buffer.alloc(128, 0x41)])));
  const parts: readonly (readonly [number, number, Buffer])[] = [
    [1, 1, Buffer.alloc(512, 0x5a)],
    [0, 3, Buffer.alloc(0)],
    [0x80000005, 2, deflateSync(Buffer.alloc(1024, 0x5a))],
    [2, 1, Buffer.alloc(0)],
    [0x80000004, 1, adc],
    [0x80000006, 2, Buffer.from("QlpoOTFBWSZTWfJm9hEAAAREAMAAEAAACCAAMMwFU2piKDxdyRThQkPJm9hE", "base64")],
    [0x80000007, 2, Buffer.from("YnZ4bgAEAAAWAAAAaAFW8P/w//D/8LjiVlYGAAAAAAAAAGJ2eCQ=", "base64")],
    [0x80000008, 2, Buffer.from("/Td6WFoAAATm1rRGAgAhARwAAAAQz1jM4AP/AAtdACxv+7/+o7De4HIAAADwQKZwXoPwhwABJ4AIAAAALnmurbHEZ/sCAAAAAARZWg==", "base64")], // prettier-ignore
  ];
  const mish = Buffer.alloc(204 + 40 * (parts.length + 1));
  mish.write("mish", 0);
  mish.writeUInt32BE(1, 4);
  mish.writeUInt32BE(parts.length + 1, 200);
  let [sector, end] = [0, 0];
  for (const [i, [kind, sectors, bytes]] of parts.entries()) {
    const at = 204 + 40 * i;
    mish.writeUInt32BE(kind, at);
    mish.writeUInt32BE(sector, at + 12);
    mish.writeUInt32BE(sectors, at + 20);
    mish.writeUInt32BE(end, at + 28);
    mish.writeUInt32BE(bytes.length, at + 36);
    sector += sectors;
    end += bytes.length;
  }
  mish.writeUInt32BE(0xffffffff, 204 + 40 * parts.length);
  const list = Buffer.from(
    `<plist version="1.0"><dict><key>resource-fork</key><dict><key>blkx</key><array><dict><key>Attributes</key><string>0x0050</string><key>Data</key><data>\n\t${mish.toString("base64")}\n</data><key>ID</key><string>-1</string></dict></array></dict></dict></plist>`,
  );
  const fork = Buffer.alloc(20);
  fork.writeUInt32BE(16, 0);
  fork.writeUInt32BE(4 + mish.length, 8);
  fork.writeUInt32BE(mish.length, 16);
  const map = resources ? Buffer.concat([fork, mish]) : list;
  const koly = Buffer.alloc(512);
  koly.write("koly", 0);
  koly.writeUInt32BE(4, 4);
  koly.writeUInt32BE(512, 8);
  koly.writeUInt32BE(end, (resources ? 40 : 216) + 4);
  koly.writeUInt32BE(map.length, (resources ? 48 : 224) + 4);
  return bytesOf(Buffer.concat([...parts.map(([, , bytes]) => bytes), map, koly]));
}

/** An archive with a descriptor and one compressed disk. */
function ova(disk: Uint8Array): Uint8Array {
  const format = "http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized";
  const descriptor = Buffer.from(`<?xml version="1.0"?>
<ovf:Envelope xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"><!-- one disk -->
  <References><File ovf:href="a&amp;b.vmdk" ovf:id="f1" ovf:size="1"/></References>
  <ovf:DiskSection><Info>disks</Info><Disk ovf:diskId="d1" ovf:fileRef="f1" ovf:capacity="256" ovf:capacityAllocationUnits="byte * 2^10" ovf:format="${format}"/></ovf:DiskSection>
</ovf:Envelope>`);
  return bytesOf(Buffer.concat([member("machine.ovf", descriptor), member("a&b.vmdk", disk), Buffer.alloc(1024)]));
}

function member(name: string, content: Uint8Array): Buffer {
  const out = Buffer.alloc(512 + Math.ceil(content.length / 512) * 512);
  out.write(name, 0);
  out.write("0000644\0", 100);
  out.write(content.length.toString(8).padStart(11, "0"), 124);
  out.write("0", 156);
  out.write("ustar\x0000", 257);
  out.write("        ", 148);
  const sum = out.subarray(0, 512).reduce((n, b) => n + b, 0);
  out.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  out.set(content, 512);
  return out;
}

const bytesOf = (buffer: Buffer): Uint8Array => new Uint8Array(buffer);
