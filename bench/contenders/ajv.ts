/** Contender: Ajv 8, schemas compiled to functions. */
import { Ajv } from "ajv";
import { eventSchema, metadataSchema } from "./json-schema.ts";
import { contender } from "./rows.ts";
import { judgeByShape } from "./shape.ts";

// `strict` only warns about unions and about `required` without `properties`; it changes no verdict.
const ajv = new Ajv({ strict: false });
export default contender(judgeByShape({
  event: ajv.compile(eventSchema),
  metadata: (type, category, payload) => ajv.compile(metadataSchema(type, category, payload)),
}));
