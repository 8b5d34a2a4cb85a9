import type { CheckRepair, CheckReport } from "@mimus/block";
import { type BlockMap, mark } from "./block-map.ts";
import type { VdiHeader } from "./header.ts";

const MOST_MESSAGES = 1000;

/** Checks the block map against itself and the header's count. `recount` mends the count. */
export async function checkMap(
  map: BlockMap,
  header: VdiHeader,
  repair: CheckRepair,
  recount: () => Promise<void>,
): Promise<CheckReport> {
  const messages: string[] = [];
  const say = (text: string): void => void (messages.length < MOST_MESSAGES && messages.push(text));
  const owned = new Uint8Array(Math.ceil(header.blocks / 8));
  let corruptions = 0;
  let used = 0;
  let end = 0;
  await map.entries((block, index) => {
    if (index >= header.blocks) {
      corruptions++;
      say(`ERROR: block index ${block} out of range, is ${index}`);
      return;
    }
    used++;
    end = Math.max(end, index + 1);
    if (mark(owned, index)) return;
    corruptions++;
    say(`ERROR: block index ${index} of block ${block} is also used by another block`);
  });
  const count = map.count;
  let leaks = 0;
  let leaksFixed = 0;
  let corruptionsFixed = 0;
  if (count !== used) {
    say(`ERROR: allocated blocks mismatch, is ${used}, should be ${count}`);
    const mends = repair === "all" || (repair === "leaks" && count > used);
    if (mends) await recount();
    const mended = mends && map.count === used;
    const surplus = count - used;
    if (count < end) {
      if (mended) corruptionsFixed++;
      else corruptions++;
    } else if (mended) leaksFixed += surplus;
    else leaks += surplus;
  }
  return { corruptions, leaks, corruptionsFixed, leaksFixed, checkErrors: 0, messages };
}
