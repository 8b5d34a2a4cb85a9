/** What the tools have in place of zod: it is loaded when a value is wrong or help is asked for. */
import { createRequire } from "node:module";

import { quickZod, type Zod } from "./quick-schema.ts";

export const z: Zod = quickZod(() => (createRequire(import.meta.url)("./zod.js") as { readonly z: Zod }).z);
