/**
 * A project may declare its schemas in files, and have `supabase db diff` write a migration of what differs. What the files
 * do not name is dropped by it; the gate is in migrations alone.
 */
import { CONFIG } from "./project.mjs";

const GATE = "./migrations/*_audience_gate_*.sql";

/** What is amiss if the files that declare the schemas lack the gate. @param {import("./project.mjs").Project} project @returns {[finding: string, remedy: string][]} */
export function declaredWithoutGate(project) {
  const [, section = ""] = /^\s*\[\s*db\.migrations\s*\]([\s\S]*?)(?=^\s*\[(?!["'\s\]])|$(?![\s\S]))/m.exec(
    project.read(CONFIG) ?? "",
  ) ?? [];
  const [, declared = ""] = /^\s*schema_paths\s*=\s*\[([^\]]*)\]/m.exec(section) ?? [];
  const paths = declared.replaceAll(/#.*$/gm, "");
  if (!/["']/.test(paths) || paths.includes("audience_gate")) return [];
  return [[
    `by schema_paths in ${CONFIG}, supabase db diff would drop the gate, which the files there do not name`,
    `add "${GATE}" at its end`,
  ]];
}
