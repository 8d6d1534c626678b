// The default taxonomy as the snapshot that `GET …/registry` answers with.
import { readFileSync } from "node:fs";
import { snapshot } from "../../../web/shared/snapshot.mjs";

const file = new URL("../../../taxonomy.json", import.meta.url);

export const registrySnapshot = () => snapshot(JSON.parse(readFileSync(file, "utf8")));
