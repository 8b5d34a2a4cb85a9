// What the second module exports: the double extended format, and the instructions of the x87 on a register file in memory.

export * from "./extf80";
