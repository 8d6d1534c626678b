/** Contender: TypeBox 1, which compiles JSON Schema. */
import { Compile } from "typebox/compile";
import { eventSchema, metadataSchema } from "./json-schema.ts";
import { contender } from "./rows.ts";
import { judgeByShape, type Shape } from "./shape.ts";

function compiled(schema: Record<string, unknown>): Shape {
  const validator = Compile(schema);
  return (value) => validator.Check(value);
}

export default contender(judgeByShape({
  event: compiled(eventSchema),
  metadata: (type, category, payload) => compiled(metadataSchema(type, category, payload)),
}));
