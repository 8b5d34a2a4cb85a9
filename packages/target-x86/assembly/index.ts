export * from "./bits";
export * from "./divide";
export * from "./flags";
export { load_data_segment, port_allowed, verify_segment } from "./segments";
export * from "./strings";
export { enter_handler, return_from_handler } from "./system";
