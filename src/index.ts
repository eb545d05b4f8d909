export { isStarted } from "./seam.ts";
