declare module "htmx.org/dist/htmx.esm.js";
declare module "*.svg?raw" {
  const source: string;
  export default source;
}
