/** The table of one language, which the build makes of the files here: see tables.mjs. */
declare module "texts:*" {
  const table: Readonly<Record<string, string>>;
  export default table;
}
