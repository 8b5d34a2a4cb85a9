import type { BlockNode, FormatHost } from "@mimus/block";
import { BlockError } from "@mimus/block";
import type { LuksVolume } from "@mimus/crypto";
import { amendLuks } from "@mimus/crypto";
import { complaint } from "@mimus/qom";
import { z } from "zod";

const Change = z.strictObject({
  state: z.enum(["active", "inactive"]),
  "iter-time": z.coerce.number().int().optional(),
  keyslot: z.coerce.number().int().optional(),
  "new-secret": z.string().optional(),
  "old-secret": z.string().optional(),
});

/** Changes key slots as QEMU's `amend` does. @throws BlockError, CryptoError */
export async function amend(
  header: BlockNode,
  volume: LuksVolume,
  given: Readonly<Record<string, unknown>>,
  host: FormatHost,
): Promise<void> {
  const parsed = Change.safeParse(given);
  if (!parsed.success) {
    const first = parsed.error.issues[0];
    throw bad(first === undefined ? "bad options" : `${first.path.join(".") || "amend"}: ${complaint(first)}`);
  }
  const { state, keyslot, "iter-time": iterTime, "new-secret": added, "old-secret": old } = parsed.data;
  if (state === "active") {
    if (added === undefined) throw bad("'new-secret' is required to activate a keyslot");
    if (old !== undefined) throw bad("'old-secret' must not be given when activating keyslots");
    return amendLuks(header, volume, { state, keyslot, newPassword: await host.secret(added), iterTime }, host);
  }
  if (added !== undefined) throw bad("'new-secret' must not be given when erasing keyslots");
  if (iterTime !== undefined) throw bad("'iter-time' must not be given when erasing keyslots");
  const oldPassword = old === undefined ? undefined : await host.secret(old);
  return amendLuks(header, volume, { state, keyslot, oldPassword }, host);
}

function bad(message: string): BlockError {
  return new BlockError("bad-option", message);
}
