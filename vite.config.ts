import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
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

/** Writes .br and .gz beside each file; the web server sends whichever the browser takes. */
function compressed(): Plugin {
  return {
    name: "hongyan-compressed",
    writeBundle(options, bundle) {
      for (const name of Object.keys(bundle)) {
        if (!/\.(js|css)$/.test(name)) continue;
        const file = join(options.dir ?? "", name);
        const source = readFileSync(file);
        writeFileSync(`${file}.br`, brotliCompressSync(source));
        writeFileSync(`${file}.gz`, gzipSync(source, { level: 9 }));
      }
    },
  };
}

function entry(name: string): string {
  return fileURLToPath(new URL(`frontend/src/${name}.ts`, import.meta.url));
}

function snippet(): string {
  return fileURLToPath(new URL("frontend/snippet/hongyan.ts", import.meta.url));
}

export default defineConfig({
  root: "frontend",
  base: "/static/build/",
  plugins: [icons(), compressed()],
  build: {
    outDir: "../hongyan/web/static/build",
    emptyOutDir: true,
    manifest: "manifest.json",
    target: "es2022",
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
    rollupOptions: {
      input: { main: entry("main"), public: entry("public"), hongyan: snippet() },
      // Websites name the snippet in their pages: its address never changes.
      output: { entryFileNames: (chunk) => (chunk.name === "hongyan" ? "hongyan.js" : "assets/[name]-[hash].js") },
    },
  },
});
