import { type BlockNode, CheckFindings, type CheckRepair, type CheckReport } from "@mimus/block";
import type { BlockMap } from "./block-map.ts";
import { FOOTER_BYTES, isFooter } from "./footer.ts";

/** A block of the disk that has a place in the file. */
interface PlacedBlock {
  readonly block: number;
  readonly sector: number;
}

/** Looks at the block table, the footer and the space that nothing uses. `metadataEnd`: where blocks may begin. */
export async function check(
  file: BlockNode,
  map: BlockMap,
  repair: CheckRepair,
  disk: { readonly blocks: number; readonly metadataEnd: number },
): Promise<CheckReport> {
  const found = new CheckFindings();
  await map.commit();
  const good: PlacedBlock[] = [];
  const bad: number[] = [];
  let fragmented = 0;
  let next = -1;
  await map.each((block, sector) => {
    const fault = map.fault(sector);
    if (fault !== undefined) {
      bad.push(block);
      found.corrupt(`ERROR block ${block} at sector ${sector} ${fault}`);
      return;
    }
    good.push({ block, sector });
    if (next >= 0 && sector * 512 !== next) fragmented++;
    next = sector * 512 + map.stride;
  });
  const end = lookBetween(found, good, map.stride, disk.metadataEnd);
  if (bad.length > 0 && repair === "all") {
    for (const block of bad) await map.forget(block);
    await map.commit();
    found.corruptionsFixed += bad.length;
  }
  await checkTail(found, file, map, repair, end);
  return found.report({
    imageEndOffset: end,
    totalClusters: disk.blocks,
    allocatedClusters: good.length,
    fragmentedClusters: fragmented,
  });
}

/** Reports blocks over each other and room between them; answers where the last one ends. */
function lookBetween(found: CheckFindings, blocks: PlacedBlock[], stride: number, metadataEnd: number): number {
  blocks.sort((a, b) => a.sector - b.sector);
  let end = metadataEnd;
  for (const { block, sector } of blocks) {
    const start = sector * 512;
    if (start < end && end > metadataEnd)
      found.corrupt(`ERROR block ${block} at sector ${sector} lies over another block`);
    else if (start - end >= stride)
      found.leak(Math.floor((start - end) / stride), `Leaked ${start - end} bytes at ${end}`);
    end = Math.max(end, start + stride);
  }
  return end;
}

/** Behind the last block, which ends at `end`, there is the footer and nothing else. */
async function checkTail(
  found: CheckFindings,
  file: BlockNode,
  map: BlockMap,
  repair: CheckRepair,
  end: number,
): Promise<void> {
  const last = new Uint8Array(FOOTER_BYTES);
  await file.read(file.size - FOOTER_BYTES, last);
  const footerThere = isFooter(last);
  const tail = file.size - end - (footerThere ? FOOTER_BYTES : 0);
  const surplus = Math.floor(tail / map.stride);
  if (surplus > 0) found.leak(surplus, `Leaked ${tail} bytes at the end of the file`);
  else if (!footerThere) found.leak(1, "The footer at the end of the file is missing; its copy at the start is used");
  else return;
  if (repair === "none") return;
  await map.cutAt(end);
  found.leaksFixed += Math.max(surplus, 1);
}
