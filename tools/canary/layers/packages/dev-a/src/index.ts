import { qom } from "@mimus/qom";
export const part = qom;
