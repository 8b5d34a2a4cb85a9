import { qom } from "@mimus/qom";
import { z } from "zod";
export { qom, z };
