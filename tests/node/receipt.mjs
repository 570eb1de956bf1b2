// What is asked for where an answer is a value: the schema of a receipt.
import { z } from "zod";

export const RECEIPT = z.object({ order_id: z.string(), amount: z.number().int() });
