export * from "./bits";
export { cpuid } from "./cpuid";
export * from "./divide";
export * from "./flags";
export { load_data_segment, port_allowed, verify_segment } from "./segments";
export * from "./strings";
export { fill_tlb } from "./walk";
export { enter_handler, return_from_handler } from "./system";
