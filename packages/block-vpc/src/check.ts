import type { BlockNode, CheckRepair, CheckReport } from "@mimus/block";
import type { BlockMap } from "./block-map.ts";
import { FOOTER_BYTES, isFooter } from "./footer.ts";

const MOST_MESSAGES = 1000;

/** Looks at the block table, the footer and the space that nothing uses. `firstBlock`: where blocks may begin. */
export async function check(
  file: BlockNode,
  map: BlockMap,
  repair: CheckRepair,
  disk: { readonly blocks: number; readonly metadataEnd: number },
): Promise<CheckReport> {
  const messages: string[] = [];
  const say = (m: string): void => void (messages.length < MOST_MESSAGES && messages.push(m));
  let [corruptions, corruptionsFixed, leaks, leaksFixed, allocated, fragmented] = [0, 0, 0, 0, 0, 0];
  await map.commit();
  const blocks: { block: number; sector: number }[] = [];
  await map.each((block, sector) => blocks.push({ block, sector }));
  const bad: number[] = [];
  let next = -1;
  for (const { block, sector } of blocks) {
    const fault = map.fault(sector);
    if (fault !== undefined) {
      corruptions++;
      bad.push(block);
      say(`ERROR block ${block} at sector ${sector} ${fault}`);
      continue;
    }
    allocated++;
    if (next >= 0 && sector * 512 !== next) fragmented++;
    next = sector * 512 + map.stride;
  }
  const sorted = blocks.filter((b) => !bad.includes(b.block)).toSorted((a, b) => a.sector - b.sector);
  let end = disk.metadataEnd;
  for (const { block, sector } of sorted) {
    const start = sector * 512;
    if (start < end && end > disk.metadataEnd) {
      corruptions++;
      say(`ERROR block ${block} at sector ${sector} lies over another block`);
    } else if (start - end >= map.stride) {
      leaks += Math.floor((start - end) / map.stride);
      say(`Leaked ${start - end} bytes at ${end}`);
    }
    end = Math.max(end, start + map.stride);
  }
  if (bad.length > 0 && repair === "all") {
    for (const block of bad) await map.forget(block);
    await map.commit();
    corruptionsFixed += bad.length;
  }
  const last = new Uint8Array(FOOTER_BYTES);
  await file.read(file.size - FOOTER_BYTES, last);
  const footerThere = isFooter(last);
  const tail = file.size - end - (footerThere ? FOOTER_BYTES : 0);
  const wasteful = tail >= map.stride;
  if (wasteful) {
    const n = Math.floor(tail / map.stride);
    leaks += n;
    say(`Leaked ${tail} bytes at the end of the file`);
    if (repair !== "none") leaksFixed += n;
  } else if (!footerThere) {
    leaks++;
    say("The footer at the end of the file is missing; its copy at the start is used");
    if (repair !== "none") leaksFixed++;
  }
  if (repair !== "none" && (wasteful || !footerThere)) await map.cutAt(end);
  return {
    corruptions,
    leaks,
    corruptionsFixed,
    leaksFixed,
    checkErrors: 0,
    imageEndOffset: end,
    totalClusters: disk.blocks,
    allocatedClusters: allocated,
    fragmentedClusters: fragmented,
    messages,
  };
}
