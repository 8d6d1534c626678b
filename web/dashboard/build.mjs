import { build } from "vite";
import config from "./vite.config.js";

export default () => build(config);
