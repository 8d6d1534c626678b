/** Contender: ata-validator, schemas compiled to functions: its native addon does not run in an Edge Function. */
import { Validator } from "ata-validator";
import { eventSchema, metadataSchema } from "./json-schema.ts";
import { contender } from "./rows.ts";
import { judgeByShape, type Shape } from "./shape.ts";

function compiled(schema: Record<string, unknown>): Shape {
  const validator = new Validator(schema);
  return (value) => validator.isValidObject(value);
}

export default contender(judgeByShape({
  event: compiled(eventSchema),
  metadata: (type, category, payload) => compiled(metadataSchema(type, category, payload)),
}));
