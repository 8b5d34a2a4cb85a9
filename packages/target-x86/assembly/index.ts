export * from "./bits";
export * from "./divide";
export * from "./flags";
export * from "./strings";
export * from "./system";
