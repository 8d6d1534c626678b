/** Runs before any installation: package-lock.json is npm's, and another package manager would install other versions. */
const agent = process.env.npm_config_user_agent ?? "npm/";
if (!agent.startsWith("npm/")) {
  console.error(
    `this checkout is installed with npm, not with ${agent.split("/")[0]}; npm start and npm test do it for you`,
  );
  process.exit(1);
}
