/** The file that a machine's worker runs; on a page without workers it is imported instead. */
import * as z from "zod";
import type { FromMachine, Port, ToMachine } from "./protocol.ts";
import { serve } from "./serve.ts";

// The page's policy allows no code from strings; zod would try.
z.config({ jitless: true });

export { serve };

if (typeof document === "undefined") serve(globalThis as unknown as Port<FromMachine, ToMachine>);
