import { config } from "zod";

// Schemas are used a few times each in a tool: compiling them costs more than it pays back. Before any is made.
config({ jitless: true });
