/** Tests as data: runs every case, then shows all failures at once. */

export async function check<Case extends { readonly name: string }>(
  cases: readonly Case[],
  holds: (oneCase: Case) => void | Promise<void>,
): Promise<void> {
  const failures: string[] = [];
  for (const oneCase of cases) {
    try {
      await holds(oneCase);
    } catch (error) {
      failures.push(
        `--- ${oneCase.name}\n${error instanceof Error ? error.message : error}`,
      );
    }
  }
  if (failures.length > 0) {
    throw new Error(
      `${failures.length} of ${cases.length} cases fail\n${failures.join("\n")}`,
    );
  }
}
