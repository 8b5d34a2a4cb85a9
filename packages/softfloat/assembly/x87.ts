// What the second module exports: the double extended format, and the instructions of the x87 on a register file in memory.

export * from "./extf80";
export * from "./x87/arith";
export * from "./x87/functions";
export * from "./x87/move";
export * from "./x87/order";
export * from "./x87/state";
