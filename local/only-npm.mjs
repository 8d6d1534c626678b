/** Runs before any installation: package-lock.json is npm's, and what another package manager installs would be other versions. */
const agent = process.env.npm_config_user_agent ?? "npm/";
if (!agent.startsWith("npm/")) {
  console.error(
    `this checkout is installed with npm, not with ${agent.split("/")[0]}; npm start and npm test do it by themselves`,
  );
  process.exit(1);
}
