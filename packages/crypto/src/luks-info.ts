import type { LuksHeader } from "./luks-header.ts";

/** Facts of a header in QEMU's names and order (QCryptoBlockInfoLUKS). */
export function describeLuks(h: LuksHeader): Readonly<Record<string, unknown>> {
  const { cipher, mode, iv, ivHash } = h.suite;
  const bits = h.keyBytes * (mode === "xts" ? 4 : 8);
  return {
    "ivgen-alg": iv ?? "plain",
    "hash-alg": h.hash,
    "cipher-alg": `${cipher}-${bits}`,
    uuid: h.uuid,
    ...(ivHash === undefined ? {} : { "ivgen-hash-alg": ivHash }),
    "cipher-mode": mode,
    slots: h.slots.map((slot) =>
      slot.active
        ? { active: true, iters: slot.iterations, "key-offset": slot.offset, stripes: slot.stripes }
        : { active: false, "key-offset": slot.offset },
    ),
    "payload-offset": h.payloadOffset,
    "master-key-iters": h.digestIterations,
  };
}
