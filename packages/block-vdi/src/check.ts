import { CheckFindings, type CheckRepair, type CheckReport } from "@mimus/block";
import { type BlockMap, mark } from "./block-map.ts";
import type { VdiHeader } from "./header.ts";

/** Checks the block map against itself and the header's count. `recount` repairs the count. */
export async function checkMap(
  map: BlockMap,
  header: VdiHeader,
  repair: CheckRepair,
  recount: () => Promise<void>,
): Promise<CheckReport> {
  const found = new CheckFindings();
  const owned = new Uint8Array(Math.ceil(header.blocks / 8));
  let used = 0;
  let end = 0;
  await map.entries((block, index) => {
    if (index >= header.blocks) {
      found.corrupt(`ERROR: block index ${block} out of range, is ${index}`);
      return;
    }
    used++;
    end = Math.max(end, index + 1);
    if (!mark(owned, index))
      found.corrupt(`ERROR: block index ${index} of block ${block} is also used by another block`);
  });
  const count = map.count;
  if (count !== used) {
    found.note(`ERROR: allocated blocks mismatch, is ${used}, should be ${count}`);
    const repairs = repair === "all" || (repair === "leaks" && count > used);
    if (repairs) await recount();
    const repaired = repairs && map.count === used;
    const surplus = count - used;
    if (count < end) {
      if (repaired) found.corruptionsFixed++;
      else found.corruptions++;
    } else if (repaired) found.leaksFixed += surplus;
    else found.leaks += surplus;
  }
  return found.report();
}
