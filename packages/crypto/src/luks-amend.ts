import { CryptoError } from "./errors.ts";
import type { LuksHost } from "./luks-create.ts";
import { fillSlot } from "./luks-create.ts";
import type { KeySlot, LuksHeader } from "./luks-header.ts";
import { formatLuksHeader, KEY_SLOTS, materialBytes } from "./luks-header.ts";
import type { LuksVolume, LuksWriter } from "./luks.ts";
import { tryKeySlot } from "./luks.ts";
import { fillRandom } from "./random.ts";

/** A change to the key slots, in QEMU's meaning of `amend` for LUKS. */
export type LuksChange =
  | {
      readonly state: "active";
      /** Absent = the first free slot. */
      readonly keyslot?: number | undefined;
      readonly newPassword: Uint8Array;
      /** Milliseconds; absent = 2000. */
      readonly iterTime?: number | undefined;
    }
  | {
      readonly state: "inactive";
      readonly keyslot?: number | undefined;
      /** All slots that this password opens. */
      readonly oldPassword?: Uint8Array | undefined;
    };

/** A header's place, which this change writes: `flush` makes a step stable before the next one. */
export interface LuksStorage extends LuksWriter {
  /** What was written is stable afterwards. */
  flush(): Promise<void>;
}

/**
 * Adds or erases key slots. The last active slot is never erased: without it nobody can read the data.
 * @throws CryptoError "bad-option" with nothing changed.
 */
export async function amendLuks(
  io: LuksStorage,
  volume: Pick<LuksVolume, "header" | "masterKey">,
  change: LuksChange,
  host: LuksHost,
): Promise<void> {
  if (change.keyslot !== undefined && !(change.keyslot >= 0 && change.keyslot < KEY_SLOTS))
    throw bad(`Invalid keyslot ${change.keyslot}. Must be between 0 and ${KEY_SLOTS - 1}`);
  if (change.state === "active") return add(io, volume, change, host);
  for (const slot of await slotsToErase(io, volume.header, change, host)) await erase(io, volume.header, slot, host);
}

async function add(
  io: LuksStorage,
  { header, masterKey }: Pick<LuksVolume, "header" | "masterKey">,
  change: Extract<LuksChange, { state: "active" }>,
  host: LuksHost,
): Promise<void> {
  const index = change.keyslot ?? header.slots.findIndex((s) => !s.active);
  const slot = header.slots[index];
  if (!slot) throw bad("Can't add a keyslot - all keyslots are in use");
  if (slot.active) throw bad(`Refusing to overwrite active keyslot ${index} - please erase it first`);
  const filled: KeySlot = { ...slot };
  const material = await fillSlot(header, filled, masterKey, change.newPassword, change.iterTime ?? 2000, host);
  await io.write(slot.offset, material);
  await io.flush(); // the header names the slot once its material is there
  Object.assign(slot, filled);
  await io.write(0, formatLuksHeader(header));
  await io.flush();
}

async function slotsToErase(
  io: LuksStorage,
  header: LuksHeader,
  change: Extract<LuksChange, { state: "inactive" }>,
  host: LuksHost,
): Promise<readonly KeySlot[]> {
  const active = header.slots.filter((s) => s.active);
  const { keyslot, oldPassword } = change;
  if (keyslot !== undefined) {
    const slot = header.slots[keyslot]!;
    if (oldPassword && !(slot.active && (await tryKeySlot(io, header, slot, oldPassword, host))))
      throw bad(`Given keyslot ${keyslot} doesn't contain the given old password`);
    if (!slot.active) throw bad(`Given keyslot ${keyslot} is already erased (inactive)`);
    if (active.length === 1)
      throw bad(
        `Attempt to erase the only active keyslot ${keyslot} which will erase all the data in the image irreversibly - refusing operation`,
      );
    return [slot];
  }
  if (!oldPassword)
    throw bad(
      "To erase keyslot(s), either explicit keyslot index or the password currently contained in them must be given",
    );
  const matching: KeySlot[] = [];
  for (const slot of active) if (await tryKeySlot(io, header, slot, oldPassword, host)) matching.push(slot);
  if (matching.length === 0) throw bad("No keyslots match given (old) password for erase operation");
  if (matching.length === active.length)
    throw bad(
      "All the active keyslots match the (old) password that was given and erasing them will erase all the data in the image irreversibly - refusing operation",
    );
  return matching;
}

async function erase(io: LuksStorage, header: LuksHeader, slot: KeySlot, host: LuksHost): Promise<void> {
  Object.assign(slot, { active: false, iterations: 0, salt: new Uint8Array(32) });
  await io.write(0, formatLuksHeader(header));
  await io.flush();
  const noise = new Uint8Array(materialBytes(header));
  fillRandom(host, noise);
  await io.write(slot.offset, noise);
  await io.flush();
}

function bad(message: string): CryptoError {
  return new CryptoError("bad-option", message);
}
