import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";

type Shape = [string, Record<string, string>];

/** Puts the outline icons where the `{% icon %}` tag reads them: { name: "<path …/>" }. */
function icons(): Plugin {
  return {
    name: "hongyan-icons",
    generateBundle() {
      const file = fileURLToPath(new URL("node_modules/@tabler/icons/tabler-nodes-outline.json", import.meta.url));
      const nodes = JSON.parse(readFileSync(file, "utf-8")) as Record<string, Shape[]>;
      const bodies = Object.entries(nodes).map(([name, shapes]) => [name, shapes.map(markup).join("")]);
      this.emitFile({ type: "asset", fileName: "icons.json", source: JSON.stringify(Object.fromEntries(bodies)) });
    },
  };
}

function markup([tag, attributes]: Shape): string {
  const written = Object.entries(attributes).map(([name, value]) => `${name}="${value}"`);
  return `<${tag} ${written.join(" ")}/>`;
}

export default defineConfig({
  root: "frontend",
  base: "/static/build/",
  plugins: [icons()],
  build: {
    outDir: "../hongyan/web/static/build",
    emptyOutDir: true,
    manifest: "manifest.json",
    target: "es2022",
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
    rollupOptions: { input: { main: fileURLToPath(new URL("frontend/src/main.ts", import.meta.url)) } },
  },
});
