/** Sources of random bytes that users name: `-object rng-builtin` and `-object rng-random`. */
import type { TypeSpec } from "@mimus/qom";
import { z } from "zod";
import type { RngSource } from "./virtio-rng.ts";

/** What has random bytes: the machine. */
interface Randomness {
  random(bytes: Uint8Array): void;
}

const create = (_props: unknown, _id: string, machine: unknown): RngSource => ({
  fill: (bytes) => (machine as Randomness).random(bytes),
});

/** Both give the bytes of the host that the machine has; the files are its names on Linux, and no others are read. */
export const rngSources: readonly TypeSpec[] = [
  {
    name: "rng-builtin",
    kind: "object",
    parent: "object",
    userCreatable: true,
    summary: "random bytes of the host",
    class: { backend: "rng", create },
  },
  {
    name: "rng-random",
    kind: "object",
    parent: "object",
    userCreatable: true,
    summary: "random bytes of the host, by the name of its device file",
    props: z.strictObject({
      filename: z
        .enum(["/dev/urandom", "/dev/random", "/dev/hwrng"])
        .default("/dev/urandom")
        .describe("the device file"),
    }),
    class: { backend: "rng", create },
  },
];
